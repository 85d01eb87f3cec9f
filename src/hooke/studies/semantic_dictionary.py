"""The semantic dictionary: what a layer sees at every position of an image, spelled in the units that fire most there.

Olah, Satyanarayan, Johnson, Carter, Schubert, Ye, Mordvintsev, "The Building Blocks of Interpretability", Distill 2018.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hooke.addresses import Place
from hooke.displayed import Displayed
from hooke.errors import AddressError
from hooke.models.derivatives import directional_effects
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.results import DictionaryEntry, Effect, Layer
from hooke.shapes import Canvas

SMALLEST, LARGEST = 7, 28
"""Positions a side of a map that one can point at."""


@dataclass(frozen=True, eq=False)
class LayerDictionary(Displayed):
    """The strongest units at every position of a layer, strongest first.

    `norms` are the L2 norms of the positions' whole activation vectors, `peak` the largest magnitude of the map.
    """

    layer: str
    height: int
    width: int
    channels: Int[Tensor, "row column rank"]
    magnitudes: Float[Tensor, "row column rank"]
    norms: Float[Tensor, "row column"]
    peak: float


def layer_dictionary(model: Model, canvas: Canvas, layer: str, count: int = 8) -> LayerDictionary:
    """The `count` strongest units at every position of a layer, for one image; equal ones in the order of channels.

    `canvas` is (channel, height, width), values 0 to 1. Fewer ranks where the layer has fewer channels.
    Errors: AddressError for a layer without height and width (naming the nearest that have them), or an unknown one.
    """
    row = spatial_layer(model, layer)
    activation = _activation(model, canvas, row)
    magnitudes, channels = torch.sort(activation, dim=-1, descending=True, stable=True)
    count = max(1, min(count, activation.shape[-1]))
    return LayerDictionary(
        layer=layer,
        height=activation.shape[0],
        width=activation.shape[1],
        channels=channels[..., :count].clone(),
        magnitudes=magnitudes[..., :count].clone(),
        norms=activation.norm(dim=-1),
        peak=float(magnitudes[..., 0].max()),
    )


def semantic_dictionary(
    model: Model, canvas: Canvas, layer: str, position: tuple[int, int], count: int = 6, labels: int = 3
) -> list[DictionaryEntry]:
    """The `count` strongest units at one position (row, column), with the labels that each speaks for and against.

    An entry's address is its channel's: what is drawn for it does not depend on the position. Errors: AddressError
    for a layer without height and width, or a position outside it.
    """
    row = spatial_layer(model, layer)
    check_position(row, position)
    vector = _activation(model, canvas, row)[position]
    strongest = torch.sort(vector, descending=True, stable=True).indices[:count]
    return unit_effects(model, canvas, layer, position, strongest.tolist(), labels)


def unit_effects(
    model: Model, canvas: Canvas, layer: str, position: tuple[int, int], channels: Sequence[int], labels: int = 3
) -> list[DictionaryEntry]:
    """What units at one position speak for and against: activation x gradient of the logits, over all labels.

    The effect of a unit on a label is, to first order, the part of the label's logit that would be lost if the unit
    were silent there: its response times the exact derivative of the logit. At most `labels` on either side, the
    strongest first; none in a model without logits. Errors: AddressError for a layer without height and
    width, a position or a channel outside it.
    """
    row = spatial_layer(model, layer)
    check_position(row, position, channels)
    responses = _activation(model, canvas, row)[position][list(channels)]
    if not has_logits(model):
        effects = responses.new_zeros((len(channels), 0))
    else:
        directions = torch.zeros(len(channels), row.channels or 0)
        directions[torch.arange(len(channels)), list(channels)] = responses
        effects = directional_effects(model, _batch(model, canvas), layer, directions, position).float().cpu()
    return [
        DictionaryEntry(
            address=str(Place(layer, channel)),
            channel=channel,
            magnitude=float(response),
            supports=_strongest(model, effect, labels),
            opposes=_strongest(model, -effect, labels, sign=-1),
        )
        for channel, response, effect in zip(channels, responses, effects, strict=True)
    ]


def spatial_layer(model: Model, name: str) -> Layer:
    """The layer's row; AddressError, naming the nearest layers in depth, where it has no height and width."""
    row = model.layer(name)
    if is_spatial(row):
        return row
    names = [layer.name for layer in model.layers]
    spatial = [layer.name for layer in model.layers if layer.addressable and is_spatial(layer)]
    here = names.index(name)
    near = sorted(spatial, key=lambda other: abs(names.index(other) - here))[:5]
    raise AddressError(
        f"a semantic dictionary of {name}",
        "this layer has no channels over height and width, so no positions of an image",
        choices=near,
        next_step="choose a layer that has them" if near else "choose a model that looks at images by places",
    )


def default_layer(model: Model) -> str:
    """The layer to look at first: where parts become objects, fine enough to point at, with the most channels.

    Of the activation layers with maps of 7 to 28 positions a side, in the middle third of their order, the one with
    the most channels; of several, the one nearest six tenths of the depth. Where none is so: the same of all spatial
    activation layers, then of all spatial layers, then the last layer of the table.
    """
    spatial, activations, handy = spatial_layers(model)
    third = len(activations) / 3
    middle = [row for row in handy if third <= activations.index(row) < 2 * third]
    rows = middle or handy or activations or spatial
    if not rows:
        return model.layers[-1].name
    order = activations or spatial
    return max(rows, key=lambda row: (row.channels or 0, -abs(order.index(row) + 0.5 - 0.6 * len(order)))).name


def spatial_layers(model: Model) -> tuple[list[Layer], list[Layer], list[Layer]]:
    """The layers with positions but the input; of these the activation layers; of these those that are fine enough to
    point at (7 to 28 positions a side)."""
    spatial = [row for row in model.layers.addressable if is_spatial(row) and row.name != "input"]
    active = [row for row in spatial if row.activation]
    handy = [row for row in active if all(SMALLEST <= (side or 0) <= LARGEST for side in (row.height, row.width))]
    return spatial, active, handy


def has_logits(model: Model) -> bool:
    """Whether a model ends in one number for each label."""
    last = model.layers[-1]
    return last.addressable and last.axes == ("batch", "channel")


def is_spatial(layer: Layer) -> bool:
    """Whether a layer has channels over height and width."""
    return {"channel", "height", "width"} <= set(layer.axes)


def _activation(model: Model, canvas: Canvas, row: Layer) -> Float[Tensor, "row column unit"]:
    return by_position(activations(model, _batch(model, canvas), [row.name])[row.name], row)


def _batch(model: Model, canvas: Canvas) -> Float[Tensor, "1 channel height width"]:
    return model.modality.normalize(canvas[None]).to(model.device, model.dtype)


def by_position(held: Tensor, row: Layer) -> Float[Tensor, "row column unit"]:
    """What a layer holds at each position, for the first sample of a batch."""
    axes = [row.axes.index(axis) for axis in ("batch", "height", "width", "channel")]
    return held.permute(axes)[0].float().cpu()


def check_position(row: Layer, position: tuple[int, int], channels: Sequence[int] = ()) -> None:
    """AddressError for a position, or a channel, that a layer does not have."""
    line, column = position
    if not (0 <= line < (row.height or 0) and 0 <= column < (row.width or 0)):
        reason = f"rows go from 0 to {(row.height or 0) - 1}, columns from 0 to {(row.width or 0) - 1}"
        raise AddressError(f"position {line},{column} of {row.name}", reason)
    for channel in channels:
        if not 0 <= channel < (row.channels or 0):
            raise AddressError(f"channel {channel} of {row.name}", f"channels go from 0 to {(row.channels or 0) - 1}")


def _strongest(model: Model, effects: Float[Tensor, "label"], count: int, sign: int = 1) -> tuple[Effect, ...]:
    values, indices = torch.topk(effects, min(count, len(effects)))
    return tuple(
        Effect(label=model.label(index), index=index, effect=sign * value)
        for value, index in zip(values.tolist(), indices.tolist(), strict=True)
        if value > 0
    )
