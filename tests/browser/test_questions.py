"""What one asks first leads to the figure that answers, and a frame on the photograph to the units that fire there."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.alone


def test_questions_lead_to_their_figures_and_back(page: Page) -> None:
    asked = page.get_by_role("navigation", name="Questions").get_by_role("link")
    # Only questions whose figure is on the page; that of the unit leads to the unit's own.
    for name in asked.evaluate_all("links => links.map((link) => link.getAttribute('href'))"):
        assert re.search(r"[?&]view=|^/unit/", name), name
    page.get_by_role("link", name="Where is it wrong alike?").click()
    expect(page).to_have_url(re.compile(r"view=whole/error/list"))
    section = page.locator("#alike")
    expect(section).to_be_in_viewport()
    expect(section.locator("tr.own")).to_contain_text("this one", timeout=60_000)
    expect(section).to_contain_text("other photographs")
    assert page.evaluate("scrollY") > 400
    page.go_back()
    expect(page).not_to_have_url(re.compile("view="))
    page.get_by_role("link", name="What does this unit look for?").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Unit")


def test_an_address_in_the_grammar_opens_at_its_figure(open_page: Any) -> None:
    page = open_page("/?view=blocks.3.1.bn2.act/whole/error/list")
    expect(page.locator("#alike")).to_be_in_viewport()
    expect(page.locator(".where .layer")).to_have_text("blocks.3.1.bn2.act")
    page.get_by_role("listbox").locator("[data-layer='blocks.1.0.bn2.act']").click()
    expect(page).to_have_url(re.compile(r"view=blocks\.1\.0\.bn2\.act/whole/error/list"))


def test_a_frame_drawn_with_the_mouse_finds_units_and_pins_nothing(page: Page) -> None:
    box = page.locator(".photograph[role=application]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.6 * box["height"], steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"patch=20,20,50,60"))
    expect(page).not_to_have_url(re.compile("at="))
    scores = page.locator(".list").first.locator(".score")
    expect(scores).to_have_count(8, timeout=60_000)
    numbers = [float(text.strip("+ σ")) for text in scores.all_inner_texts()]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[-1] > 0
    page.get_by_role("button", name="add “not here”").click()
    expect(page).to_have_url(re.compile("not="))
    expect(page.get_by_role("group", name="The patch “not here”")).to_be_visible()
    page.reload()
    expect(page.locator(".list .chip").first).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="back to the dictionary").click()
    expect(page).not_to_have_url(re.compile("patch=|not="))
    expect(page.locator(".unit").first).to_be_visible()


def test_a_frame_by_keys(page: Page) -> None:
    button = page.get_by_role("button", name="Which units fire here and not there?")
    button.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("patch="))
    frame = page.get_by_role("group", name="The patch “here”")
    frame.focus()
    url = page.url
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    expect(page).not_to_have_url(url)
    left, top, right, bottom = (int(side) for side in re.findall(r"\d+", url.split("patch=")[1]))
    expect(page).to_have_url(re.compile(f"patch={left + 4},{top},{right + 4},{bottom + 4}$"))
    page.keyboard.press("Delete")
    expect(page).not_to_have_url(re.compile("patch="))


def test_what_was_found_goes_when_the_words_change(page: Page) -> None:
    box = page.get_by_role("searchbox", name="Search units")
    box.fill("bn1.act:7")
    box.press("Enter")
    found = page.locator(".found .chip")
    expect(found.first).to_have_attribute("href", "/unit/bn1.act/7", timeout=30_000)
    box.press_sequentially("tabb")
    expect(found).to_have_count(0)
    box.fill("tabby")
    box.press("Enter")
    expect(found.first).to_have_attribute("href", "/unit/logits/281", timeout=30_000)


def test_an_error_of_the_page_is_told(open_page: Any, complaints: list[str]) -> None:
    page = open_page()
    page.evaluate("() => { setTimeout(() => { throw new Error('a planted fault') }) }")
    notice = page.locator(".notices")
    expect(notice).to_contain_text("Something went wrong in this page: a planted fault")
    page.evaluate("() => { Promise.reject(new Error('a broken promise')) }")
    expect(notice).to_contain_text("a broken promise")
    notice.get_by_role("button", name="Dismiss").click()
    expect(notice).to_be_empty()
    expect(page.locator(".unit").first).to_be_visible()


def test_an_answer_that_makes_no_sense_leaves_no_blank_page(open_page: Any) -> None:
    page = open_page()

    def spoil(route: Route) -> None:
        route.fulfill(status=200, content_type="application/json", body='{"layer": "bn1.act", "channels": null}')

    page.route(re.compile("/api/layer"), spoil)
    page.get_by_role("link", name=re.compile("^its ")).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("main, .broken").first).to_be_visible()
