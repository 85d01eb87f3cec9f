"""Streaming statistics: exact against the whole, and merging the parts gives the whole."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hooke.numeric.streaming import bins
from hooke.numeric.streaming.bins import Bins, bin_of
from hooke.numeric.streaming.chance import draws
from hooke.numeric.streaming.extremes import Largest
from hooke.numeric.streaming.grouped import Grouped
from hooke.numeric.streaming.moments import Moments
from hooke.numeric.streaming.products import Products
from hooke.numeric.streaming.reservoir import EDGES, Reservoir

CHANNELS = 3


def rows_of(seed: int, count: int) -> Tensor:
    dice = torch.Generator().manual_seed(seed)
    values = torch.randn(count, CHANNELS, generator=dice) * torch.tensor([1e-3, 1.0, 300.0])
    return values.round(decimals=2) if seed % 3 == 0 else values  # ties, and zeros


def numbers(seed: int, start: int, count: int) -> Tensor:
    return (draws(seed, torch.arange(start, start + count), 1)[:, 0] * (2**31 - 1)).int()


MAKE: dict[str, tuple[Callable[[], Any], Callable[[Any, Tensor, int], None]]] = {
    "moments": (lambda: Moments(CHANNELS), lambda one, rows, at: one.add(rows.double())),
    "products": (lambda: Products(CHANNELS), lambda one, rows, at: one.add(rows.double())),
    "largest": (
        lambda: Largest(CHANNELS, 4),
        lambda one, rows, at: one.add(rows, torch.arange(at, at + len(rows)), rows.int()),
    ),
    "bins": (lambda: Bins(CHANNELS), lambda one, rows, at: one.add(rows)),
    "reservoir": (
        lambda: Reservoir(CHANNELS, 2),
        lambda one, rows, at: one.add(
            rows, torch.arange(at, at + len(rows)), torch.zeros(len(rows)).int(), numbers(1, at, len(rows))
        ),
    ),
    "grouped": (
        lambda: Grouped(4, CHANNELS),
        lambda one, rows, at: one.add(rows, torch.arange(at, at + len(rows)) % 5 - 1),
    ),
}


@pytest.mark.parametrize("name", MAKE)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), first=st.integers(1, 30), second=st.integers(1, 30))
def test_merging_the_parts_gives_the_whole(name: str, seed: int, first: int, second: int) -> None:
    make, add = MAKE[name]
    rows = rows_of(seed, first + second)
    whole, left, right = make(), make(), make()
    add(whole, rows, 0)
    add(left, rows[:first], 0)
    add(right, rows[first:], first)
    kept = type(left).from_state(left.state())
    kept.merge(type(right).from_state(right.state()))
    for key, value in whole.state().items():
        torch.testing.assert_close(kept.state()[key], value, rtol=1e-9, atol=1e-9, equal_nan=True)


def test_moments_are_those_of_all_rows() -> None:
    rows = rows_of(1, 500).double() + torch.tensor([0.0, 1e4, 0.0])
    found = Moments(CHANNELS)
    for part in rows.split(64):
        found.add(part)
    torch.testing.assert_close(found.mean, rows.mean(0))
    torch.testing.assert_close(found.variance, rows.var(0, unbiased=False))
    assert torch.equal(found.positive, (rows > 0).sum(0))
    assert torch.equal(found.lowest, rows.amin(0).float())
    assert torch.equal(found.highest, rows.amax(0).float())


def test_products_are_second_moments_and_correlations_over_blocks_of_channels() -> None:
    rows = torch.randn(200, 300, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rows[:, 7] = 2.0  # never changes
    found = Products(300)
    found.add(rows[:90])
    found.add(rows[90:])
    torch.testing.assert_close(found.second_moment, rows.T @ rows / 200)
    changing = [at for at in range(300) if at != 7]
    torch.testing.assert_close(found.correlation[changing][:, changing], torch.corrcoef(rows[:, changing].T))
    assert not found.correlation[7].any()


def test_the_largest_keep_their_places_and_break_ties_by_input() -> None:
    found = Largest(1, 3)
    found.add(torch.tensor([[1.0], [5.0], [5.0], [5.0], [5.0]]), torch.arange(10, 15), torch.arange(5).int()[:, None])
    found.add(torch.tensor([[9.0], [5.0]]), torch.tensor([20, 21]), torch.tensor([[7], [8]]).int())
    assert found.values.tolist() == [[9.0, 5.0, 5.0]]
    assert found.inputs.tolist() == [[20, 11, 12]]
    assert found.places.tolist() == [[7, 1, 2]]


@settings(max_examples=200, deadline=None)
@given(st.floats(-4000, 4000, width=32))
def test_a_value_lies_in_its_bin(value: float) -> None:
    at = int(bin_of(torch.tensor([value]))[0])
    low, high = bins.edges()[at], bins.edges()[at + 1]
    if value < 0:
        assert low < value <= high or abs(value) < 2.0**-10
    else:
        assert low <= value < high


def test_middles_are_within_the_stated_error() -> None:
    low, high = bins.edges()[:-1], bins.edges()[1:]
    outer = low * high > 0
    middle = (2 * low * high / (low + high))[outer]
    worst = torch.maximum((middle / low[outer] - 1).abs(), (middle / high[outer] - 1).abs())
    assert float(worst.max()) <= bins.RELATIVE_ERROR + 1e-12


def test_clamping_the_histogram_is_the_histogram_of_the_clamped() -> None:
    rows = torch.randn(2000, CHANNELS, generator=torch.Generator().manual_seed(0)) * 5
    before, after = Bins(CHANNELS), Bins(CHANNELS)
    before.add(rows)
    after.add(rows.clamp(0, 6))
    assert torch.equal(before.clamped(0, 6).counts, after.counts)


def test_the_reservoir_is_a_uniform_choice_in_each_range() -> None:
    rows = torch.full((4000, 1), 3.0)
    rows[::2] = -0.3
    times = torch.zeros(4000)
    for seed in range(300):
        one = Reservoir(1, 4)
        one.add(rows, torch.arange(4000), torch.zeros(4000).int(), numbers(seed, 0, 4000))
        held = one.inputs[one.inputs >= 0].long()
        assert len(held) == 8
        assert int(one.counts.sum()) == 4000
        times[held] += 1
    halves = times.view(10, 400).sum(1)  # 240 expected in each tenth
    assert float(((halves - 240) ** 2 / 240).sum()) < 28  # chi-squared, 9 degrees, p = 0.001
    at = int(torch.bucketize(torch.tensor(3.0), torch.tensor(EDGES), right=True))
    assert one.values[0, at].tolist() == [3.0] * 4


def test_draws_belong_to_the_input_alone() -> None:
    every = draws(5, torch.arange(1000), 6)
    assert torch.equal(every[torch.tensor([3, 900])], draws(5, torch.tensor([3, 900]), 6))
    assert torch.equal(every[:, :2], draws(5, torch.arange(1000), 2))
    assert not torch.equal(every, draws(6, torch.arange(1000), 6))
    assert 0 <= float(every.min()) < float(every.max()) < 1
    assert abs(float(every.mean()) - 0.5) < 0.02
    assert abs(float(torch.corrcoef(every.T)[0, 1])) < 0.1


def test_groups_have_their_own_means() -> None:
    rows = rows_of(2, 20)
    groups = torch.arange(20) % 3 - 1
    found = Grouped(3, CHANNELS)
    found.add(rows, groups)
    torch.testing.assert_close(found.means[1], rows[groups == 1].double().mean(0))
    assert bool(found.means[2].isnan().all())
    assert found.counts.tolist() == [7, 6, 0]
