"""Patches: discs of colour."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.responses.stimuli.colours import GROUND, hue_colour, over
from hooke.responses.stimuli.painting import Frame, Pixels, Setting, covered
from hooke.responses.stimuli.ranges import Circular, Linear, Logarithmic, Range
from hooke.responses.stimuli.stimulus import Stimulus


@dataclass(frozen=True)
class Patches(Stimulus):
    """A disc of one colour on grey. Hue 0 is red, 120 green, 240 blue; all hues of one `lightness` have the same mean
    over R, G and B, and `saturation` 1 is the most that all of them reach. `size` is the diameter."""

    hue: Range = Circular(360)
    saturation: Range = Linear(0.2, 1)
    lightness: Range = Linear(0.3, 0.7)
    size: Range = Logarithmic(0.5, 2, "fields")

    def paint(
        self, values: Mapping[str, Setting], x: Pixels, y: Pixels, frame: Frame
    ) -> Float[Tensor, "batch 3 height width"]:
        share = covered(torch.hypot(x, y) - values["size"] * frame.field / 2)
        return over(GROUND, share, hue_colour(values["hue"], values["saturation"], values["lightness"]))
