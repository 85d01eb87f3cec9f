"""Penalties: what is wrong with a picture itself, as numbers to subtract: `objective - 0.5 * TotalVariation()`."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from hooke.shapes import Canvas
from hooke.visualization.objectives.objective import CANVAS, Objective, Recorded, Score

GREY = 0.5


class Penalty(Objective):
    """A mean over the pixels and channels of the picture (values 0 to 1, unmoved), zero where nothing is wrong."""

    @property
    def unit(self) -> bool:
        return False

    def layers(self) -> frozenset[str]:
        return frozenset()

    def responses(self, recorded: Recorded) -> Float[Tensor, "*places"]:
        return self.of(recorded[CANVAS])

    @abstractmethod
    def of(self, canvas: Canvas) -> Score:
        """The penalty of a picture."""


@dataclass(frozen=True)
class L1(Penalty):
    """The mean distance from `centre`."""

    centre: float = GREY

    def of(self, canvas: Canvas) -> Score:
        return (canvas - self.centre).abs().mean()


@dataclass(frozen=True)
class L2(Penalty):
    """The mean squared distance from `centre`."""

    centre: float = GREY

    def of(self, canvas: Canvas) -> Score:
        return (canvas - self.centre).square().mean()


@dataclass(frozen=True)
class TotalVariation(Penalty):
    """The mean absolute difference between neighbours below, plus that between neighbours beside one another."""

    def of(self, canvas: Canvas) -> Score:
        return canvas.diff(dim=1).abs().mean() + canvas.diff(dim=2).abs().mean()


@dataclass(frozen=True)
class Blur(Penalty):
    """Half the mean squared difference to the picture blurred (3 x 3; the blurred one counts as fixed, as in Lucid)."""

    def of(self, canvas: Canvas) -> Score:
        return (canvas - _blurred(canvas, 3).detach()).square().mean() / 2


@dataclass(frozen=True)
class Boundary(Penalty):
    """Detail and contrast within `margin` pixels of the border, as a mean over the whole picture (Lucid's weights)."""

    margin: int = 20

    def of(self, canvas: Canvas) -> Score:
        excess = (_blurred(canvas, 5) - canvas).square() + 0.8 * (canvas - GREY).square()
        inside = torch.ones_like(excess)
        height, width = canvas.shape[1:]
        down, across = min(self.margin, height // 2), min(self.margin, width // 2)
        inside[:, down : height - down, across : width - across] = 0.0
        return (inside * excess).mean()


@dataclass(frozen=True)
class Opacity(Penalty):
    """The mean of the last channel, for pictures that have transparency: `objective * (1 - Opacity())`."""

    def of(self, canvas: Canvas) -> Score:
        return canvas[-1].mean()


def _blurred(canvas: Canvas, width: int) -> Canvas:
    """Weighted means over width x width pixels, the outermost counting half; beyond the border there is nothing."""
    kernel = canvas.new_full((1, 1, width, width), 0.5)
    kernel[:, :, 1:-1, 1:-1] = 1.0
    planes = canvas[:, None]
    weight = functional.conv2d(torch.ones_like(planes), kernel, padding=width // 2)
    return (functional.conv2d(planes, kernel, padding=width // 2) / weight)[:, 0]
