"""Pictures that begin with a photograph, stay near one, or change a part of one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Generator, Tensor

from hooke.errors import NumericsError
from hooke.numeric.fixed import Fixed
from hooke.shapes import Canvases
from hooke.visualization.parametrizations.fourier import Fourier
from hooke.visualization.parametrizations.parametrization import (
    Mixing,
    Parameters,
    Parametrization,
    Unbounded,
    usual_colours,
)

NEARLY_ALL = 1 - 1e-5
"""Radii are this much smaller, so that rounding leaves no picture outside its ball."""


class OnPhotograph(Parametrization):
    """A parametrization over a photograph: a canvas [channel, height, width], values 0 to 1, of the size drawn at."""

    photograph: Fixed
    part: Parametrization

    @property
    def size(self) -> int | None:
        return int(self.photograph.tensor.shape[-1])

    def start(self, side: int, channels: int, streams: Sequence[Generator]) -> Parameters:
        if self.photograph.tensor.shape != (channels, side, side):
            raise NumericsError(
                f"a photograph of {' x '.join(map(str, self.photograph.tensor.shape))}",
                f"the canvas is {channels} x {side} x {side}",
                next_step="give the photograph as the model takes it, square, in the size to draw at",
            )
        return self.part.start(side, channels, streams)


@dataclass(frozen=True)
class FromPhotograph(OnPhotograph, Unbounded):
    """Begins at a photograph and goes on from there as `part` does (contrast 0: at exactly that photograph)."""

    photograph: Fixed
    part: Unbounded = field(default_factory=lambda: Fourier(contrast=0.0))

    @cached_property
    def _values(self) -> Tensor:
        return torch.logit(self.photograph.tensor, eps=1e-3)

    def channels(self, parameters: Parameters) -> int:
        return self.part.channels(parameters)

    def values(self, parameters: Parameters, mixing: Mixing) -> Canvases:
        return self._values.to(parameters) + self.part.values(parameters, mixing)


@dataclass(frozen=True)
class Masked(OnPhotograph):
    """Only a region is drawn: `mask` [height, width] is 1 inside, 0 outside, where the photograph stays as it is."""

    photograph: Fixed
    mask: Fixed
    part: Parametrization = field(default_factory=Fourier)

    def render(self, parameters: Parameters) -> Canvases:
        drawn = self.part.render(parameters)
        photograph, mask = self.photograph.tensor.to(drawn), self.mask.tensor.to(drawn)
        return torch.where(mask > 0, mask * drawn + (1 - mask) * photograph, photograph)


@dataclass(frozen=True)
class LInfinityBall(OnPhotograph):
    """No pixel differs from the photograph's by more than `radius`."""

    photograph: Fixed
    radius: float = 8 / 255
    part: Unbounded = field(default_factory=Fourier)

    def render(self, parameters: Parameters) -> Canvases:
        reach = self.radius * NEARLY_ALL
        return (self.photograph.tensor.to(parameters) + reach * torch.tanh(_values(self.part, parameters))).clamp(0, 1)


@dataclass(frozen=True)
class L2Ball(OnPhotograph):
    """The Euclidean distance to the photograph, over all pixels and channels, is at most `radius`."""

    photograph: Fixed
    radius: float = 10.0
    part: Unbounded = field(default_factory=Fourier)

    def render(self, parameters: Parameters) -> Canvases:
        change = _values(self.part, parameters)
        length = torch.linalg.vector_norm(change, dim=(1, 2, 3), keepdim=True).clamp(min=1e-6)
        reach = self.radius * NEARLY_ALL
        moved: Tensor = self.photograph.tensor.to(parameters) + change * (reach * torch.tanh(length / reach) / length)
        return moved.clamp(0, 1)


def _values(part: Unbounded, parameters: Parameters) -> Canvases:
    return part.values(parameters, usual_colours(part.channels(parameters)).to(parameters))
