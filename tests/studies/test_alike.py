"""Where a model is wrong alike: pairs counted by hand, a unit that tells wrong from right, and its chance."""

import pytest
import torch

from hooke.studies.alike import confusions, differing


def test_pairs_are_counted_most_often_first() -> None:
    classes = torch.tensor([0, 0, 0, 1, 1, 2, -1, 0])
    said = torch.tensor([1, 1, 0, 1, 0, 2, 1, 2])
    found = confusions(classes, said)
    assert [(one.truth, one.said, one.wrong, one.right) for one in found] == [
        (0, 1, (0, 1), (2,)), (0, 2, (7,), (2,)), (1, 0, (4,), (3,)),
    ]  # fmt: skip


def test_the_unit_that_differs_is_found_and_beyond_chance() -> None:
    values = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    values[:20, 4] += 4
    values[:, 5] = 7
    found = differing(values, range(20), range(20, 40), count=3)
    assert found is not None
    assert found.units[0] == 4
    wrong, right = values[:20, 4].double(), values[20:, 4].double()
    pooled = ((wrong.var() + right.var()) / 2).sqrt()
    assert found.differences[0] == pytest.approx(float((wrong.mean() - right.mean()) / pooled))
    assert found.differences[0] > 2 * found.chance
    assert 5 not in found.units
    assert all(abs(one) < found.chance for one in found.differences[1:])


def test_few_inputs_tell_nothing() -> None:
    assert differing(torch.zeros(9, 2), [0, 1], [2, 3, 4]) is None
