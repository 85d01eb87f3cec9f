"""One transform after another; neighbours that move the canvas in its plane become one resampling."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from hooke.shapes import Canvases
from hooke.visualization.transforms.affine import Affine, Joined
from hooke.visualization.transforms.transform import Draws, Transform, Views


@dataclass(frozen=True)
class Chain(Transform):
    """The parts in their order; affine neighbours are multiplied, so that the canvas is resampled once for them all."""

    parts: tuple[Transform, ...]

    @property
    def opaque(self) -> bool:
        return any(part.opaque for part in self.parts)

    @cached_property
    def stages(self) -> tuple[Transform, ...]:
        """The parts, each run of affine ones as one."""
        found: list[Transform] = []
        for affine, run in groupby(self.parts, key=lambda part: isinstance(part, Affine)):
            members = tuple(run)
            found += [Joined(members)] if affine and len(members) > 1 else members  # type: ignore[arg-type]
        return tuple(found)

    @cached_property
    def _shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of one view's draws, stage by stage."""
        nothing = [torch.Generator()]
        return tuple(tuple(stage.draw(64, 1, nothing).shape[2:]) for stage in self.stages)

    def draw(self, side: int, steps: int, streams: Sequence[Generator]) -> Float[Tensor, "step batch numbers"]:
        drawn = []
        for stage in self.stages:
            drawn.append(stage.draw(side, steps, streams).flatten(2))
            side = stage.extent(side)
        return torch.cat(drawn, dim=2) if drawn else torch.zeros(steps, len(streams), 0)

    def view(self, canvases: Canvases, draws: Draws) -> Views:
        lengths = [torch.Size(shape).numel() for shape in self._shapes]
        views: Tensor = canvases
        for stage, shape, numbers in zip(self.stages, self._shapes, torch.split(draws, lengths, dim=1), strict=True):
            views = stage.view(views, numbers.reshape(len(draws), *shape))
        return views

    def rest(self, canvases: Canvases) -> Views:
        for part in self.parts:
            canvases = part.rest(canvases)
        return canvases

    def extent(self, side: int) -> int:
        for part in self.parts:
            side = part.extent(side)
        return side
