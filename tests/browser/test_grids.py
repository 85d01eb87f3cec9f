"""The activation grids on the page: the photograph at once, then sharpening, linked, under one loupe and one zoom."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.alone


@pytest.fixture
def grids(open_page: Any, complaints: list[str]) -> Iterator[tuple[Page, Locator]]:
    page = open_page("/?view=spatial/visualization/grid")
    figure = page.locator("#activation_grid")
    expect(figure.locator("figure")).to_have_count(4)
    yield page, figure
    assert complaints == []


def point(page: Page, grid: Locator, across: float, down: float) -> None:
    """Move the mouse to a spot of one layer's grid, in shares of its width and height."""
    grid.locator(".cells").scroll_into_view_if_needed()
    box = grid.locator(".cells").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"], steps=2)


def frames(figure: Locator) -> list[tuple[float, float, float, float]]:
    """The marked cell of each grid, in shares of the grid: left, right, top, bottom."""
    found: list[tuple[float, float, float, float]] = figure.locator(".cells svg").evaluate_all(
        """all => all.map((svg) => {
            const box = svg.querySelector('.here'), of = (name) => +box.getAttribute(name)
            const ends = (at, long, all) => [of(at) / all, (of(at) + of(long)) / all]
            return [...ends('x', 'width', svg.clientWidth), ...ends('y', 'height', svg.clientHeight)]
        })"""
    )
    return found


def marked(figure: Locator) -> list[tuple[float, float]]:
    """Where the middle of each marked cell is, in shares of its grid."""
    return [((left + right) / 2, (top + bottom) / 2) for left, right, top, bottom in frames(figure)]


def colours(grid: Locator) -> int:
    """How many different colours its canvas shows, of a few."""
    found: int = grid.locator("canvas").first.evaluate(
        """canvas => { const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
            const found = new Set()
            for (let at = 0; at < data.length; at += 4 * 997) if (data[at + 3]) found.add(data.slice(at, at + 3).join())
            return found.size }"""
    )
    return found


def test_no_box_is_empty_and_the_grids_sharpen(grids: tuple[Page, Locator]) -> None:
    page, figure = grids
    for grid in figure.locator("figure").all():
        page.wait_for_function("node => node.querySelector('canvas').width > 100", arg=grid.element_handle())
        assert colours(grid) > 10
    first = figure.locator("figure").first
    expect(first).not_to_have_attribute("data-level", "-1", timeout=120_000)
    expect(first.locator(".size")).to_contain_text("of 28 × 28")
    expect(first.locator(".chip")).to_have_count(3)
    point(page, first, 0.6, 0.4)
    expect(first.locator(".loupe")).to_have_count(1)
    standing = figure.locator(".standing")
    expect(standing).to_contain_text("left")
    standing.get_by_role("button", name="Cancel").click()
    expect(standing).to_contain_text("Cancelled.")
    assert first.get_attribute("data-level") != "-1"  # what there is stays
    standing.get_by_role("button", name="Go on").click()
    expect(standing).to_contain_text("left", timeout=120_000)


def test_a_place_is_marked_in_every_layer_and_in_the_photograph(grids: tuple[Page, Locator]) -> None:
    page, figure = grids
    fine, *_, last = figure.locator("figure").all()
    point(page, last, 0.9, 0.2)
    for across, down in marked(figure):
        assert (across, down) == (pytest.approx(0.9, abs=1 / 7), pytest.approx(0.2, abs=1 / 7))
    expect(page.locator(".where .place")).to_have_text("row 3, column 13")
    page.mouse.down()
    page.mouse.up()
    expect(page).to_have_url(re.compile("at=2,12"))
    point(page, fine, 0.1, 0.9)
    assert marked(figure)[0][0] > 0.8  # pinned
    fine.locator(".cells").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(page).not_to_have_url(re.compile("at=2,12"))
    assert marked(figure)[0][1] > 0.3
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("at="))
    page.go_back()
    expect(page).to_have_url(re.compile("at="))


def test_the_address_holds_zoom_and_scale(grids: tuple[Page, Locator]) -> None:
    page, figure = grids
    figure.get_by_role("button", name="Zoom in").click()
    figure.locator(".cells").nth(1).focus()
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("zoom=2$"))
    expect(figure.locator(".times")).to_have_text("2.3 ×")
    for _ in range(40):  # until the tween is over the cell is on its way
        page.wait_for_timeout(500)
        point(page, figure.locator("figure").nth(1), 0.97, 0.5)
        found = frames(figure)
        if len(found) == 4 and all(a <= 0.97 <= b and c <= 0.5 <= d for a, b, c, d in found):
            break
    else:
        pytest.fail(f"the cell is not where the pointer is: {found}")
    figure.get_by_role("button", name="Scaled by magnitude").click()
    expect(page).to_have_url(re.compile("cells=scaled&zoom=2$"))
    page.reload()
    expect(figure.get_by_role("button", name="Scaled by magnitude")).to_have_attribute("aria-pressed", "true")
    expect(figure.locator(".times")).to_have_text("2.3 ×")
    for _ in range(2):  # by keys: what is above still comes after a reload, and moves what the mouse is on
        figure.get_by_role("button", name="Zoom out").press("Enter")
    expect(page).not_to_have_url(re.compile("zoom="))
