"""A flow on paper: layers as columns, groups as bars, flows as bands as wide as they are large; the rest, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from numpy.typing import NDArray

from hooke.plots.groups import colour
from hooke.plots.panels import BLUE, INK, MUTED, ORANGE, panels, styled

Numbers = NDArray[Any]

GAP, BAR, REST = 0.035, 0.05, "#BBBBBB"


@dataclass(frozen=True)
class Column:
    """One layer: its name, and for each group (the rest last) a name, what it gives, and its measured effect."""

    name: str
    note: str
    groups: Sequence[str]
    nodes: Numbers


@dataclass(frozen=True)
class _Placed:
    """Where the groups of a column are: from the top down, and how much of one is a unit of flow."""

    tops: Numbers
    heights: Numbers


@styled
def sankey(
    columns: Sequence[Column], edges: Sequence[Numbers], shares: Sequence[Numbers] | None, end: tuple[str, float],
    title: str, note: str, pale: bool = False,
) -> Figure:  # fmt: skip
    """The groups of each layer and what flows between them, to the target `end` (name, value).

    `edges[l]` [later, group]; a flow for the target is orange, against it blue. With `shares` (of a trace) only that
    share of each flow is in full colour. `pale`: in greys, since it is not true to what was measured.
    """
    figure, ((axis,),) = panels(1, 1, width=1.9 * len(columns) + 2.2, height=4.2)
    last = columns[-1].nodes[None]
    flows = [*edges, last]
    placed = _placed(columns, flows)
    for level, flow in enumerate(flows):
        share = numpy.ones_like(flow) if shares is None or level >= len(shares) else shares[level]
        _bands(axis, level, flow, placed[level], placed[level + 1], share, (MUTED, REST) if pale else (ORANGE, BLUE))
    for level, (column, place) in enumerate(zip(columns, placed, strict=False)):
        _column(axis, level, column, place)
    name, value = end
    top, height = placed[-1].tops[0], placed[-1].heights[0]
    axis.add_patch(Rectangle((len(columns), top - height), BAR, height, color=INK))
    axis.text(len(columns) + 0.08, top - height / 2, f"{name}\n{value:.3g}", va="center")
    axis.set_xlim(-0.05, len(columns) + 0.75)
    axis.set_ylim(-0.03, 1.12)
    axis.set_axis_off()
    figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    figure.supxlabel(note, x=0.01, ha="left", fontsize=7, color=MUTED)
    return figure


def _placed(columns: Sequence[Column], flows: Sequence[Numbers]) -> list[_Placed]:
    """Every group as high as the larger of all that flows into it and out of it, by size; one scale for all columns."""
    sizes = []
    for level in range(len(columns) + 1):
        into = numpy.abs(flows[level - 1]).sum(1) if level else 0
        out = numpy.abs(flows[level]).sum(0) if level < len(columns) else 0
        sizes.append(numpy.maximum(into, out))
    most = max(float(size.sum()) for size in sizes) or 1.0
    room = 1 - GAP * (max(map(len, sizes)) - 1)
    found = []
    for size in sizes:
        heights = size / most * room
        begin = 0.5 + (heights.sum() + GAP * (len(heights) - 1)) / 2
        tops = begin - numpy.concatenate([[0], numpy.cumsum(heights + GAP)[:-1]])
        found.append(_Placed(tops, heights))
    scale = room / most
    return [_Placed(one.tops, numpy.maximum(one.heights, 1e-4 * scale)) for one in found]


def _bands(
    axis: Any, level: int, flow: Numbers, start: _Placed, end: _Placed, shares: Numbers, tones: tuple[str, str]
) -> None:  # fmt: skip
    sizes = numpy.abs(flow)
    scale = _scale(sizes, start, end)
    left, right = start.tops.copy(), end.tops.copy()
    for later in range(flow.shape[0]):
        for group in range(flow.shape[1]):
            width = sizes[later, group] * scale
            tone = tones[0] if flow[later, group] > 0 else tones[1]
            ends = (level + BAR, left[group]), (level + 1, right[later])
            _band(axis, *ends, width, tone, 0.08)
            _band(axis, *ends, width * float(shares[later, group]), tone, 0.42)
            left[group] -= width
            right[later] -= width


def _scale(sizes: Numbers, start: _Placed, end: _Placed) -> float:
    """How high a unit of flow is: the same for all that flows, so the smallest that any node allows for."""
    pairs = [*zip(start.heights, sizes.sum(0), strict=True), *zip(end.heights, sizes.sum(1), strict=True)]
    return float(min(height / total for height, total in pairs if total > 0)) if sizes.any() else 0.0


def _band(
    axis: Any, start: tuple[float, float], end: tuple[float, float], width: float, tone: str, alpha: float
) -> None:
    (x0, y0), (x1, y1) = start, end
    middle = (x0 + x1) / 2
    points = [
        (x0, y0), (middle, y0), (middle, y1), (x1, y1), (x1, y1 - width), (middle, y1 - width), (middle, y0 - width),
        (x0, y0 - width), (x0, y0),
    ]  # fmt: skip
    curve = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    axis.add_patch(PathPatch(Path(points, curve), facecolor=tone, edgecolor="none", alpha=alpha))


def _column(axis: Any, level: int, column: Column, place: _Placed) -> None:
    axis.text(level, 1.1, column.name, fontsize=7, va="top")
    axis.text(level, 1.06, column.note, fontsize=6.5, color=MUTED, va="top")
    for at, (top, height) in enumerate(zip(place.tops, place.heights, strict=True)):
        tone = REST if at == len(place.tops) - 1 else colour(at)
        axis.add_patch(Rectangle((level, top - height), BAR, height, color=tone))
        text = f"{column.groups[at]} {column.nodes[at]:+.2g}"
        axis.text(level + BAR + 0.015, top - height / 2, text, fontsize=6, va="center")
