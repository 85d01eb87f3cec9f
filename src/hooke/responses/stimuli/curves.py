"""Curves: arcs of a circle."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.responses.stimuli.colours import ANY_INK, GROUND, ink, over
from hooke.responses.stimuli.painting import Frame, Pixels, Setting, stroke, turned, unit
from hooke.responses.stimuli.ranges import Choice, Circular, Linear, Logarithmic, Range
from hooke.responses.stimuli.stimulus import Stimulus

STRAIGHT = 1000.0
"""A radius, in fields, at which an arc is a straight line to a thousandth of its length."""


@dataclass(frozen=True)
class Curves(Stimulus):
    """An arc with round ends whose middle lies at the centre and bulges towards `orientation` (0: like a closing
    bracket). `offset` moves it the way it bulges; an arc longer than its circle is a ring. Source of the stimulus
    set: Cammarata and others, "Curve Detectors", Distill 2020."""

    radius: Range = Logarithmic(0.15, 2, "fields")
    orientation: Range = Circular(360)
    width: Range = Logarithmic(0.05, 0.2, "fields")
    length: Range = Linear(0.6, 1.4, "fields")
    offset: Range = Linear(-0.1, 0.1, "fields")
    colour: Choice = ANY_INK

    def paint(
        self, values: Mapping[str, Setting], x: Pixels, y: Pixels, frame: Frame
    ) -> Float[Tensor, "batch 3 height width"]:
        radius, length = (values[name] * frame.field for name in ("radius", "length"))
        along, across = turned(x, y, values["orientation"])
        along = along - values["offset"] * frame.field + radius
        half = (length / (2 * radius)).clamp(max=math.pi)
        inside = torch.atan2(across.abs(), along) <= half
        cosine, sine = unit(half * (180 / math.pi))
        end = torch.hypot(along - radius * cosine, across.abs() - radius * sine)
        distance = torch.where(inside, (torch.hypot(along, across) - radius).abs(), end)
        return over(GROUND, stroke(distance, values["width"] * frame.field), ink(values["colour"], self.colour))
