"""A random choice of what fell into each range of values, per channel: the same whatever came first."""

from functools import lru_cache

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from hooke.numeric.streaming.bins import bin_of, edges

SIZES = (1 / 16, 1 / 8, *(part * 2.0**n for n in range(-2, 4) for part in (1, 1.5)), *(2.0**n for n in range(4, 11)))
"""Where ranges begin and end, either way from zero: two an octave from 1/4 to 16, then octaves; bins end there, too."""

EDGES = (*(-size for size in reversed(SIZES)), *SIZES)
"""Inner edges of the ranges; the first range reaches down to anything, the last up to anything."""


@lru_cache(maxsize=1)
def range_of_bins() -> UInt8[Tensor, "bin"]:
    """The range in which each bin of a histogram lies (bytes)."""
    middles = (edges()[:-1] + edges()[1:]) / 2
    return torch.bucketize(middles, torch.tensor(EDGES, dtype=torch.float64)).to(torch.uint8)


class Reservoir:
    """Of each channel's values in each range, the k whose random priority is lowest.

    A uniform choice without replacement that does not depend on order or on how the stream was cut.
    Source: bottom-k sampling, Cohen & Kaplan, "Summarizing data using bottom-k sketches" (PODC 2007).
    """

    def __init__(self, channels: int, k: int = 6) -> None:
        shape = (channels, len(EDGES) + 1, k)
        self.priorities = torch.full(shape, torch.iinfo(torch.int32).max, dtype=torch.int32)
        self.values = torch.full(shape, torch.nan)
        self.inputs = torch.full(shape, -1, dtype=torch.int32)
        self.places = torch.full(shape, -1, dtype=torch.int32)
        self.counts = torch.zeros(shape[:2], dtype=torch.int64)

    def add(
        self, values: Float[Tensor, "row channel"], inputs: Int[Tensor, "row"], places: Int[Tensor, "row"],
        priorities: Int[Tensor, "row"],
    ) -> None:  # fmt: skip
        """Take in rows: each is one place of one input, with its random priority (int32, below the largest)."""
        first = priorities.argsort(stable=True)
        values = values[first].T.contiguous().float()
        channels, rows = values.shape
        ranges = range_of_bins()[bin_of(values)]
        order = torch.from_numpy(ranges.numpy().argsort(axis=1, kind="stable"))
        keys = ranges.long() + torch.arange(channels)[:, None] * (len(EDGES) + 1)
        counts = torch.bincount(keys.flatten(), minlength=self.counts.numel())
        keys = keys.gather(1, order).flatten()
        order = (order + torch.arange(channels)[:, None] * rows).flatten()
        rank = torch.arange(len(keys)) - (counts.cumsum(0) - counts)[keys]
        k = self.values.shape[2]
        chosen = rank < k
        slot, cell = keys[chosen] * k + rank[chosen], order[chosen]
        row = first[cell % rows]
        batch = Reservoir(channels, k)
        batch.counts = counts.view(self.counts.shape)
        batch.values.view(-1)[slot] = values.flatten()[cell]
        batch.priorities.view(-1)[slot] = priorities[row].int()
        batch.inputs.view(-1)[slot] = inputs[row].int()
        batch.places.view(-1)[slot] = places[row].int()
        self.merge(batch)

    def merge(self, other: "Reservoir") -> None:
        """Take in what another has seen."""
        new = other.counts.flatten().nonzero()[:, 0]  # the ranges in which it has seen anything
        ours, theirs = self.priorities.flatten(0, 1)[new], other.priorities.flatten(0, 1)[new]
        k = ours.shape[1]
        place = torch.arange(k)
        first = place + (theirs[:, None, :] < ours[:, :, None]).sum(2)
        second = place + (ours[:, None, :] <= theirs[:, :, None]).sum(2)
        ranks = torch.cat((first, second), 1)
        for name in ("priorities", "values", "inputs", "places"):
            mine = getattr(self, name).flatten(0, 1)
            both = torch.cat((mine[new], getattr(other, name).flatten(0, 1)[new]), 1)
            mine[new] = torch.empty_like(both).scatter_(1, ranks, both)[:, :k]
        self.counts = self.counts + other.counts

    def state(self) -> dict[str, Tensor]:
        """All of it, as tensors; only the slots that hold anything."""
        held = (self.inputs.flatten() >= 0).nonzero()[:, 0]
        state = {name: getattr(self, name).flatten()[held] for name in ("priorities", "values", "inputs", "places")}
        return state | {"held": held.int(), "counts": self.counts, "k": torch.tensor(self.values.shape[2])}

    @classmethod
    def from_state(cls, state: dict[str, Tensor]) -> "Reservoir":
        """What `state` said."""
        made = cls(len(state["counts"]), int(state["k"]))
        made.counts, held = state["counts"], state["held"].long()
        for name in ("priorities", "values", "inputs", "places"):
            getattr(made, name).view(-1)[held] = state[name]
        return made
