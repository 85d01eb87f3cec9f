"""How a unit's values are distributed before and after its nonlinearity: density on a logarithmic axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hooke.plots.panels import BLUE, INK, MUTED, ORANGE, panels, styled

BINS = 80


@dataclass(frozen=True)
class Counted:
    """A histogram with its name: `counts[b]` values from `edges[b]` to `edges[b + 1]`."""

    title: str
    edges: NDArray[Any]
    counts: NDArray[Any]


@styled
def density(address: str, histograms: Sequence[Counted], marks: Sequence[tuple[str, float]] = ()) -> Figure:
    """One panel a histogram: share of values per unit of activation, with 95% Poisson intervals (samples independent).

    `marks` are named values (quantiles) drawn into the first panel.
    """
    figure, axes = panels(1, len(histograms), width=3.4 * len(histograms), height=2.6)
    for at, (one, panel) in enumerate(zip(axes[0], histograms, strict=True)):
        edges, counts = rebinned(panel.edges, panel.counts)
        _panel(one, edges, counts, ORANGE if at else BLUE)
        one.set_title(f"{panel.title}, n = {int(panel.counts.sum()):,}", loc="left")
        one.set_xlabel("activation")
        for word, value in marks if at == 0 else ():
            one.axvline(value, color=MUTED, linewidth=0.8, linestyle=":")
            one.annotate(
                word, (value, 1), xycoords=("data", "axes fraction"), fontsize="x-small", ha="center", va="bottom"
            )
    axes[0, 0].set_ylabel("density (log)")
    figure.suptitle(address, x=0.01, ha="left", fontsize="medium")
    return figure


def rebinned(edges: NDArray[Any], counts: NDArray[Any], bins: int = BINS) -> tuple[NDArray[Any], NDArray[Any]]:
    """The same counts in bins of equal width over the range that is not empty; a bin is spread evenly."""
    filled = numpy.flatnonzero(counts)
    if not len(filled):
        return numpy.linspace(0, 1, bins + 1), numpy.zeros(bins)
    low, high = float(edges[filled[0]]), float(edges[filled[-1] + 1])
    wanted = numpy.linspace(low, high, bins + 1)
    below = numpy.concatenate([[0.0], numpy.cumsum(counts, dtype=float)])
    return wanted, numpy.diff(numpy.interp(wanted, edges, below))


def _panel(axes: Any, edges: NDArray[Any], counts: NDArray[Any], colour: str) -> None:
    from scipy.stats import chi2

    scale = max(1.0, float(counts.sum())) * numpy.diff(edges)
    low = numpy.where(counts > 0, chi2.ppf(0.025, 2 * counts) / 2, 0) / scale
    high = chi2.ppf(0.975, 2 * counts + 2) / 2 / scale
    here = counts > 0.5
    floor = float((counts / scale)[here].min()) / 3 if here.any() else 1e-6
    axes.stairs(high, edges, baseline=numpy.maximum(low, floor), fill=True, color=colour, alpha=0.25, linewidth=0)
    axes.stairs(numpy.where(here, counts / scale, floor), edges, color=colour, linewidth=1.1)
    if here.any():
        axes.set_yscale("log")
        axes.set_ylim(bottom=floor)
    if edges[0] < 0 < edges[-1]:
        axes.axvline(0, color=INK, linewidth=0.6)
