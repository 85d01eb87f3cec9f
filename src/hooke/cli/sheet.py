"""The contact sheet: pictures of many units on one page, by layer, each with its channel and its response."""

from collections.abc import Sequence
from itertools import groupby

import numpy
import PIL.Image
import torch
from PIL.ImageDraw import Draw, ImageDraw
from PIL.ImageFont import FreeTypeFont, ImageFont, load_default

from hooke.addresses import Address, Place, parse
from hooke.errors import AddressError
from hooke.results import Picture
from hooke.shapes import Canvas

TILE, GAP, CAPTION, HEADING, MARGIN, TITLE = 176, 14, 40, 44, 40, 52
OF = ": picture "
"""Between the text of an objective of several pictures and the number of one of them."""

INK, GREY, HAIRLINE, PAPER = (32, 32, 32), (120, 120, 120), (222, 222, 222), (255, 255, 255)


def contact_sheet(pictures: Sequence[Picture], *, title: str = "", columns: int = 8) -> PIL.Image.Image:
    """All pictures on white, in the order given, a heading for each run of one layer.

    Under each: its channel (or whole address), and `response`, the objective on the clean picture.
    """
    groups = [(heading, list(run)) for heading, run in groupby(pictures, key=_heading)]
    columns = max(1, min(columns, max((len(run) for _, run in groups), default=1)))
    rows = [-(-len(run) // columns) for _, run in groups]
    width = 2 * MARGIN + columns * TILE + (columns - 1) * GAP
    height = 2 * MARGIN + TITLE * bool(title) + sum(HEADING + count * (TILE + CAPTION + GAP) for count in rows)
    page = PIL.Image.new("RGB", (width, height), PAPER)
    pen = Draw(page)
    top = MARGIN
    if title:
        pen.text((MARGIN, top), _short(pen, title, 30, width - 2 * MARGIN), fill=INK, font=load_default(30))
        top += TITLE
    for (heading, run), count in zip(groups, rows, strict=True):
        pen.line((MARGIN, top, width - MARGIN, top), fill=HAIRLINE)
        pen.text((MARGIN, top + 12), _short(pen, heading, 18, width - 2 * MARGIN), fill=GREY, font=load_default(18))
        for index, picture in enumerate(run):
            place = (MARGIN + index % columns * (TILE + GAP), top + HEADING + index // columns * (TILE + CAPTION + GAP))
            _tile(page, pen, place, picture)
        top += HEADING + count * (TILE + CAPTION + GAP)
    return page


def _tile(page: PIL.Image.Image, pen: ImageDraw, place: tuple[int, int], picture: Picture) -> None:
    left, top = place
    drawn = _picture(picture.image)
    drawn.thumbnail((TILE, TILE)) if max(drawn.size) > TILE else None
    page.paste(drawn.resize((TILE, TILE), PIL.Image.Resampling.BICUBIC), place)
    number = f"{picture.response:#.3g}"
    room = TILE - int(pen.textlength(number, font=load_default(15))) - 8
    pen.text((left, top + TILE + 7), _short(pen, _caption(picture), 15, room), fill=INK, font=load_default(15))
    pen.text((left + TILE, top + TILE + 7), number, fill=GREY, font=load_default(15), anchor="ra")


def _picture(canvas: Canvas) -> PIL.Image.Image:
    """The canvas as RGB; of a model with other than 1 or 3 channels, the mean of them in grey."""
    shown = canvas if canvas.shape[0] in (1, 3) else canvas.mean(dim=0, keepdim=True)
    levels = shown.detach().cpu().float().clamp(0, 1).mul(255).round().to(torch.uint8)
    return PIL.Image.fromarray(numpy.asarray(levels.expand(3, -1, -1).permute(1, 2, 0).contiguous()))


def _heading(picture: Picture) -> str:
    match _address(picture):
        case Place() as place:
            return place.layer
        case None:
            return picture.address.partition(OF)[0] if OF in picture.address else "objectives"
        case _:
            return "sums"


def _caption(picture: Picture) -> str:
    """What the heading does not say already."""
    match _address(picture):
        case Place() as place:
            return picture.address.removeprefix(str(Place(place.layer))) or "all channels"
        case None if OF in picture.address:
            return picture.address.rpartition(OF)[2]
        case _:
            return picture.address


def _address(picture: Picture) -> Address | None:
    """What the picture is of; None for an objective that no address can say."""
    try:
        return parse(picture.address)
    except AddressError:
        return None


def _short(pen: ImageDraw, text: str, size: int, room: int) -> str:
    """The text, cut at its end to so many pixels."""
    font: FreeTypeFont | ImageFont = load_default(size)
    if pen.textlength(text, font=font) <= room:
        return text
    while text and pen.textlength(text + "...", font=font) > room:
        text = text[:-1]
    return text + "..."
