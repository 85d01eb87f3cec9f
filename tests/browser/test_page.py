"""The page does what it promises, as a reader sees it: move, climb, pin, go back, bring a photograph of one's own."""

import re
from pathlib import Path
from typing import Any

import numpy
import PIL.Image
import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.alone


def addresses(page: Page) -> list[str]:
    """The units of the dictionary, strongest first."""
    return [str(unit.get_attribute("data-address")) for unit in page.locator(".unit").all()]


def place(page: Page) -> str:
    """The place that the dictionary is about: "row 5, column 7"."""
    return page.locator(".where .place").inner_text()


def point(page: Page, across: float, down: float) -> None:
    """Move the mouse to a spot of the photograph, in shares of its width and height."""
    box = page.locator("section.photograph").get_by_role("application").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"], steps=3)


def test_it_sees_the_cat(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("What efficientnet-lite0 sees")
    labels = page.locator(".predictions .label").all_inner_texts()
    assert len(labels) == 5
    assert {"tabby", "tiger cat", "Egyptian cat"} & set(labels[:3])
    shares = [float(text.strip("<% ")) for text in page.locator(".predictions .number").all_inner_texts()]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 100.5


def test_the_mouse_moves_the_dictionary(page: Page) -> None:
    point(page, 0.5, 0.5)
    expect(page.locator(".where .place")).to_have_text("row 8, column 8")
    before = addresses(page)
    point(page, 0.02, 0.98)
    expect(page.locator(".where .place")).to_have_text("row 14, column 1")
    assert addresses(page) != before
    assert page.url.endswith("/")


def test_the_keys_move_the_dictionary_and_it_is_said(page: Page) -> None:
    point(page, 0.5, 0.5)
    page.locator("section.photograph").get_by_role("application").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".where .place")).to_have_text("row 7, column 7")
    expect(page.locator(".photograph p[role=status]")).to_contain_text("Row 7 of 14, column 7 of 14. Strongest units: ")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"at=6,6$"))
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"at=6,7$"))
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("at="))
    expect(page.locator(".where .place")).to_have_text("row 7, column 8")


def test_a_click_pins_the_place_into_the_url(page: Page) -> None:
    point(page, 0.25, 0.25)
    page.mouse.down()
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"\?at=3,3$"))
    point(page, 0.9, 0.9)
    assert place(page) == "row 4, column 4"
    page.reload()
    expect(page.locator(".where .place")).to_have_text("row 4, column 4")
    page.get_by_role("button", name="pinned, let go").click()
    expect(page).not_to_have_url(re.compile("at="))


def test_what_units_speak_for_is_there(page: Page) -> None:
    first = page.locator(".unit").first
    expect(first.locator(".for li").first).to_be_visible()
    assert all(text.startswith("+") for text in first.locator(".for .number").all_inner_texts())
    assert all(text.startswith("−") for text in first.locator(".against .number").all_inner_texts())


def test_the_tower_changes_the_layer_and_back_goes_back(page: Page) -> None:
    start, url = str(page.locator(".where .layer").text_content()), page.url
    tower = page.get_by_role("listbox")
    tower.locator("[data-layer='blocks.1.0.bn2.act']").click()
    expect(page).to_have_url(re.compile(r"\?layer=blocks\.1\.0\.bn2\.act"))
    expect(page.locator(".where .layer")).to_have_text("blocks.1.0.bn2.act")
    expect(page.locator(".unit").first).to_have_attribute("data-address", re.compile(r"^blocks\.1\.0\.bn2\.act:\d+$"))
    tower.focus()
    page.keyboard.press("ArrowUp")
    expect(tower.locator("[aria-selected=true]")).not_to_have_attribute("data-layer", "blocks.1.0.bn2.act")
    page.go_back()
    expect(page).to_have_url(url)
    expect(page.locator(".where .layer")).to_have_text(start)
    page.go_forward()
    expect(page.locator(".where .layer")).not_to_have_text(start)


def test_all_layers_can_be_unfolded(page: Page) -> None:
    options = page.get_by_role("option")
    few = options.count()
    page.get_by_role("button", name="layers between").click()
    assert options.count() > 2 * few
    page.get_by_role("option", name=re.compile("^blocks.2.0.conv_dw,")).click()
    expect(page.locator(".where .layer")).to_have_text("blocks.2.0.conv_dw")


def test_another_photograph_and_back(page: Page) -> None:
    page.get_by_role("link", name="coffee").click()
    expect(page.locator(".predictions .label").first).to_have_text("espresso")
    expect(page).to_have_url(re.compile("/image/[0-9a-f]+$"))
    page.go_back()
    expect(page.locator(".predictions .label").first).to_have_text(re.compile("cat|tabby"))


def test_words_of_the_caption_move_the_figure(page: Page) -> None:
    word = page.get_by_role("button", name="the centre")
    word.hover()
    expect(page.locator(".where .place")).to_have_text("row 8, column 8")
    expect(word).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="an early").click()
    expect(page).to_have_url(re.compile("layer="))


def test_pointing_at_a_unit_lights_its_places(page: Page) -> None:
    expect(page.locator("section.photograph canvas")).to_have_count(0)
    page.locator(".unit").first.hover()
    expect(page.locator("section.photograph canvas")).to_have_count(1)
    # Clear where the unit is the strongest, dark in most other places.
    alphas = page.locator("section.photograph canvas").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"
        ".filter((_, i) => i % 4 === 3)"
    )
    assert len(alphas) == 14 * 14
    assert min(alphas) == 0
    assert sorted(alphas)[98] > 150


def test_pictures_sharpen_while_one_watches_and_are_there_after_a_reload(page: Page, complaints: list[str]) -> None:
    page.evaluate(
        """() => { window.seen = new Set(); setInterval(() => document.querySelectorAll('.picture').forEach(
            (each) => { if (each.querySelector('img')) window.seen.add(each.dataset.state) }), 20) }"""
    )
    point(page, 0.3, 0.7)
    page.mouse.down()
    page.mouse.up()
    ready = page.locator(".unit:visible .picture[data-state=ready] img")
    expect(ready).to_have_count(6, timeout=180_000)
    assert {"drawing", "ready"} <= set(page.evaluate("[...window.seen]"))
    expect(page.locator(".unit .evidence").first).to_have_text(re.compile(r"drawn [\d.]+, seen [\d.]+"))
    page.reload()
    expect(ready).to_have_count(6, timeout=5_000)
    width = ready.first.evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert width >= 96


def test_how_a_picture_was_made_is_told(page: Page) -> None:
    opener = page.locator(".unit").first.get_by_role("button", name="was made")
    opener.wait_for(timeout=180_000)
    opener.click()
    card = page.locator("[popover]:popover-open")
    expect(card).to_contain_text("steps")
    expect(card).to_contain_text("seed")
    link = card.get_by_role("link", name="Provenance as JSON")
    answer = page.request.get(page.url.split("/image")[0].rstrip("/") + str(link.get_attribute("href")))
    assert answer.ok
    assert answer.json()["address"] == addresses(page)[0]
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)


def test_a_photograph_of_ones_own(page: Page, tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)>"
    waves = numpy.sin(numpy.arange(320)[:, None] / 7) * numpy.cos(numpy.arange(400) / 11) * 127 + 128
    PIL.Image.fromarray(waves.astype("uint8")).convert("RGB").save(tmp_path / f"{name}.png")
    before = page.locator(".predictions .label").all_inner_texts()
    page.locator("input[type=file]").set_input_files(tmp_path / f"{name}.png")
    own = page.locator("nav a[aria-current]")
    expect(own).to_have_attribute("title", re.compile(re.escape(name)))
    expect(page).to_have_url(re.compile(f"{own.get_attribute('href')}$"))
    assert page.locator(".predictions .label").all_inner_texts() != before
    expect(page.locator(".unit").first).to_be_visible()


def test_a_text_file_is_refused_in_words(page: Page, complaints: list[str]) -> None:
    drop = """({ name, text }) => {
        const data = new DataTransfer()
        data.items.add(new File([text], name))
        for (const type of ['dragenter', 'dragover', 'drop'])
            document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }))
    }"""
    url = page.url
    page.evaluate(drop, {"name": "notes.txt", "text": "no picture at all"})
    alert = page.locator(".strip [role=alert]")
    expect(alert).to_contain_text("notes.txt")
    assert page.url == url
    alert.get_by_role("button", name="Dismiss").click()
    expect(alert).to_be_empty()
    complaints[:] = [text for text in complaints if "/api/images?name=notes.txt" not in text]


def test_an_address_that_names_nothing_here_is_told(open_page: Any) -> None:
    page = open_page("/image/0000000000000000?layer=blocks.9.9")
    expect(page.locator(".notices")).to_contain_text("not here any more")
    expect(page.locator(".notices")).to_contain_text("There is no layer blocks.9.9")


def test_a_finger_chooses_a_place(open_page: Any) -> None:
    page = open_page(width=360, height=740, has_touch=True, is_mobile=True)
    box = page.locator("section.photograph").get_by_role("application").bounding_box()
    page.touchscreen.tap(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    expect(page.locator(".where .place")).to_have_text("row 4, column 11")
