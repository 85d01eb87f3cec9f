"""What is optimized instead of pixels: spectra whose coefficients all learn at the pace that photographs have."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from hooke.numeric.spectra import colour_matrix, power_law, synthesized
from hooke.shapes import Canvases


class Parametrization(ABC):
    """How a picture is made from the numbers that are optimized."""

    size: int | None
    """Side of the square canvas in pixels; None: chosen for the model and the unit."""

    @abstractmethod
    def start(self, side: int, channels: int, streams: Sequence[Generator]) -> Float[Tensor, "batch *parameters"]:
        """The first parameters, each sample drawn from its own stream."""

    @abstractmethod
    def render(self, parameters: Float[Tensor, "batch *parameters"]) -> Canvases:
        """The pictures that the parameters stand for, values 0 to 1; differentiable."""


@dataclass(frozen=True)
class Fourier(Parametrization):
    """Spectrum of decorrelated colours, squashed by a sigmoid (Olah et al. 2017, "Feature Visualization").

    `decay` is the exponent with which amplitude falls with frequency, `contrast` the standard deviation of the first
    picture's values before the sigmoid. Three channels are taken for RGB; any other number is left uncorrelated.
    """

    size: int | None = None
    decay: float = 1.0
    contrast: float = 0.05

    def start(self, side: int, channels: int, streams: Sequence[Generator]) -> Float[Tensor, "batch *parameters"]:
        shape = (channels, side, side // 2 + 1, 2)
        return self.contrast * torch.stack([torch.randn(shape, generator=stream) for stream in streams])

    def render(self, parameters: Float[Tensor, "batch *parameters"]) -> Canvases:
        side = parameters.shape[2]
        amplitude = power_law(side, side, self.decay).to(parameters)
        channels = parameters.shape[1]
        mixing = colour_matrix() if channels == 3 else torch.eye(channels)
        return torch.sigmoid(synthesized(parameters, amplitude, mixing.to(parameters), side))
