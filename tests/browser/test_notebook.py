"""The microscope in a cell of a real JupyterLab, and results as they are displayed there."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

ROOT = Path(__file__).parents[2]

CELLS = (
    """
import sys
sys.path.insert(0, {folder!r})
import hooke, toy_server
model, store = toy_server.toy(), hooke.Store({store!r})
pictures = [picture for _, picture in toy_server.photographs()]
explorer = hooke.explore(model, pictures[:2], store=store, view="/?layer=act1")
explorer
""",
    'hooke.visualize(model, "act2:3", by=toy_server.method(), store=store)',
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a notebook in a JupyterLab of its own."""
    home = tmp_path_factory.mktemp("jupyter")
    places = {"folder": str(ROOT / "tests/server"), "store": str(home / "store")}
    cells = [
        {"cell_type": "code", "id": f"c{number}", "metadata": {}, "execution_count": None, "outputs": [],
         "source": text.strip().format(**places) if number == 0 else text}
        for number, text in enumerate(CELLS)
    ]  # fmt: skip
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    (home / "work").mkdir()
    (home / "work/look.ipynb").write_text(
        json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR",
             "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR")  # fmt: skip
    settings = (
        "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
        "--IdentityProvider.token=", f"--ServerApp.root_dir={home / 'work'}", "--expose-app-in-browser",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=",
    )  # fmt: skip
    with (home / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *settings],
            stdout=log, stderr=log, cwd=home,
            env={**os.environ, **{name: str(home / name.lower()) for name in names}},
        )  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        _await(f"{url}/api/status", process, home / "log.txt")
        yield f"{url}/lab/tree/look.ipynb?reset"
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-4000:]}", pytrace=False)


@pytest.fixture(scope="module")
def notebook(browser: Browser, lab: str) -> Iterator[Page]:
    """The notebook after all of its cells ran."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(60_000)
    page.goto(lab)
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel")
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    yield page
    page.close()


@pytest.mark.alone
def test_the_pointer_changes_the_dictionary(notebook: Page, screenshots: Path) -> None:
    """The photograph, its units and their pictures are there; another place has other units, and Python knows it."""
    cell = notebook.locator(".jp-Cell").nth(0)
    expect(cell.locator(".unit").first).to_be_visible(timeout=150_000)
    photograph = cell.locator(".photograph img").first
    expect(photograph).to_have_attribute("src", re.compile("^blob:.*#/api/images/.*canvas.png$"))
    assert photograph.evaluate("image => image.naturalWidth") == 32
    units = cell.locator(".unit")
    photograph.scroll_into_view_if_needed()
    box = photograph.bounding_box()
    assert box
    seen = set()
    for share in (0.1, 0.5, 0.9):
        notebook.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"] / 2)
        notebook.wait_for_timeout(300)
        seen.add(
            tuple(
                units.evaluate_all(
                    "all => all.map(one => one.dataset.address + one.querySelector('.value').textContent)"
                )
            )
        )
    assert len(seen) == 3
    expect(cell.locator(".unit img[src^='blob:']").first).to_be_attached()
    notebook.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
    expect(cell.locator(".unit").first).to_be_visible()
    notebook.screenshot(path=screenshots / "notebook.png")


@pytest.mark.alone
def test_a_result_is_displayed_as_a_picture(notebook: Page, screenshots: Path) -> None:
    shown = notebook.locator(".jp-Cell").nth(1).locator(".hooke-result")
    expect(shown).to_be_visible(timeout=150_000)
    assert shown.locator("img").evaluate("image => [image.naturalWidth, image.complete]") == [224, True]
    expect(shown).to_contain_text("act2:3")
    shown.scroll_into_view_if_needed()
    notebook.screenshot(path=screenshots / "notebook-result.png")


@pytest.mark.alone
def test_the_view_is_a_value_in_python(notebook: Page) -> None:
    """What was pinned on the page is read there, and what is set there is shown on the page."""
    code = notebook.evaluate(
        """async () => {
          const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
          const ask = async (code) => {
            const future = kernel.requestExecute({ code: '', user_expressions: { x: code }, store_history: false })
            const reply = await future.done
            return reply.content.user_expressions.x.data['text/plain']
          }
          const before = await ask('explorer.view')
          await ask('setattr(explorer, "view", "/layer/act2")')
          return before
        }"""
    )
    assert "layer=act1" in code
    assert "at=" in code
    expect(notebook.locator(".jp-Cell").nth(0).get_by_role("heading", name="The units of act2")).to_be_visible()
    notebook.locator(".jp-Cell").nth(0).get_by_role("button", name="Back").click()
    expect(notebook.locator(".jp-Cell").nth(0).locator(".unit").first).to_be_visible()


@pytest.mark.alone
def test_it_is_dark_where_the_notebook_is(notebook: Page, screenshots: Path) -> None:
    """The theme of JupyterLab decides, and not the system's; another theme is followed at once."""
    box = notebook.locator(".jp-Cell").nth(0).locator(".hooke").first
    expect(box).to_be_attached(timeout=150_000)
    for theme, said, paper in (("Dark", "dark", "#151515"), ("Light", "light", "#fff")):
        notebook.emulate_media(color_scheme="light" if said == "dark" else "dark")
        change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
        notebook.evaluate(change, f"JupyterLab {theme}")
        expect(box).to_have_attribute("data-theme", said)
        look = "box => getComputedStyle(box).getPropertyValue('--paper')"
        assert box.evaluate(look).startswith(paper)
        notebook.screenshot(path=screenshots / f"notebook-{said}.png")
