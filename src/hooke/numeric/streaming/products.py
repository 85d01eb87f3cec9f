"""Second moments of a stream: how every two channels go together."""

import torch
from jaxtyping import Float
from torch import Tensor

BLOCK = 256
"""Channels in one block of the matrix."""


class Products:
    """The sum of x x^T and of x over rows x.

    The products of one batch have float32 precision; batches are summed in float64. Of the matrix only the blocks
    on and right of the diagonal are kept.
    """

    def __init__(self, channels: int) -> None:
        self.count = 0
        self.sum = torch.zeros(channels, dtype=torch.float64)
        starts = range(0, channels, BLOCK)
        self.blocks = [torch.zeros(min(BLOCK, channels - at), channels - at, dtype=torch.float64) for at in starts]

    def add(self, rows: Float[Tensor, "row channel"]) -> None:
        """Take in some rows."""
        self.count += len(rows)
        self.sum = self.sum + rows.sum(0, dtype=torch.float64)
        for number, block in enumerate(self.blocks):
            right = rows[:, number * BLOCK :]
            block += right[:, :BLOCK].T @ right

    def merge(self, other: "Products") -> None:
        """Take in what another has seen."""
        self.count += other.count
        self.sum = self.sum + other.sum
        for block, more in zip(self.blocks, other.blocks, strict=True):
            block += more

    @property
    def second_moment(self) -> Float[Tensor, "channel channel"]:
        """The mean of x x^T."""
        upper = torch.zeros(len(self.sum), len(self.sum), dtype=torch.float64)
        for number, block in enumerate(self.blocks):
            at = number * BLOCK
            upper[at : at + BLOCK, at:] = block
        upper = upper.triu()
        return (upper + upper.triu(1).T) / max(1, self.count)

    @property
    def correlation(self) -> Float[Tensor, "channel channel"]:
        """Pearson's correlation; 0 where a channel never changes."""
        mean, second = self.sum / max(1, self.count), self.second_moment
        covariance = second - mean[:, None] * mean
        deviation = covariance.diagonal().clamp(min=0).sqrt()
        still = deviation <= 1e-6 * second.diagonal().clamp(min=0).sqrt()  # nothing left but rounding
        scale = torch.where(still, torch.inf, deviation)
        return (covariance / (scale[:, None] * scale)).clamp(-1, 1)

    def state(self) -> dict[str, Tensor]:
        """All of it, as tensors."""
        held = {f"block{number}": block for number, block in enumerate(self.blocks)}
        return {"count": torch.tensor(self.count), "sum": self.sum} | held

    @classmethod
    def from_state(cls, state: dict[str, Tensor]) -> "Products":
        """What `state` said."""
        made = cls(0)
        made.count, made.sum = int(state["count"]), state["sum"]
        made.blocks = [state[f"block{number}"] for number in range(-(-len(made.sum) // BLOCK))]
        return made
