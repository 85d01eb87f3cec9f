"""Make the pictures of the page: docs/microscope.jpg of the README, and with `--figures` those of building-blocks.md.

    python docs/screenshot.py [--figures] [--url ADDRESS] [--minutes 10]

Starts a microscope on the default model (or looks at the one at `--url`), waits until what is shown is there, and takes
pictures. Needs the built page, Playwright (`make test` installs it) and Chromium ($HOOKE_CHROMIUM, or the one on PATH).
"""

import argparse
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import PIL.Image
from playwright.sync_api import Page, TimeoutError, sync_playwright

HERE = Path(__file__).parent
PLACE = "at=5,5"
"""The cat's eye, in the default layer."""
FIGURES = {
    "semantic_dictionary": "",
    "activation_grid": "",
    "spatial_attribution": "",
    "channel_attribution": "of=282&rather=285",
    "groups": "",
    "flow": "trace=1.3",
    "what_if": "edit=ablate(blocks.4.1.bn2.act:67)",
    "how_sure": "",
}
"""The figures by their names, each with what its address says beside the place."""


@contextmanager
def microscope(url: str | None) -> Iterator[str]:
    """The address of a microscope: the one that is there, or one of our own that ends with the block."""
    if url:
        yield url.rstrip("/")
        return
    command = [sys.executable, "-c", "from hooke.cli import main; main()", "explore", "--json", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield json.loads(server.stdout.readline())["address"]
        finally:
            server.send_signal(signal.SIGINT)


def whole(page: Page, url: str, seconds: float) -> None:
    """The upper part of the workspace, all eight units drawn."""
    page.set_viewport_size({"width": 1600, "height": 940})
    page.goto(f"{url}/?{PLACE}", timeout=120_000)
    page.locator(".picture[data-state=ready] >> nth=7").wait_for(timeout=1000 * seconds)
    page.locator(".unit .for li").first.wait_for(timeout=1000 * seconds)
    page.wait_for_timeout(800)
    page.screenshot(path=HERE / "microscope.jpg", type="jpeg", quality=88)


def figure(page: Page, url: str, name: str, more: str, seconds: float) -> None:
    """One figure alone, once nothing of it is waited for."""
    page.set_viewport_size({"width": 1280, "height": 900})
    spelled = json.loads((HERE.parent / "web/src/lib/grammar.json").read_text())[name]
    page.goto(f"{url}/?{PLACE}&{more}&view={spelled}&embed=1", timeout=120_000)
    place = page.locator(f"#{name}")
    place.locator("img").first.wait_for(timeout=1000 * seconds)
    page.wait_for_timeout(1500)
    done = "name => !document.querySelector(`#${name} [aria-busy=true]`)"
    page.wait_for_function(done, arg=name, timeout=1000 * seconds)
    drawn = "name => !document.querySelector(`#${name} [data-state=queued], #${name} [data-state=drawing]`)"
    with suppress(TimeoutError):  # a unit that is still being drawn is shown as far as it is
        page.wait_for_function(drawn, arg=name, timeout=1000 * seconds)
    page.wait_for_timeout(1500)
    folder = HERE / "building-blocks"
    folder.mkdir(exist_ok=True)
    shot = PIL.Image.open(io.BytesIO(place.screenshot(timeout=120_000)))
    shot.convert("RGB").save(folder / f"{name}.webp", quality=80, method=6)


def main() -> None:
    """Take the pictures that are asked for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--figures", action="store_true")
    options.add_argument("--only", nargs="*", default=list(FIGURES))
    options.add_argument("--url", help="of a microscope that runs")
    options.add_argument("--minutes", type=float, default=10.0, help="how long one picture is waited for")
    asked = options.parse_args()
    program = os.environ.get("HOOKE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("Chromium is missing\n  next: install it, or set HOOKE_CHROMIUM to the path of one")
    with microscope(asked.url) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        if not asked.figures:
            whole(page, url, 60 * asked.minutes)
        for name in asked.only if asked.figures else ():
            figure(page, url, name, FIGURES[name], 60 * asked.minutes)
            print(name, flush=True)
        browser.close()


if __name__ == "__main__":
    main()
