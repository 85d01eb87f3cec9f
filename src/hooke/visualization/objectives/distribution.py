"""Matching distributions: what natural pictures make each channel do, over all positions, as quantiles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from hooke.errors import NumericsError
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.numeric.fixed import Fixed
from hooke.shapes import Canvas, Canvases
from hooke.visualization.objectives.matching import activation, channel_axis
from hooke.visualization.objectives.objective import LayerDistance, Objective, Recorded, group


@dataclass(frozen=True)
class QuantileDistance(LayerDistance):
    """The mean squared difference between each channel's sorted values and `quantiles`, over their mean square.

    Sorting pairs every position with one of the natural pictures' (optimal transport in one dimension), wherever in
    the picture they are. `quantiles` are the natural values of each channel at the middles of equal shares.
    0 where the distributions are the same. Something to subtract.
    """

    quantiles: Fixed
    axis: int = 0

    def responses(self, recorded: Recorded) -> Float[Tensor, "*places"]:
        ours = sorted_values(recorded[self.layer], self.axis)
        wanted = self.quantiles.tensor.to(ours)
        if wanted.shape[1] != ours.shape[1]:
            wanted = functional.interpolate(wanted[None], ours.shape[1], mode="linear", align_corners=False)[0]
        return (ours - wanted).square().mean() / wanted.square().mean().clamp(min=1e-12)


def sorted_values(activation: Tensor, axis: int = 0) -> Float[Tensor, "channel place"]:
    """Each channel's values over all positions, smallest first."""
    return activation.movedim(axis, 0).flatten(1).sort(dim=1).values


def matching(model: Model, layers: Sequence[str], naturals: Canvases) -> Objective:
    """A picture whose channels, at all of `layers`, are distributed as in the natural pictures `naturals`.

    A mean over layers. The quantiles are means over the natural pictures. Add the unit whose natural pictures they are.
    Source: the idea of Bhatt et al., "VITAL: More Understandable Feature Visualization through Distribution
    Alignment and Relevant Information Flow", ICCV 2025 (sort-matching; without the relevance).
    """
    if not layers or len(naturals) == 0:
        raise NumericsError("matching distributions", "it needs a layer and a natural picture at least")
    parts: list[Objective] = []
    for layer in layers:
        axis = channel_axis(model, layer)
        each = [sorted_values(activation(model, layer, canvas).tensor, axis) for canvas in naturals]
        parts.append(-QuantileDistance(layer, Fixed(torch.stack(each).mean(dim=0)), axis))
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
