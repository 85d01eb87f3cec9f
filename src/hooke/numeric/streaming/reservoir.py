"""A random choice of what fell into each range of values, per channel: the same whatever came first."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

SIZES = (*(2.0**n for n in (-4, -3)), *(2.0 ** (n / 2) for n in range(-4, 9)), *(2.0**n for n in range(5, 11)))
"""Where ranges begin and end, either way from zero: half octaves from 1/4 to 16, octaves beyond."""

EDGES = (*(-size for size in reversed(SIZES)), *SIZES)
"""Inner edges of the ranges; the first range reaches down to anything, the last up to anything."""


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
        ranges = torch.bucketize(values, torch.tensor(EDGES), right=True)
        ranges += torch.arange(channels)[:, None] * (len(EDGES) + 1)
        order = ranges.flatten().argsort(stable=True)
        keys = ranges.flatten()[order]
        counts = torch.bincount(keys, minlength=self.counts.numel())
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
        k = self.values.shape[2]
        priorities = torch.cat((self.priorities, other.priorities), 2)
        order = priorities.argsort(dim=2, stable=True)[:, :, :k]
        self.values = torch.cat((self.values, other.values), 2).gather(2, order)
        self.inputs = torch.cat((self.inputs, other.inputs), 2).gather(2, order)
        self.places = torch.cat((self.places, other.places), 2).gather(2, order)
        self.priorities = priorities.gather(2, order)
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
