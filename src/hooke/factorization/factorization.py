"""The result of a factorization: the groups of one layer, and how much of each there is where."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.addresses import Place
from hooke.displayed import Displayed
from hooke.models.groups import Groups
from hooke.provenance import Provenance


@dataclass(frozen=True, eq=False)
class Factorization(Displayed):
    """A layer's activations as a mean plus groups: amounts (`scores`) times directions of length 1, plus a rest.

    `scores` are in units of activation; height and width are 1 where the layer has none, and tokens or time are
    height. `error` is the length of the rest over that of the activations; `explained` the share of the squares about
    `mean` that the groups explain together; `shares` that of each alone: 1 less the rest without all others. The
    largest group is first.
    """

    layer: str
    directions: Float[Tensor, "group channel"]
    scores: Float[Tensor, "input group height width"]
    mean: Float[Tensor, "channel"]
    error: float
    explained: float
    shares: Float[Tensor, "group"]
    groups: Groups
    provenance: Provenance

    @property
    def key(self) -> str:
        """The hash of the question: 64 hex digits, the first 8 of which stand in the addresses."""
        return self.provenance.key

    @property
    def addresses(self) -> tuple[Place, ...]:
        """The address of each group."""
        return tuple(self.groups.address(index) for index in range(len(self.directions)))

    @property
    def contributions(self) -> Float[Tensor, "group input channel height width"]:
        """What each group adds to the activations."""
        return self.groups.contributions(self.scores)

    @property
    def reconstruction(self) -> Float[Tensor, "input channel height width"]:
        """The activations without the rest."""
        sum_of_groups = torch.einsum("ighw,gc->ichw", self.scores, self.directions)
        return sum_of_groups + self.mean[:, None, None]

    def peaks(self) -> tuple[tuple[int, int, int], ...]:
        """Where each group is strongest: input, row, column."""
        _, count, height, width = self.scores.shape
        flat = self.scores.movedim(1, 0).reshape(count, -1).argmax(1).tolist()
        return tuple((at // (height * width), at // width % height, at % width) for at in flat)
