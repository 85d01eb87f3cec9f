"""Two models before the same image: which layers belong together, how alike they see it, what differs at a place."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hooke.errors import AddressError, ModelError
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.numeric.seeds import stream
from hooke.numeric.similarity import likenesses
from hooke.results import Layer, Prediction
from hooke.shapes import Canvas
from hooke.studies.semantic_dictionary import by_position, spatial_layer, spatial_layers

Both = tuple[Canvas, Float[Tensor, "channel2 height2 width2"]]
"""One image as each of two models takes it."""
POSITIONS = 400
"""Positions of a layer that are compared at most: every second, third, ... row and column of larger ones."""
CONTROLS = 100


@dataclass(frozen=True)
class Alike:
    """How alike two layers see an image: linear CKA over `positions`, and what 95 % of controls stay below.

    `shuffled`: the second layer's positions in any order; `moved`: its map moved as a whole, around the edges, so that
    neighbours stay neighbours.
    """

    layer: str
    other: str
    positions: int
    cka: float
    shuffled: float
    moved: float


@dataclass(frozen=True)
class Opinion:
    """What two models give a label: index, probability and rank (from 0); None where a model has no such label."""

    label: str
    indices: tuple[int | None, int | None]
    probabilities: tuple[float | None, float | None]
    ranks: tuple[int | None, int | None]


@dataclass(frozen=True, eq=False)
class Changes:
    """The units of a layer that two models differ in most, at every position, the largest difference first.

    `median` and `far`: half of all units differ less, without sign, and 5 % more. That is a unit drawn by lot.
    """

    layer: str
    channels: Int[Tensor, "row column rank"]
    first: Float[Tensor, "row column rank"]
    second: Float[Tensor, "row column rank"]
    median: Float[Tensor, "row column"]
    far: Float[Tensor, "row column"]


def matched(first: Model, second: Model) -> dict[str, str]:
    """For each layer with places of the first model one of the second: of the same name, else as deep.

    Activation layers are matched with activation layers where there are any. Empty where the second has no places.
    """
    (ours, active, _), (theirs, pool, _) = spatial_layers(first), spatial_layers(second)
    names = {row.name for row in theirs}
    found = {row.name: row.name for row in ours if row.name in names}
    for row in ours:
        rows, others = (active, pool) if row.activation and pool else (ours, theirs)
        if row.name not in found and others:
            found[row.name] = others[_as_deep(rows.index(row), len(rows), len(others))].name
    return found


def comparable(first: Layer, second: Layer) -> bool:
    """Whether units can be told one by one: layers of one name, of as many channels and places."""
    return (first.name, first.channels, first.height, first.width) == (
        second.name, second.channels, second.height, second.width,
    )  # fmt: skip


def likeness(first: Model, second: Model, canvases: Both, *, seed: int = 0) -> list[Alike]:
    """How alike the two see one image (each on its own canvas), for every activation layer of the first model.

    Linear CKA (Kornblith et al. 2019) over positions; grids of different size are averaged to the smaller one.
    """
    spatial, active, _ = spatial_layers(first)
    pairs = matched(first, second)
    wanted = {row.name: pairs[row.name] for row in active or spatial if row.name in pairs}
    if not wanted:
        return []
    seen = _held(first, canvases[0], list(wanted)), _held(second, canvases[1], list(dict.fromkeys(wanted.values())))
    return [
        _alike(layer, other, _reduced(seen[0][layer], seen[1][other]), stream(seed, layer))
        for layer, other in wanted.items()
    ]


def opinions(first: Model, second: Model, canvases: Both, count: int = 5) -> list[Opinion]:
    """The labels that are among the `count` likeliest of either model, by what is larger of their probabilities.

    Labels are the same where their texts are (the second of a text with the second). None without a classifier.
    """
    one, other = (_said(model, canvas) for model, canvas in zip((first, second), canvases, strict=True))
    keys = [key for side in (one, other) for key, (rank, _) in side.items() if rank < count]
    found = [_opinion(key[0], one.get(key), other.get(key)) for key in dict.fromkeys(keys)]
    return sorted(found, key=lambda each: -max(value or 0.0 for value in each.probabilities))


def changes(first: Model, second: Model, canvases: Both, layer: str, count: int = 8) -> Changes:
    """The `count` units whose activations differ most, at each position of a layer that both models have.

    Errors: AddressError where the second model's layer of this name has other channels or places, or there is none.
    """
    rows = [spatial_layer(model, layer) for model in (first, second)]
    if not comparable(*rows):
        reason = "the two models' layers of this name differ in channels or places"
        raise AddressError(f"changes of {layer}", reason, next_step="compare checkpoints of one architecture")
    one, other = (_held(model, canvas, [layer])[layer] for model, canvas in zip((first, second), canvases, strict=True))
    sizes = (other - one).abs()
    chosen = sizes.argsort(dim=-1, descending=True, stable=True)[..., :count]
    return Changes(
        layer, chosen, one.gather(-1, chosen), other.gather(-1, chosen),
        median=sizes.quantile(0.5, -1), far=sizes.quantile(0.95, -1),
    )  # fmt: skip


def _as_deep(at: int, among: int, others: int) -> int:
    return round((at + 0.5) / among * others - 0.5)


def _held(model: Model, canvas: Canvas, layers: Sequence[str]) -> dict[str, Float[Tensor, "row column unit"]]:
    batch = model.modality.normalize(canvas[None]).to(model.device, model.dtype)
    held = activations(model, batch, layers)
    return {name: by_position(held[name], model.layer(name)) for name in layers}


def _reduced(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Two maps on one grid: averaged to the smaller of their grids, then thinned out to at most POSITIONS."""
    size = (min(one.shape[0], other.shape[0]), min(one.shape[1], other.shape[1]))
    maps = [
        torch.nn.functional.adaptive_avg_pool2d(part.permute(2, 0, 1), size).permute(1, 2, 0)
        if part.shape[:2] != size else part
        for part in (one, other)
    ]  # fmt: skip
    step = 1
    while (-(-size[0] // step)) * (-(-size[1] // step)) > POSITIONS:
        step += 1
    return maps[0][::step, ::step], maps[1][::step, ::step]


def _alike(layer: str, other: str, maps: tuple[Tensor, Tensor], random: torch.Generator) -> Alike:
    one, two = (likenesses(part.flatten(0, 1)) for part in maps)
    rows, columns = maps[0].shape[:2]
    places = torch.arange(rows * columns).reshape(rows, columns)
    shuffled = [torch.randperm(rows * columns, generator=random) for _ in range(CONTROLS)]
    offsets = torch.randint(1, max(rows * columns, 2), (CONTROLS,), generator=random).tolist()
    moved = [places.roll((by // columns, by % columns), (0, 1)).flatten() for by in offsets]
    below = [
        float(torch.stack([(one * two[order][:, order]).sum() for order in orders]).quantile(0.95))
        for orders in (shuffled, moved)
    ]
    return Alike(layer, other, rows * columns, min(float((one * two).sum()), 1.0), *below)


def _said(model: Model, canvas: Canvas) -> dict[tuple[str, int], tuple[int, Prediction]]:
    """Every label of a classifier with its rank; of labels of one text the number tells which."""
    try:
        found = model.predict(canvas, count=max(len(model.labels), 5))
    except ModelError:
        return {}
    which: Counter[str] = Counter()
    numbers = {}
    for one in sorted(found, key=lambda each: each.index):
        numbers[one.index] = which[one.label]
        which[one.label] += 1
    return {(one.label, numbers[one.index]): (rank, one) for rank, one in enumerate(found)}


def _opinion(label: str, one: tuple[int, Prediction] | None, other: tuple[int, Prediction] | None) -> Opinion:
    return Opinion(
        label,
        (one and one[1].index, other and other[1].index),
        (one and one[1].probability, other and other[1].probability),
        (one and one[0], other and other[0]),
    )
