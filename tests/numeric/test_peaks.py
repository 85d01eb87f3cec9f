"""Peaks: on curves whose peak, width and mean vector are known by formula."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hooke.numeric.peaks import half_width, peak, resultant

ANGLES = torch.arange(36) * 10.0


def bell(values: torch.Tensor, middle: float, width: float, period: float | None = None) -> torch.Tensor:
    away = values - middle
    if period is not None:
        away = (away + period / 2) % period - period / 2
    return torch.exp(-(away**2) / (2 * width**2))[None]


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 359.9), st.floats(20, 45), st.floats(-2, 2))
def test_a_bell_that_goes_round(middle: float, width: float, ground: float) -> None:
    """A Gaussian's half width is sqrt(2 ln 2) of its deviation; a ground moves nothing."""
    curve = bell(ANGLES, middle, width, 360) + ground
    away = (float(peak(ANGLES, curve, period=360)) - middle + 180) % 360 - 180
    assert away == pytest.approx(0, abs=0.4)
    found = float(half_width(ANGLES, curve, torch.tensor([ground]), period=360))
    assert found == pytest.approx(width * math.sqrt(2 * math.log(2)), abs=1.2)


def test_the_mean_vector_of_known_curves() -> None:
    cosine = (1 + torch.cos(torch.deg2rad(ANGLES - 70)))[None]
    direction, length = resultant(ANGLES, cosine, 360)
    assert float(direction) == pytest.approx(70, abs=1e-3)
    assert float(length) == pytest.approx(0.5, abs=1e-5)
    single = torch.zeros(1, 36)
    single[0, 35] = 3
    assert [float(part) for part in resultant(ANGLES, single, 360)] == pytest.approx([350, 1], abs=1e-3)
    direction, length = resultant(ANGLES, torch.zeros(1, 36), 360)
    assert math.isnan(float(direction))
    assert float(length) == 0
    twice = torch.zeros(1, 36)
    twice[0, [3, 21]] = 1.0  # 30 and 210 degrees: no direction, but an orientation
    assert float(resultant(ANGLES, twice, 360)[1]) == pytest.approx(0, abs=1e-6)
    half = torch.arange(18) * 10.0
    assert [float(part) for part in resultant(half, twice[:, :18], 180)] == pytest.approx([30, 1], abs=1e-3)


def test_a_bell_at_the_end_of_a_line() -> None:
    """The side that is there counts alone; a curve that never comes down has no width, a flat one no peak."""
    values = torch.linspace(0, 10, 101)
    ground = torch.zeros(1)
    assert float(peak(values, bell(values, 0, 2))) == 0
    assert float(half_width(values, bell(values, 0, 2), ground)) == pytest.approx(2 * 1.1774, abs=0.01)
    assert math.isnan(float(half_width(values, bell(values, 5, 50), ground)))
    assert math.isnan(float(peak(values, torch.ones(1, 101))))
    assert math.isnan(float(half_width(values, torch.full((1, 101), -1.0), ground)))
    assert float(peak(torch.tensor([0.0, 1.0]), torch.tensor([[1.0, 2.0]]))) == 1
