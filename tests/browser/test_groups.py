"""Groups and their flow: the slider changes them, pointing isolates, a click traces, and the address holds it all."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.alone

LONG = 180_000
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def groups(page: Page) -> Locator:
    """The figure of groups, with its effects."""
    figure = page.locator("#groups")
    figure.scroll_into_view_if_needed()
    expect(figure.locator("td.for, td.against").first).to_be_visible(timeout=LONG)
    return figure


def flow(page: Page) -> Locator:
    """The figure of the flow."""
    figure = page.locator("#flow")
    figure.scroll_into_view_if_needed()
    expect(figure.locator("[data-node='0.0']")).to_be_visible(timeout=LONG)
    return figure


def test_groups_fade_by_their_strength_under_the_pointer_and_the_slider_changes_them_by_keys(page: Page) -> None:
    figure = groups(page)
    heads = figure.locator("thead button")
    expect(heads).to_have_count(6)
    rows = figure.locator("tbody tr")
    expect(rows).to_have_count(6)
    expect(rows.first.locator("td")).to_have_count(7)
    box = figure.locator(".map").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.32 * box["width"], box["y"] + 0.41 * box["height"], steps=3)
    expect(page.locator(".where .place")).to_have_text("row 6, column 5")
    strengths = figure.locator(".strength > span").evaluate_all(
        "all => all.map((each) => parseFloat(each.style.width))"
    )
    fades = figure.locator("thead th[style]").evaluate_all("all => all.map((each) => parseFloat(each.style.opacity))")
    assert len(strengths) == len(fades) == 6
    assert sorted(range(6), key=strengths.__getitem__) == sorted(range(6), key=fades.__getitem__)
    assert max(fades) > min(fades)
    slider = figure.get_by_role("slider", name="Number of groups")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^6 groups explain \d+ %$"))
    before = figure.locator(".face").first.get_attribute("data-address")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(heads).to_have_count(4)
    expect(page).to_have_url(re.compile(r"\?groups=4$"))
    assert figure.locator(".face").first.get_attribute("data-address") != before
    page.reload()
    expect(groups(page).locator("thead button")).to_have_count(4)


def test_pointing_at_a_group_isolates_it_and_a_click_holds_it(page: Page) -> None:
    figure = groups(page)
    head = figure.locator("thead button").nth(2)
    other = figure.locator("thead th").nth(2)
    head.hover()
    expect(figure.locator(".corner")).to_contain_text("alone")
    expect(figure.locator(".map img")).not_to_have_class(re.compile("grey"))
    expect(other).to_have_css("opacity", "0.35")
    head.click()
    page.mouse.move(2, 2)
    expect(page).to_have_url(re.compile(r"group=\d$"))
    page.reload()
    figure = groups(page)
    expect(figure.locator("thead button").nth(2)).to_have_attribute("aria-pressed", "true")
    expect(figure.locator(".corner")).to_contain_text("alone")
    figure.locator("thead button").nth(2).focus()
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile("group="))


def test_a_click_traces_the_address_holds_it_and_escape_ends_it(page: Page) -> None:
    figure = flow(page)
    expect(figure.locator("[data-node]")).to_have_count(21)
    node = figure.locator("[data-node='1.0']")
    node.hover()
    expect(figure.locator(".said")).to_contain_text("gives")
    expect(figure.locator(".map canvas")).to_have_count(1)
    node.click()
    page.mouse.move(2, 2)
    expect(page).to_have_url(re.compile(r"trace=1\.0$"))
    expect(figure.locator(".said")).to_contain_text("Strongest path")
    expect(figure.locator("path.strongest")).to_have_count(3)
    page.reload()
    figure = flow(page)
    expect(figure.locator("path.strongest")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("trace="))
    expect(figure.locator("path.strongest")).to_have_count(0)
    page.go_back()
    expect(figure.locator("path.strongest")).to_have_count(3)
    figure.locator("[data-node='0.2']").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"trace=0\.2$"))


def test_two_layers_on_a_phone_and_nothing_for_axe(open_page: Any, axe: str) -> None:
    page = open_page("/?depth=2&flow=4", width=360, height=740)
    groups(page)
    figure = flow(page)
    expect(figure.locator("[data-node]")).to_have_count(10)
    expect(figure.get_by_role("button", name="2", exact=True)).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(figure.locator("tbody td", has_text="…")).to_have_count(0, timeout=LONG)
    page.evaluate(axe)
    for name in ("#groups", "#flow"):
        found = page.evaluate("([name, rules]) => axe.run(name, { runOnly: rules })", [name, RULES])
        told = [f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"]]
        assert told == []


def test_groups_and_flow_follow_the_edits_and_undo_takes_them_back(open_page: Any) -> None:
    page = open_page("/?groups=4&depth=2&flow=2")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/what-if?" in request.url else None)
    figure = page.locator("#groups")
    figure.scroll_into_view_if_needed()
    figure.locator("thead button").nth(2).click(timeout=LONG)
    expect(page).to_have_url(re.compile(r"group=\d"))
    (number,) = re.findall(r"group=(\d)", page.url)
    expect(figure.locator("tr.moved")).to_have_count(0)
    assert asked == []
    expect(page.get_by_label("Take", exact=True)).to_have_value(re.compile(rf"#\w+\.{number}$"))
    page.get_by_role("button", name="mute it").click()
    figure.scroll_into_view_if_needed()
    moved = figure.locator(f"tr.moved td[data-group='{number}']")
    expect(moved).to_contain_text("−100 %", timeout=60_000)
    expect(figure.locator(".map svg.was path").first).to_be_attached()
    expect(moved.locator(".random")).to_be_attached(timeout=LONG)
    figure.get_by_role("button", name="before", exact=True).click()
    expect(figure.locator(".map svg.was")).to_have_count(0)
    flowing = flow(page)
    expect(flowing.locator(".moved li")).to_have_count(6, timeout=LONG)
    expect(flowing.locator(".moved")).to_contain_text("adds up to within a millionth")
    expect(flowing.locator(".moved .random")).to_have_count(6, timeout=LONG)
    expect(flowing.locator(".moved")).to_contain_text("Grey: after the same edits made in other", timeout=LONG)
    page.keyboard.press("Control+z")
    expect(page).not_to_have_url(re.compile("edit="))
    expect(flowing.locator(".moved")).to_have_count(0)
    expect(figure.locator("tr.moved")).to_have_count(0)
