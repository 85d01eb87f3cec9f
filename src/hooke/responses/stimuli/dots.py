"""Dots: a lattice of round dots over the whole canvas."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.responses.stimuli.colours import ANY_INK, GROUND, ink, over
from hooke.responses.stimuli.painting import Frame, Pixels, Setting, covered, turned
from hooke.responses.stimuli.ranges import Choice, Circular, Linear, Logarithmic, Range
from hooke.responses.stimuli.stimulus import Stimulus


@dataclass(frozen=True)
class Dots(Stimulus):
    """A square lattice of dots: `spacing` between their middles, `size` the diameter in spacings, `right` and `up` the
    lattice's shift in spacings before it is turned."""

    spacing: Range = Logarithmic(0.15, 0.8, "fields")
    size: Range = Linear(0.3, 0.8, "spacings")
    orientation: Range = Circular(90)
    right: Range = Linear(-0.5, 0.5, "spacings")
    up: Range = Linear(-0.5, 0.5, "spacings")
    colour: Choice = ANY_INK

    def paint(
        self, values: Mapping[str, Setting], x: Pixels, y: Pixels, frame: Frame
    ) -> Float[Tensor, "batch 3 height width"]:
        spacing = values["spacing"] * frame.field
        along, across = turned(x, y, values["orientation"])
        right, up = along / spacing - values["right"], across / spacing - values["up"]
        distance = torch.hypot(right - right.round(), up - up.round()) * spacing - values["size"] * spacing / 2
        return over(GROUND, covered(distance), ink(values["colour"], self.colour))
