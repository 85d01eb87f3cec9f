"""The page from phones to wide screens, light and dark: nothing for axe to find, nothing that sticks out or jumps."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.alone

SIZES = [(360, 740), (1024, 768), (1600, 1000)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_axe_finds_nothing(open_page: Any, axe: str, scheme: str, width: int, height: int) -> None:
    page = open_page(width=width, height=height, color_scheme=scheme)
    page.locator(".unit .for li").first.wait_for()
    page.evaluate(axe)
    found = page.evaluate("rules => axe.run({ runOnly: rules })", RULES)
    told = [f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"]]
    assert told == []
    assert len(found["passes"]) > 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_it_fits(open_page: Any, screenshots: Path, scheme: str, width: int, height: int) -> None:
    page = open_page(width=width, height=height, color_scheme=scheme)
    page.locator(".unit .for li").first.wait_for()
    page.locator(".picture[data-state=ready]").first.wait_for(timeout=180_000)
    page.screenshot(path=screenshots / f"page-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    out = page.evaluate(
        """() => [...document.querySelectorAll('main *')].filter((each) => {
            const box = each.getBoundingClientRect()
            return box.width && (box.right > innerWidth + 1 || box.left < -1) && !each.closest('.unseen')
        }).map((each) => each.outerHTML.slice(0, 120))"""
    )
    assert out == []


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
