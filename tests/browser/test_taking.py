"""Taking a figure away: each file says what the page says, a frame shows one figure alone, paper has no tools."""

import csv
import http.server
import io
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import PIL.Image
import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.alone

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def page(open_page: Any, complaints: list[str]) -> Iterator[Page]:
    """The workspace of the cat, where copying is allowed."""
    yield open_page("/image/cat?at=5,7", permissions=["clipboard-read", "clipboard-write"])
    assert complaints == []


def menu(page: Page, title: str) -> Locator:
    """The menu of a figure, opened by keys."""
    page.get_by_role("button", name=f"Take away: {title}", exact=True).focus()
    page.keyboard.press("Enter")
    return page.get_by_role("group", name=f"Take away: {title}", exact=True)


def taken(page: Page, of: Locator, kind: str) -> bytes:
    with page.expect_download() as download:
        of.get_by_role("button", name=kind, exact=True).click()
    assert download.value.suggested_filename == f"hooke-semantic-dictionary-cat-efficientnet-lite0.{kind.lower()}"
    return Path(download.value.path()).read_bytes()


def copied(page: Page, of: Locator, what: str) -> str:
    of.get_by_role("button", name=what, exact=True).click()
    expect(of.get_by_role("status")).to_contain_text("copied.")
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_each_kind_of_file_says_what_the_page_says(page: Page) -> None:
    answer = page.evaluate("fetch('/api/images').then((got) => got.json())")
    image = next(one for one in answer if one["name"] == "cat")
    layer = "blocks.4.1.bn2.act"
    dictionary = page.evaluate(
        "(url) => fetch(url).then((got) => got.json())", f"/api/images/{image['id']}/dictionary?layer={layer}&count=8"
    )
    model = page.evaluate("fetch('/api/model').then((got) => got.json())")
    page.locator(".unit img").first.wait_for()
    of = menu(page, "What the layer sees there")

    data = json.loads(taken(page, of, "JSON"))
    assert data["answer"] == dictionary
    made = data["made"]
    assert (made["study"], made["fingerprint"], made["hooke"]) == (
        "semantic_dictionary", model["fingerprint"], model["version"]
    )  # fmt: skip
    assert made["image"] == {"id": image["id"], "name": "cat"}

    rows = list(csv.DictReader(io.StringIO(taken(page, of, "CSV").decode())))
    assert len(rows) == len(dictionary["channels"])
    at = (5 * dictionary["width"] + 7) * dictionary["count"]
    assert [rows[at][name] for name in ("row", "column", "rank")] == ["5", "7", "0"]
    assert int(rows[at]["channel"]) == dictionary["channels"][at]
    assert float(rows[at]["magnitude"]) == dictionary["magnitudes"][at]

    tree = ElementTree.fromstring(taken(page, of, "SVG"))
    assert json.loads(str(tree.findtext(f"{SVG}metadata"))) == made
    words = [str(text.text) for text in tree.iter(f"{SVG}text")]
    assert "WHAT THE LAYER SEES THERE" in words
    assert any(str(dictionary["channels"][at]) in word for word in words)
    assert len(list(tree.iter(f"{SVG}image"))) >= 2  # the photograph, and those of the units that are there
    assert not list(tree.iter("{http://www.w3.org/1999/xhtml}div"))

    picture = PIL.Image.open(io.BytesIO(taken(page, of, "PNG")))
    assert json.loads(picture.info["hooke"]) == made
    wide, high = (float(tree.get(side) or 0) for side in ("width", "height"))
    assert picture.size == (round(2 * wide), round(2 * high))
    counts = picture.convert("L").histogram()
    assert sum(counts[:60]) > 1000
    assert counts[255] > 1000
    assert len(picture.convert("RGB").resize((64, 64)).getcolors(4096) or []) > 500


def test_what_is_copied_leads_back_to_the_figure(page: Page, open_page: Any, tmp_path: Path, axe: str) -> None:
    of = menu(page, "What the layer sees there")
    page.evaluate(axe)
    found = page.evaluate("axe.run('[popover]:popover-open').then(found => found.violations.map(one => one.id))")
    assert found == []
    python = copied(page, of, "Copy code")
    assert 'hooke.photographs())["cat"]' in python
    assert 'Asked(layers=("blocks.4.1.bn2.act",), position=(5, 7), count=8)' in python
    assert of.get_by_role("region").text_content() == python
    link, frame = copied(page, of, "Copy link"), copied(page, of, "Copy iframe")
    page.keyboard.press("Escape")
    expect(of).to_be_hidden()
    page.goto(link)
    expect(page.locator(".where")).to_contain_text("row 6, column 8")

    (tmp_path / "text.html").write_text(
        f"<!doctype html><title>A text</title><link rel='icon' href='data:,'><p>As it is seen:</p>{frame}"
    )
    files = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), files) as beside:
        threading.Thread(target=beside.serve_forever, daemon=True).start()
        page.goto(f"http://localhost:{beside.server_port}/text.html")
        inside = page.frame_locator("iframe")
        expect(inside.locator(".unit")).to_have_count(8)
        expect(inside.locator(".where")).to_contain_text("row 6, column 8")
        for other in ("header", ".strip", "#groups h2", "footer"):
            expect(inside.locator(other)).to_have_count(0)
        with page.context.expect_page() as opened:
            inside.locator(".unit .chip").first.click()
        expect(opened.value.get_by_role("heading", level=1)).to_contain_text("Unit ")
        expect(inside.locator(".unit")).to_have_count(8)
        beside.shutdown()


def test_each_figure_of_two_models_can_be_taken(open_page: Any, two: str, complaints: list[str]) -> None:
    page = open_page(
        "/?layer=act2&at=1,2&beside=1", at=two, ready=".pair .unit", permissions=["clipboard-read", "clipboard-write"]
    )
    expect(page.locator("ol[aria-busy=true]")).to_have_count(0)

    def told(path: str) -> Any:
        return page.evaluate("path => fetch(path).then(found => found.json())", path)

    def file(of: Locator, kind: str) -> bytes:
        with page.expect_download() as download:
            of.get_by_role("button", name=kind, exact=True).click()
        return Path(download.value.path()).read_bytes()

    fingerprints = [told(f"{below}/api/model")["fingerprint"] for below in ("", "/beside")]
    image = told("/api/images")[0]["id"]
    for at, aside, below in ((0, "", ""), (1, ", the second model", "/beside")):
        of = menu(page, f"What Sequential sees there{aside}")
        data = json.loads(file(of, "JSON"))
        assert data["made"]["fingerprint"] == fingerprints[at]
        assert data["answer"] == told(f"{below}/api/images/{image}/dictionary?layer=act2&count=8")
        tree = ElementTree.fromstring(file(of, "SVG"))
        assert fingerprints[at][:8] in [str(text.text) for text in tree.iter(f"{SVG}text")]
        assert 'Asked(layers=("act2",), position=(1, 2), count=6)' in copied(page, of, "Copy code")
        assert "beside=1" in copied(page, of, "Copy link")
        expect(of.get_by_role("button", name="Copy iframe")).to_have_count(1 - at)  # a frame shows the first model
        page.keyboard.press("Escape")

    for title, asked, rows in (
        ("How alike they see it", "beside", 2),
        ("Units that changed most there", "changes?layer=act2", 8 * 8 * 8),
    ):
        page.get_by_role("heading", name=title).scroll_into_view_if_needed()
        of = menu(page, title)
        expect(of.get_by_role("button", name="JSON", exact=True)).to_be_enabled()
        data = json.loads(file(of, "JSON"))
        assert data["answer"] == told(f"/api/images/{image}/{asked}")
        assert [data["made"]["fingerprint"], data["made"]["beside"]["fingerprint"]] == fingerprints
        assert len(list(csv.DictReader(io.StringIO(file(of, "CSV").decode())))) == rows
        assert json.loads(PIL.Image.open(io.BytesIO(file(of, "PNG"))).info["hooke"]) == data["made"]
        assert "second = hooke.open(your_other_module)" in copied(page, of, "Copy code")
        page.keyboard.press("Escape")
    assert complaints == []


def test_the_evidence_of_a_unit_and_of_a_layer_stands_alone_too(
    open_page: Any, axe: str, complaints: list[str]
) -> None:
    page = open_page("/layer/blocks.6.0.bn2.act?view=units&embed=1", ready="[data-at]")
    expect(page.get_by_role("heading")).to_have_text(["The units of blocks.6.0.bn2.act", "Its units"])
    page.evaluate(axe)
    assert page.evaluate("axe.run().then(found => found.violations.map(one => one.id))") == []
    page.goto(page.url.partition("/layer")[0] + "/unit/blocks.4.1.bn2.act/67?view=looks&embed=1")
    expect(page.get_by_role("heading")).to_have_text(["Unit 67 of blocks.4.1.bn2.act", "What it looks for"])
    assert complaints == []


def test_paper_has_no_tools(page: Page, screenshots: Path) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    for hidden in (".strip", "search", "nav", ".take"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator(".unit").first).to_be_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.unit .value')).color") == "rgb(0, 0, 0)"
    page.screenshot(path=screenshots / "print.png", full_page=True)
