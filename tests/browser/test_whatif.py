"""What if and How sure, as a reader uses them: mute, see, undo, redo by keys, come back by the address; and be sure."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.alone

LAYER = "blocks.4.1.bn2.act"


def labels(page: Page) -> list[str]:
    """Each label with its probabilities and its change, once random others are there, too."""
    expect(page.locator(".whatif .verdict")).to_contain_text("random draws of", timeout=60_000)
    return [line.inner_text() for line in page.locator(".whatif li.label").all()]


def chips(page: Page) -> Locator:
    return page.get_by_role("list", name="What is changed").get_by_role("listitem")


def test_mute_undo_redo_by_keys_and_come_back(page: Page) -> None:
    address = str(page.locator(".unit").first.get_attribute("data-address"))
    mute = page.get_by_role("button", name=f"Mute unit {address}", exact=True)
    mute.click()
    expect(mute).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile(re.escape(f"edit=ablate({address})")))
    page.get_by_role("complementary", name="What if").get_by_role("button", name="what changes").click()
    changed = labels(page)
    assert len(changed) >= 5
    assert all(" → " in line for line in changed)
    assert any(not line.endswith("+0.00") for line in changed)
    expect(chips(page)).to_have_count(1)
    page.locator(".whatif").get_by_role("button", name="undo").click()
    expect(page).not_to_have_url(re.compile("edit="))
    expect(page.locator(".whatif")).to_contain_text("Nothing is changed.")
    expect(page.locator(".whatif li.label")).to_have_count(0)
    expect(mute).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Control+Shift+Z")
    expect(page).to_have_url(re.compile("edit="))
    assert labels(page) == changed
    page.reload()
    assert labels(page) == changed
    chips(page).get_by_role("button").press("Enter")  # figures above are still coming, and move what the mouse is on
    expect(page.locator(".whatif")).to_contain_text("Nothing is changed.")
    page.keyboard.press("Control+z")
    expect(chips(page)).to_have_count(1)
    page.go_back()
    expect(chips(page)).to_have_count(0)


def test_a_place_is_muted_where_it_is_pinned_and_stronger_by_its_factor(open_page: Any, complaints: list[str]) -> None:
    page = open_page("/?at=5,7")
    page.locator(".where").get_by_role("button", name="mute").click()
    expect(chips(page)).to_have_text(re.compile("^place row 6, column 8 of 1.bn2.act muted"))
    expect(page.locator(".whatif li.held").first).to_contain_text("→ 0.00", timeout=60_000)
    page.get_by_label("Take", exact=True).select_option(label="the whole place")
    page.get_by_label("Factor").fill("3")
    page.get_by_role("button", name="scale it ×").press("Enter")
    expect(chips(page)).to_have_text(re.compile("^place row 6, column 8 of 1.bn2.act × 3"))
    held = page.locator(".whatif li.held").first.locator(".number")
    expect(held).not_to_contain_text("→ 0.00", timeout=60_000)
    before, after = (float(text) for text in held.inner_text().split(" → "))
    assert after == pytest.approx(3 * before, rel=0.01)
    assert complaints == []


def test_a_transplant_by_keys(page: Page) -> None:
    page.get_by_role("button", name="transplant …").click()
    page.get_by_role("group", name="From which photograph").get_by_role("button", name="coffee").press("Enter")
    donor = page.get_by_role("application", name=re.compile("^coffee: arrow keys"))
    donor.press("ArrowUp")
    donor.press("Enter")
    expect(chips(page)).to_have_text(re.compile("from coffee, row 7, column 8"))
    expect(page.locator(".whatif .verdict")).to_contain_text(
        "vectors of other places of that photograph", timeout=60_000
    )


def test_what_cannot_be_done_is_said(open_page: Any, complaints: list[str]) -> None:
    page = open_page()
    page.get_by_text("or write it").click()
    box = page.get_by_role("textbox", name="An edit as text")
    box.fill("ablate(nowhere:3)")
    box.press("Enter")
    alert = page.locator(".whatif").get_by_role("alert")
    expect(alert).to_contain_text("the model has no layer of this name", timeout=60_000)
    box.fill(f"steer({LAYER}, {LAYER}:365 - {LAYER}:4, 2)")
    box.press("Enter")
    page.get_by_role("button", name="Take back: unit 3 of nowhere muted").click()
    expect(page.locator(".whatif .verdict")).to_contain_text("the same numbers along other channels", timeout=60_000)
    assert all("/what-if?" in line or "/how-sure?" in line for line in complaints)  # the refusals


def test_how_sure_is_told_in_three_ways_and_follows_what_is_muted(
    open_page: Any, axe: str, complaints: list[str]
) -> None:
    page = open_page(f"/?at=5,7&edit=ablate({LAYER}:300)")
    sure = page.locator("#how_sure")
    sure.scroll_into_view_if_needed()
    expect(sure.locator("li[data-address]")).to_have_count(12, timeout=60_000)
    expect(sure.locator("li[data-address]").last).to_have_attribute("data-address", f"{LAYER}:300")
    expect(sure.locator("li[data-address]").nth(1).locator(".unseen")).to_contain_text("activation × gradient")
    sure.get_by_role("button", name="disagreement").click()
    shown = sure.locator("li[data-address] .disagreement").all_inner_texts()[1:-1]
    apart = [float(text.rstrip(" %").lstrip("< ")) for text in shown]
    assert apart == sorted(apart, reverse=True)
    labels(page)
    page.evaluate(axe)
    for part in ("#what_if", "#how_sure"):
        faults = page.evaluate(f"axe.run('{part}').then((found) => found.violations)")
        assert faults == [], faults
    assert complaints == []
