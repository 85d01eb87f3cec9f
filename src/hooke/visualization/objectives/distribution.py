"""Matching distributions: what natural pictures make each channel do, over all positions, as quantiles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from hooke.errors import NumericsError
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.models.taps import tapped
from hooke.numeric.fixed import Fixed
from hooke.provenance import LATER
from hooke.shapes import Canvas, Canvases
from hooke.visualization.objectives.matching import activation, channel_axis
from hooke.visualization.objectives.objective import LayerDistance, Objective, Recorded, group, once

LEVELS = 256
"""Quantiles of each channel that are kept and compared, at most."""


@dataclass(frozen=True)
class QuantileDistance(LayerDistance):
    """The mean squared difference between each channel's sorted values and `quantiles`, over their mean square.

    Sorting pairs every position with one of the natural pictures' (optimal transport in one dimension), wherever in
    the picture they are. `quantiles` are the natural values of each channel, as means over equal shares; the finer
    of the two sides is averaged to the coarser. `relevance`: how much each channel counts, if not equally.
    0 where the distributions are the same. Something to subtract.
    """

    quantiles: Fixed
    axis: int = 0
    relevance: Fixed | None = field(default=None, metadata=LATER)

    def responses(self, recorded: Recorded) -> Float[Tensor, "*places"]:
        ours = once(recorded, f"quantiles {self.axis} {self.layer}", self._quantiles)
        wanted = self.quantiles.tensor.to(ours)
        count = min(ours.shape[1], wanted.shape[1])
        ours, wanted = coarsened(ours, count), coarsened(wanted, count)
        weights = torch.ones(1).to(ours) if self.relevance is None else self.relevance.tensor.to(ours)
        off, size = (ours - wanted).square().mean(dim=1), wanted.square().mean(dim=1)
        return (weights * off).mean() / (weights * size).mean().clamp(min=1e-12)

    def _quantiles(self, recorded: Recorded) -> Float[Tensor, "batch channel share"]:
        return quantiles(recorded[self.layer], self.axis + 1)


def coarsened(ordered: Float[Tensor, "*channel place"], count: int) -> Float[Tensor, "*channel share"]:
    """Sorted values as the means of `count` equal shares of them."""
    return ordered if ordered.shape[-1] == count else functional.adaptive_avg_pool1d(ordered, count)


def quantiles(activations: Tensor, axis: int = 1) -> Float[Tensor, "batch channel share"]:
    """Each channel's values over all positions, smallest first, as the means of `LEVELS` shares at most."""
    found = activations.movedim(axis, 1).flatten(2).sort(dim=2).values
    return coarsened(found, min(found.shape[2], LEVELS))


def relevances(
    unit: Objective, model: Model, layers: Sequence[str], naturals: Canvases
) -> dict[str, Float[Tensor, "channel"]]:
    """How much each channel of `layers` speaks for a unit in natural pictures: their mean is 1 in each layer.

    Activation x gradient of the unit's score where that is positive, as a mean over positions and pictures.
    """
    batch = model.modality.normalize(naturals).to(model.device, model.dtype).requires_grad_()
    with tapped(model, sorted({*layers, *unit.layers()})) as taps:
        found = taps(batch)
    apart = {layer: found[layer].unbind(0) for layer in unit.layers()}
    score = torch.stack([unit.score({layer: parts[at] for layer, parts in apart.items()}) for at in range(len(batch))])
    slopes = torch.autograd.grad(score.sum(), [found[layer] for layer in layers])
    shares = {}
    for layer, slope in zip(layers, slopes, strict=True):
        speaks = (found[layer] * slope).detach().clamp(min=0)
        total = speaks.movedim(channel_axis(model, layer) + 1, 1).flatten(2).mean(dim=(0, 2)).float().cpu()
        shares[layer] = total / total.mean().clamp(min=1e-30)
    return shares


def matching(
    model: Model, layers: Sequence[str], naturals: Canvases, relevant: Objective | None = None
) -> Objective:  # fmt: skip
    """A picture whose channels, at all of `layers`, are distributed as in the natural pictures `naturals`.

    A mean over layers. The quantiles are means over the natural pictures. Add the unit whose natural pictures they are.
    With the unit as `relevant`, each channel counts as much as it speaks for that unit there (`relevances`).
    Source: the idea of Bhatt et al., "VITAL: More Understandable Feature Visualization through Distribution
    Alignment and Relevant Information Flow", ICCV 2025 (sort-matching; its relevance is by layer-wise propagation).
    """
    if not layers or len(naturals) == 0:
        raise NumericsError("matching distributions", "it needs a layer and a natural picture at least")
    weights = relevances(relevant, model, layers, naturals) if relevant is not None else {}
    parts: list[Objective] = []
    for layer in layers:
        axis = channel_axis(model, layer)
        each = [quantiles(activation(model, layer, canvas).tensor[None], axis + 1)[0] for canvas in naturals]
        weight = Fixed(weights[layer]) if layer in weights else None
        parts.append(-QuantileDistance(layer, Fixed(torch.stack(each).mean(dim=0)), axis, weight))
    return group(parts)


def most_natural(
    unit: Objective, model: Model, canvases: Iterable[Canvas], count: int = 10
) -> Float[Tensor, "chosen channel height width"]:
    """Those `count` of `canvases` to which a unit responds most, strongest first; no more are held at once."""
    best: list[tuple[float, Canvas]] = []
    for canvas in canvases:
        batch = model.modality.normalize(canvas[None]).to(model.device, model.dtype)
        recorded = activations(model, batch, sorted(unit.layers()))
        score = unit.score({layer: values[0] for layer, values in recorded.items()}).item()
        best = sorted([*best, (score, canvas)], key=lambda pair: -pair[0])[:count]
    return torch.stack([canvas for _, canvas in best])
