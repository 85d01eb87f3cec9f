"""Parametrizations whose pictures share numbers with others of their batch, so that they are of one composition."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from hooke.errors import NumericsError
from hooke.shapes import Canvases
from hooke.visualization.parametrizations.fourier import Fourier
from hooke.visualization.parametrizations.parametrization import Mixing, Parameters, Planes
from hooke.visualization.parametrizations.pixels import LowResolution


@dataclass(frozen=True)
class Superposition(Planes):
    """The sum of parametrizations before the sigmoid, over the root of their number: as lively as one of them."""

    parts: tuple[Planes, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise NumericsError("Superposition(())", "there is nothing to add", next_step="give at least one part")

    def shape(self, side: int) -> tuple[int, ...]:
        return (sum(torch.Size(part.shape(side)).numel() for part in self.parts),)

    def start(self, side: int, channels: int, streams: Sequence[Generator]) -> Parameters:
        return torch.cat([part.start(side, channels, streams).flatten(2) for part in self.parts], dim=2)

    def values(self, parameters: Parameters, mixing: Mixing) -> Canvases:
        assert self.size is not None, "sized before it is rendered"
        shapes = [part.shape(self.size) for part in self.parts]
        pieces = torch.split(parameters, [torch.Size(shape).numel() for shape in shapes], dim=2)
        canvases = [
            part.values(piece.reshape(*piece.shape[:2], *shape), mixing)
            for part, piece, shape in zip(self.parts, pieces, shapes, strict=True)
        ]
        total: Tensor = torch.stack(canvases).sum(dim=0) / len(canvases) ** 0.5
        return total


@dataclass(frozen=True)
class Coupled(Planes):
    """One part for a whole batch, whose pictures depend on one another."""

    part: Planes

    @property
    def coupled(self) -> bool:
        return True

    def shape(self, side: int) -> tuple[int, ...]:
        return self.part.shape(side)

    def start(self, side: int, channels: int, streams: Sequence[Generator]) -> Parameters:
        return self.part.start(side, channels, streams)


@dataclass(frozen=True)
class Shared(Coupled):
    """One picture for the whole batch: the parameters of its first sample (Lucid's shared low-resolution tensors)."""

    def values(self, parameters: Parameters, mixing: Mixing) -> Canvases:
        return self.part.values(parameters[:1], mixing).expand(len(parameters), -1, -1, -1)


@dataclass(frozen=True)
class Interpolated(Coupled):
    """The pictures of a batch go in equal steps from its first one to its last one."""

    def values(self, parameters: Parameters, mixing: Mixing) -> Canvases:
        if len(parameters) < 2:
            raise NumericsError(
                "an interpolation of one picture", "it goes from the first to the last of several",
                next_step="draw an objective of several pictures: Interpolation(first, last, count=4)",
            )  # fmt: skip
        ends = self.part.values(parameters[[0, -1]], mixing)
        weight = torch.linspace(0, 1, len(parameters)).to(parameters)[:, None, None, None]
        return (1 - weight) * ends[:1] + weight * ends[1:]


def aligned() -> Superposition:
    """The basis of Lucid's recipe for interpolation between units: the pictures of a batch are alike from afar.

    Each has its own spectrum; coarse pixels go from the first to the last, and the coarsest are shared by all.
    """
    between = tuple(Interpolated(LowResolution(shrink=shrink)) for shrink in (2, 4, 8, 16))
    return Superposition((Fourier(), *between, *(Shared(LowResolution(shrink=shrink)) for shrink in (16, 32))))
