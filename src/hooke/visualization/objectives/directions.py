"""Directions: a vector over channels, or a whole tensor, that an activation is to point along."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.errors import NumericsError
from hooke.numeric.fixed import Fixed
from hooke.visualization.objectives.objective import Objective, Recorded

FLOOR = 0.1
"""The least cosine that a dot product is multiplied by (Lucid), so that a picture can begin on the wrong side."""

TINY = 1e-4


@dataclass(frozen=True)
class Direction(Objective):
    """The dot product with `vector`, times its cosine to the power `power` (Carter et al. 2019, "Activation Atlas").

    A vector [channel] gives a response at every position; a tensor of the activation's own axes, one response for the
    whole (of the middle of the larger, where their sides differ). The cosine counts as `FLOOR` at least. For channels
    on another than the first axis (tokens), give `axis`: where they stand in one sample's activation.
    """

    layer: str
    vector: Fixed
    power: float = 0.0
    axis: int = 0

    @property
    def placed(self) -> bool:
        return self.vector.tensor.ndim > 1

    def layers(self) -> frozenset[str]:
        return frozenset({self.layer})

    def responses(self, recorded: Recorded) -> Float[Tensor, "*places"]:
        activation = recorded[self.layer]
        vector = self.vector.tensor.to(activation)
        if vector.ndim > 1:
            activation, vector = _common(activation, vector, self.layer)
            activation, vector, mean = activation.flatten(), vector.flatten(), vector.numel()
        else:
            if vector.shape[0] != activation.shape[self.axis]:
                raise _unfit(self.layer, activation, vector)
            activation, mean = activation.movedim(self.axis, -1), 1
        dot: Tensor = activation @ vector
        if self.power == 0:
            return dot / mean
        lengths = (TINY + torch.linalg.vector_norm(activation, dim=-1)) * (TINY + torch.linalg.vector_norm(vector))
        cosine: Tensor = (dot / lengths).clamp(min=FLOOR)
        return dot / mean * cosine**self.power


def whitened(
    vector: Float[Tensor, "*vector channel"], second_moment: Float[Tensor, "channel channel"], share: float = 1e-4
) -> Float[Tensor, "*vector channel"]:
    """The direction in which a layer's activations are to be raised so that they grow along `vector` and no other.

    Of many vectors at once, that of each.

    The vector times the inverse of the activations' uncentred covariance, scaled to the vector's length; `share` of
    its mean diagonal is added to keep channels that never fire from counting without bound.
    Source: Carter et al., "Activation Atlas", Distill 2019.
    """
    moment = second_moment.double()
    steady = moment + share * moment.diagonal().mean() * torch.eye(len(moment), dtype=moment.dtype)
    exact = vector.double()
    turned = torch.linalg.solve(steady, exact.reshape(-1, len(moment)).T).T.reshape(exact.shape)
    same: Tensor = turned * (exact.norm(dim=-1, keepdim=True) / turned.norm(dim=-1, keepdim=True))
    return same.to(vector.dtype)


def _common(activation: Tensor, vector: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """The middles of both, as large as the smaller."""
    if vector.ndim != activation.ndim or vector.shape[0] != activation.shape[0]:
        raise _unfit(layer, activation, vector)
    for axis in range(1, vector.ndim):
        side = min(vector.shape[axis], activation.shape[axis])
        vector = vector.narrow(axis, (vector.shape[axis] - side) // 2, side)
        activation = activation.narrow(axis, (activation.shape[axis] - side) // 2, side)
    return activation, vector


def _unfit(layer: str, activation: Tensor, vector: Tensor) -> NumericsError:
    return NumericsError(
        f"a direction of shape {tuple(vector.shape)} at {layer}",
        f"one sample's activation there has the shape {tuple(activation.shape)}",
        next_step="give one number for each channel, or a tensor of the activation's own shape",
    )
