"""Make docs/microscope.jpg, the picture of the page in the README: `python docs/screenshot.py [FILE]`.

Needs the built page, Playwright (`make test` installs it) and Chromium ($HOOKE_CHROMIUM, or the one on PATH).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

TARGET = Path(__file__).parent / "microscope.jpg"
PLACE = "/?at=5,5"
"""The cat's eye, in the default layer."""


def main(target: Path) -> None:
    """Start the microscope, wait until the pictures of one place are drawn, and take a picture of the page."""
    program = os.environ.get("HOOKE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("Chromium is missing\n  next: install it, or set HOOKE_CHROMIUM to the path of one")
    command = [sys.executable, "-c", "from hooke.cli import main; main()", "explore", "--json", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["address"]
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1600, "height": 940})
                page.goto(url + PLACE, timeout=120_000)
                page.locator(".picture[data-state=ready] >> nth=7").wait_for(timeout=300_000)
                page.locator(".unit .for li").first.wait_for()
                page.wait_for_timeout(800)
                page.screenshot(path=target, type="jpeg", quality=88)
                browser.close()
        finally:
            server.send_signal(signal.SIGINT)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
