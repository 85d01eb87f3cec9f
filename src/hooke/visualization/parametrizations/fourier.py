"""Spectra whose coefficients all learn at the pace that photographs have."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.numeric.spectra import power_law, synthesized
from hooke.shapes import Canvases
from hooke.visualization.parametrizations.parametrization import Mixing, Parameters, Planes, Wider, around

FADING = (7 / 16, 7 / 8)
"""A picture that begins in the middle of a larger one fades between these distances from there, in its own sides."""


@dataclass(frozen=True)
class Fourier(Planes):
    """Spectrum of decorrelated colours, squashed by a sigmoid (Olah et al. 2017, "Feature Visualization").

    `decay` is the exponent with which amplitude falls with frequency, `contrast` the standard deviation of the first
    picture's values before the sigmoid. Three channels are taken for RGB; any other number is left uncorrelated.
    """

    size: int | None = None
    decay: float = 1.0
    contrast: float = 0.05

    def shape(self, side: int) -> tuple[int, ...]:
        return (side, side // 2 + 1, 2)

    def values(self, parameters: Parameters, mixing: Mixing) -> Canvases:
        side = parameters.shape[2]
        return synthesized(parameters, power_law(side, side, self.decay).to(parameters), mixing, side)

    @property
    def grows(self) -> bool:
        return True

    def grown(self, parameters: Parameters, start: Wider) -> Wider:
        """The small picture in the middle of `start`, before the sigmoid, fading into it."""
        small, large = parameters.shape[2], start.shape[2]
        old, new = (power_law(side, side, self.decay).to(parameters) for side in (small, large))
        waves = torch.view_as_complex(parameters.detach().contiguous()) * old
        planes = around(torch.fft.irfft2(waves, s=(small, small)), large)
        spectra = torch.fft.rfft2(planes * faded(small, large).to(planes)) / new
        return start.detach() + torch.view_as_real(spectra)


def faded(small: int, large: int) -> Float[Tensor, "large large"]:
    """Of a canvas of `large` pixels, 1 in its middle and 0 outside: between two circles half a period of a cosine."""
    across = torch.arange(large) + 0.5 - large / 2
    inner, outer = (share * small for share in FADING)
    gone = ((torch.hypot(across[:, None], across) - inner) / (outer - inner)).clamp(0, 1)
    return 0.5 + 0.5 * torch.cos(math.pi * gone)
