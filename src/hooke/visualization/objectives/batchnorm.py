"""The batch-norm prior: pictures whose layers have the means and variances that the training data had."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.errors import NumericsError
from hooke.models.model import Model
from hooke.models.norms import norms
from hooke.numeric.fixed import Fixed
from hooke.visualization.objectives.objective import Objective, Recorded, once


@dataclass(frozen=True)
class NormDistance(Objective):
    """How far one picture's channels are, over its positions, from remembered means and variances.

    For each of `layers` the Euclidean length of the difference of means plus that of variances, divided by
    (the lengths of the remembered ones together); then the mean over layers. 0 where they are the same. Something to
    subtract. Source: Yin et al., "Dreaming to distill" (DeepInversion), CVPR 2020, which sums without dividing.
    """

    places: tuple[str, ...]
    means: tuple[Fixed, ...]
    variances: tuple[Fixed, ...]

    @property
    def unit(self) -> bool:
        return False

    def layers(self) -> frozenset[str]:
        return frozenset(self.places)

    def responses(self, recorded: Recorded) -> Float[Tensor, "*places"]:
        return once(recorded, f"{self} {self.means[-1].digest}", self._distances)

    def _distances(self, recorded: Recorded) -> Float[Tensor, "batch"]:
        parts = []
        for layer, mean, variance in zip(self.places, self.means, self.variances, strict=True):
            flat = recorded[layer].flatten(2)
            wanted_mean, wanted_variance = mean.tensor.to(flat), variance.tensor.to(flat)
            centre = flat.mean(dim=2)
            spread = (flat - centre[:, :, None]).square().mean(dim=2)
            off = _length(centre - wanted_mean) + _length(spread - wanted_variance)
            parts.append(off / (wanted_mean.norm() + wanted_variance.norm()).clamp(min=1e-12))
        return torch.stack(parts).mean(dim=0)

    def __str__(self) -> str:
        return f"normdistance({len(self.places)} layers to {self.places[-1]})"


def batchnorm_prior(model: Model, unit: Objective) -> Objective:
    """The distance to what the batch norms before a unit remember: subtract it from the unit.

    Errors: NumericsError where no batch norm that remembers anything comes before it.
    """
    order = {layer.name: place for place, layer in enumerate(model.layers)}
    deepest = max((order[layer] for layer in unit.layers()), default=len(order))
    found = [norm for norm in norms(model) if order[norm.layer] <= deepest]
    if not found:
        raise NumericsError(
            f"the batch-norm prior of {unit}", "no batch norm with running statistics comes before it",
            next_step="choose another penalty, such as tv or l2",
        )  # fmt: skip
    return NormDistance(
        tuple(norm.layer for norm in found),
        tuple(Fixed(norm.mean) for norm in found),
        tuple(Fixed(norm.variance) for norm in found),
    )


def _length(vectors: Float[Tensor, "batch channel"]) -> Float[Tensor, "batch"]:
    """Their Euclidean lengths, with a gradient also where they are zero."""
    return (vectors.square().sum(dim=1) + 1e-12).sqrt()
