"""Means of the rows that belong together, per channel."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Grouped:
    """For each of a fixed number of groups how many rows it had, and their sum (float64)."""

    def __init__(self, groups: int, channels: int) -> None:
        self.counts = torch.zeros(groups, dtype=torch.int64)
        self.sums = torch.zeros(groups, channels, dtype=torch.float64)

    def add(self, rows: Float[Tensor, "row channel"], groups: Int[Tensor, "row"]) -> None:
        """Take in some rows, each with its group; -1 is none."""
        named = groups >= 0
        self.counts.index_add_(0, groups[named], torch.ones_like(groups[named]))
        self.sums.index_add_(0, groups[named], rows[named].double())

    def merge(self, other: "Grouped") -> None:
        """Take in what another has seen."""
        self.counts += other.counts
        self.sums += other.sums

    @property
    def means(self) -> Float[Tensor, "group channel"]:
        """Each group's mean; NaN where a group had no rows."""
        return self.sums / torch.where(self.counts > 0, self.counts, torch.nan)[:, None]

    def state(self) -> dict[str, Tensor]:
        """All of it, as tensors; only the groups that had rows."""
        held = self.counts.nonzero()[:, 0]
        return {"held": held, "counts": self.counts, "sums": self.sums[held]}

    @classmethod
    def from_state(cls, state: dict[str, Tensor]) -> "Grouped":
        """What `state` said."""
        made = cls(len(state["counts"]), state["sums"].shape[1])
        made.counts = state["counts"]
        made.sums[state["held"]] = state["sums"]
        return made
