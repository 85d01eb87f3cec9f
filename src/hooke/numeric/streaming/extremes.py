"""The k largest of a stream, per channel, with where they were."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Largest:
    """The k largest values of each channel, best first; of equal ones those of the smaller `inputs` come first.

    `inputs` say which input a value is of (-1: fewer than k were seen), `places` where in it.
    """

    def __init__(self, channels: int, k: int = 16) -> None:
        self.values = torch.full((channels, k), -torch.inf)
        self.inputs = torch.full((channels, k), -1, dtype=torch.int64)
        self.places = torch.full((channels, k), -1, dtype=torch.int32)

    def add(
        self, values: Float[Tensor, "row channel"], inputs: Int[Tensor, "row"], places: Int[Tensor, "row channel"]
    ) -> None:
        """Take in one value per channel for each input, the inputs in rising order."""
        k = min(self.values.shape[1], len(values))
        columns = values.T.contiguous().float()
        found = columns.topk(k, 1)
        if bool(((columns >= found.values[:, -1:]).sum(1) > k).any()):  # which of the equal ones are in is not said
            every = columns.sort(dim=1, descending=True, stable=True)
            rows = every.indices[:, :k]
        else:
            rows = found.indices
        self._keep(columns.gather(1, rows), inputs[rows], places.T.gather(1, rows).int())

    def merge(self, other: "Largest") -> None:
        """Take in what another has seen."""
        self._keep(other.values, other.inputs, other.places)

    def _keep(self, values: Tensor, inputs: Tensor, places: Tensor) -> None:
        k = self.values.shape[1]
        values, inputs = torch.cat((self.values, values), 1), torch.cat((self.inputs, inputs), 1)
        places = torch.cat((self.places, places), 1)
        by_input = torch.where(inputs < 0, torch.iinfo(torch.int64).max, inputs).argsort(dim=1, stable=True)
        order = by_input.gather(1, values.gather(1, by_input).argsort(dim=1, descending=True, stable=True))[:, :k]
        self.values, self.inputs = values.gather(1, order), inputs.gather(1, order)
        self.places = places.gather(1, order)

    def state(self) -> dict[str, Tensor]:
        """All of it, as tensors."""
        return {"values": self.values, "inputs": self.inputs, "places": self.places}

    @classmethod
    def from_state(cls, state: dict[str, Tensor]) -> "Largest":
        """What `state` said."""
        made = cls(*state["values"].shape)
        made.values, made.inputs, made.places = state["values"], state["inputs"], state["places"]
        return made
