"""Baselines: what a place holds when what is there is taken away."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from hooke.attribution.way import Way
from hooke.errors import NumericsError
from hooke.numeric.fixed import Fixed
from hooke.numeric.smoothing import blurred


class Baseline(ABC):
    """What stands in the place of what is taken away."""

    @abstractmethod
    def values(self, way: Way) -> Tensor:
        """Values that broadcast to those of the place, batch first."""


@dataclass(frozen=True)
class Zero(Baseline):
    """Zero; in the input, the colour that the model's normalization turns into zero."""

    def values(self, way: Way) -> Tensor:
        if not way.from_input:
            return torch.zeros_like(way.values[:1])
        blank = torch.zeros_like(way.canvases[:1])
        mean = torch.tensor(way.model.modality.mean).to(blank)
        return way.of(blank + mean[:, None, None])


@dataclass(frozen=True)
class Constant(Baseline):
    """One number everywhere, in the units of the place: in the input 0 is black, 0.5 grey and 1 white."""

    value: float

    def values(self, way: Way) -> Tensor:
        return torch.full_like(way.values[:1], self.value)


@dataclass(frozen=True)
class Mean(Baseline):
    """The mean over the positions of the same input, for each channel."""

    def values(self, way: Way) -> Tensor:
        axes = [at for at, axis in enumerate(way.axes) if axis not in ("batch", "channel")]
        return way.values.mean(axes, keepdim=True).expand_as(way.values) if axes else torch.zeros_like(way.values)


@dataclass(frozen=True)
class Blur(Baseline):
    """Itself, blurred by a Gaussian of standard deviation `sigma`, in positions of the place (in the input, pixels)."""

    sigma: float = 5.0

    def values(self, way: Way) -> Tensor:
        values = way.values
        for axis in ("height", "width"):
            if axis not in way.axes:
                raise NumericsError(
                    f"{self} of {way.place}", "there is no height and width", next_step="take Zero() or Mean()"
                )
            values = blurred(values, way.axes.index(axis), self.sigma)
        return values


@dataclass(frozen=True)
class Noise(Baseline):
    """Uniform noise over the range of the place's values (0 to 1 in the input), the same for every input."""

    seed: int = 0

    def values(self, way: Way) -> Tensor:
        dice = torch.Generator().manual_seed(self.seed)
        noise = torch.rand(way.values.shape[1:], generator=dice).to(way.values)[None]
        low, high = _ends(way)
        return low + noise * (high - low)


@dataclass(frozen=True)
class Farthest(Baseline):
    """The end of the range that is farther away, number by number: in the input 0 or 1, else the input's own range.

    Source: Sturmfels, Lundberg & Lee, "Visualizing the impact of feature attribution baselines", Distill 2020 (maximum
    distance).
    """

    def values(self, way: Way) -> Tensor:
        low, high = _ends(way)
        return torch.where(way.values - low > high - way.values, low, high)


@dataclass(frozen=True)
class Other(Baseline):
    """What the place holds for another input: a canvas [channel, height, width], or one for each input."""

    canvas: Fixed

    def values(self, way: Way) -> Tensor:
        return way.of(way.recorded(canvases(self.canvas, way)))


@dataclass(frozen=True)
class Average(Baseline):
    """The mean of what the place holds for other inputs: canvases [batch, channel, height, width]."""

    canvases: Fixed

    def values(self, way: Way) -> Tensor:
        return way.of(way.recorded(canvases(self.canvases, way))).mean(0, keepdim=True)


def fitted(baseline: Baseline, way: Way) -> Tensor:
    """The baseline's values in the shape of the place's. Errors: NumericsError where they have another."""
    values = baseline.values(way)
    if values.ndim != way.values.ndim or len(values) not in (1, len(way.values)):
        reason = f"it has the shape {tuple(values.shape)}, the place {tuple(way.values.shape)}"
        raise NumericsError(f"the baseline {baseline}", reason, next_step="give one baseline, or one for each input")
    return values.expand_as(way.values)


def canvases(fixed: Fixed, way: Way) -> Tensor:
    """Canvases as a batch on the model's device. Errors: NumericsError where they are not of the inputs' shape."""
    found = fixed.tensor if fixed.tensor.ndim == 4 else fixed.tensor[None]
    if found.shape[1:] != way.canvases.shape[1:]:
        reason = f"they have the shape {tuple(found.shape[1:])}, the inputs {tuple(way.canvases.shape[1:])}"
        raise NumericsError(
            "the canvases of a baseline", reason, next_step="make them with model.modality.canvas(picture)"
        )
    return found.to(way.canvases)


def _ends(way: Way) -> tuple[Tensor, Tensor]:
    """The ends of the range: 0 and 1 in the input, elsewhere each input's own least and largest value."""
    if way.from_input:
        return way.values.new_zeros(()), way.values.new_ones(())
    low, high = way.values.reshape(len(way.values), -1).aminmax(dim=1)
    shape = (-1, *[1] * (way.values.ndim - 1))
    return low.view(shape), high.view(shape)
