"""A published copy in a folder of a plain file server, with nothing else to be reached; one file from a disk."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.alone

INERT = "https://svelte.dev/e/derived_inert"
"""A figure that was left while it waited for an answer looks at its state once more: a remark of Svelte's, no fault."""


@pytest.fixture
def page(browser: Any, complaints: list[str]) -> Iterator[Page]:
    """A page that reaches its own origin only; the browser must have nothing to complain of at the end."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.on(
        "console",
        lambda told: told.type in ("error", "warning") and told.text != INERT and complaints.append(told.text),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: complaints.append(route.request.url))
    yield page
    context.close()
    assert complaints == []


def test_it_is_the_microscope(page: Page, address: str) -> None:
    page.goto(address)
    unit = page.locator(".unit").first
    expect(unit.locator(".picture[data-state=ready] img")).to_have_attribute("src", re.compile("^blob:"))
    assert unit.locator(".picture img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 128
    expect(unit.locator(".evidence")).to_have_text(re.compile(r"drawn [\d.]+, seen [\d.]+"))
    expect(unit.locator(".for li").first).to_be_visible()
    assert page.locator("input[type=file]").count() == 0


def test_pointing_layers_units_and_back(page: Page, address: str) -> None:
    page.goto(f"{address}#/image/second")
    box = page.locator(".photograph[role=application]").bounding_box()
    assert box
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    expect(page.locator(".where .place")).to_have_text("row 1, column 1")
    first = page.locator(".unit").first.get_attribute("data-address")
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] - 3)
    expect(page.locator(".where .place")).not_to_have_text("row 1, column 1")
    page.mouse.click(box["x"] + 3, box["y"] + 3)
    expect(page).to_have_url(re.compile(r"#/image/second\?at=0,0$"))
    expect(page.locator(".unit").first).to_have_attribute("data-address", first or "")
    page.locator(".floor[data-layer=act1]").click()
    expect(page.locator(".where .layer")).to_have_text("act1")
    expect(page.locator(".unit").first).to_have_attribute("data-address", re.compile("^act1:"))
    chip = page.locator(".unit .chip").first
    chip.hover()
    expect(page.locator(".card .address")).to_have_text(re.compile(r"^act1:\d+$"))
    expect(page.locator(".card img")).to_have_attribute("src", re.compile("^blob:"))
    chip.click()
    expect(page).to_have_url(re.compile(r"#/unit/act1/\d+$"))
    expect(page.locator(".pictures figure").first).to_be_visible()
    page.go_back()
    expect(page.locator(".where .layer")).to_have_text("act1")
    page.go_back()
    expect(page.locator(".where .layer")).to_have_text("act2")
    page.go_forward()
    expect(page.locator(".where .layer")).to_have_text("act1")


def test_a_layer_shows_its_sheets_uncut_and_says_which_units_nothing_excites(page: Page, address: str) -> None:
    page.goto(f"{address}#/layer/act2")
    faces = page.locator("main [data-at] .face")
    expect(faces).to_have_count(16)
    expect(faces.first).to_have_css("background-image", re.compile(r"/pictures/[0-9a-f]+\.webp"))
    assert page.locator("main [data-at] img").count() == 0
    silent = page.get_by_role("link", name=re.compile("no photograph here excites it"))
    assert silent.count() == page.locator(".silent", has_text="no photograph here excites it").count() > 0


def test_a_photograph_has_a_page_of_its_own_and_what_is_not_there_says_so(page: Page, address: str) -> None:
    page.goto(f"{address}second.html")
    expect(page.locator("nav a[aria-current=page]")).to_have_attribute("title", "second")
    page.goto(f"{address}#/unit/act2/1")
    expect(page.locator("h1")).to_have_text("Unit 1 of act2")
    told = page.get_by_text("This is not in the published copy").first
    told.scroll_into_view_if_needed()
    expect(told).to_contain_text("hooke explore")


def test_its_grids_are_drawn_and_answer_the_pointer(page: Page, address: str) -> None:
    page.goto(f"{address}#/image/first")
    grid = page.locator("figure[data-layer=act2][data-done=true]")
    page.get_by_role("heading", name="Every place as a picture").scroll_into_view_if_needed()
    expect(grid.locator(".agrees")).to_have_text(re.compile(r"cosine [\d.]+, shuffled -?[\d.]+;\s+told \d+\s%"))
    cells = grid.get_by_role("application")
    cells.scroll_into_view_if_needed()
    cells.hover()
    expect(grid.locator(".loupe")).to_be_visible()
    colours = "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
    assert grid.locator(".loupe").evaluate(colours) > 8  # it holds a picture
    expect(grid.locator(".units .chip")).to_have_count(3)


def test_search_finds_what_is_published(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("searchbox").first.fill("act2:1")
    page.keyboard.press("Enter")
    expect(page.locator("search .found .chip").first).to_have_attribute("aria-label", re.compile("^Unit act2:1"))


def test_a_single_file_opens_from_a_disk(page: Page, published: Path) -> None:
    page.goto((published / "view.html").as_uri())
    expect(page.locator(".where .place")).to_have_text("row 2, column 2")
    expect(page.locator(".unit .picture[data-state=ready] img").first).to_have_attribute("src", re.compile("^blob:"))
    expect(page.locator(".unit .for li").first).to_be_visible()
    page.get_by_role("heading", name="Every place as a picture").scroll_into_view_if_needed()
    expect(page.locator("figure[data-level][data-done=true]")).to_have_attribute("data-layer", "act2")  # and no other
    assert page.locator("nav img").first.evaluate("image => image.src").startswith("data:image/webp;")


def test_a_folder_opened_from_a_disk_says_what_to_do(page: Page, published: Path, complaints: list[str]) -> None:
    page.goto((published / "served/deep/site/index.html").as_uri())
    expect(page.get_by_role("status").first).to_contain_text("python -m http.server")
    page.close()
    complaints.clear()  # the browser complains of every file that it may not read
