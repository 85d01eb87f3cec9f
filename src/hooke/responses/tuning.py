"""Tuning: how units answer to a stimulus as one or two of its parameters change, whatever the others are."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.addresses import Address
from hooke.displayed import Displayed
from hooke.errors import AddressError, NumericsError, RecordingError, StimulusError
from hooke.models.model import Model
from hooke.numeric.seeds import stream
from hooke.provenance import Provenance, describe, versions
from hooke.responses.placement import Placement, place, responses
from hooke.responses.recording import Recording
from hooke.responses.stimuli import Choice, Frame, Range, Stimulus

REVISION = 1

Units: TypeAlias = str | Address | Sequence[str | Address]


@dataclass(frozen=True)
class Sweep:
    """How a tuning is measured: at how many values of each parameter (one number for all, or one for each), with how
    many settings of the remaining ones, drawn evenly over their ranges, and how many pictures go through
    together (few stay in the processor's cache)."""

    steps: int | tuple[int, ...] = 24
    samples: int = 24
    batch: int = 8


@dataclass(frozen=True, eq=False)
class Axis:
    """One parameter that was swept: its name, its range and the values that it took."""

    name: str
    range: Range
    values: Float[Tensor, "point"]


@dataclass(frozen=True, eq=False)
class DataRange:
    """What the units do on recorded data: mean, standard deviation and maximum over all inputs and positions."""

    mean: Float[Tensor, "unit"]
    deviation: Float[Tensor, "unit"]
    maximum: Float[Tensor, "unit"]


@dataclass(frozen=True, eq=False)
class Tuning(Displayed):
    """The responses of units of one layer, at one position, to a stimulus: for every setting of the remaining
    parameters (`settings`) and every value of the swept ones (`axes`); `grey` is the response to an empty canvas."""

    units: tuple[str, ...]
    stimulus: Stimulus
    axes: tuple[Axis, ...]
    settings: Mapping[str, Float[Tensor, "setting"]]
    responses: Float[Tensor, "unit setting *point"]
    grey: Float[Tensor, "unit"]
    frame: Frame
    position: tuple[int, ...] | None
    provenance: Provenance
    data: DataRange | None = field(default=None)

    @property
    def mean(self) -> Float[Tensor, "unit *point"]:
        """The tuning curves (or maps): the mean over the settings of the remaining parameters."""
        return self.responses.mean(1)

    def axis(self, name: str) -> int:
        """The index of a swept parameter; StimulusError with the choices."""
        names = [axis.name for axis in self.axes]
        if name not in names:
            raise StimulusError(f"a tuning over {name!r}", "this parameter was not swept", choices=names)
        return names.index(name)

    def unit(self, address: str | int) -> int:
        """The index of a unit by its address; AddressError with the choices."""
        if isinstance(address, int):
            return range(len(self.units))[address]
        if address not in self.units:
            raise AddressError(address, "this unit was not tuned", choices=self.units[:8])
        return self.units.index(address)

    def best(self, unit: str | int) -> dict[str, float]:
        """The values of the swept parameters at which a unit's mean response is largest."""
        curve = self.mean[self.unit(unit)]
        place = torch.unravel_index(curve.argmax(), curve.shape)
        return {axis.name: float(axis.values[int(index)]) for axis, index in zip(self.axes, place, strict=True)}


def tune(
    model: Model, units: Units, stimulus: Stimulus, *, over: str | Sequence[str], by: Sweep | None = None,
    seed: int = 0, recording: Recording | None = None, progress: Callable[[int, int], None] | None = None,
) -> Tuning:  # fmt: skip
    """How one or more units of a layer answer to `stimulus` as the parameters `over` change.

    The stimulus is drawn at the middle of what the unit's position sees, sized by its effective receptive field; one
    pass serves all units. All values of the swept parameters meet the same settings of the remaining ones, drawn
    evenly over their ranges (a Latin hypercube from `seed`), so that intervals are those of paired comparisons.
    With a `recording` of the same model the range of the units on its data is added. `progress` hears how many
    pictures of all are done. Errors: AddressError for units of several layers, StimulusError for an unknown
    parameter, RecordingError for another model's recording, NumericsError for NaN.
    """
    method = by or Sweep()
    names = (over,) if isinstance(over, str) else tuple(over)
    axes = _axes(stimulus, names, method)
    placement = place(model, units)
    free = [name for name, among in stimulus.ranges.items() if among.varies and name not in names]
    samples = method.samples if free else 1
    settings = draw_settings(stimulus, names, samples, seed)
    values = _points(settings, axes)
    answers = show(model, placement, stimulus, values, batch=method.batch, progress=progress)
    shape = [len(placement.units), samples, *(len(axis.values) for axis in axes)]
    frame = placement.frame
    grey = responses(model, placement, torch.full((1, frame.channels, frame.height, frame.width), 0.5))[0]
    question = Provenance(
        model=model.fingerprint, address=", ".join(placement.units), seed=seed, revision=REVISION,
        method=describe({"stimulus": stimulus, "over": names, "by": method}),
        dtype=str(model.dtype).removeprefix("torch."), recorded=versions(),
    )  # fmt: skip
    return Tuning(
        placement.units, stimulus, axes, settings, answers.T.reshape(shape), grey, frame, placement.position, question,
        None if recording is None else _data_range(model, placement, recording),
    )  # fmt: skip


def show(
    model: Model, placement: Placement, stimulus: Stimulus, values: Mapping[str, Float[Tensor, "picture"]], *,
    batch: int = 8, progress: Callable[[int, int], None] | None = None,
) -> Float[Tensor, "picture unit"]:  # fmt: skip
    """The responses of placed units to the pictures of these parameter values, `batch` at a time."""
    count, found = len(next(iter(values.values()))), []
    for first in range(0, count, batch):
        some = {name: value[first : first + batch] for name, value in values.items()}
        found.append(responses(model, placement, stimulus.render(some, placement.frame)))
        if progress is not None:
            progress(min(first + batch, count), count)
    answers = torch.cat(found)
    if not bool(torch.isfinite(answers).all()):
        raise NumericsError(f"tuning of {placement.layer.name}", "the model answers with NaN or infinity")
    return answers


def draw_settings(
    stimulus: Stimulus, swept: Sequence[str], samples: int, seed: int
) -> dict[str, Float[Tensor, "setting"]]:
    """Values of the parameters that are not swept: each parameter's range is cut into `samples` equal parts, and one
    value is drawn from each, in an order of its own (McKay, Beckman & Conover, "Latin hypercube sampling", 1979)."""
    found = {}
    for name, among in stimulus.ranges.items():
        if name not in swept:
            dice = stream(seed, "settings", name)
            order = torch.randperm(samples, generator=dice)
            found[name] = among.at((order + torch.rand(samples, generator=dice)) / samples)
    return found


def _axes(stimulus: Stimulus, names: tuple[str, ...], method: Sweep) -> tuple[Axis, ...]:
    request = f"{stimulus.name} over {', '.join(names) or 'nothing'}"
    free = [name for name, among in stimulus.ranges.items() if among.varies]
    if not names or len(set(names)) < len(names):
        raise StimulusError(request, "name one or more different parameters", choices=free)
    steps = (method.steps,) * len(names) if isinstance(method.steps, int) else method.steps
    if len(steps) != len(names) or min(steps) < 2 or method.samples < 1 or method.batch < 1:
        raise StimulusError(f"{request} by {method}", "it takes at least 2 steps for each parameter, and 1 sample")
    axes = [(name, stimulus.range(name), count) for name, count in zip(names, steps, strict=True)]
    for name, among, _ in axes:
        if not among.varies:
            raise StimulusError(request, f"{name} has only one value here", choices=free)
    return tuple(Axis(name, among, among.grid(count)) for name, among, count in axes)


def _points(
    settings: Mapping[str, Float[Tensor, "setting"]], axes: Sequence[Axis]
) -> dict[str, Float[Tensor, "picture"]]:
    """Every parameter at every picture: settings outermost, then the axes in order."""
    grids = torch.meshgrid(*(axis.values for axis in axes), indexing="ij")
    samples = len(next(iter(settings.values()))) if settings else 1
    count = math.prod(len(axis.values) for axis in axes)
    points = {name: value.repeat_interleave(count) for name, value in settings.items()}
    return points | {axis.name: grid.flatten().repeat(samples) for axis, grid in zip(axes, grids, strict=True)}


def _data_range(model: Model, placement: Placement, recording: Recording) -> DataRange:
    if recording.fingerprint != model.fingerprint:
        raise RecordingError(
            f"the recording {recording.folder}", f"it is of another model than {model.name}",
            next_step="record this model, or open the one that was recorded",
        )  # fmt: skip
    layer = recording.layer(placement.layer.name)
    single = (placement.weights != 0).sum(1) == 1
    channel = placement.weights.argmax(1)
    spread = torch.where(single, layer.variance.float()[channel].sqrt(), torch.nan)
    largest = torch.where(single, layer.maximum.float()[channel], torch.nan)
    return DataRange(placement.weights @ layer.mean.float(), spread, largest)


def is_categorical(axis: Axis) -> bool:
    """Whether the axis' values are names, without order or distance."""
    return isinstance(axis.range, Choice)
