"""Shapes: regular polygons between sharp and round, filled or as outlines."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.responses.stimuli.colours import ANY_INK, GROUND, ink, over
from hooke.responses.stimuli.painting import Frame, Pixels, Setting, covered, stroke, turned
from hooke.responses.stimuli.ranges import Choice, Circular, Linear, Logarithmic, Range
from hooke.responses.stimuli.stimulus import Stimulus

SIDES = {"triangle": 3, "square": 4, "pentagon": 5, "hexagon": 6}
LINE = 0.08
"""The width of an outline, in sizes."""


@dataclass(frozen=True)
class Shapes(Stimulus):
    """A regular polygon with rounded corners. `size` is the diameter of the circle inside it; `roundness` 1 makes it
    that circle; a side faces `orientation`."""

    sides: Choice = Choice(tuple(SIDES))
    roundness: Range = Linear(0, 1)
    size: Range = Logarithmic(0.4, 1.2, "fields")
    orientation: Range = Circular(360)
    filling: Choice = Choice(("filled", "outline"))
    colour: Choice = ANY_INK

    def paint(
        self, values: Mapping[str, Setting], x: Pixels, y: Pixels, frame: Frame
    ) -> Float[Tensor, "batch 3 height width"]:
        size = values["size"] * frame.field
        counts = torch.tensor([float(SIDES[name]) for name in self.sides.names])
        sides = counts[values["sides"].flatten().long()][:, None, None]
        along, across = turned(x, y, values["orientation"])
        distance = _polygon(along, across, sides, size / 2 * (1 - values["roundness"]))
        distance = distance - size / 2 * values["roundness"]
        outline = torch.tensor([name == "outline" for name in self.filling.names])
        drawn = outline[values["filling"].flatten().long()][:, None, None]
        share = torch.where(drawn, stroke(distance + size * (LINE / 2), size * LINE), covered(distance))
        return over(GROUND, share, ink(values["colour"], self.colour))


def _polygon(along: Pixels, across: Pixels, sides: Setting, inner: Setting) -> Pixels:
    """The distance to a regular polygon, a side of which lies `inner` pixels along."""
    sector = 2 * math.pi / sides
    angle = torch.atan2(across, along)
    folded = angle - sector * (angle / sector).round()
    length = torch.hypot(along, across)
    beyond = length * folded.cos() - inner
    past = ((length * folded.sin()).abs() - inner * torch.tan(sector / 2)).clamp(min=0)
    return torch.where(beyond > 0, torch.hypot(beyond, past), beyond)
