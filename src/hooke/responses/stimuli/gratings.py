"""Gratings: sinusoidal stripes over the whole canvas."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from hooke.responses.stimuli.colours import GROUND
from hooke.responses.stimuli.painting import Frame, Pixels, Setting, wave
from hooke.responses.stimuli.ranges import Circular, Linear, Logarithmic, Range
from hooke.responses.stimuli.stimulus import Stimulus


@dataclass(frozen=True)
class Gratings(Stimulus):
    """Sinusoidal stripes. `orientation` is that of the stripes (0: horizontal); at `phase` 0 the brightest line lies on
    the centre; `contrast` is (brightest - darkest) / (brightest + darkest)."""

    orientation: Range = Circular(180)
    frequency: Range = Logarithmic(0.5, 4, "cycles per field")
    phase: Range = Circular(360)
    contrast: Range = Linear(0.25, 1)

    def paint(
        self, values: Mapping[str, Setting], x: Pixels, y: Pixels, frame: Frame
    ) -> Float[Tensor, "batch 3 height width"]:
        frequency = values["frequency"] / frame.field
        stripes = wave(x, y, frequency, values["orientation"] + 90, values["phase"])
        return (GROUND + GROUND * values["contrast"] * stripes)[:, None].expand(-1, 3, -1, -1)
