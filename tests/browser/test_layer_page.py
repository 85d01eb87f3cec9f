"""A layer's page below its sheet: families in the order of their places, and the atlas that is drawn when asked for."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.alone

LAYER = "bn1.act"


@pytest.fixture
def page(open_page: Any) -> Page:
    """The page of the first layer, on a low screen: what lies below is not asked for yet."""
    found: Page = open_page(f"/layer/{LAYER}", ready="[data-at]", height=500)
    return found


def answered(page: Page, what: str) -> Any:
    """The answer that the figure showed, asked for once more."""
    return page.evaluate("url => fetch(url).then((found) => found.json())", f"/api/layer/{what}?layer={LAYER}")


def test_families_stand_in_the_order_of_their_places(page: Page, axe: str, complaints: list[str]) -> None:
    heading = page.get_by_role("heading", name="Its families")
    heading.scroll_into_view_if_needed()
    part = page.locator(".part", has=heading)
    part.get_by_role("button", name="Cancel").click()
    expect(part).to_contain_text("Cancelled.")
    part.get_by_role("button", name="Measure it").click()
    expect(part).to_contain_text("pictures of stripes and discs", timeout=240_000)
    kinds = {one["kind"]: one for one in answered(page, "families")["kinds"]}
    for name, kind in kinds.items():
        shown = part.locator(f"[data-kind='{name}']")
        expect(shown).to_have_count(1)
        assert ("shuffled" in shown.inner_text()) == (not kind["families"])
        sizes = [family.locator("ol > li").count() for family in shown.locator(".family").all()]
        assert sizes == sorted(sizes, reverse=True)
        for family in shown.locator(".family").all():
            places = [float(str(unit.get_attribute("data-place"))) for unit in family.locator("ol > li").all()]
            assert places == sorted(places)
    assert kinds["hue"]["families"]  # whatever its weights, a linear layer has cosines for hue tunings
    first = part.locator("[data-kind='hue'] .chip").first
    expect(first).to_have_attribute("href", f"/unit/{LAYER}/{kinds['hue']['families'][0]['channels'][0]}")
    page.evaluate(axe)
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
    first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/unit/{re.escape(LAYER)}/\d+$"))
    assert complaints == []


def test_the_atlas_is_drawn_when_asked_for_and_can_be_cancelled(page: Page, complaints: list[str]) -> None:
    heading = page.get_by_role("heading", name="Its atlas")
    part = page.locator(".part", has=heading)
    part.get_by_role("button", name="Draw its atlas").focus()
    page.keyboard.press("Enter")
    part.get_by_role("button", name="Cancel").click()
    expect(part).to_contain_text("Cancelled.")
    expect(part.get_by_role("button", name="Go on")).to_be_visible()
    expect(page).to_have_url(re.compile("atlas=here"))
    assert complaints == []


def test_an_address_draws_its_atlas(open_page: Any, complaints: list[str]) -> None:
    page: Page = open_page(f"/layer/{LAYER}?atlas=here", ready="[data-at]", height=500)
    part = page.locator(".part", has=page.get_by_role("heading", name="Its atlas"))
    expect(part.get_by_role("button", name="Draw its atlas")).to_have_count(0)
    part.scroll_into_view_if_needed()
    part.get_by_role("button", name="Cancel").click()
    expect(part).to_contain_text("Cancelled.")
    page.goto(page.url.replace("here", "recorded"))
    expect(part).to_contain_text("Nothing was recorded of this model.")
    expect(part.locator("code")).to_contain_text("hooke record")
    assert complaints == []
