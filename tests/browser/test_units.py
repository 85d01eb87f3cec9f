"""The pages of layers and units: reached from every chip and from the tower, by pointer and keys, and read whole."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.alone

UNIT = "/unit/bn1.act/3"


@pytest.fixture
def visit(open_page: Any) -> Any:
    """Opens a page of a layer or unit."""
    return lambda path, **context: open_page(path, ready="main h2", **context)


def test_a_chip_leads_to_the_unit_and_back_goes_back(page: Page) -> None:
    chip = page.locator(".unit .chip").first
    address = str(page.locator(".unit").first.get_attribute("data-address"))
    url = page.url
    chip.hover()
    expect(page.get_by_role("tooltip")).to_contain_text(address)
    chip.focus()
    page.keyboard.press("Enter")
    layer, _, channel = address.rpartition(":")
    expect(page).to_have_url(re.compile(rf"/unit/{re.escape(layer)}/{channel}$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Unit {channel} of {layer}")
    expect(page.get_by_role("tooltip")).to_have_count(0)
    page.get_by_role("link", name=re.compile("^all ")).click()
    expect(page).to_have_url(re.compile(rf"/layer/{re.escape(layer)}$"))
    page.go_back()
    page.go_back()
    expect(page).to_have_url(url)
    expect(page.locator(".unit").first).to_be_visible()


def test_the_sheet_sorts_filters_and_opens_by_keys(visit: Any) -> None:
    page = visit("/layer/bn1.act?sort=-norm")
    cells = page.locator("[data-at]")
    expect(cells).to_have_count(32)
    norms = [float(text.replace("−", "-")) for text in page.locator(".note").all_inner_texts()]
    assert norms == sorted(norms, reverse=True)
    expect(page.get_by_role("button", name="selectivity")).to_be_disabled()
    page.get_by_role("button", name="address").click()
    expect(cells.first).to_have_attribute("href", "/unit/bn1.act/0")
    cells.first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-at='1']")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/unit/bn1.act/1$"))
    page.go_back()
    page.get_by_role("searchbox", name="Only units").fill("31")
    expect(cells).to_have_count(1)
    expect(page).to_have_url(re.compile("find=31"))


def test_without_a_recording_it_says_what_is_missing(visit: Any) -> None:
    page = visit(UNIT)
    missing = page.locator("section", has_text="How often it fires")
    expect(missing).to_contain_text("hooke record efficientnet-lite0")
    page.get_by_role("heading", name="What feeds it").scroll_into_view_if_needed()
    expect(page.locator("section", has_text="What feeds it").locator(".trust")).to_be_visible(timeout=180_000)
    page.get_by_role("button", name="hue of patches").click()
    lab = page.locator("section", has_text="hue of patches")
    lab.get_by_role("button", name="Cancel").click()
    expect(lab).to_contain_text("Cancelled.")
    lab.get_by_role("button", name="Measure it").click()
    expect(lab.locator("figcaption")).to_contain_text("Largest at", timeout=180_000)


def test_search_finds_by_address(page: Page) -> None:
    box = page.get_by_role("searchbox", name="Search units")
    box.fill("bn1.act:7")
    box.press("Enter")
    found = page.locator(".found .chip")
    expect(found.first).to_have_attribute("href", "/unit/bn1.act/7", timeout=30_000)


def test_what_was_found_before_does_not_stand_for_other_words(page: Page) -> None:
    box = page.get_by_role("searchbox", name="Search units")
    box.fill("bn1.act:7")
    box.press("Enter")
    expect(page.locator(".found .chip").first).to_have_attribute("href", "/unit/bn1.act/7", timeout=30_000)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(r"/api/search\?q=tabby"), hold)
    box.fill("tabby")
    box.press("Enter")
    expect(page.locator(".found")).to_contain_text("searching")
    expect(page.locator(".found .chip")).to_have_count(0)
    box.fill("bn1.act:9")
    box.press("Enter")
    later = page.locator(".found .chip").first
    expect(later).to_have_attribute("href", "/unit/bn1.act/9", timeout=30_000)
    held[0].continue_()
    page.wait_for_timeout(500)
    expect(later).to_have_attribute("href", "/unit/bn1.act/9")


def test_units_that_no_photograph_excites_say_so(open_page: Any, two: str) -> None:
    page = open_page("/layer/act2", at=two, ready="[data-at]")
    asked = {"addresses": [f"act2:{channel}" for channel in range(16)]}
    known = page.evaluate(
        """asked => fetch('/api/faces', { method: 'POST', headers: { 'content-type': 'application/json' },
            body: JSON.stringify(asked) }).then(found => found.json())""",
        asked,
    )["drawings"]
    silent = [one["address"] for one in known if one["photographs_peak"] <= 0 and one["state"] != "ready"]
    assert silent
    shown = page.get_by_role("link", name=re.compile("no photograph here excites it$"))
    expect(shown).to_have_count(len(silent))
    for one, address in zip(shown.all(), silent, strict=True):
        expect(one).to_have_attribute("aria-label", f"Unit {address}, no photograph here excites it")
