"""What a unit prefers, and which units prefer something: ROC-AUC with intervals beside what chance would give."""

from collections.abc import Sequence
from typing import Any

import numpy
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hooke.plots.panels import BLUE, FAINT, INK, panels, styled

MOST = 24


@styled
def preference(
    title: str, names: Sequence[str], values: NDArray[Any], low: NDArray[Any], high: NDArray[Any], *,
    chance: NDArray[Any], chance_word: str, note: str = "",
) -> Figure:  # fmt: skip
    """One row a name: its ROC-AUC (a dot) and interval (a line); a grey bar to `chance`, what shuffled labels reach.

    Of more than 24 names the first 20 and the last 4 are shown. `chance_word` says what the bar is.
    """
    shown = [*range(len(names))] if len(names) <= MOST else [*range(MOST - 4), *range(len(names) - 4, len(names))]
    figure, ((axes,),) = panels(1, 1, width=5.2, height=1.25 + 0.19 * len(shown))
    rows = numpy.arange(len(shown))[::-1]
    axes.barh(rows, chance[shown] - 0.5, left=0.5, height=0.8, color=FAINT, label=chance_word)
    axes.axvline(0.5, color=INK, linewidth=0.6)
    axes.hlines(rows, low[shown], high[shown], color=BLUE, linewidth=1.2, label="95% interval")
    axes.plot(values[shown], rows, "o", color=BLUE, markersize=3.5)
    axes.set_yticks(rows, [_short(names[at]) for at in shown])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.7, len(shown) - 0.3)
    axes.set_xlim(min(0.0 if float(low[shown].min()) < 0.3 else 0.3, 0.3), 1.0)
    if len(shown) < len(names):
        axes.axhline(3.5, color=INK, linewidth=0.6, linestyle=":")
    axes.set_xlabel("ROC-AUC (0.5: no preference)" + (f"\n{note}" if note else ""), fontsize="small")
    figure.legend(loc="outside lower right", fontsize="x-small", frameon=False, ncols=2)
    axes.set_title(title, loc="left")
    return figure


@styled
def surprises(
    addresses: Sequence[str], parts: Sequence[str], ranks: NDArray[Any], scores: NDArray[Any], units: int
) -> Figure:
    """One row a unit: the rank of each part (dots, one mark a part) and their mean (a bar)."""
    figure, ((axes,),) = panels(1, 1, width=5.6, height=1.45 + 0.2 * len(addresses))
    rows = numpy.arange(len(addresses))[::-1]
    axes.barh(rows, scores, color=FAINT, height=0.7, label="score: their mean")
    for at, (part, mark) in enumerate(zip(parts, "os^Dv", strict=False)):
        axes.plot(ranks[:, at], rows, mark, markersize=3.5, label=part, clip_on=False)
    axes.set_yticks(rows, list(addresses))
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.7, len(addresses) - 0.3)
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"rank within the layer (1: least explained); {units:,} living units looked at")
    figure.legend(loc="outside upper center", ncols=5, fontsize="x-small", frameon=False)
    return figure


def _short(name: str, longest: int = 34) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"
