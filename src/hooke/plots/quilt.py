"""The quilt of a unit's examples: its whole range of activation from left to right, a column of random picks a bin."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy
import PIL.Image
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hooke.plots.panels import INK, MUTED, panels, styled

Tile: TypeAlias = NDArray[Any]
"""[height, width, 3], values 0 to 1."""

SIDE = 96
"""Pixels of a tile."""
GAP = 6
FADED = 0.82
"""The grey of what is masked away."""
LEAST = 0.4
"""How much of the picture is left there."""


def masked(crop: NDArray[Any], mask: NDArray[Any]) -> Tile:
    """A crop [height, width, 1 or 3] that fades to light grey where its mask [height, width] is 0."""
    colour = numpy.repeat(crop, 3, 2) if crop.shape[2] == 1 else crop
    weight = (LEAST + (1 - LEAST) * mask)[:, :, None]
    return colour * weight + FADED * (1 - weight)


@styled
def quilt(
    address: str, edges: Sequence[float], counts: Sequence[int], bins: Sequence[Sequence[Tile]],
    minima: Sequence[Tile], maxima: Sequence[Tile], *, inputs: int, field: int, quantity: str = "activation",
) -> Figure:  # fmt: skip
    """Columns of tiles: the lowest, one column a bin between two `edges`, the highest; above, how often each bin came.

    `counts` are sampled values per bin, `inputs` and `field` (side of a crop in pixels, 0: whole) are told below.
    """
    columns = [list(minima), *map(list, bins), list(maxima)]
    rows = max((len(column) for column in columns), default=1) or 1
    size = {"width": 0.7 + 0.62 * len(columns), "height": 1.5 + 0.62 * rows}
    figure, axes = panels(2, 1, **size, height_ratios=[0.7, 0.62 * rows])
    above, below = axes[:, 0]
    places = _places(len(bins))
    _bars(above, places[1:-1], counts)
    pitch = SIDE + GAP
    for place, column in zip(places, columns, strict=True):
        for row, tile in enumerate(column):
            extent = (place - SIDE / pitch / 2, place + SIDE / pitch / 2, row + SIDE / pitch, row)
            below.imshow(_scaled(tile), extent=extent, interpolation="nearest", aspect="auto")
    for one in (above, below):
        one.set_xlim(places[0] - 0.5, places[-1] + 0.5)
    below.set_ylim(rows, -0.06)
    below.set_yticks([])
    for side in ("left", "right", "top", "bottom"):
        below.spines[side].set_visible(False)
    _ticks(below, edges, places)
    zero = _zero(edges, places)
    if zero is not None:
        for axes in (above, below):
            axes.axvline(zero, color=INK, linewidth=0.8, zorder=3)
    seen = f"crops of {field} px" if field else "whole inputs"
    below.set_xlabel(
        f"{quantity} of {address}\nrandom picks from each bin, {seen}, faded where it is at rest; {inputs:,} inputs"
    )
    return figure


def _places(bins: int) -> list[float]:
    """Where the columns stand: the lowest and the highest a little apart from the bins."""
    return [-0.35, *(1.0 + at for at in range(bins)), bins + 1.35]


def _bars(axes: Any, places: Sequence[float], counts: Sequence[int]) -> None:
    share = numpy.asarray(counts, dtype=float) / max(1, sum(counts))
    axes.bar(places, share, width=0.94, color=MUTED)
    positive = share[share > 0]
    if len(positive):
        axes.set_yscale("log")
        axes.set_ylim(float(positive.min()) / 3, 1.5)
    axes.set_ylabel("share")
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_title(f"sampled values per bin, n = {sum(counts):,}", loc="left")


def _ticks(axes: Any, edges: Sequence[float], places: Sequence[float]) -> None:
    at = [places[0], *(0.5 + number for number in range(len(edges))), places[-1]]
    words = ["lowest", *(f"{edge:.2g}" for edge in edges), "highest"]
    axes.set_xticks(at, words)
    axes.tick_params(axis="x", length=0)


def _zero(edges: Sequence[float], places: Sequence[float]) -> float | None:
    """Where the value 0 is among the columns; None where it lies outside of the bins."""
    if len(edges) < 2 or not edges[0] < 0 < edges[-1]:
        return None
    return float(numpy.interp(0, edges, [0.5 + number for number in range(len(edges))]))


def _scaled(tile: Tile) -> NDArray[numpy.uint8]:
    """The tile at its size in print: small crops keep their pixels' edges."""
    picture = PIL.Image.fromarray((tile.clip(0, 1) * 255).round().astype(numpy.uint8))
    small = max(tile.shape[:2]) < SIDE // 3
    kind = PIL.Image.Resampling.NEAREST if small else PIL.Image.Resampling.LANCZOS
    return numpy.asarray(picture.resize((SIDE, SIDE), kind))
