"""Maps over a photograph: signed ones, orange for and blue against; several side by side under one scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from hooke.plots.panels import BLUE, INK, MUTED, ORANGE, panels, styled

Pixels = NDArray[Any]

CLIPPED = 98
"""The percentile of a layer's amounts at which its tint ends."""


@dataclass(frozen=True)
class Shown:
    """One map [row, column] under its title; `cell`: the position that is meant (with no map, in a grid of `size`).

    `pale`: drawn in greys, since it fails against its controls.
    """

    title: str
    map: Pixels | None
    cell: tuple[int, int] | None = None
    size: tuple[int, int] = (1, 1)
    note: str = ""
    pale: bool = False


@dataclass(frozen=True)
class Bars:
    """Named numbers, drawn beside the maps."""

    title: str
    entries: Sequence[tuple[str, float]]


@styled
def maps(photograph: Pixels, rows: Sequence[Sequence[Shown | Bars]], title: str, note: str) -> Figure:
    """Rows of maps over the photograph [row, column, colour]; each map's colours end at its own largest magnitude."""
    columns = max(map(len, rows))
    figure, axes = panels(len(rows), columns, width=2.0 * columns, height=2.15 * len(rows) + 0.55)
    for line, shown in zip(axes, rows, strict=True):
        for axis, one in zip(line, shown, strict=False):
            bars(axis, one) if isinstance(one, Bars) else signed(axis, photograph, one)
        for axis in line[len(shown) :]:
            axis.set_visible(False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    figure.supxlabel(note, x=0.01, ha="left", fontsize=7, color=MUTED)
    return figure


def signed(axis: Any, photograph: Pixels, shown: Shown) -> None:
    """One map over the photograph in grey, and the cell that is meant."""
    area = ground(axis, photograph)
    if shown.map is not None:
        end = float(numpy.abs(shown.map).max()) or 1.0
        layer = numpy.zeros((*shown.map.shape, 4))
        ends = (INK, MUTED) if shown.pale else (ORANGE, BLUE)
        layer[..., :3] = numpy.where((shown.map > 0)[..., None], *map(to_rgb, ends))
        layer[..., 3] = numpy.abs(shown.map) / end
        axis.imshow(layer, extent=area, interpolation="nearest")
    if shown.cell is not None:
        height, width = shown.size if shown.map is None else shown.map.shape
        tall, wide = photograph.shape[0] / height, photograph.shape[1] / width
        corner = (shown.cell[1] * wide - 0.5, shown.cell[0] * tall - 0.5)
        axis.add_patch(Rectangle(corner, wide, tall, fill=False, edgecolor=INK, linewidth=1.2))
    _named(axis, shown.title, shown.note)


@styled
def tinted(
    photograph: Pixels, tints: Sequence[tuple[str, Pixels]], words: Sequence[Sequence[str]], title: str, note: str,
    pale: bool = False,
) -> Figure:  # fmt: skip
    """Layers tinted by two factors [factor, row, column], orange and blue (`pale`: greys), with each factor's words."""
    ends = (INK, MUTED) if pale else (ORANGE, BLUE)
    figure, (axes,) = panels(1, len(tints) + 1, width=2.0 * len(tints) + 1.9, height=2.75)
    for axis, (name, values) in zip(axes, tints, strict=False):
        area = ground(axis, photograph)
        positive = numpy.maximum(values, 0)
        end = float(numpy.percentile(positive, CLIPPED)) or float(positive.max()) or 1.0
        strength = numpy.minimum(1, positive / end)
        for colour, one in zip(ends, strength, strict=False):
            layer = numpy.zeros((*one.shape, 4))
            layer[..., :3], layer[..., 3] = to_rgb(colour), 0.8 * one
            axis.imshow(layer, extent=area, interpolation="nearest")
        _named(axis, name, "")
    legend = axes[-1]
    legend.set_axis_off()
    for at, (colour, lines) in enumerate(zip(ends, words, strict=False)):
        text = "\n".join(lines)
        legend.text(0, 1 - 0.5 * at, text, color=colour, va="top", fontsize=7, transform=legend.transAxes)
    figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    figure.supxlabel(note, x=0.01, ha="left", fontsize=7, color=MUTED)
    return figure


def bars(axis: Any, shown: Bars) -> None:
    """Named numbers as horizontal bars, the first at the top."""
    rows = numpy.arange(len(shown.entries))[::-1]
    values = [value for _, value in shown.entries]
    axis.barh(rows, values, color=[ORANGE if value > 0 else BLUE for value in values], height=0.35, align="edge")
    low, high = min(0.0, *values), max(0.0, *values)
    for row, (name, value) in zip(rows, shown.entries, strict=True):
        axis.text(low, row - 0.06, f"{name[:26]}  {value:+.3g}", va="top", fontsize=6.5)
    axis.axvline(0, color=INK, linewidth=0.6)
    axis.set_xlim(low, max(high, low + 1e-9))
    axis.set_ylim(-0.6, len(values) - 0.4)
    axis.set_yticks([])
    axis.set_title(shown.title, loc="left")


def ground(axis: Any, photograph: Pixels) -> tuple[float, float, float, float]:
    """The photograph in light grey; the area that it covers."""
    height, width = photograph.shape[:2]
    area = (-0.5, width - 0.5, height - 0.5, -0.5)
    axis.imshow(photograph.mean(2), cmap="gray", vmin=-1.0, vmax=1.3, extent=area)
    return area


def _named(axis: Any, title: str, note: str) -> None:
    axis.set_title(title, loc="left", fontsize=7)
    axis.set_xlabel(note, fontsize=6.5, color=MUTED, loc="left")
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(False)
