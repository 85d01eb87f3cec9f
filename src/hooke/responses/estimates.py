"""Estimates: what a tuning says of a unit, in numbers with intervals over the remaining parameters."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.numeric.peaks import half_width, peak, resultant
from hooke.numeric.seeds import stream
from hooke.responses.tuning import Axis, Tuning, is_categorical

RESAMPLES = 400
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number and its bootstrap interval (95%); NaN where there is none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class AxisTuning:
    """One unit along one swept parameter, the others at the unit's best values.

    `preferred` in the parameter's unit (of a Choice: the index of its name); `half_width` is half the width at half
    the height above the response to grey, in `width_unit`; `selectivity` (0 to 1) and `direction` are length and
    direction of the mean vector of the responses above grey, for circular parameters: with a period of 180 degrees
    the orientation selectivity index, with 360 the direction selectivity index.
    """

    unit: str
    parameter: str
    measured_in: str
    width_unit: str
    preferred: Estimate
    half_width: Estimate | None
    selectivity: Estimate | None
    direction: Estimate | None


@dataclass(frozen=True)
class Strength:
    """How much a unit answers: at its best, to an empty canvas, and its best beside what it does on recorded data:
    in standard deviations above the data's mean, and as a share of the data's maximum."""

    unit: str
    best: Estimate
    grey: float
    sigmas: float | None
    share_of_maximum: float | None


def along(tuning: Tuning, parameter: str, *, seed: int = 0) -> list[AxisTuning]:
    """What each unit prefers along one swept parameter, and how sharply; others are held at the unit's best.

    The intervals are over the settings of the remaining parameters: they are resampled with replacement 400 times
    (Efron 1979). StimulusError for a parameter that was not swept.
    """
    index = tuning.axis(parameter)
    axis, curves = tuning.axes[index], slices(tuning, index)
    units, points = len(curves), curves.shape[2]
    floor = tuning.grey
    mean = curves.mean(1)
    again = resampled(curves, seed=seed)
    flat, flat_floor = again.reshape(-1, points), floor.repeat(len(again))
    measures = _measures(axis)
    found: dict[str, list[Estimate]] = {}
    for name, (measure, period) in measures.items():
        value, many = measure(mean, floor), measure(flat, flat_floor).reshape(-1, units)
        found[name] = [interval(float(value[unit]), many[:, unit], period) for unit in range(units)]

    def of(name: str, unit: int) -> Estimate | None:
        return found[name][unit] if name in found else None

    return [
        AxisTuning(
            address, parameter, axis.range.unit, axis.range.width_unit, found["preferred"][unit],
            of("half_width", unit), of("selectivity", unit), of("direction", unit),
        )
        for unit, address in enumerate(tuning.units)
    ]  # fmt: skip


def strengths(tuning: Tuning, *, seed: int = 0) -> list[Strength]:
    """How much each unit answers at its best point of the swept parameters."""
    flat = tuning.responses.flatten(2)
    best = flat.mean(1).argmax(1)
    at = flat.gather(2, best[:, None, None].expand(-1, flat.shape[1], 1))
    again = resampled(at, seed=seed)[:, :, 0]
    found = []
    for unit, address in enumerate(tuning.units):
        value = float(at[unit].mean())
        sigmas = share = None
        if tuning.data is not None:
            sigmas = (value - float(tuning.data.mean[unit])) / max(float(tuning.data.deviation[unit]), 1e-12)
            share = value / max(float(tuning.data.maximum[unit]), 1e-12)
        estimate = interval(value, again[:, unit], None)
        found.append(Strength(address, estimate, float(tuning.grey[unit]), sigmas, share))
    return found


def band(tuning: Tuning, *, seed: int = 0) -> tuple[Float[Tensor, "unit *point"], Float[Tensor, "unit *point"]]:
    """The lower and upper ends of the tuning curves' bootstrap intervals (95%) over the remaining parameters."""
    flat = tuning.responses.flatten(2)
    ends = [
        torch.quantile(resampled(one[None], seed=seed)[:, 0], torch.tensor(_tails()), dim=0) for one in flat
    ]  # unit by unit, to stay small
    low, high = torch.stack(ends).unbind(1)
    return low.reshape_as(tuning.mean), high.reshape_as(tuning.mean)


def slices(tuning: Tuning, index: int) -> Float[Tensor, "unit setting point"]:
    """The responses along one axis, the other axes held at each unit's best values."""
    moved = tuning.responses.movedim(2 + index, 2)
    flat = moved.flatten(3) if moved.ndim > 3 else moved[..., None]
    best = flat.mean(1).flatten(1).argmax(1) % flat.shape[3]
    return flat.gather(3, best[:, None, None, None].expand(-1, *flat.shape[1:3], 1))[..., 0]


def resampled(
    curves: Float[Tensor, "unit setting point"], *, seed: int, count: int = RESAMPLES
) -> Float[Tensor, "resample unit point"]:
    """Means over settings drawn with replacement, the same settings for all units and points."""
    samples = curves.shape[1]
    picks = torch.randint(samples, (count, samples), generator=stream(seed, "bootstrap"))
    weights = torch.zeros(count, samples).scatter_add_(1, picks, torch.ones(count, samples)) / samples
    return torch.einsum("rs,usp->rup", weights, curves)


_Measure = Callable[[Float[Tensor, "curve point"], Float[Tensor, "curve"]], Float[Tensor, "curve"]]


def _measures(axis: Axis) -> dict[str, tuple[_Measure, float | None]]:
    """What is measured along an axis, and the period in which its values go round."""
    if is_categorical(axis):
        return {"preferred": (lambda curves, floor: axis.values[curves.argmax(1)], None)}
    period, even = axis.range.period, axis.range.coordinates(axis.values)

    def preferred(curves: Float[Tensor, "curve point"], floor: Float[Tensor, "curve"]) -> Float[Tensor, "curve"]:
        found = peak(even, curves, period=period)
        return found if axis.range.width_unit == axis.range.unit else 2**found

    found: dict[str, tuple[_Measure, float | None]] = {
        "preferred": (preferred, period),
        "half_width": (lambda curves, floor: half_width(even, curves, floor, period=period), None),
    }
    if period is not None:
        found["selectivity"] = (lambda curves, floor: resultant(even, curves - floor[:, None], period)[1], None)
        found["direction"] = (lambda curves, floor: resultant(even, curves - floor[:, None], period)[0], period)
    return found


def _tails() -> list[float]:
    return [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]


def interval(value: float, many: Float[Tensor, "resample"], period: float | None) -> Estimate:
    """The ends of the interval, for values that go round: of their distances to the estimate."""
    known = many[torch.isfinite(many)]
    if value != value or not len(known):
        return Estimate(value, float("nan"), float("nan"))
    if period is not None:
        known = value + (known - value + period / 2) % period - period / 2
    low, high = torch.quantile(known, torch.tensor(_tails())).tolist()
    return Estimate(value, low, high)
