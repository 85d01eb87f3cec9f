"""Textures: noise of one coarseness, from the same in all directions to streaks in one."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.numeric.seeds import stream
from hooke.responses.stimuli.colours import GROUND
from hooke.responses.stimuli.painting import Frame, Pixels, Setting, wave
from hooke.responses.stimuli.ranges import Choice, Circular, Linear, Logarithmic, Range
from hooke.responses.stimuli.stimulus import Stimulus

WAVES = 32
OCTAVE = 2**0.5


@dataclass(frozen=True)
class Textures(Stimulus):
    """The sum of 32 sinusoids within an octave around `frequency`, their directions spread by `spread` (1: all; near 0:
    streaks along `orientation`); `sample` says which noise. `contrast` is the standard deviation of the pixels."""

    orientation: Range = Circular(180)
    frequency: Range = Logarithmic(1, 6, "cycles per field")
    spread: Range = Linear(0.05, 1)
    contrast: Range = Linear(0.05, 0.2)
    sample: Choice = Choice(tuple("abcdefgh"))

    def paint(
        self, values: Mapping[str, Setting], x: Pixels, y: Pixels, frame: Frame
    ) -> Float[Tensor, "batch 3 height width"]:
        dice = torch.stack([torch.rand(3, WAVES, generator=stream(0, "texture", name)) for name in self.sample.names])
        chosen = dice[values["sample"].flatten().long()]
        total = torch.zeros(1)
        for number in range(WAVES):
            turn, pitch, phase = chosen[:, :, number, None, None].unbind(1)
            direction = values["orientation"] + 90 + values["spread"] * 180 * (turn - 0.5)
            frequency = values["frequency"] / frame.field * OCTAVE ** (2 * pitch - 1)
            total = total + wave(x, y, frequency, direction, phase * 360)
        level: Tensor = GROUND + values["contrast"] * total * (2 / WAVES) ** 0.5
        return level[:, None].expand(-1, 3, -1, -1)
