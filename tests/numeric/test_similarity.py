"""Cosine and rank correlation by hand and against SciPy."""

import pytest
import scipy.stats
import torch

from hooke.numeric.similarity import apart, cosines, partners, spearman


def test_cosines_by_hand() -> None:
    found = cosines(torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[3.0, 3.0], [-2.0, 0.0]]))
    torch.testing.assert_close(found[0], torch.tensor([0.5**0.5, -1.0]).double())
    assert found[1].isnan().all()


def test_spearman_is_scipys_also_with_ties() -> None:
    values = torch.randint(0, 6, (3, 40), generator=torch.Generator().manual_seed(0)).float()
    found = spearman(values, values[1:])
    for one in range(3):
        for other in range(2):
            wanted = scipy.stats.spearmanr(values[one], values[other + 1]).statistic
            torch.testing.assert_close(float(found[one, other]), float(wanted))


def test_each_pair_once() -> None:
    matrix = torch.arange(9.0).view(3, 3)
    assert apart(matrix).tolist() == [1, 2, 5]


def test_partners_are_matched_one_to_one_for_the_largest_sum() -> None:
    one = torch.tensor([[1.0, 0.1], [1.0, 0.0], [0.0, 0.0]])
    other = torch.tensor([[2.0, 0.0], [1.0, 1.0], [-1.0, 0.0]])
    found = partners(one, other)  # the first has to leave its nearest to the second
    assert [(left, right) for left, right, _ in found] == [(0, 1), (1, 0), (2, 2)]
    assert [alike for _, _, alike in found] == pytest.approx([1.1 / (1.01 * 2) ** 0.5, 1, 0])
