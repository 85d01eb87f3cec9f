"""Pixels themselves: each on its own, coarse ones, and pyramids of them."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from hooke.numeric.spectra import mixed
from hooke.shapes import Canvases
from hooke.visualization.parametrizations.parametrization import Mixing, Parameters, Planes


@dataclass(frozen=True)
class Pixels(Planes):
    """Every pixel learns for itself: the plainest parametrization, whose pictures are full of high frequencies."""

    size: int | None = None
    contrast: float = 0.05

    def shape(self, side: int) -> tuple[int, ...]:
        return (side, side)

    def values(self, parameters: Parameters, mixing: Mixing) -> Canvases:
        return mixed(mixing, parameters)


@dataclass(frozen=True)
class LowResolution(Planes):
    """Pixels `shrink` times as large as the canvas', enlarged bilinearly (Lucid's `lowres_tensor`)."""

    size: int | None = None
    shrink: int = 4
    contrast: float = 0.05

    def shape(self, side: int) -> tuple[int, ...]:
        coarse = max(1, round(side / self.shrink))
        return (coarse, coarse)

    def values(self, parameters: Parameters, mixing: Mixing) -> Canvases:
        assert self.size is not None, "sized before it is rendered"
        return mixed(mixing, enlarged(parameters, self.size))


@dataclass(frozen=True)
class Pyramid(Planes):
    """A Laplacian pyramid: the sum of `levels` canvases, each half as wide as the one before (Olah et al. 2017).

    Octaves learn at one pace, which is that of a spectrum of 1 / frequency (Burt and Adelson 1983).
    """

    size: int | None = None
    levels: int = 6
    contrast: float = 0.05

    def sides(self, side: int) -> list[int]:
        """The side of each level, the finest first."""
        return [max(1, side >> level) for level in range(self.levels)]

    def shape(self, side: int) -> tuple[int, ...]:
        return (sum(each**2 for each in self.sides(side)),)

    def values(self, parameters: Parameters, mixing: Mixing) -> Canvases:
        assert self.size is not None, "sized before it is rendered"
        sides = self.sides(self.size)
        levels = torch.split(parameters, [side**2 for side in sides], dim=2)
        planes = [level.unflatten(2, (side, side)) for level, side in zip(levels, sides, strict=True)]  # type: ignore[no-untyped-call]
        total = planes[-1]
        for plane in reversed(planes[:-1]):
            total = enlarged(total, plane.shape[-1]) + plane
        return mixed(mixing, total / self.levels**0.5)


def enlarged(planes: Tensor, side: int) -> Tensor:
    """Canvases at `side` pixels, bilinearly."""
    if planes.shape[-1] == side:
        return planes
    return functional.interpolate(planes, (side, side), mode="bilinear", align_corners=False)
