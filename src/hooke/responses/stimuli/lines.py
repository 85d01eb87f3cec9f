"""Lines: one straight bar."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from hooke.responses.stimuli.colours import ANY_INK, GROUND, ink, over
from hooke.responses.stimuli.painting import Frame, Pixels, Setting, covered, stroke, turned
from hooke.responses.stimuli.ranges import Choice, Circular, Linear, Logarithmic, Range
from hooke.responses.stimuli.stimulus import Stimulus


@dataclass(frozen=True)
class Lines(Stimulus):
    """A straight bar with square ends; `offset` moves it across itself, away from the centre."""

    orientation: Range = Circular(180)
    width: Range = Logarithmic(0.04, 0.3, "fields")
    length: Range = Linear(0.5, 1.5, "fields")
    offset: Range = Linear(-0.15, 0.15, "fields")
    colour: Choice = ANY_INK

    def paint(
        self, values: Mapping[str, Setting], x: Pixels, y: Pixels, frame: Frame
    ) -> Float[Tensor, "batch 3 height width"]:
        along, across = turned(x, y, values["orientation"])
        across = across - values["offset"] * frame.field
        share = stroke(across, values["width"] * frame.field)
        share = share * covered(along.abs() - values["length"] * frame.field / 2)
        return over(GROUND, share, ink(values["colour"], self.colour))
