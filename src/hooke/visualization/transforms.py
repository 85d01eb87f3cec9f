"""Small random movements of the canvas, so that a picture must please from every near viewpoint."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional

from hooke.shapes import Canvases


class Transform(ABC):
    """A random view of each canvas, every sample with its own draws."""

    @abstractmethod
    def draw(self, side: int, steps: int, streams: Sequence[Generator]) -> Float[Tensor, "step batch *draws"]:
        """All that is random, for all steps, each sample from its own stream."""

    @abstractmethod
    def view(self, canvases: Canvases, draws: Float[Tensor, "batch *draws"]) -> Canvases:
        """The canvases as seen under one step's draws; differentiable."""


@dataclass(frozen=True)
class Still(Transform):
    """No movement at all: the picture is optimized for one viewpoint, and looks like it."""

    def draw(self, side: int, steps: int, streams: Sequence[Generator]) -> Float[Tensor, "step batch *draws"]:
        return torch.zeros(steps, len(streams), 0)

    def view(self, canvases: Canvases, draws: Float[Tensor, "batch *draws"]) -> Canvases:
        return canvases


@dataclass(frozen=True)
class Wobble(Transform):
    """Jitter (pixels each way), scale (a range of factors) and rotation (degrees each way) in one bilinear resampling.

    Lucid's standard robustness (Olah et al. 2017) as one affine map for each sample, reflected at the border.
    """

    jitter: float = 8.0
    scale: tuple[float, float] = (0.9, 1.1)
    rotation: float = 10.0

    def draw(self, side: int, steps: int, streams: Sequence[Generator]) -> Float[Tensor, "step batch *draws"]:
        return torch.stack([self._maps(side, torch.rand(steps, 4, generator=stream)) for stream in streams], dim=1)

    def _maps(self, side: int, uniform: Float[Tensor, "step 4"]) -> Float[Tensor, "step 2 3"]:
        across, down, size, turn = uniform.unbind(1)
        angle = (2 * turn - 1) * math.radians(self.rotation)
        factor = self.scale[0] + (self.scale[1] - self.scale[0]) * size
        cosine, sine = torch.cos(angle) / factor, torch.sin(angle) / factor
        reach = 2 * self.jitter / side
        rows = (cosine, -sine, (2 * across - 1) * reach, sine, cosine, (2 * down - 1) * reach)
        return torch.stack(rows, dim=1).reshape(-1, 2, 3)

    def view(self, canvases: Canvases, draws: Float[Tensor, "batch *draws"]) -> Canvases:
        grid = _affine_grid(draws.to(canvases), canvases.shape[2], canvases.shape[3])
        return functional.grid_sample(canvases, grid, padding_mode="reflection", align_corners=False)


def _affine_grid(maps: Float[Tensor, "batch 2 3"], height: int, width: int) -> Float[Tensor, "batch height width 2"]:
    """torch's `affine_grid`, as two outer sums instead of a product of matrices."""
    down, across = (((2 * torch.arange(side) + 1) / side - 1).to(maps) for side in (height, width))
    rows = maps[:, :, 1, None] * down + maps[:, :, 2, None]
    columns = maps[:, :, 0, None] * across
    grid = columns[:, :, None, :] + rows[:, :, :, None]
    return grid.permute(0, 2, 3, 1)
