"""The pages from phones to wide screens, light and dark: nothing for axe to find, nothing that sticks out or jumps."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.alone

SIZES = [(360, 740), (1024, 768), (1600, 1000)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = {
    "workspace": "/", "layer": "/layer/blocks.6.0.bn2.act", "unit": "/unit/blocks.4.1.bn2.act/365",
    "beside": "/?layer=act2&beside=1",
    "published-workspace": "", "published-layer": "#/layer/act2", "published-unit": "#/unit/act2/1",
}  # fmt: skip
READY = {
    "workspace": ".unit .for li", "layer": "main a[href*='/unit/']", "unit": "main .head", "beside": ".pair .unit",
    "published-workspace": ".unit .for li", "published-layer": "main [data-at]", "published-unit": "main .head",
}  # fmt: skip
SERVED = {"beside": "two", "published": "address"}
"""Where pages are that are not the server's."""

STICKS_OUT = """() => [...document.querySelectorAll('main *')].filter((each) => {
    const box = each.getBoundingClientRect()
    if (!box.width || (box.right <= innerWidth + 1 && box.left >= -1) || each.closest('.unseen')) return false
    for (let above = each.parentElement; above; above = above.parentElement)
        if (getComputedStyle(above).overflowX !== 'visible') return false  // it scrolls in a box of its own
    return true
}).map((each) => each.outerHTML.slice(0, 120))"""

OVERLAPS = """() => {
    const lines = []
    const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT)
    const range = document.createRange()
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const on = node.parentElement
        if (!node.data.trim() || on.closest('.unseen, svg, option, [popover]')) continue
        if (!on.checkVisibility({ opacityProperty: true })) continue
        const [seen, clip] = [getComputedStyle(on), on.getBoundingClientRect()]
        if (seen.clipPath !== 'none') continue
        range.selectNodeContents(node)
        for (const box of range.getClientRects()) {
            const cut = seen.overflow !== 'visible' ? Math.min(box.right, clip.right) : box.right
            if (box.width <= 1) continue
            lines.push({ node, left: box.left, right: cut, top: box.top + 3, bottom: box.bottom - 3 })
        }
    }
    lines.sort((one, other) => one.top - other.top)
    const found = []
    lines.forEach((one, at) => {
        for (const other of lines.slice(at + 1)) {
            if (other.top >= one.bottom) break
            if (other.node !== one.node && other.left < one.right - 2 && other.right > one.left + 2)
                found.push(`${one.node.data.trim().slice(0, 40)} | ${other.node.data.trim().slice(0, 40)}`)
        }
    })
    return found
}"""


def see_all(page: Page, name: str) -> None:
    """Go down the page, so that every figure is asked for and has its room, and up again."""
    page.locator(READY[name]).first.wait_for(timeout=180_000)
    at = 0
    while at < min(page.evaluate("document.documentElement.scrollHeight"), 15_000):  # a layer's page goes on alike
        page.evaluate(f"scrollTo(0, {at})")
        page.wait_for_timeout(150)
        at += 600
    page.evaluate("scrollTo(0, 0)")
    # What is quick to answer is there; what is long is told with its progress, and has to look well so, too.
    page.wait_for_timeout(500)


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_it_fits(
    open_page: Any, axe: str, screenshots: Path, name: str, request: pytest.FixtureRequest
) -> None:
    served = SERVED.get(name.split("-")[0])
    at = request.getfixturevalue(served) if served else ""
    page = open_page(PAGES[name], *SIZES[0], ready=READY[name], at=at)
    page.evaluate(axe)
    told: dict[str, list[str]] = {}
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        if not served or width == SIZES[0][0]:  # their figures were asked for then
            see_all(page, name)
        sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        told[f"{width}: sticks out"] = [f"{sideways} pixels"] * (sideways > 0) + page.evaluate(STICKS_OUT)
        told[f"{width}: overlaps"] = page.evaluate(OVERLAPS)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.wait_for_timeout(450)  # colours fade into each other
            page.screenshot(path=screenshots / f"{name}-{width}-{scheme}.png", full_page=name != "layer")
            if width != SIZES[0][0] and (served or scheme == "dark"):
                continue  # what is in it, and its colours, are the same at every width, and axe takes long
            found = page.evaluate("rules => axe.run({ runOnly: rules })", RULES)
            told[f"{width} {scheme}: axe"] = [
                f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"]
            ]
            assert len(found["passes"]) > 20
    assert {where: faults for where, faults in told.items() if faults} == {}


def test_nothing_jumps(open_page: Any) -> None:
    page = open_page()
    page.evaluate(
        """() => { window.shift = 0
            new PerformanceObserver((list) => { for (const each of list.getEntries()) window.shift += each.value })
                .observe({ type: 'layout-shift', buffered: true }) }"""
    )
    box = page.locator("section.photograph").get_by_role("application").bounding_box()
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
        page.wait_for_timeout(200)
    page.get_by_role("option").nth(20).click()
    page.wait_for_timeout(1500)
    assert page.evaluate("window.shift") < 0.05


def test_a_page_keeps_one_stream_and_leaves_connections_for_questions(open_page: Any) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    see_all(page, "workspace")
    streams = [url for url in asked if "/api/events?" in url]
    assert streams
    assert not [url for url in asked if re.search(r"/api/jobs/[^/]+/events", url)]
    assert max(url.count(",") for url in streams) >= 1, "several jobs travel over one stream"
    waited = page.evaluate(
        "async () => { const t = performance.now(); await fetch('/api/model'); return performance.now() - t }"
    )
    assert waited < 10_000
