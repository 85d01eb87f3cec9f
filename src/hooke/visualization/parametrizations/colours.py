"""Colours that are independent of one another in the user's own data."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator

from hooke.errors import NumericsError
from hooke.numeric.fixed import Fixed
from hooke.numeric.spectra import colour_root
from hooke.shapes import Canvases
from hooke.visualization.parametrizations.parametrization import Mixing, Parameters, Recoloured


@dataclass(frozen=True)
class Coloured(Recoloured):
    """A parametrization whose independent colours are mixed by `matrix` (see `fitted_colours`), for any channels."""

    matrix: Fixed

    def start(self, side: int, channels: int, streams: Sequence[Generator]) -> Parameters:
        if self.matrix.tensor.shape != (channels, channels):
            raise NumericsError(
                f"a colour matrix of {' x '.join(map(str, self.matrix.tensor.shape))}", f"the model takes {channels}",
                next_step="fit it to canvases as the model takes them: fitted_colours(canvases)",
            )  # fmt: skip
        return super().start(side, channels, streams)

    def values(self, parameters: Parameters, mixing: Mixing) -> Canvases:
        return self.part.values(parameters, self.matrix.tensor.to(parameters))


def fitted_colours(canvases: Canvases) -> Fixed:
    """The matrix that gives independent channels the covariance of these canvases' pixels, up to a factor.

    Columns are its principal axes, strongest first; the longest has length 1, as the published matrix has.
    """
    pixels = canvases.detach().transpose(0, 1).flatten(1).to("cpu", torch.float64)
    return Fixed(colour_root(torch.cov(pixels).reshape(len(pixels), len(pixels))))
