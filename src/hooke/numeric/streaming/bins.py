"""A histogram whose bins are known beforehand, from the bits of a float: what is counted merges without any error.

A bin holds the floats with the same sign, exponent and first `FINE` bits of the fraction, so every bin is narrow
relative to its values, and a quantile read from it has a bounded relative error. Source of the idea: Masson, Rim & Lee,
"DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees" (VLDB 2019).
"""

from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

FINE = 4
"""Bits of the fraction: 16 bins an octave."""

LOWEST, HIGHEST = -10, 12
"""Magnitudes below 2^-10 are one bin; those from 2^12 on are in the last."""

RELATIVE_ERROR = 1 / (2 ** (FINE + 1) + 1)
"""Of a bin's middle (the harmonic mean of its edges) to any value in it: 3.0%."""

_ARMS = (HIGHEST - LOWEST) << FINE
_FIRST = (LOWEST + 127) << FINE


class Bins:
    """How often each channel's values fell into each bin; bin `zero` holds what is smaller than 2^-10 either way."""

    def __init__(self, channels: int) -> None:
        self.counts = torch.zeros(channels, SIZE, dtype=torch.int64)

    def add(self, rows: Float[Tensor, "row channel"]) -> None:
        """Take in some rows."""
        channels = rows.shape[1]
        index = bin_of(rows.T.contiguous().float())
        index += torch.arange(channels, dtype=torch.int32)[:, None] * SIZE
        self.counts += torch.bincount(index.flatten(), minlength=channels * SIZE).view(channels, SIZE)

    def merge(self, other: "Bins") -> None:
        """Take in what another has seen."""
        self.counts += other.counts

    def clamped(self, low: float, high: float) -> "Bins":
        """The histogram of the same values after a clamp; exact where `low` and `high` are edges (0 and 6 are)."""
        ends = bin_of(torch.tensor([low, high], dtype=torch.float32))
        target = torch.arange(SIZE).clamp(int(ends[0]), int(ends[1]))
        made = Bins(len(self.counts))
        made.counts.index_add_(1, target, self.counts)
        return made

    def state(self) -> dict[str, Tensor]:
        """All of it, as tensors; only the bins that hold anything."""
        index = self.counts.flatten().nonzero()[:, 0]
        return {"index": index.int(), "held": self.counts.flatten()[index], "channels": torch.tensor(len(self.counts))}

    @classmethod
    def from_state(cls, state: dict[str, Tensor]) -> "Bins":
        """What `state` said."""
        made = cls(int(state["channels"]))
        made.counts.view(-1)[state["index"].long()] = state["held"]
        return made


def bin_of(values: Float[Tensor, "*axes"]) -> Int[Tensor, "*axes"]:
    """The bin of each float32: counted from the most negative."""
    bits = values.contiguous().view(torch.int32)
    size = ((bits & 0x7FFFFFFF) >> (23 - FINE)).sub_(_FIRST - 1).clamp_(0, _ARMS)
    return torch.where(bits < 0, -size, size).add_(_ARMS)


@lru_cache(maxsize=1)
def edges() -> Float[Tensor, "edge"]:
    """Where the bins begin and end (float64), ascending; the bin around zero reaches from -2^-10 to 2^-10."""
    octaves = torch.arange(LOWEST, HIGHEST, dtype=torch.float64)
    steps = 1 + torch.arange(1 << FINE, dtype=torch.float64) / (1 << FINE)
    sizes = torch.cat(((2.0 ** octaves[:, None] * steps).flatten(), torch.tensor([2.0**HIGHEST], dtype=torch.float64)))
    return torch.cat((-sizes.flip(0), sizes))


SIZE = 2 * _ARMS + 1
