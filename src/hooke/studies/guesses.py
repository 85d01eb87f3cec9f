"""First guesses: where in the photographs at hand a unit fires most, and the piece that it sees there."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hooke.errors import AddressError
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.results import Layer
from hooke.shapes import Canvas
from hooke.studies.semantic_dictionary import is_spatial

SMALLEST, LARGEST = 1 / 7, 3 / 7
"""Sides of a guess in parts of the canvas: 32 and 96 px of 224. Most of what a deep unit reacts to is in the middle
of its theoretical receptive field (Luo et al., "Understanding the effective receptive field", NeurIPS 2016)."""


@dataclass(frozen=True, eq=False)
class Peaks:
    """For every channel of a layer: its largest response to some images, in which image it is, and where there.

    `rows` and `columns` are -1 in a layer without height and width.
    """

    values: Float[Tensor, "channel"]
    images: Int[Tensor, "channel"]
    rows: Int[Tensor, "channel"]
    columns: Int[Tensor, "channel"]


def photograph_peaks(model: Model, canvases: Sequence[Canvas], layer: str) -> Peaks:
    """The largest response of every channel over the canvases (at least one), all channels in one pass per canvas.

    Of equal responses the first counts: of the earliest canvas, of the topmost row, of the leftmost column.
    Errors: AddressError for a layer that is unknown or has no channels.
    """
    row = model.layer(layer)
    if row.channels is None:
        raise AddressError(f"the peaks of {layer}", "this layer has no channels")
    best, where = [], []
    for canvas in canvases:
        batch = model.modality.normalize(canvas[None]).to(model.device, model.dtype)
        responses = _by_channel(activations(model, batch, [layer])[layer], row)
        values, places = _first_largest(responses)
        best.append(values)
        where.append(places)
    values, images = _first_largest(torch.stack(best, dim=1))
    place = torch.stack(where, dim=1)[torch.arange(len(values)), images]
    if not is_spatial(row):
        return Peaks(values, images, torch.full_like(place, -1), torch.full_like(place, -1))
    width = row.width or 1
    return Peaks(values, images, place // width, place % width)


def receptive_crop(
    model: Model, canvas: Canvas, layer: str, row: int, column: int
) -> Float[Tensor, "channel rows columns"]:
    """The square piece of a canvas that a layer sees at one position: (channel, side, side), inside the canvas.

    Its side is that of the receptive field, but at least a seventh and at most three sevenths of the canvas'
    shorter side; the whole canvas for row and column -1 (a layer without positions).
    """
    if row < 0 or column < 0:
        return canvas
    _, height, width = canvas.shape
    found = model.layer(layer)
    short = min(height, width)
    field = found.receptive_field or short
    side = round(min(max(field, SMALLEST * short), LARGEST * short))
    top, left = (
        min(max(round(middle - side / 2), 0), length - side)
        for middle, length in zip(_middle(model, found, (row, column), (height, width)), (height, width), strict=True)
    )
    return canvas[:, top : top + side, left : left + side]


def _middle(model: Model, layer: Layer, position: tuple[int, int], canvas: tuple[int, int]) -> list[float]:
    """The middle of what a position sees, in pixels."""
    if layer.receptive_field is not None:
        return [(first + last) / 2 for first, last in model.layers.region(layer.name, position)]
    sides = (layer.height or 1, layer.width or 1)
    return [(index + 0.5) * length / side for index, length, side in zip(position, canvas, sides, strict=True)]


def _by_channel(recorded: Tensor, row: Layer) -> Float[Tensor, "channel place"]:
    """The responses of a batch of one, channels first, all other axes as one (rows before columns)."""
    order: list[str] = [axis for axis in ("batch", "channel", "height", "width") if axis in row.axes]
    order += [axis for axis in row.axes if axis not in order]
    responses = recorded.permute([row.axes.index(axis) for axis in order])[0]
    return responses.float().cpu().reshape(len(responses), -1)


def _first_largest(values: Float[Tensor, "channel place"]) -> tuple[Float[Tensor, "channel"], Int[Tensor, "channel"]]:
    """The largest value of each row and the first index that has it."""
    first = values.argmax(dim=1)
    return values.gather(1, first[:, None])[:, 0], first
