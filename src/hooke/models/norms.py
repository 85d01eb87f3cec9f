"""What batch norms remember of the training data: mean and variance of each channel where they stand."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hooke.models.fast import folding_pairs
from hooke.models.model import Model


@dataclass(frozen=True, eq=False)
class Norm:
    """The mean and the variance that each channel of `layer` had over the training data."""

    layer: str
    mean: Float[Tensor, "channel"]
    variance: Float[Tensor, "channel"]


def norms(model: Model) -> list[Norm]:
    """What the batch norms of a model remember, in the order in which data pass them.

    The layer is the convolution before the norm; where something else comes before it, the norm itself (the
    statistics are then those that its output must have had). Norms that track nothing are left out.
    """
    modules = dict(model.module.named_modules())
    before = {norm: convolution for convolution, norm in folding_pairs(model)}
    order = {layer.name: place for place, layer in enumerate(model.layers) if layer.addressable}
    found = []
    for name, part in modules.items():
        if not isinstance(part, nn.modules.batchnorm._BatchNorm) or part.running_mean is None:
            continue
        layer = before.get(name, name if type(part) is nn.BatchNorm2d else "")
        if layer in order:
            found.append(Norm(layer, *_statistics(part, raw=name in before)))
    return sorted(found, key=lambda norm: order[norm.layer])


def _statistics(norm: nn.modules.batchnorm._BatchNorm, raw: bool) -> tuple[Tensor, Tensor]:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    if raw:
        return norm.running_mean.detach().clone(), norm.running_var.detach().clone()
    ones = torch.ones_like(norm.running_mean)
    gain = norm.weight.detach() if norm.affine else ones
    shift = norm.bias.detach() if norm.affine else 0 * ones
    return shift.clone(), gain.square() * norm.running_var / (norm.running_var + norm.eps)
