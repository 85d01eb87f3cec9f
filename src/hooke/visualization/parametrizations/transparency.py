"""Pictures that say how opaque each pixel is: what a unit needs, and not what it does not care about."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from hooke.errors import NumericsError
from hooke.shapes import Canvases
from hooke.visualization.parametrizations.fourier import Fourier
from hooke.visualization.parametrizations.parametrization import (
    Parameters,
    Parametrization,
    Unbounded,
    usual_colours,
)
from hooke.visualization.parametrizations.pixels import LowResolution

EDGE = 4.0
"""How much steeper opacity goes from nothing to all than colours do."""


@dataclass(frozen=True)
class Transparent(Parametrization):
    """Colours and, as one channel more, opacity, whose mean is always `coverage`: pixels compete for it.

    Wants random backgrounds: `Ascent(Transparent(), Chain((Backgrounds(), Wobble())))`.
    After Mordvintsev et al. 2018, "Differentiable Image Parameterizations", with the penalty made a constraint.
    """

    part: Unbounded = field(default_factory=Fourier)
    opacity: Unbounded = field(default_factory=lambda: LowResolution(shrink=8))
    coverage: float = 0.4

    def __post_init__(self) -> None:
        if not 0 < self.coverage < 1:
            raise NumericsError(
                f"Transparent(coverage={self.coverage})", "it is the mean opacity", next_step="between 0 and 1"
            )

    @property
    def transparent(self) -> bool:
        return True

    def start(self, side: int, channels: int, streams: Sequence[Generator]) -> Parameters:
        both = self.part.start(side, channels, streams), self.opacity.start(side, 1, streams)
        return torch.cat([part.flatten(1) for part in both], dim=1)

    @cached_property
    def _shapes(self) -> tuple[torch.Size, torch.Size]:
        """The shapes of one sample's parameters, of one channel: of its colours and of its opacity."""
        assert self.size is not None, "sized before it is rendered"
        nothing = [torch.Generator()]
        return tuple(part.start(self.size, 1, nothing).shape[1:] for part in (self.part, self.opacity))  # type: ignore[return-value]

    def render(self, parameters: Parameters) -> Canvases:
        colour, opacity = self._shapes
        colours = parameters[:, : -opacity.numel()].reshape(len(parameters), -1, *colour[1:])
        values = parameters[:, -opacity.numel() :].reshape(len(parameters), *opacity)
        mixing = usual_colours(self.part.channels(colours)).to(parameters)
        covers = covering(EDGE * self.opacity.values(values, mixing.new_ones(1, 1)), self.coverage)
        return torch.cat([torch.sigmoid(self.part.values(colours, mixing)), covers], dim=1)


def covering(values: Float[Tensor, "batch 1 height width"], coverage: float) -> Float[Tensor, "batch 1 height width"]:
    """sigmoid(values + shift) with, for each sample, the shift at which the mean is `coverage`; differentiable."""
    opacity: Tensor = _Covering.apply(values, coverage)
    return opacity


class _Covering(torch.autograd.Function):
    """The shift by bisection; its gradient by the implicit function theorem."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, coverage: float) -> Tensor:
        low = -values.amax(dim=(2, 3), keepdim=True) - 20
        high = -values.amin(dim=(2, 3), keepdim=True) + 20
        for _ in range(40):
            middle = (low + high) / 2
            above = torch.sigmoid(values + middle).mean(dim=(2, 3), keepdim=True) > coverage
            low, high = torch.where(above, low, middle), torch.where(above, middle, high)
        opacity = torch.sigmoid(values + (low + high) / 2)
        ctx.save_for_backward(opacity)
        return opacity

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (opacity,) = ctx.saved_tensors
        slope = opacity * (1 - opacity)
        total = slope.sum(dim=(2, 3), keepdim=True).clamp(min=1e-12)
        mean = (slope * gradients[0]).sum(dim=(2, 3), keepdim=True) / total
        return slope * (gradients[0] - mean), None
