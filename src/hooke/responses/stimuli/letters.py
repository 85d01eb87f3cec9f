"""Letters: capitals of the font that comes with Pillow."""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy
import PIL.Image
import torch
from jaxtyping import Float
from PIL.ImageDraw import Draw
from PIL.ImageFont import load_default
from torch import Tensor

from hooke.responses.stimuli.colours import ANY_INK, GROUND, ink, over
from hooke.responses.stimuli.painting import Frame, Pixels, Setting, sampled
from hooke.responses.stimuli.ranges import Choice, Circular, Linear, Logarithmic, Range
from hooke.responses.stimuli.stimulus import Stimulus

SIDE, HEIGHT = 192, 128
"""Pixels of a letter's sheet, and of a capital's height on it."""


@dataclass(frozen=True)
class Letters(Stimulus):
    """A capital letter; `size` is its height, `orientation` by how much it is turned, `right` and `up` its shift."""

    letter: Choice = Choice(tuple(string.ascii_uppercase))
    size: Range = Logarithmic(0.4, 1, "fields")
    orientation: Range = Circular(360)
    right: Range = Linear(-0.1, 0.1, "fields")
    up: Range = Linear(-0.1, 0.1, "fields")
    colour: Choice = ANY_INK

    def paint(
        self, values: Mapping[str, Setting], x: Pixels, y: Pixels, frame: Frame
    ) -> Float[Tensor, "batch 3 height width"]:
        sheets = torch.stack([_sheet(name) for name in self.letter.names])[values["letter"].flatten().long()]
        x, y = x - values["right"] * frame.field, y - values["up"] * frame.field
        size = values["size"] * frame.field * (SIDE / HEIGHT)
        share = sampled(sheets, x, y, size, values["orientation"], mirrored=False)[:, 0]
        return over(GROUND, share, ink(values["colour"], self.colour))


@cache
def _sheet(letter: str) -> Float[Tensor, "1 height width"]:
    """The letter in the middle of a square, 1 where it is."""
    page = PIL.Image.new("L", (SIDE, SIDE))
    font = load_default(HEIGHT / 0.7)
    left, top, right, bottom = Draw(page).textbbox((0, 0), letter, font=font)
    corner = ((SIDE - left - right) / 2, (SIDE - top - bottom) / 2)
    Draw(page).text(corner, letter, fill=255, font=font)
    return torch.from_numpy(numpy.array(page)).float()[None] / 255
