"""The picture that stands for a published page where somebody links to it: the photograph and units that fire in it."""

import io
from collections.abc import Sequence

import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

WIDTH, HEIGHT = 1200, 630
PAPER, INK, QUIET, HERE = "#ffffff", "#1c1c1c", "#626262", "#ff6600"
EDGE = 40
UNIT = 138
GAP = 14


def preview(photograph: PIL.Image.Image, place: tuple[float, float, float, float], units: Sequence[PIL.Image.Image],
            title: str, words: str) -> bytes:  # fmt: skip
    """A JPEG of 1200 x 630 pixels; `place` (left, top, right, bottom, as shares) is framed; at most eight units."""
    whole = PIL.Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    side = HEIGHT - 2 * EDGE
    whole.paste(photograph.convert("RGB").resize((side, side), PIL.Image.Resampling.LANCZOS), (EDGE, EDGE))
    pen = PIL.ImageDraw.Draw(whole)
    left, top, right, bottom = (EDGE + share * side for share in place)
    pen.rectangle((left, top, right, bottom), outline=HERE, width=5)
    start = 2 * EDGE + side
    room = WIDTH - EDGE - start
    pen.text((start, EDGE - 6), _fitting(title, 40, room), INK, font=PIL.ImageFont.load_default(40))
    pen.text((start, EDGE + 54), _fitting(words, 26, room), QUIET, font=PIL.ImageFont.load_default(26))
    first = HEIGHT - EDGE - 2 * UNIT - GAP
    for at, unit in enumerate(units[:8]):
        x, y = start + at % 4 * (UNIT + GAP), first + at // 4 * (UNIT + GAP)
        whole.paste(unit.convert("RGB").resize((UNIT, UNIT), PIL.Image.Resampling.LANCZOS), (x, y))
    middle = (top + bottom) / 2
    pen.line([(right, middle), (EDGE + side + 20, middle), (EDGE + side + 20, first + UNIT), (start - 8, first + UNIT)],
             fill=HERE, width=3)  # fmt: skip
    file = io.BytesIO()
    whole.save(file, format="JPEG", quality=84, optimize=True)
    return file.getvalue()


def _fitting(text: str, size: int, width: int) -> str:
    """As much of a text as fits into a line."""
    font = PIL.ImageFont.load_default(size)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"
