"""Dataset examples of a unit over the whole range of its activation: random picks from each bin, maxima and minima."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

from hooke.addresses import Place
from hooke.displayed import Displayed
from hooke.errors import DataError, HookeError, RecordingError
from hooke.modalities.datasets import dataset
from hooke.models.opening import open
from hooke.responses.crops import View, maps, soft_mask, view
from hooke.responses.recording import Extremes, Failure, LayerRecording, Recording
from hooke.responses.units import name, unit
from hooke.shapes import Canvas

if TYPE_CHECKING:
    from hooke.modalities.samples import Samples
    from hooke.models.model import Model


@dataclass(frozen=True, eq=False)
class Example:
    """One input at the position where the unit had this value.

    `index` is that of the input in the recording, `value` the recorded one, entering the nonlinearity where there is
    one. `box` (top, left, height, width) is the crop in pixels of the canvas, `crop` the canvas there, `mask` how much
    the unit responds at each of its pixels (0 to 1).
    """

    index: int
    input: str
    label: str | None
    group: str | None
    value: float
    row: int
    column: int
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    crop: Canvas | None = None
    mask: Float[Tensor, "height width"] | None = None


@dataclass(frozen=True)
class Bin:
    """A range of activation, how many of the sampled values fell into it, and random examples of them."""

    low: float
    high: float
    count: int
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Examples(Displayed):
    """A unit's examples; bins from lowest to highest, maxima and minima with the furthest first.

    `field` is the side of the crops in pixels (0: the whole input), `inputs` how many were recorded, `resting` the
    unit's median (entering its nonlinearity), from which masks are measured; `failures`: what could not be read again.
    """

    address: str
    bins: tuple[Bin, ...]
    maxima: tuple[Example, ...]
    minima: tuple[Example, ...]
    field: int
    inputs: int
    resting: float
    failures: tuple[Failure, ...] = ()

    @property
    def all(self) -> tuple[Example, ...]:
        """Every example: minima, bins from low to high, maxima."""
        return (*self.minima, *(one for part in self.bins for one in part.examples), *self.maxima)


def examples(
    recording: Recording, address: str | Place, *, model: "Model | None" = None, data: object = None, count: int = 6
) -> Examples:
    """At most `count` random examples for each bin of activation, and as many maxima and minima, cropped and masked.

    `model` None opens the recording's own, `data` None reads them where they lay (else: what `dataset` takes). An input
    is shown once in a bin. Errors: AddressError for a unit that was
    not recorded, RecordingError for another model, DataError where the data moved.
    """
    layer, channel = unit(recording, address)
    model = opened(recording, model)
    found = picks(recording, layer, channel, count)
    field = view(model, model.layers.find(layer.layer.name))
    shown, failures = _shown(recording, _samples(recording, data), model, layer, channel, field, found.all)
    bins = tuple(
        replace(part, examples=tuple(shown[id(one)] for one in part.examples if id(one) in shown))
        for part in found.bins
    )
    return replace(
        found, bins=bins, field=field.side, failures=failures,
        maxima=tuple(shown[id(one)] for one in found.maxima if id(one) in shown),
        minima=tuple(shown[id(one)] for one in found.minima if id(one) in shown),
    )  # fmt: skip


def picks(recording: Recording, layer: LayerRecording, channel: int, count: int = 6) -> Examples:
    """Which examples would be shown, from the recording alone: no crops, no masks, no model."""
    store = layer.reservoir
    edges = store.edges[channel].tolist()
    bins = []
    for at, low, high in zip(range(len(edges) - 1), edges[:-1], edges[1:], strict=True):
        where = (channel, at)
        drawn = zip(
            store.inputs[where].tolist(), store.values[where].tolist(), store.rows[where].tolist(),
            store.columns[where].tolist(), strict=True,
        )  # fmt: skip
        once = {one[0]: one for one in reversed(list(drawn)) if one[0] >= 0}
        chosen = sorted(list(once.values())[-count:], key=lambda one: -one[1])
        bins.append(Bin(low, high, int(store.counts[where]), tuple(_example(recording, *one) for one in chosen)))
    resting = float(layer.quantile(0.5, before=True)[channel])
    return Examples(
        name(layer, channel), tuple(bins), _furthest(recording, layer.top, channel, count),
        _furthest(recording, layer.bottom, channel, count), 0, len(recording.names), resting,
    )  # fmt: skip


def opened(recording: Recording, model: "Model | None" = None) -> "Model":
    """The recording's model: the one given, or opened again; RecordingError where it is another one."""
    request = f"the model of the recording {recording.folder}"
    if model is None:
        if not recording.source:
            raise RecordingError(request, "it was a module, which cannot be opened again", next_step="give model=")
        model = open(recording.source)
    if model.fingerprint != recording.fingerprint:
        reason = f"{model.name} has the fingerprint {model.fingerprint[:12]}, not {recording.fingerprint[:12]}"
        raise RecordingError(request, reason, next_step="open the model that was recorded, with the same weights")
    return model


def indices(recording: Recording, samples: "Samples") -> list[int]:
    """For each recorded input its index in the data; inputs that could not be read when recording are passed over."""
    found, at = [], 0
    for wanted in recording.names:
        while at < len(samples) and samples.names[at] != wanted:
            at += 1
        if at == len(samples):
            raise DataError(wanted, f"it is no longer in {recording.data}", next_step="record again")
        found.append(at)
        at += 1
    return found


def _samples(recording: Recording, data: object) -> "Samples":
    if data is None:
        return recording.samples()
    found = dataset(data)
    if found.key != recording.data_key:
        raise DataError(f"the data of the recording {recording.folder}", "these are not the data that were recorded")
    return found


def _example(recording: Recording, at: int, value: float, row: int, column: int) -> Example:
    return Example(at, recording.names[at], recording.labels[at], recording.groups[at], value, row, column)


def _furthest(recording: Recording, extremes: Extremes, channel: int, count: int) -> tuple[Example, ...]:
    drawn = zip(
        extremes.inputs[channel].tolist(), extremes.values[channel].tolist(), extremes.rows[channel].tolist(),
        extremes.columns[channel].tolist(), strict=True,
    )  # fmt: skip
    return tuple(_example(recording, *one) for one in drawn if one[0] >= 0)[:count]


def _shown(
    recording: Recording,
    samples: "Samples",
    model: "Model",
    layer: LayerRecording,
    channel: int,
    field: View,
    chosen: Sequence[Example],
) -> tuple[dict[int, Example], tuple[Failure, ...]]:
    """The chosen examples (by identity) with their crops and masks, each input run once; and what cannot be read."""
    place = indices(recording, samples)
    canvases: dict[int, Canvas] = {}
    failures: list[Failure] = []
    for one in dict.fromkeys(example.index for example in chosen):
        try:
            canvases[one] = samples.read(place[one], model.modality)
        except HookeError as error:
            failures.append(Failure(recording.names[one], error.reason))
    row = model.layers.find(layer.layer.name)
    values = dict(zip(canvases, maps(model, row, channel, list(canvases.values())), strict=True))
    resting = float(layer.quantile(0.5, before=True)[channel])
    found = {}
    for example in chosen:
        if example.index in canvases:
            box = top, left, height, width = field.box(example.row, example.column)
            window = (slice(top, top + height), slice(left, left + width))
            mask = soft_mask(field, values[example.index], example.row, example.column, resting)[window]
            crop = canvases[example.index][(slice(None), *window)]
            found[id(example)] = replace(example, box=box, crop=crop, mask=mask)
    return found, tuple(failures)
