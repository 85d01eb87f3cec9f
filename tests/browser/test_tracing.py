"""Spatial and channel attribution in the browser: hover, pin, ask about two labels, drill, go back."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.alone

SLOW = 60_000
"""Milliseconds until the server has answered, whatever else it does."""

LAYERS = ["blocks.2.0.bn2.act", "blocks.4.0.bn2.act", "blocks.5.0.bn2.act", "bn2.act"]


def pixels(figure: Locator) -> list[list[int]]:
    """What each layer's photograph is multiplied with, without the alpha."""
    found: list[list[int]] = figure.locator("canvas").evaluate_all(
        "all => all.map(one => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]"
        ".filter((_, i) => i % 4 !== 3))"
    )
    return found


def own(complaints: list[str]) -> list[str]:
    """Without those about reading pixels, which only these tests do."""
    return [text for text in complaints if "willReadFrequently" not in text]


def point(page: Page, map: Locator, across: float, down: float) -> None:
    """Move the mouse over a map, in shares of its width and height."""
    map.scroll_into_view_if_needed()
    box = map.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"], steps=2)


def test_pointing_at_a_place_shows_where_it_comes_from(open_page: Any, complaints: list[str]) -> None:
    page = open_page("/?view=spatial/attribution/map", ready="#spatial_attribution .maps")
    figure = page.locator("#spatial_attribution")
    maps = figure.get_by_role("application")
    assert [len(one) for one in pixels(figure)] == [3 * side * side for side in (28, 14, 7, 7)]
    before, said = pixels(figure), figure.locator(".classes li").all_inner_texts()
    assert all(text.endswith("%") for text in said)

    point(page, maps.nth(2), 2.5 / 7, 3.5 / 7)
    expect(figure.locator(".role")).to_have_text(["Influences", "Influences", "This place", "Influenced by it"])
    expect(figure.locator(".said")).to_contain_text(["adds up to", "adds up to", "strength", "at most"], timeout=SLOW)
    after = pixels(figure)
    assert all(one != other for at, (one, other) in enumerate(zip(before, after, strict=True)) if at != 2)
    votes = figure.locator(".classes li").all_inner_texts()
    assert len(votes) == 7
    assert votes != said
    assert figure.locator(".against .number").first.inner_text().startswith("−")
    # The photograph above marks the same place.
    expect(page.locator(".where .place")).not_to_be_empty()

    expect(figure.locator(".foot")).not_to_contain_text("All pairs", timeout=SLOW)
    point(page, maps.nth(2), 2.5 / 7, 3.6 / 7)
    expect(figure.locator(".role").first).to_have_text("Influences")
    # All pairs are a byte a value, as a single place is: the pictures are the same but for the last level.
    assert max(abs(a - b) for a, b in zip(pixels(figure)[0], after[0], strict=True)) <= 2

    figure.locator(".small").first.hover()
    expect(figure.locator(".role").first).to_have_text("")
    assert pixels(figure) == before
    figure.locator(".classes li").nth(1).hover()
    expect(figure.locator(".key")).to_contain_text("Blue speaks for Egyptian cat, orange against it")
    assert pixels(figure) != before
    figure.locator(".factor").first.focus()
    assert pixels(figure) != before
    assert own(complaints) == []


def test_a_place_is_pinned_by_click_and_by_keys(open_page: Any) -> None:
    page = open_page("/?view=spatial/attribution/map", ready="#spatial_attribution .maps")
    figure = page.locator("#spatial_attribution")
    maps = figure.get_by_role("application")
    point(page, maps.nth(1), 3.5 / 14, 4.5 / 14)
    page.mouse.down()
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"view=blocks\.4\.0\.bn2\.act/spatial/attribution/map&at=4,3$"))
    expect(page.locator(".where .place")).to_have_text("row 5, column 4")
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("at="))
    page.mouse.move(2, 2)
    maps.nth(2).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(figure.locator(".role")).to_have_text(["Influences", "Influences", "This place", "Influenced by it"])
    page.keyboard.press("Home")
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"view=blocks\.5\.0\.bn2\.act/spatial/attribution/map&at=1,1$"))
    page.reload()
    expect(figure.locator(".role").nth(2)).to_have_text("This place", timeout=SLOW)
    expect(figure.locator(".said").first).to_contain_text("adds up to", timeout=SLOW)


def test_one_label_rather_than_another_and_back(open_page: Any, complaints: list[str]) -> None:
    page = open_page("/?view=channel/attribution/list", ready="#channel_attribution .columns")
    figure = page.locator("#channel_attribution")

    def units() -> list[str]:
        return [str(one.get_attribute("data-unit")) for one in figure.locator("[data-unit]").all()]

    alone = units()
    assert len(alone) == 4 * 6
    assert [name for name in LAYERS if any(unit.startswith(f"{name}:") for unit in alone)] == LAYERS
    numbers = figure.locator(".value").all_inner_texts()
    assert [text[0] for text in numbers] == ["+", "+", "+", "−", "−", "−"] * 4
    expect(figure.locator(".part")).to_have_count(0)

    second = page.get_by_role("combobox", name="Rather than this label")
    second.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("listbox", name="Labels").get_by_role("option").first).to_have_text("anything")
    page.keyboard.type("Egyptian")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("rather=285"), timeout=SLOW)
    expect(figure.locator(".part")).to_have_count(4 * 6 * 2, timeout=SLOW)
    expect(second).to_have_value("Egyptian cat")
    rather = units()
    assert rather != alone
    first, a, b = (
        float(text.replace("−", "-"))
        for text in figure.locator("[data-unit]")
        .first.locator(".value, .part span:last-child:not([class])")
        .all_inner_texts()
    )
    assert first == pytest.approx(a - b, abs=0.011)

    page.get_by_role("button", name="Swap").click()
    page.mouse.move(1, 1)  # a unit that comes to lie under the pointer would be told of instead
    expect(page).to_have_url(re.compile("of=285&rather="))
    expect(figure.locator(".speaks")).to_contain_text("Egyptian cat rather than", timeout=SLOW)
    assert set(units()[:3]) == set(rather[3:6])
    page.go_back()
    expect(page).to_have_url(re.compile("rather=285"))
    page.go_back()
    expect(page).not_to_have_url(re.compile("rather="))
    expect(figure.locator(".value")).to_have_text(numbers, timeout=SLOW)
    assert units() == alone
    figure.get_by_role("button", name="Show more units of bn2.act").click()
    expect(figure.locator("[data-unit^='bn2.act:']")).to_have_count(24)
    assert own(complaints) == []


def test_a_unit_is_drilled_and_escape_lets_go(open_page: Any, axe: str, complaints: list[str]) -> None:
    page = open_page("/?view=channel/attribution/list", ready="#channel_attribution .columns")
    figure = page.locator("#channel_attribution")
    asked = page.url
    unit = figure.locator(f"[data-unit^='{LAYERS[1]}:']").first
    address = str(unit.get_attribute("data-unit"))
    portrait = unit.locator(".portrait")
    before = figure.locator(".value").all_inner_texts()
    portrait.hover()
    expect(figure.locator(".photo canvas")).to_have_count(1)
    expect(figure.locator(".speaks")).to_contain_text(address)
    expect(figure.locator(".speaks .for")).to_have_count(5, timeout=SLOW)
    portrait.click()
    expect(page).to_have_url(re.compile(rf"drill={re.escape(address)}$"))
    channel = address.rpartition(":")[2]
    roles = [f"Supports :{channel}", "", f"Supported by :{channel}", f"Supported by :{channel}"]
    expect(figure.locator(".role")).to_have_text(roles, timeout=SLOW)
    expect(figure.locator(".tail", has_text="adds")).to_have_count(2, timeout=SLOW)
    assert figure.locator(".value").all_inner_texts() != before
    expect(figure.locator(f"[data-unit^='{LAYERS[1]}:'].dim")).to_have_count(5)
    page.evaluate(axe)
    found = page.evaluate(
        "axe.run('#channel_attribution').then(found => found.violations.map(one => one.id + ` ` + one.nodes[0].html))"
    )
    assert found == []

    page.reload()
    expect(figure.locator(".role")).to_have_text(roles, timeout=SLOW)
    page.keyboard.press("Escape")
    expect(page).to_have_url(asked)
    expect(figure.locator(".dim")).to_have_count(0)
    page.go_back()
    expect(page).to_have_url(re.compile("drill="))
    figure.get_by_role("button", name="Back to").click()
    expect(page).to_have_url(asked)
    assert own(complaints) == []
