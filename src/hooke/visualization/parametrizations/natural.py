"""Pictures that have the colours of photographs, whatever is optimized."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from hooke.errors import NumericsError
from hooke.numeric.fixed import Fixed
from hooke.shapes import Canvases
from hooke.visualization.parametrizations.parametrization import Mixing, Parameters, Recoloured

MEAN = (-0.05, -0.20, -0.52)
COVARIANCE = ((1.708, 1.522, 1.372), (1.522, 1.587, 1.497), (1.372, 1.497, 1.750))
"""Medians, over 500 photographs of ImageNet's classes, of one photograph's mean and covariance of RGB, in logits."""

SHIFT = 0.7
"""How far the mean may be from photographs', in logits: about half of photographs differ by less."""

EXTREME = 1 / 64
"""Values are kept this far from 0 and 1 before the inverse of the sigmoid, as those of the photographs were."""


@dataclass(frozen=True)
class Natural(Recoloured):
    """A parametrization whose pictures are no more glaring than photographs, whatever is optimized.

    Before the sigmoid, the deviation of a picture's colours along each principal axis of photographs' colours
    (brightness first) is at most a photograph's, and their mean is near a photograph's: what is beyond is scaled down.
    So nothing is gained by more contrast, and the sigmoid saturates more rarely than in photographs. `like` holds
    other statistics, a [channel, channel + 1] table of covariance and mean (`fitted_statistics`); channels other than
    three need it.
    """

    like: Fixed | None = None

    def start(self, side: int, channels: int, streams: Sequence[Generator]) -> Parameters:
        _table(self.like, channels)
        return super().start(side, channels, streams)

    def values(self, parameters: Parameters, mixing: Mixing) -> Canvases:
        table = _table(self.like, self.channels(parameters)).to(parameters)
        values = self.part.values(parameters, mixing)
        flat = values.flatten(2)
        mean, usual = flat.mean(dim=2, keepdim=True), table[:, -1:]
        near = usual + SHIFT * torch.tanh((mean - usual) / SHIFT)
        return (tamed(flat - mean, table[:, :-1]) + near).view_as(values)


def tamed(
    centred: Float[Tensor, "batch channel place"], covariance: Float[Tensor, "channel channel"]
) -> Float[Tensor, "batch channel place"]:
    """Centred colours whose variance along each principal axis of `covariance` is at most that axis' own."""
    energies, axes = torch.linalg.eigh(covariance.cpu())
    axes, most = axes.to(centred), energies.clamp(min=0).sqrt().to(centred)
    along = torch.bmm(axes.T.expand(len(centred), -1, -1), centred)
    deviation = (along.square().mean(dim=2) + 1e-12).sqrt()
    gain = (most / deviation).clamp(max=1.0)
    return torch.bmm(axes.expand(len(centred), -1, -1), along * gain[:, :, None])


def fitted_statistics(canvases: Canvases) -> Fixed:
    """The median covariance and mean of the colours of these canvases in logits, for `Natural(like=...)`."""
    logits = torch.logit(canvases.detach().cpu().double(), eps=EXTREME).flatten(2)
    mean = logits.mean(dim=2, keepdim=True)
    covariance = (logits - mean) @ (logits - mean).transpose(1, 2) / logits.shape[2]
    return Fixed(torch.cat([covariance, mean], dim=2).median(dim=0).values)


def _table(like: Fixed | None, channels: int) -> Tensor:
    table = like.tensor if like is not None else torch.cat([torch.tensor(COVARIANCE), torch.tensor(MEAN)[:, None]], 1)
    if len(table) != channels:
        raise NumericsError(
            f"natural colours of {len(table)} channels", f"the model takes {channels}",
            next_step="fit them to canvases as the model takes them: Natural(..., like=fitted_statistics(canvases))",
        )  # fmt: skip
    return table
