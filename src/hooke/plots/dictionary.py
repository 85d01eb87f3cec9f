"""A semantic dictionary: the position on the photograph, and the magnitudes of its units with what they speak for."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hooke.plots.panels import BLUE, MUTED, ORANGE, styled


@dataclass(frozen=True)
class Entry:
    """One unit: its name, its magnitude, and the labels that it speaks for and against, as text."""

    name: str
    magnitude: float
    supports: str
    opposes: str


@styled
def dictionary(
    photograph: Any, layer: str, position: tuple[int, int], grid: tuple[int, int], entries: Sequence[Entry],
    peak: float, note: str = "", pale: bool = False,
) -> Figure:  # fmt: skip
    """The photograph (row, column, channel) with the position of the layer's `grid` marked; one bar an entry.

    `note`: how far to trust what the units are said to speak for; `pale`: not far, so that it is grey.
    """
    figure = Figure(figsize=(6.5, 2.6), layout="constrained")
    ahead, against = (MUTED, MUTED) if pale else (ORANGE, BLUE)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.9))
    left.imshow(photograph.squeeze(), cmap="gray" if photograph.shape[-1] == 1 else None, interpolation="bilinear")
    tall, wide = (side / cells for side, cells in zip(photograph.shape[:2], grid, strict=True))
    corner = (position[1] * wide - 0.5, position[0] * tall - 0.5)
    left.add_patch(Rectangle(corner, wide, tall, fill=False, edgecolor=ORANGE, linewidth=1.4))
    left.set_axis_off()
    left.set_title(f"{layer} at {position[0]}, {position[1]}", loc="left")
    down = range(len(entries))
    right.barh(down, [entry.magnitude for entry in entries], color=MUTED, height=0.28, align="edge")
    for at, entry in enumerate(entries):
        right.text(0, at - 0.08, entry.supports, color=ahead, va="bottom", fontsize=6.5)
        right.text(peak, at - 0.08, entry.opposes, color=against, va="bottom", ha="right", fontsize=6.5)
    right.set_yticks(down, [entry.name for entry in entries])
    right.set_xlim(0, peak)
    right.set_ylim(len(entries) - 0.4, -0.6)
    right.set_xlabel("magnitude (axis to the layer's largest); orange: speaks for, blue: against")
    if note:
        figure.supxlabel(fill(note, 130), x=0.01, ha="left", fontsize=6, color=MUTED)
    return figure
