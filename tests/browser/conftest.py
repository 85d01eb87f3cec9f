"""A real browser before the real server with the real default model; what is missing fails with what to do."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "src/hooke/server/static"
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

PUBLISH = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import toy_server
from hooke.publish.publish import publish, publish_whole
from hooke.publish.work import Plan
from hooke.server import grids
from hooke.server.app import create_app
from hooke.storage.store import Store
from hooke.studies.inversion import Inversion
grids.METHOD = Inversion(steps=4, coarse=2)
folder = Path(sys.argv[2])
def app(count):
    return create_app(toy_server.toy(), toy_server.photographs()[:count], Store(), method=toy_server.method())
publish(app(2), Plan(("act1", "act2"), units=1), folder / "served" / "deep" / "site")
publish_whole(app(1), Plan(("act2",), units=0), "/image/first?layer=act2&at=1,1", folder / "view.html")
"""

Open = Callable[..., Page]

expect.set_options(timeout=30_000)  # others may keep the processors busy


@dataclass
class Server:
    """`hooke explore` as a user starts it, in a process of its own."""

    log: Path
    port: int = 0
    url: str = ""
    process: "subprocess.Popen[str] | None" = None
    more: list[str] = field(default_factory=list)
    """Further options."""

    def start(self) -> None:
        """Start it and wait for its address for as long as it lives; the port stays the same the next time."""
        command = [sys.executable, "-c", "from hooke.cli import main; main()", "explore", "--json", "--no-browser"]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), *self.more],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            pytest.fail(f"the server did not start:\n{self.log.read_text()}", pytrace=False)
        self.url = json.loads(line)["address"]
        self.port = int(self.url.rpartition(":")[2])

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self.process is None:
            return
        with self.process as process:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
        self.process = None


@pytest.fixture(scope="session")
def server(cache: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The running server, with an empty result store at first."""
    if not (STATIC / "index.html").is_file():
        pytest.fail("the page is not built\n  next: make web", pytrace=False)
    running = Server(tmp_path_factory.mktemp("server") / "log.txt")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def two(cache: None) -> Iterator[str]:
    """The address of the small model with its other checkpoint beside it."""
    command = [sys.executable, "-W", "ignore", str(ROOT / "tests/server/toy_server.py"), "0", "6", "32", "beside"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture(scope="session")
def published(cache: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`served/deep/site`: two photographs in two layers; `view.html`: one view."""
    folder = tmp_path_factory.mktemp("published")
    server = ROOT / "tests/server"
    command = [sys.executable, "-W", "ignore", "-c", PUBLISH, str(server), str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    return folder


@pytest.fixture(scope="session")
def address(published: Path) -> Iterator[str]:
    """Where the copy is served, as by anyone."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(published)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        port = re.search(r"port (\d+)", process.stdout.readline())
        assert port
        yield f"http://127.0.0.1:{port[1]}/served/deep/site/"
        process.terminate()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium: $HOOKE_CHROMIUM, then the one on PATH."""
    program = os.environ.get("HOOKE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None or shutil.which(program) is None:
        pytest.fail(
            f"the browser tests need Chromium: {program or 'none was found on PATH'}\n"
            "  next: install it (Debian: apt-get install chromium), or set HOOKE_CHROMIUM to the path of one",
            pytrace=False,
        )
    sandbox = [] if os.name != "posix" or os.geteuid() else ["--no-sandbox"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=sandbox)
        yield chromium
        chromium.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of: errors of scripts, of the network, of the content security policy."""
    return []


@pytest.fixture
def open_page(browser: Browser, server: Server, complaints: list[str]) -> Iterator[Open]:
    """Opens a page at a path, in a browser of its own, and waits for its first dictionary."""
    contexts = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.text} {message.location.get('url', '')}")

    def open_page(
        path: str = "/", width: int = 1280, height: int = 900, *, ready: str = ".unit", at: str = "", **context: object
    ) -> Page:  # fmt: skip
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **context))  # type: ignore[arg-type]
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((at or server.url) + path, timeout=180_000)  # others may keep the processors busy
        page.locator(ready).first.wait_for(timeout=180_000)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Open, complaints: list[str]) -> Iterator[Page]:
    """The microscope as it opens, on a usual screen; the browser must have nothing to complain of at the end."""
    yield open_page()
    assert complaints == []


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.is_file():
        pytest.fail("axe-core is not installed\n  next: python hatch_build.py install", pytrace=False)
    return AXE.read_text(encoding="utf-8")


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where screenshots go: $HOOKE_SCREENSHOTS, for a person to look at."""
    folder = Path(os.environ.get("HOOKE_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
