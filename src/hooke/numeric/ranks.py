"""Ranks: how well numbers tell two kinds of input apart (ROC-AUC), for many units and many kinds at once."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def midranks(values: Float[Tensor, "input unit"]) -> Float[Tensor, "input unit"]:
    """The rank of each value within its unit, from 1; equal values share the middle of their ranks. float64.

    A unit with a NaN has only NaN.
    """
    columns = values.double().T.contiguous()
    ordered = columns.sort(1).values
    below = torch.searchsorted(ordered, columns)
    upto = torch.searchsorted(ordered, columns, right=True)
    ranks = ((below + upto + 1) / 2.0).where(columns.isfinite().all(1, keepdim=True), torch.nan)
    return ranks.T


def roc_auc(ranks: Float[Tensor, "input unit"], positive: Bool[Tensor, "kind input"]) -> Float[Tensor, "kind unit"]:
    """The chance that a unit is larger on a positive input than on another one (ties count half): 0.5 is no difference.

    `ranks` are `midranks`. NaN for a kind that all inputs are of, or none. Source: the Mann-Whitney statistic;
    Hanley & McNeil, "The meaning and use of the area under a ROC curve", Radiology 1982.
    """
    ones = positive.to(ranks.dtype)
    count = ones.sum(1, keepdim=True)
    pairs = count * (positive.shape[1] - count)
    return ((ones @ ranks - count * (count + 1) / 2) / pairs).where(pairs > 0, torch.nan)


def auc_interval(
    auc: Float[Tensor, "kind unit"], positives: Int[Tensor, "kind"], negatives: Int[Tensor, "kind"],
    error: float = 0.05,
) -> tuple[Float[Tensor, "kind unit"], Float[Tensor, "kind unit"]]:  # fmt: skip
    """The score interval of ROC-AUC that misses with probability `error`; it has a width also at 0, at 1 and for one
    positive input.

    Source: Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic, part 2",
    Statistics in Medicine 2006, method 5: all values x with |x - auc| <= z sd(x), where sd is Hanley and McNeil's
    with both counts replaced by their mean inside the brackets.
    """
    z = math.sqrt(2) * float(torch.erfinv(torch.tensor(1 - error, dtype=torch.float64)))
    m, n = positives.double()[:, None], negatives.double()[:, None]
    spread = (m + n) / 2 - 1

    def excess(x: Tensor) -> Tensor:
        variance = x * (1 - x) * (1 + spread * (1 - x) / (2 - x) + spread * x / (1 + x)) / (m * n)
        return (x - auc).square() - z * z * variance

    return _root(excess, torch.zeros_like(auc), auc), _root(excess, torch.ones_like(auc), auc)


def _root(excess: "object", outer: Tensor, inner: Tensor) -> Tensor:
    """Where the excess changes its sign between the end of the range and the estimate: sixty halvings."""
    assert callable(excess)
    for _ in range(60):
        middle = (outer + inner) / 2
        beyond = excess(middle) > 0
        outer, inner = torch.where(beyond, middle, outer), torch.where(beyond, inner, middle)
    return ((outer + inner) / 2).where(~inner.isnan(), torch.nan)
