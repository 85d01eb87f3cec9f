"""Two models beside each other: one pointer in both, what differs is marked, and the address says it."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.alone


def test_one_place_in_both_and_what_differs(open_page: Any, two: str, axe: str, complaints: list[str]) -> None:
    page = open_page("/?layer=act2", at=two)
    page.get_by_role("link", name=re.compile("^Beside ")).click()
    columns = page.locator(".pair > section")
    expect(columns).to_have_count(2)
    expect(page).to_have_url(re.compile(r"layer=act2&beside=1$"))

    expect(columns.nth(0).locator(".labels")).to_contain_text("elk")
    expect(columns.nth(1).locator(".labels")).to_contain_text("fox")
    expect(columns.nth(1).locator(".labels li", has_text="fox").locator(".mark")).to_have_text(
        "only this model has this label"
    )
    page.get_by_role("heading", name="Units that changed most there").scroll_into_view_if_needed()
    first = page.get_by_role("table").filter(has_text="change").locator("tbody tr").first
    expect(first).to_contain_text(":5")
    expect(first.locator(".number")).to_have_text(re.compile(r"^\+[\d.]+$"))
    expect(page.locator("figure svg[role=img]").first).to_have_attribute("aria-label", re.compile("Linear CKA of 2"))

    for over, under in ((0, 1), (1, 0)):
        columns.nth(over).locator(".photograph").scroll_into_view_if_needed()
        box = columns.nth(over).locator(".photograph").bounding_box()
        assert box
        page.mouse.move(box["x"] + box["width"] * (0.3 + 0.4 * over), box["y"] + box["height"] * 0.8)
        told = f"row 7, column {3 + 3 * over}"
        expect(columns.nth(over).locator(".layer em")).to_have_text(told)
        expect(columns.nth(under).locator(".layer em")).to_have_text(told)

    columns.nth(1).locator(".photograph").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"at=6,5&beside=1$"))
    page.keyboard.press("ArrowLeft")
    expect(columns.nth(0).locator(".layer em")).to_have_text("row 7, column 5")
    slider = page.get_by_role("slider", name="Layer")
    slider.press("ArrowLeft")
    expect(columns.nth(1).locator(".layer")).to_contain_text("act1")
    expect(page.locator("ol[aria-busy=true]")).to_have_count(0)
    page.wait_for_timeout(400)  # what was pale while it waited is clear again
    page.evaluate(axe)
    found = page.evaluate("axe.run().then(found => found.violations.map(one => one.id + ' ' + one.nodes[0].html))")
    assert found == []
    assert complaints == []


def test_units_of_the_second_have_pages_and_back_leads_back(open_page: Any, two: str, complaints: list[str]) -> None:
    page = open_page("/?layer=act2&beside=1", at=two, ready=".pair .unit")
    chip = page.locator(".pair > section").nth(1).locator(".unit .chip").first
    address = chip.get_attribute("href")
    assert address is not None
    assert re.fullmatch(r"/unit/act2/\d+\?beside=1", address)
    chip.click()
    expect(page).to_have_url(re.compile(re.escape(address) + "$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("in Sequential")
    expect(page.locator("figure").first).to_be_visible()
    page.go_back()
    expect(page.locator(".pair > section")).to_have_count(2)
    page.get_by_role("link", name=re.compile("^Only ")).click()
    expect(page.locator(".pair")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"layer=act2$"))
    page.go_back()
    expect(page.locator(".pair > section")).to_have_count(2)
    assert complaints == []


def test_without_a_second_model_there_is_no_link(open_page: Any) -> None:
    page = open_page("/?beside=1")
    expect(page.locator(".notices")).to_contain_text("Only one model is opened here")
    expect(page.get_by_role("link", name=re.compile("^Beside "))).to_have_count(0)
    expect(page.locator(".dictionary .unit").first).to_be_visible()
