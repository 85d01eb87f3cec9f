"""Mean and variance of a stream, per channel."""

import torch
from jaxtyping import Float
from torch import Tensor


class Moments:
    """Count, mean, sum of squared deviations (float64), range, and how many were above 0, of the rows seen so far.

    Source: Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
    """

    def __init__(self, channels: int) -> None:
        self.count = 0
        self.mean = torch.zeros(channels, dtype=torch.float64)
        self.spread = torch.zeros(channels, dtype=torch.float64)
        self.positive = torch.zeros(channels, dtype=torch.int64)
        self.lowest = torch.full((channels,), torch.inf)
        self.highest = torch.full((channels,), -torch.inf)

    def add(self, rows: Float[Tensor, "row channel"]) -> None:
        """Take in some rows."""
        if not len(rows):
            return
        batch = Moments(rows.shape[1])
        batch.count, batch.mean = len(rows), rows.mean(0, dtype=torch.float64)
        near = batch.mean.to(rows.dtype)
        batch.spread = (rows - near).square().sum(0, dtype=torch.float64) - len(rows) * (batch.mean - near).square()
        batch.lowest, batch.highest = rows.amin(0).float(), rows.amax(0).float()
        batch.positive = (rows > 0).sum(0)
        self.merge(batch)

    def merge(self, other: "Moments") -> None:
        """Take in what another has seen."""
        total = self.count + other.count
        if not total:
            return
        shift = other.mean - self.mean
        self.mean = self.mean + shift * (other.count / total)
        self.spread = self.spread + other.spread + shift.square() * (self.count * other.count / total)
        self.positive = self.positive + other.positive
        self.lowest = torch.minimum(self.lowest, other.lowest)
        self.highest = torch.maximum(self.highest, other.highest)
        self.count = total

    @property
    def variance(self) -> Float[Tensor, "channel"]:
        """Mean squared deviation from the mean."""
        return self.spread / max(1, self.count)

    @property
    def positive_share(self) -> Float[Tensor, "channel"]:
        """Share of the rows above 0."""
        return self.positive.double() / max(1, self.count)

    def state(self) -> dict[str, Tensor]:
        """All of it, as tensors."""
        return {"count": torch.tensor(self.count), "mean": self.mean, "spread": self.spread,
                "positive": self.positive, "lowest": self.lowest, "highest": self.highest}  # fmt: skip

    @classmethod
    def from_state(cls, state: dict[str, Tensor]) -> "Moments":
        """What `state` said."""
        made = cls(len(state["mean"]))
        made.count, made.mean, made.spread = int(state["count"]), state["mean"], state["spread"]
        made.positive = state["positive"]
        made.lowest, made.highest = state["lowest"], state["highest"]
        return made
