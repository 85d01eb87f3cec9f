"""Corners: two arms that meet at the centre."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.responses.stimuli.colours import ANY_INK, GROUND, ink, over
from hooke.responses.stimuli.painting import Frame, Pixels, Setting, segment, stroke, turned, unit
from hooke.responses.stimuli.ranges import Choice, Circular, Linear, Logarithmic, Range
from hooke.responses.stimuli.stimulus import Stimulus


@dataclass(frozen=True)
class Corners(Stimulus):
    """Two arms with round ends that open by `angle` and point, as an arrow, towards `orientation`."""

    orientation: Range = Circular(360)
    angle: Range = Linear(30, 150, "°")
    width: Range = Logarithmic(0.05, 0.2, "fields")
    length: Range = Linear(0.3, 0.7, "fields")
    colour: Choice = ANY_INK

    def paint(
        self, values: Mapping[str, Setting], x: Pixels, y: Pixels, frame: Frame
    ) -> Float[Tensor, "batch 3 height width"]:
        along, across = turned(x, y, values["orientation"])
        length = values["length"] * frame.field
        cosine, sine = unit(values["angle"] / 2)
        distance = torch.minimum(
            segment(along, across, (-length * cosine, length * sine)),
            segment(along, across, (-length * cosine, -length * sine)),
        )
        return over(GROUND, stroke(distance, values["width"] * frame.field), ink(values["colour"], self.colour))
