"""From a tuning to figures: curves, radial curves, maps and bars, with small pictures of the stimuli on their axes."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from hooke.numeric.seeds import stream
from hooke.plots import tuning as plots
from hooke.responses.estimates import along, resampled, slices
from hooke.responses.families import aligned
from hooke.responses.stimuli import Frame, Range, Stimulus
from hooke.responses.stimuli.stimulus import middle
from hooke.responses.tuning import Axis, Tuning, is_categorical

SIDE = 96
"""Pixels of a stimulus on a sheet."""


def figures(tuning: Tuning, unit: str | int) -> list[tuple[str, Figure]]:
    """The figures of one unit, each with the ending of its file: the tuning curve or map (bars for a Choice) as
    ".png", and for a parameter that goes round the radial curve as ".radial.png"."""
    index = tuning.unit(unit)
    title = f"{tuning.units[index]}, {tuning.stimulus.name}"
    count = tuning.responses.shape[1]
    if len(tuning.axes) == 2 and not any(is_categorical(axis) for axis in tuning.axes):
        across, up = sorted(range(2), key=lambda axis: tuning.axes[axis].range.period is None)
        mean = tuning.mean[index] if across == 0 else tuning.mean[index].T
        drawn = plots.tuning_map(
            title, scale(tuning, across, index), scale(tuning, up, index, pictures=0), mean.numpy(), count=count
        )
        return [(".png", drawn), *_radial(tuning, across, index, title)]
    axis, grey = scale(tuning, 0, index), float(tuning.grey[index])
    one = curve(tuning, 0, index)
    if axis.names:
        return [(".png", plots.tuning_bars(title, axis, one, grey=grey, count=count))]
    preferred = along(tuning, tuning.axes[0].name)[index].preferred.value
    drawn = plots.tuning_curve(title, axis, one, grey=grey, count=count, preferred=preferred)
    return [(".png", drawn), *_radial(tuning, 0, index, title)]


def radial(tuning: Tuning, parameter: str, units: Sequence[str], *, title: str = "") -> Figure:
    """Up to six units' curves around one circle, each a colour, the other parameter at each unit's best; named by
    their channels."""
    axis = tuning.axis(parameter)
    drawn = [curve(tuning, axis, tuning.unit(unit)) for unit in units[:6]]
    drawn = [replace(one, name=":" + one.name.rpartition(":")[2]) for one in drawn]  # of one layer, all of them
    return plots.radial(title, scale(tuning, axis, 0, pictures=0), drawn, count=tuning.responses.shape[1])


def joint(tuning: Tuning, parameter: str, *, units: Sequence[str] = (), title: str = "") -> Figure:
    """The curves of several units (all, if none are named) aligned at their peaks."""
    distances, curves = aligned(tuning, parameter)
    picked = [tuning.unit(unit) for unit in units] or list(range(len(curves)))
    alive = [unit for unit in picked if bool(torch.isfinite(curves[unit]).any())]
    axis = tuning.axes[tuning.axis(parameter)]
    label = f"{parameter} from the peak ({axis.range.width_unit})"
    return plots.joint(title, label, distances.numpy(), curves[alive].numpy())


def stimuli_sheet(stimuli: Sequence[Stimulus], *, count: int = 12, frame: Frame | None = None) -> Figure:
    """A row of examples of each stimulus, drawn from all of its ranges."""
    where = frame or Frame(SIDE, SIDE, SIDE / 2, SIDE / 2, SIDE * 0.6)
    rows = []
    for kind in stimuli:
        dice = stream(0, kind.name)
        values = {name: among.at(torch.rand(count, generator=dice)) for name, among in kind.ranges.items()}
        rows.append((kind.name, [_array(picture) for picture in kind.render(values, where)]))
    return plots.sheet("", rows)


def curve(tuning: Tuning, axis: int, unit: int) -> plots.Curve:
    """A unit's curve along one axis with its interval, the other axes at the unit's best."""
    responses = slices(tuning, axis)[unit : unit + 1]
    low, high = resampled(responses, seed=0)[:, 0].quantile(torch.tensor([0.025, 0.975]), dim=0)
    return plots.Curve(tuning.units[unit], responses.mean(1)[0].numpy(), low.numpy(), high.numpy())


def scale(tuning: Tuning, axis: int, unit: int, *, pictures: int = 7) -> plots.Scale:
    """One swept parameter as an axis, with small pictures of some of its stimuli, the other parameters typical."""
    along_it = tuning.axes[axis]
    among = along_it.range
    label = along_it.name + (f" ({among.unit})" if among.unit else "")
    names = tuple(among.text(float(value)) for value in along_it.values) if is_categorical(along_it) else ()
    even = among.width_unit != among.unit
    every = max(1, -(-len(along_it.values) // pictures)) if pictures else 1
    shown = along_it.values if names else along_it.values[::every]
    drawn = _examples(tuning, along_it, unit, shown) if pictures else []
    return plots.Scale(label, along_it.values.numpy(), among.period, even, names, drawn)


def _examples(tuning: Tuning, axis: Axis, unit: int, values: Float[Tensor, "value"]) -> list[tuple[float, plots.Array]]:
    ranges: dict[str, Range] = tuning.stimulus.ranges
    settings = {name: torch.full((len(values),), middle(among)) for name, among in ranges.items()}
    settings |= {name: torch.full((len(values),), value) for name, value in tuning.best(unit).items()}
    settings[axis.name] = values
    half = SIDE / 2
    frame = replace(tuning.frame, height=SIDE, width=SIDE, row=half, column=half, field=SIDE * 0.75)
    pictures = tuning.stimulus.render(settings, frame)
    return [(float(value), _array(picture)) for value, picture in zip(values, pictures, strict=True)]


def _radial(tuning: Tuning, axis: int, unit: int, title: str) -> list[tuple[str, Figure]]:
    if tuning.axes[axis].range.period is None:
        return []
    one = scale(tuning, axis, unit, pictures=0)
    drawn = plots.radial(title, one, [curve(tuning, axis, unit)], count=tuning.responses.shape[1])
    return [(".radial.png", drawn)]


def _array(picture: Float[Tensor, "channel height width"]) -> plots.Array:
    array: plots.Array = picture.permute(1, 2, 0).numpy()
    return array
