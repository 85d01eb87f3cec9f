"""ROC-AUC against counting pairs and scipy; intervals that hold what they promise."""

import math
from statistics import NormalDist

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, rankdata

from hooke.numeric.ranks import auc_interval, midranks, roc_auc


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=2, max_size=30), st.data())
def test_the_auc_is_the_share_of_pairs(values: list[int], data: st.DataObject) -> None:
    positive = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    ranks = midranks(torch.tensor(values, dtype=torch.float64)[:, None])
    assert ranks[:, 0].tolist() == rankdata(values).tolist()
    ones = [value for value, held in zip(values, positive, strict=True) if held]
    others = [value for value, held in zip(values, positive, strict=True) if not held]
    found = float(roc_auc(ranks, torch.tensor([positive]))[0, 0])
    if not ones or not others:
        assert math.isnan(found)
        return
    pairs = [(one > other) + 0.5 * (one == other) for one in ones for other in others]
    assert found == pytest.approx(sum(pairs) / len(pairs))
    assert found == pytest.approx(mannwhitneyu(ones, others).statistic / len(pairs))


def test_nan_stays_with_its_unit() -> None:
    values = torch.tensor([[1.0, torch.nan], [2, 1], [3, 2]])
    found = roc_auc(midranks(values), torch.tensor([[False, False, True]]))
    assert float(found[0, 0]) == 1
    assert math.isnan(float(found[0, 1]))


@pytest.mark.parametrize(("ones", "others", "shift"), [(1, 200, 0.0), (5, 200, 2.0), (50, 200, 1.0), (60, 60, 3.0)])
def test_intervals_hold_the_truth_as_often_as_they_say(ones: int, others: int, shift: float) -> None:
    truth = NormalDist().cdf(shift / math.sqrt(2))
    values = torch.randn(ones + others, 3000, generator=torch.Generator().manual_seed(1))
    values[:ones] += shift
    auc = roc_auc(midranks(values), (torch.arange(ones + others) < ones)[None])
    low, high = auc_interval(auc, torch.tensor([ones]), torch.tensor([others]))
    assert float(((low <= truth) & (truth <= high)).double().mean()) >= 0.94
    assert bool((low <= auc).all())
    assert bool((auc <= high).all())


def test_intervals_have_a_width_at_the_ends_and_are_symmetric() -> None:
    auc = torch.tensor([[0.0], [0.25], [0.75], [1.0]], dtype=torch.float64)
    counts = torch.tensor([5, 5, 5, 5]), torch.tensor([50, 50, 50, 50])
    low, high = auc_interval(auc, *counts)
    assert torch.allclose(low, 1 - high.flip(0))
    assert 0.7 < float(low[3, 0]) < 0.9
    wide, _ = auc_interval(auc, *counts, error=0.05 / 100)
    assert bool((wide <= low).all())
    assert math.isnan(float(auc_interval(auc[:1] * torch.nan, counts[0][:1], counts[1][:1])[0]))
