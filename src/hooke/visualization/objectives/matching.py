"""Matching a photograph's activations: inversion, caricature and accentuation."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.errors import NumericsError
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.numeric.fixed import Fixed
from hooke.shapes import Canvas
from hooke.visualization.objectives.directions import Direction
from hooke.visualization.objectives.objective import LayerDistance, Objective, Recorded


@dataclass(frozen=True)
class Distance(LayerDistance):
    """The mean squared difference to a recorded activation, over that activation's own mean square.

    0 where they are the same, 1 for an activation of zeros (Mahendran & Vedaldi 2015). Something to subtract.
    """

    target: Fixed

    @property
    def placed(self) -> bool:
        return self.target.tensor.ndim > 1

    def responses(self, recorded: Recorded) -> Float[Tensor, "*places"]:
        activation, target = recorded[self.layer], self.target.tensor.to(recorded[self.layer])
        if activation.shape != target.shape:
            raise NumericsError(
                f"matching an activation of shape {tuple(target.shape)} at {self.layer}",
                f"the picture's has the shape {tuple(activation.shape)}",
                next_step="draw on a canvas of the size of the photograph that was recorded",
            )
        return (activation - target).square().mean() / target.square().mean().clamp(min=1e-12)


def inversion(model: Model, layer: str, canvas: Canvas) -> Objective:
    """A picture whose activations at `layer` are those of `canvas`: what the layer keeps of it.

    Source: Mahendran & Vedaldi, "Understanding deep image representations by inverting them", CVPR 2015.
    """
    return -Distance(layer, activation(model, layer, canvas))


def caricature(model: Model, layer: str, canvas: Canvas, power: float = 1.0) -> Objective:
    """What `layer` sees in `canvas`, exaggerated: the dot product of the activations, times their cosine^`power`.

    Source: Olah et al., "The Building Blocks of Interpretability", Distill 2018; Lucid's `dot_compare`.
    """
    return Direction(layer, activation(model, layer, canvas), power)


def accentuation(unit: Objective, model: Model, layer: str, canvas: Canvas, strength: float = 1.0) -> Objective:
    """A unit's response while the activations at `layer` stay near those of `canvas`; start from that photograph.

    `strength` is what the response has to rise by for each relative squared distance of 1.
    Source: Hamblin et al., "Feature accentuation", 2024.
    """
    return unit - strength * Distance(layer, activation(model, layer, canvas))


def activation(model: Model, layer: str, canvas: Canvas) -> Fixed:
    """What a layer holds for one canvas, without the batch axis."""
    found = activations(model, _batch(model, canvas[None]), [layer])[layer][0]
    return Fixed(found)


def _batch(model: Model, canvases: Float[Tensor, "batch channel height width"]) -> Tensor:
    return model.modality.normalize(canvases).to(model.device, model.dtype)


def channel_means(
    model: Model, layer: str, canvases: Float[Tensor, "batch channel height width"]
) -> Float[Tensor, "batch unit"]:
    """The means over positions of each channel of a layer, for several canvases."""
    axis = channel_axis(model, layer)
    parts = [activations(model, _batch(model, canvas[None]), [layer])[layer][0] for canvas in canvases]
    return torch.stack([part.movedim(axis, 0).flatten(1).mean(dim=1) for part in parts]).float().cpu()


def channel_axis(model: Model, layer: str) -> int:
    """Which axis of one sample's activation the channels are on; NumericsError where it has none."""
    axes = model.layer(layer).axes[1:]
    if "channel" not in axes:
        raise NumericsError(layer, f"it has no channels; its axes are {', '.join(axes)}")
    return axes.index("channel")
