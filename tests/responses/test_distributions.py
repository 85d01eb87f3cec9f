"""Shapes of distributions that are known: normal, uniform, two points; quantiles to within a bin."""

import math

import pytest
import torch
from responses.by_hand import layer_of, recording_of

from hooke.responses.distributions import SHARES, distribution, oddness, shape


@pytest.fixture(scope="module")
def layer():
    """A normal unit, a uniform one, two points, an exponential one, a dead one."""
    dice = torch.Generator().manual_seed(0)
    normal = torch.randn(20_000, generator=dice)
    uniform = torch.rand(20_000, generator=dice)
    points = (torch.rand(20_000, generator=dice) > 0.5).float()
    skewed = -torch.rand(20_000, generator=dice).log()
    before = torch.stack([normal, uniform, points, skewed, torch.full_like(normal, -1)], 1)[:, :, None, None]
    return layer_of(before.relu(), before=before)


def test_known_shapes(layer) -> None:
    form = shape(layer.histogram(before=True))
    assert form.skewness[:4].tolist() == pytest.approx([0, 0, 0, 2], abs=0.15)
    assert form.kurtosis[:3].tolist() == pytest.approx([0, -1.2, -2], abs=0.15)
    assert form.bimodality[:3].tolist() == pytest.approx([1 / 3, 5 / 9, 1], abs=0.03)
    assert math.isnan(float(form.skewness[4]))


def test_one_unit_before_and_after(layer) -> None:
    found = distribution(recording_of({"act": layer}, [""] * 20_000, [None] * 20_000), "act:0")
    assert found.before is not None
    assert int(found.after.sum()) == int(found.before.sum()) == 20_000
    assert found.active == pytest.approx(0.5, abs=0.02)
    assert found.mean == pytest.approx(1 / math.sqrt(2 * math.pi), abs=0.02)
    assert float(found.quantiles[SHARES.index(0.5)]) == pytest.approx(0, abs=0.05)
    assert float(found.quantiles[SHARES.index(0.95)]) == pytest.approx(1.645, abs=0.08)


def test_the_odd_one_of_a_layer_is_found() -> None:
    dice = torch.Generator().manual_seed(0)
    values = torch.randn(2000, 12, 1, 1, generator=dice)
    values[:, 7] = values[:, 7].sign() * 2 + values[:, 7] * 0.1
    odd = oddness(layer_of(values))
    assert int(odd.argmax()) == 7
    assert float(odd[7]) > 5 * float(odd[:7].max())
    constant = torch.zeros(10, 3, 1, 1)
    assert oddness(layer_of(constant)).tolist() == [0, 0, 0]
