"""Families: units whose tuning is the same but for a turn, a change of scale or hue, or a reflection."""

import dataclasses
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hooke.errors import StimulusError
from hooke.numeric.seeds import stream
from hooke.responses.tuning import Tuning, is_categorical

Pairs = Float[Tensor, "unit other"]


@dataclass(frozen=True)
class Likeness:
    """When two tunings count as the same. Only what varies along the axis counts: each map less its mean over the axis.

    Once one unit's part is moved along the axis, it correlates with the other's by at least `threshold`. A unit takes
    part if what varies is at least `modulation` of its map's power (the mean square of its responses), and if at least
    `reliability` of that is the same whatever the remaining parameters are, not their spread. A family has at least
    `smallest` units, at as many different places of the axis.
    """

    threshold: float = 0.95
    modulation: float = 0.25
    reliability: float = 0.5
    smallest: int = 3


@dataclass(frozen=True)
class Family:
    """Units that are the same tuning at different places of one parameter, in the order of these places.

    `shifts` say by how much (in the parameter's unit; octaves for a logarithmic one) each is moved from the first unit
    in `units`, `likeness` is the mean correlation of all pairs once moved.
    """

    parameter: str
    units: tuple[str, ...]
    shifts: tuple[float, ...]
    likeness: float


def families(tuning: Tuning, parameter: str, *, by: Likeness | None = None) -> list[Family]:
    """The families along one swept parameter, largest first: orientation gives those under rotation, hue under hue,
    radius, frequency or size under scale.

    A smooth curve with one bump is like any other, so sweep a second parameter beside it: what varies along the first
    must agree at all values of the second. Compare with `shuffled` tunings and with a model of random weights. Units
    are taken greedily: the strongest unit that is left takes along all that are like it. Errors: StimulusError for a
    parameter that was not swept or is a Choice. Source of the notion: Olah and others, "Naturally Occurring
    Equivariance", Distill 2020.
    """
    method, index = by or Likeness(), tuning.axis(parameter)
    likeness, moved = alike(tuning, parameter)
    maps = tuning.mean.movedim(1 + index, -1)
    strength = maps.flatten(1).amax(1) - maps.flatten(1).amin(1)
    fit = _fit(tuning, index, method)
    left = [unit for unit in strength.argsort(descending=True).tolist() if fit[unit] and strength[unit] > 0]
    found = []
    while left:
        first = left[0]
        group = [unit for unit in left if unit == first or likeness[first, unit] >= method.threshold]
        if len({int(moved[first, unit]) for unit in group}) >= method.smallest:
            found.append(_family(tuning, index, group, likeness, moved[first]))
            left = [unit for unit in left if unit not in group]
        else:
            left = left[1:]
    return sorted(found, key=lambda family: -len(family.units))


def reflections(tuning: Tuning, parameter: str, *, by: Likeness | None = None) -> list[Family]:
    """Pairs of units that are each other's mirror image along a circular parameter, and not each other turned.

    Two units are a pair where the reversed tuning of one is like the other's, each is the other's best match, and
    turning alone makes them less alike than the threshold. Errors: as `families`, also for a linear parameter.
    """
    method, index = by or Likeness(), tuning.axis(parameter)
    if tuning.axes[index].range.period is None:
        raise StimulusError(f"reflections along {parameter}", "only a parameter that goes round has a mirror image")
    plain, _ = alike(tuning, parameter)
    mirrored, moved = alike(tuning, parameter, mirrored=True)
    fit = _fit(tuning, index, method)
    best = torch.where(fit[:, None] & fit[None], mirrored, -1.0).fill_diagonal_(-1.0).argmax(1).tolist()
    pairs = [
        [unit, other]
        for unit, other in enumerate(best)
        if unit < other and best[other] == unit and mirrored[unit, other] >= method.threshold > plain[unit, other]
    ]
    return [_family(tuning, index, pair, mirrored, moved[pair[0]]) for pair in pairs]


def alike(tuning: Tuning, parameter: str, *, mirrored: bool = False) -> tuple[Pairs, Int[Tensor, "unit other"]]:
    """The largest correlation of what varies along a parameter in each two units' maps when the second is moved along
    it (reversed first, if `mirrored`), and by how many steps it has to be moved back to lie on the first.

    A parameter that does not go round is compared where the moved maps overlap, at least half of them.
    """
    index = tuning.axis(parameter)
    if is_categorical(tuning.axes[index]):
        raise StimulusError(f"families along {parameter}", "its values are names: they cannot be moved along")
    maps = tuning.mean.movedim(1 + index, -1)
    units, count = len(maps), maps.shape[-1]
    others = maps.roll(-1, -1).flip(-1) if mirrored else maps  # value at x becomes value at -x
    circular = tuning.axes[index].range.period is not None
    steps = list(range(count)) if circular else sorted(range(-(count // 2), count // 2 + 1), key=abs)
    best, moved = torch.full((units, units), -2.0), torch.zeros(units, units, dtype=torch.long)
    for step in steps:
        if circular:
            one, other = maps, others.roll(-step, -1)
        else:
            overlap = count - abs(step)
            one = maps[..., max(0, -step) : max(0, -step) + overlap]
            other = others[..., max(0, step) : max(0, step) + overlap]
        found = _standard(one) @ _standard(other).T
        moved, best = torch.where(found > best + 1e-6, step, moved), torch.maximum(found, best)
    return best, moved


def shuffled(tuning: Tuning, parameter: str, *, seed: int = 0) -> Tuning:
    """The control of families: each unit's values along a parameter in a random order of its own."""
    index = 2 + tuning.axis(parameter)
    dice = stream(seed, "shuffled", parameter)
    count = tuning.responses.shape[index]
    mixed = [one.index_select(index - 1, torch.randperm(count, generator=dice)) for one in tuning.responses]
    return dataclasses.replace(tuning, responses=torch.stack(mixed))


def aligned(tuning: Tuning, parameter: str) -> tuple[Float[Tensor, "point"], Float[Tensor, "unit point"]]:
    """Tuning curves moved so that each unit's peak lies in the middle, above grey and as shares of the peak: the
    distances to the peak, and the curves (NaN where a curve that does not go round ends, or has no response)."""
    from hooke.responses.estimates import slices

    index = tuning.axis(parameter)
    axis, curves = tuning.axes[index], slices(tuning, index).mean(1) - tuning.grey[:, None]
    count = curves.shape[1]
    even = axis.range.coordinates(axis.values)
    steps = torch.arange(count) - count // 2
    points = curves.argmax(1)[:, None] + steps
    height = curves.amax(1, keepdim=True)
    found = curves.gather(1, points % count) / torch.where(height > 0, height, torch.nan)
    inside = axis.range.period is not None or (points >= 0) & (points < count)
    return steps * (even[1] - even[0]), torch.where(torch.as_tensor(inside), found, torch.nan)


def _family(tuning: Tuning, index: int, group: list[int], likeness: Pairs, moved: Int[Tensor, "unit"]) -> Family:
    axis = tuning.axes[index]
    even = axis.range.coordinates(axis.values)
    step, period = float(even[1] - even[0]), axis.range.period
    shifts = {unit: int(moved[unit]) * step for unit in group}
    if period is not None:
        shifts = {unit: shift % period for unit, shift in shifts.items()}
    order = sorted(group, key=lambda unit: shifts[unit])
    pairs = [float(likeness[one, other]) for one in order for other in order if one != other]
    places = tuple(shifts[unit] - (shifts[order[0]] if period is None else 0.0) for unit in order)
    return Family(axis.name, tuple(tuning.units[unit] for unit in order), places, sum(pairs) / max(len(pairs), 1))


def _standard(maps: Float[Tensor, "unit *point"]) -> Float[Tensor, "unit value"]:
    """What varies along the last axis, at length 1, so that products are correlations; 0 where nothing does."""
    flat = (maps - maps.mean(-1, keepdim=True)).flatten(1)
    length = flat.norm(dim=1, keepdim=True)
    return torch.where(length > 1e-6, flat / length.clamp(min=1e-6), 0.0)


def _fit(tuning: Tuning, index: int, method: Likeness) -> Bool[Tensor, "unit"]:
    """Which units vary along an axis enough, and in the same way at all settings of the remaining parameters.

    The power of the mean over n settings holds that of their spread, too: the n-th part of their variance.
    """
    shown = tuning.responses.movedim(2 + index, -1)
    varying = shown - shown.mean(-1, keepdim=True)
    power, whole = (values.mean(1).flatten(1).square().mean(1) for values in (varying, shown))
    settings = shown.shape[1]
    spread = varying.var(1, correction=1).flatten(1).mean(1) / settings if settings > 1 else torch.zeros_like(power)
    deep = power >= method.modulation * whole
    return deep & (power > 1e-12) & (power - spread >= method.reliability * power)
