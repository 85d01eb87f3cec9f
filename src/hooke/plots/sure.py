"""Three ways of telling what selections give to a target, side by side; and effects of groups on classes."""

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hooke.plots.panels import BLUE, FAINT, INK, MUTED, ORANGE, panels, styled

WAYS = (("gradient x activation", MUTED), ("integrated", BLUE), ("measured ablation", ORANGE))
DISAGREES = 0.75
"""From here on, ways of telling are said to disagree."""


Row = tuple[str, Sequence[float], float]
"""A selection: its name, what it gives to first order, integrated and measured, and the disagreement."""


@styled
def how_sure(panes: Sequence[Sequence[Row]], title: str, of: str, trust: str = "") -> Figure:
    """Selections of like size share a pane and its scale; the names of those that disagree are orange."""
    many = sum(map(len, panes))
    heights = [len(rows) + 0.5 for rows in panes]
    figure, axes = panels(len(panes), 1, width=6.2, height=0.8 + 0.42 * many + 0.25 * len(panes), height_ratios=heights)
    for axis, rows in zip(axes[:, 0], panes, strict=True):
        lines = numpy.arange(len(rows))[::-1]
        for at, (name, colour) in enumerate(WAYS):
            axis.barh(lines + 0.25 * (1 - at), [told[at] for _, told, _ in rows], 0.22, color=colour, label=name)
        axis.axvline(0, color=INK, linewidth=0.6)
        axis.set_yticks(lines, [f"{name}\ndisagreement {apart:.2f}" for name, _, apart in rows])
        for label, (_, _, apart) in zip(axis.get_yticklabels(), rows, strict=True):
            label.set_color(ORANGE if apart >= DISAGREES else INK)
    axes[-1, 0].set_xlabel(f"what it gives to {of} (each pane has a scale of its own)")
    if trust:
        figure.supxlabel(fill(trust, 110), x=0.01, ha="left", fontsize=6.5, color=MUTED)
    figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="upper right", ncols=3, frameon=False, fontsize=6.5)
    return figure


@styled
def group_effects(
    names: Sequence[str], colours: Sequence[str], labels: Sequence[str], linear: NDArray[Any], measured: NDArray[Any],
    title: str, trust: str = "", grey: bool = False,
) -> Figure:  # fmt: skip
    """What each group gives to each label, [group, label] both: to first order (pale), and measured (full).

    `trust`: how far to trust the first; `grey`: not far, so that it is grey.
    """
    figure, (axes,) = panels(1, len(labels), width=1.0 + 1.5 * len(labels), height=1.1 + 0.3 * len(names))
    lines = numpy.arange(len(names))[::-1]
    end = float(max(numpy.abs(linear).max(), numpy.abs(measured).max(), 1e-9)) * 1.05
    for at, (axis, label) in enumerate(zip(axes, labels, strict=True)):
        axis.barh(lines + 0.2, linear[:, at], 0.36, color=FAINT if grey else colours, alpha=1 if grey else 0.45)
        axis.barh(lines - 0.2, measured[:, at], 0.36, color=colours)
        axis.axvline(0, color=INK, linewidth=0.6)
        axis.set_yticks(lines, names if at == 0 else [""] * len(names))
        axis.tick_params(axis="y", length=0)
        axis.set_xlim(-end, end)
        axis.set_title(label[:24], loc="left")
    figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    note = "logits; pale: activation x gradient, full: measured by taking the group away"
    figure.supxlabel(f"{note}\n{fill(trust, 120)}".strip(), fontsize=7)
    return figure
