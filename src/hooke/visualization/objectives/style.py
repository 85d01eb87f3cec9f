"""Style: which channels of a layer fire together in a picture, wherever that is."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from hooke.models.model import Model
from hooke.numeric.fixed import Fixed
from hooke.shapes import Canvas
from hooke.visualization.objectives.matching import activation, channel_axis
from hooke.visualization.objectives.objective import LayerDistance, Objective, Recorded, group


@dataclass(frozen=True)
class StyleDistance(LayerDistance):
    """The mean absolute difference to a Gram matrix, over that matrix' own mean; something to subtract."""

    gram: Fixed
    axis: int = 0

    def responses(self, recorded: Recorded) -> Float[Tensor, "*places"]:
        wanted = self.gram.tensor.to(recorded[self.layer])
        return (gram(recorded[self.layer], self.axis) - wanted).abs().mean() / wanted.abs().mean().clamp(min=1e-12)


def gram(activation: Tensor, axis: int = 0) -> Float[Tensor, "channel channel"]:
    """The products of all pairs of channels, as means over positions."""
    flat = activation.movedim(axis, 0).flatten(1)
    matrix: Tensor = flat @ flat.T / flat.shape[1]
    return matrix


def style(model: Model, layers: Sequence[str], canvas: Canvas) -> Objective:
    """A picture in the style of `canvas`: the same Gram matrices at all of `layers`, as a mean over layers.

    Add an `inversion` of another canvas for a style transfer.
    Source: Gatys, Ecker & Bethge, "Image style transfer using convolutional neural networks", CVPR 2016.
    """
    parts: list[Objective] = []
    for layer in layers:
        axis = channel_axis(model, layer)
        parts.append(-StyleDistance(layer, Fixed(gram(activation(model, layer, canvas).tensor, axis)), axis))
    return group(parts)
