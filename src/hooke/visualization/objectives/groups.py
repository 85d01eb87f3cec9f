"""Objectives of several pictures of one thing: different ones, alike ones, and the way from one unit to another."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from hooke.errors import NumericsError
from hooke.shapes import Scores
from hooke.visualization.objectives.objective import Objective, Recorded
from hooke.visualization.objectives.style import gram

REACH = 4
"""Pictures that are farther apart than this in their row need not be alike."""


class Joint(Objective):
    """A score between pictures that are drawn together; a picture alone scores zero."""

    count: int

    def __post_init__(self) -> None:
        if self.count < 2:
            raise NumericsError(str(self), "a group has two pictures at least", next_step="give a count of 2 or more")

    @property
    def pictures(self) -> int:
        return self.count

    @property
    def unit(self) -> bool:
        return False

    def responses(self, recorded: Recorded) -> Float[Tensor, "*places"]:
        return next(iter(recorded.values())).new_zeros(())

    @abstractmethod
    def scores(self, group: Sequence[Recorded]) -> Scores: ...


@dataclass(frozen=True)
class Diversity(Joint):
    """How little pictures resemble one another: minus the cosines of their Gram matrices at `layer`, over `count`.

    The sum over the pictures is Lucid's (negative) diversity (Olah et al. 2017): 0 where no two share a pair of
    channels that fire together, 1 - count where all are the same.
    """

    layer: str
    count: int
    axis: int = 0

    def layers(self) -> frozenset[str]:
        return frozenset({self.layer})

    def scores(self, group: Sequence[Recorded]) -> Scores:
        grams = torch.stack([gram(one[self.layer], self.axis).flatten() for one in group])
        alike = functional.normalize(grams, dim=1, eps=1e-5)
        cosines = alike @ alike.T
        return -(cosines.sum(dim=1) - cosines.diagonal()) / len(group)


@dataclass(frozen=True)
class Alignment(Joint):
    """How alike neighbours in a row of pictures are at `layer`: minus their mean squared differences, halved (by
    `ratio`) for each step apart (Lucid). Each of two pictures is given half of what is between them."""

    layer: str
    count: int
    ratio: float = 2.0

    def layers(self) -> frozenset[str]:
        return frozenset({self.layer})

    def scores(self, group: Sequence[Recorded]) -> Scores:
        values = torch.stack([one[self.layer].flatten() for one in group])
        scores = values.new_zeros(len(group))
        for apart in range(1, min(REACH, len(group) - 1) + 1):
            between = (values[apart:] - values[:-apart]).square().mean(dim=1) / (2 * self.ratio**apart)
            scores = scores - functional.pad(between, (apart, 0)) - functional.pad(between, (0, apart))
        return scores


@dataclass(frozen=True)
class Interpolation(Joint):
    """From one objective to another in `count` even steps: the first picture raises the first, the last the last."""

    first: Objective
    last: Objective
    count: int

    @property
    def placed(self) -> bool:
        return self.first.placed or self.last.placed

    @property
    def unit(self) -> bool:
        return True

    def layers(self) -> frozenset[str]:
        return self.first.layers() | self.last.layers()

    def responses(self, recorded: Recorded) -> Float[Tensor, "*places"]:
        return torch.stack([self.first.score(recorded), self.last.score(recorded)])

    def scores(self, group: Sequence[Recorded]) -> Scores:
        shares = [place / (len(group) - 1) for place in range(len(group))]
        mixed = [
            (1 - share) * self.first.score(one) + share * self.last.score(one)
            for share, one in zip(shares, group, strict=True)
        ]
        return torch.stack(mixed)
