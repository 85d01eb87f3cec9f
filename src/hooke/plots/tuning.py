"""How units are tuned: curves, radial curves, maps, bars over names, and many curves aligned at their peaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import NDArray

from hooke.plots.panels import BLUE, FAINT, INK, MUTED, ORANGE, panels, styled

Array = NDArray[Any]


@dataclass(frozen=True)
class Scale:
    """One axis of stimuli: its label with the unit, its values, whether they go round (the period) or are even in
    ratios, the names of values that are names, and pictures of some stimuli with the values that they stand for."""

    label: str
    values: Array
    period: float | None = None
    logarithmic: bool = False
    names: tuple[str, ...] = ()
    pictures: Sequence[tuple[float, Array]] = ()


@dataclass(frozen=True)
class Curve:
    """A tuning curve: the mean at each value, the ends of its interval, and a name."""

    name: str
    mean: Array
    low: Array
    high: Array


@styled
def tuning_curve(
    title: str, scale: Scale, curve: Curve, *, grey: float, count: int, preferred: float = numpy.nan
) -> Figure:
    """Response against stimulus, with a 95% band over `count` settings; dotted: the response to grey."""
    figure, grid = panels(1, 1, width=3.6, height=2.7)
    axes = grid[0, 0]
    values, mean, low, high = _closed(scale, curve)
    axes.fill_between(values, low, high, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(values, mean, color=BLUE, linewidth=1.4)
    axes.axhline(grey, color=MUTED, linewidth=0.8, linestyle=":")
    if numpy.isfinite(preferred):
        axes.axvline(preferred, color=ORANGE, linewidth=0.8)
    axes.set(xlabel=scale.label, ylabel="response", title="")
    _ticks(axes, scale)
    _pictures(axes, scale)
    _head(figure, title, f"mean and 95% interval, n = {count} settings")
    return figure


@styled
def tuning_bars(title: str, scale: Scale, curve: Curve, *, grey: float, count: int) -> Figure:
    """Response to each of several named stimuli, with 95% intervals, best at the top as given."""
    figure, grid = panels(1, 1, width=4.2, height=0.6 + 0.22 * len(scale.names))
    axes = grid[0, 0]
    rows = numpy.arange(len(scale.names))[::-1]
    spread = numpy.abs(numpy.stack([curve.mean - curve.low, curve.high - curve.mean]))
    axes.barh(rows, curve.mean, color=BLUE, height=0.7, xerr=spread, error_kw={"elinewidth": 0.8, "ecolor": INK})
    axes.axvline(grey, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set_yticks(rows, scale.names)
    axes.set_xlabel("response")
    axes.tick_params(axis="y", length=0, pad=20 if scale.pictures else 2)
    for value, picture in scale.pictures:
        _picture(
            axes, (0, float(rows[int(value)])), picture, transform=axes.get_yaxis_transform(), shift=(-10, 0), size=13
        )
    _head(figure, title, f"mean and 95% interval, n = {count} settings")
    return figure


@styled
def radial(title: str, scale: Scale, curves: Sequence[Curve], *, count: int) -> Figure:
    """Tuning curves around a circle; a period of half a turn is drawn twice. At most six curves have a colour each."""
    assert scale.period is not None
    figure = Figure(figsize=(3.4, 3.6), layout="constrained")
    axes: Any = figure.add_subplot(projection="polar")
    turns = max(1, round(360 / scale.period))
    for curve in curves:
        values, mean, low, high = _closed(scale, curve)
        angle = numpy.concatenate([values + turn * scale.period for turn in range(turns)])
        angle = numpy.deg2rad(angle * 360 / (turns * scale.period))
        (line,) = axes.plot(angle, numpy.tile(mean, turns), linewidth=1.2, label=curve.name)
        axes.fill_between(
            angle, numpy.tile(low, turns), numpy.tile(high, turns), color=line.get_color(), alpha=0.2, lw=0
        )
    axes.set_rlabel_position(22.5)
    axes.set_ylim(bottom=0)
    axes.grid(color=FAINT, linewidth=0.5)
    axes.spines["polar"].set_color(FAINT)
    axes.tick_params(axis="y", labelcolor=MUTED)
    axes.yaxis.set_major_locator(_few())
    axes.set_xlabel(scale.label)
    if len(curves) > 1:
        axes.legend(frameon=False, fontsize="x-small", loc="lower center", bbox_to_anchor=(0.5, -0.32), ncols=3)
    _head(figure, title, f"response, mean and 95% interval, n = {count} settings")
    return figure


@styled
def tuning_map(title: str, across: Scale, up: Scale, mean: Array, *, count: int) -> Figure:
    """Mean response [across, up] to two parameters at once, as a map."""
    figure, grid = panels(1, 1, width=4.4, height=2.9)
    axes = grid[0, 0]
    image = axes.pcolormesh(_edges(across), _edges(up), mean.T, cmap="viridis", rasterized=True)
    axes.set(xlabel=across.label, ylabel=up.label)
    if up.logarithmic:
        axes.set_yscale("log")
        axes.set_yticks(
            up.values[:: max(1, len(up.values) // 4)],
            [f"{value:.2g}" for value in up.values[:: max(1, len(up.values) // 4)]],
        )
        axes.minorticks_off()
    _ticks(axes, across)
    axes.set_xlim(_edges(across)[0], _edges(across)[-1])
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    _pictures(axes, across)
    bar = figure.colorbar(image, ax=axes, pad=0.02, aspect=25)
    bar.set_label("response")
    bar.outline.set_visible(False)
    _head(figure, title, f"mean of n = {count} settings")
    return figure


@styled
def joint(title: str, label: str, distances: Array, curves: Array) -> Figure:
    """Curves of many units, moved so that their peaks meet (shares of the peak): each faint, their mean bold with a
    95% interval of the mean over units. NaN where a curve ends."""
    figure, grid = panels(1, 1, width=3.6, height=2.7)
    axes = grid[0, 0]
    axes.plot(distances, curves.T, color=MUTED, linewidth=0.4, alpha=0.4)
    known = numpy.isfinite(curves).sum(0)
    shown = known > 1
    if shown.any():
        mean = numpy.nanmean(curves[:, shown], axis=0)
        error = 1.96 * numpy.nanstd(curves[:, shown], axis=0, ddof=1) / numpy.sqrt(known[shown])
        axes.fill_between(distances[shown], mean - error, mean + error, color=BLUE, alpha=0.3, linewidth=0)
        axes.plot(distances[shown], mean, color=BLUE, linewidth=1.8)
    axes.set(xlabel=label, ylabel="response, share of peak", ylim=(-0.1, 1.1))
    _head(figure, title, f"mean and 95% interval, n = {len(curves)} units")
    return figure


@styled
def sheet(title: str, rows: Sequence[tuple[str, Sequence[Array]]]) -> Figure:
    """Rows of pictures with a name before each."""
    columns = max(len(pictures) for _, pictures in rows)
    figure, grid = panels(len(rows), columns, width=0.9 + 0.62 * columns, height=0.3 + 0.62 * len(rows))
    for (name, pictures), line in zip(rows, grid, strict=True):
        for at, axes in enumerate(line):
            axes.set_axis_off()
            if at < len(pictures):
                axes.imshow(_shown(pictures[at]), cmap="gray", vmin=0, vmax=1)
        line[0].text(-0.1, 0.5, name, transform=line[0].transAxes, ha="right", va="center", fontsize="small")
    engine: Any = figure.get_layout_engine()
    engine.set(wspace=0.02, hspace=0.02, w_pad=0.01, h_pad=0.01)
    _head(figure, title, "")
    return figure


def _closed(scale: Scale, curve: Curve) -> tuple[Array, Array, Array, Array]:
    """The curve with its first point again at the end of the period."""
    parts = (scale.values, curve.mean, curve.low, curve.high)
    if scale.period is None:
        return parts
    ends = (scale.values[0] + scale.period, curve.mean[0], curve.low[0], curve.high[0])
    values, mean, low, high = (numpy.append(part, end) for part, end in zip(parts, ends, strict=True))
    return values, mean, low, high


def _edges(scale: Scale) -> Array:
    """The borders of the cells around the values."""
    values = numpy.log(scale.values) if scale.logarithmic else scale.values
    half = (values[1] - values[0]) / 2
    borders = numpy.append(values - half, values[-1] + half)
    return numpy.exp(borders) if scale.logarithmic else borders


def _ticks(axes: Any, scale: Scale) -> None:
    if scale.period is not None:
        axes.set_xticks(
            numpy.linspace(0, scale.period, 5), [f"{tick:g}" for tick in numpy.linspace(0, scale.period, 5)]
        )
    if scale.logarithmic:
        axes.set_xscale("log")
        ticks = scale.values[:: max(1, len(scale.values) // 4)]
        axes.set_xticks(ticks, [f"{value:.2g}" for value in ticks])
        axes.minorticks_off()


def _few() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(3)


def _pictures(axes: Any, scale: Scale) -> None:
    """Pictures of stimuli above the axis, at their values."""
    for value, picture in scale.pictures:
        _picture(axes, (value, 1.0), picture, transform=axes.get_xaxis_transform(), shift=(0, 12), size=18)


def _picture(
    axes: Any, place: tuple[float, float], picture: Array, *, transform: Any, shift: tuple[float, float], size: float
) -> None:
    """A small picture `size` points high, moved by `shift` points from its place."""
    image = OffsetImage(_shown(picture), zoom=size / picture.shape[0], cmap="gray", interpolation="antialiased")
    image.image.set_clim(0, 1)
    box = AnnotationBbox(
        image, place, xycoords=transform, xybox=shift, boxcoords="offset points", frameon=False, pad=0,
        annotation_clip=False,
    )  # fmt: skip
    axes.add_artist(box)


def _shown(picture: Array) -> Array:
    """[height, width, 3], or [height, width] where it is grey."""
    shown: Array = picture[:, :, 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    return numpy.clip(shown, 0, 1)


def _head(figure: Figure, title: str, note: str) -> None:
    figure.suptitle(title + ("\n" + note if note else ""), x=0.02, ha="left", fontsize="small")
