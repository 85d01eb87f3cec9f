"""Verdicts: is a method better than a control? A paired bootstrap over images and model seeds, corrected for many."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.numeric.intervals import Z95
from hooke.numeric.seeds import stream

DRAWS = 10_000
LEVEL = 0.95
FEWEST = 8
"""Images below which there is no verdict: the bootstrap's intervals are far too narrow then."""
ROOM = 0.5
"""A difference that matters, in standard deviations of the differences between images: a medium one (Cohen, 1988)."""
STATISTICS = (
    "95% percentile intervals of a paired bootstrap over images (and model seeds), 10,000 draws; p values two-sided, "
    "by Holm's correction over the methods beside one control in one metric"
)
BETTER, SAME, WORSE, FEW = "better than", "indistinguishable from", "worse than", "too few images to tell from"


@dataclass(frozen=True)
class Row:
    """A method beside a control in a metric.

    `score` and `baseline` are the means of the two, `difference` is the first less the second, oriented so that more is
    better, with its interval; `p` is corrected. `verdict`: better than, indistinguishable from, worse than, or too few
    images to tell from the control. `images` that both have a number for, `seeds` of the model.
    """

    method: str
    metric: str
    control: str
    score: float
    baseline: float
    difference: float
    low: float
    high: float
    p: float
    verdict: str
    images: int
    seeds: int

    @property
    def decided(self) -> bool:
        """Whether it says something. A tie does where its interval leaves no room for a difference that matters.

        With nothing between the two that takes 16 images. Of several seeds these are counted, being fewer.
        """
        if self.verdict != SAME:
            return self.verdict != FEW
        count = min(self.images, self.seeds) if self.seeds > 1 else self.images
        deviation = (self.high - self.low) / (2 * Z95) * count**0.5
        return bool(self.high <= ROOM * deviation)

    @property
    def text(self) -> str:
        """The verdict as a sentence."""
        span = f"{self.difference:+.3g} [{self.low:.3g}, {self.high:.3g}], {self.images} images"
        return f"{self.method} is {self.verdict} {self.control} by {self.metric} ({span})"


Paired = Float[Tensor, "seed image"]


def compare(
    metric: str, control: str, higher: bool, pairs: Mapping[str, tuple[Paired, Paired]], seed: int = 0
) -> list[Row]:
    """One row for each method beside one control; `pairs` are its scores and the control's, seed by seed and image.

    An image that has no number in one of them is left out of that pair. The rows are one family for Holm's correction.
    """
    rows = [_row(metric, control, higher, method, *pair, seed) for method, pair in pairs.items()]
    corrected = holm([row.p for row in rows])
    return [
        replace(row, p=p, verdict=_verdict(row.difference, p, row.images))
        for row, p in zip(rows, corrected, strict=True)
    ]


def _row(metric: str, control: str, higher: bool, method: str, own: Paired, theirs: Paired, seed: int) -> Row:
    """One comparison, its p value not yet corrected."""
    both = (own.double() - theirs.double()) * (1.0 if higher else -1.0)
    kept = both.isfinite().all(0)
    low, high, p = interval(both[:, kept], seed)
    score, baseline = (float(one.double()[:, kept].mean()) for one in (own, theirs))
    difference, images = float(both[:, kept].mean()), int(kept.sum())
    return Row(method, metric, control, score, baseline, difference, low, high, p, "", images, len(own))


def interval(differences: Float[Tensor, "seed image"], seed: int = 0) -> tuple[float, float, float]:
    """The ends of the mean's interval and its two-sided p value; seeds and images are drawn anew, each by itself.

    Of one seed, the seed stays. NaN of fewer than two images. The p value is twice the share of draws on the other side
    of zero (draws at zero count half), and never below 1 / draws. Source: Efron & Tibshirani, "An introduction to the
    bootstrap", 1993; both ways at once: Owen, "The pigeonhole bootstrap", 2007.
    """
    seeds, images = differences.shape
    if images < 2:
        return math.nan, math.nan, 1.0
    dice = stream(seed, "verdict")
    often = _often(images, dice)
    if seeds > 1:
        means = torch.einsum("ds,si,di->d", _often(seeds, dice), differences.double(), often)
    else:
        means = often @ differences[0].double()
    tail = (1 - LEVEL) / 2
    low, high = means.quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    below = float(((means < 0).double() + (means == 0).double() / 2).mean())
    return low, high, min(1.0, max(2 * min(below, 1 - below), 1 / DRAWS))


def holm(values: Sequence[float]) -> list[float]:
    """p values corrected for their number. Holm, "A simple sequentially rejective multiple test procedure", 1979."""
    corrected, largest = [1.0] * len(values), 0.0
    for rank, at in enumerate(sorted(range(len(values)), key=lambda one: values[one])):
        largest = max(largest, min(1.0, (len(values) - rank) * values[at]))
        corrected[at] = largest
    return corrected


def _often(count: int, dice: torch.Generator) -> Tensor:
    """How often each of `count` things is drawn in each draw, over `count`: rows add up to 1."""
    chosen = torch.randint(count, (DRAWS, count), generator=dice)
    often = torch.zeros(DRAWS, count, dtype=torch.float64)
    return often.scatter_add_(1, chosen, torch.full((DRAWS, count), 1 / count, dtype=torch.float64))


def _verdict(difference: float, p: float, images: int) -> str:
    if images < FEWEST:
        return FEW
    if p >= 1 - LEVEL:
        return SAME
    return BETTER if difference > 0 else WORSE
