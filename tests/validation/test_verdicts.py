"""Verdicts: the bootstrap's intervals, Holm's correction, and what rows say of a method."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hooke.validation.standing import standing
from hooke.validation.verdicts import BETTER, FEW, SAME, WORSE, compare, holm, interval


def normal(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(1, count, generator=torch.Generator().manual_seed(seed)).double()


def test_the_interval_is_that_of_the_mean() -> None:
    values = 0.3 + normal(200)
    low, high, p = interval(values)
    error = float(values.std()) / 200**0.5
    assert low == pytest.approx(float(values.mean()) - 1.96 * error, abs=0.02)
    assert high == pytest.approx(float(values.mean()) + 1.96 * error, abs=0.02)
    z = float(values.mean()) / error
    assert p == pytest.approx(math.erfc(abs(z) / 2**0.5), abs=0.01)


def test_it_covers_zero_as_often_as_it_says() -> None:
    hits = 0
    for seed in range(100):
        low, high, _ = interval(normal(40, seed))
        hits += low <= 0 <= high
    assert hits >= 88


def test_seeds_of_a_model_widen_it() -> None:
    images = 0.1 * normal(50)
    between = torch.tensor([[-0.5], [0.5], [0.4]]).double()
    narrow, wide = interval(images), interval(images + between)
    assert wide[1] - wide[0] > 5 * (narrow[1] - narrow[0])


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_as_its_definition(values: list[float]) -> None:
    found = holm(values)
    order = sorted(range(len(values)), key=lambda at: values[at])
    for rank, at in enumerate(order):
        wanted = max(min(1.0, (len(values) - other) * values[order[other]]) for other in range(rank + 1))
        assert found[at] == pytest.approx(wanted)
    assert all(one >= value for one, value in zip(found, values, strict=True))


def test_verdicts_in_words() -> None:
    noise = normal(30)
    base = torch.zeros(1, 30).double()
    rows = compare(
        "m", "c", True, {"good": (base + 1 + 0.1 * noise, base), "same": (base + noise, base), "bad": (base - 1, base)}
    )
    assert [row.verdict for row in rows] == [BETTER, SAME, WORSE]
    assert rows[0].text.startswith("good is better than c by m (+0.989")
    lower = compare("m", "c", False, {"good": (base - 1 + 0.1 * noise, base)})[0]
    assert lower.verdict == BETTER
    assert lower.difference > 0
    assert lower.score < lower.baseline
    assert compare("m", "c", True, {"few": (base[:, :5] + 1, base[:, :5])})[0].verdict == FEW


def test_images_without_a_number_are_left_out() -> None:
    own = torch.ones(1, 12).double()
    own[0, 3] = torch.nan
    row = compare("m", "c", True, {"a": (own, torch.zeros(1, 12).double())})[0]
    assert (row.images, row.difference) == (11, 1.0)


def test_the_standing_of_a_method() -> None:
    base, one = torch.zeros(1, 20).double(), torch.ones(1, 20).double()
    first = compare("deletion", "noise", True, {"a": (one, base), "b": (one, base), "c": (base, one)})
    second = compare("deletion", "centre", True, {"a": (one, base), "b": (base, one), "c": (base, one)})
    third = compare("mass", "noise", True, {"a": (one, base), "b": (one, base), "c": (base, one)})
    rows = first + second + third
    assert "every control by all of deletion, mass" in standing("a", rows).text
    assert not standing("a", rows).fails
    mixed = standing("b", rows)
    assert (mixed.passed, mixed.beaten_by, mixed.fails) == (("mass",), ("centre",), False)
    assert mixed.text == "b is better than every control by mass, but worse than centre by deletion (20 images)"
    assert standing("c", rows).fails
    assert standing("c", rows).text.startswith("c beats all controls by no metric: it is worse than")
    assert not standing("d", rows).measured
    assert "not yet measured" in standing("d", rows).text


def test_a_tie_says_something_once_a_medium_difference_would_have_been_seen() -> None:
    for count, decided in ((8, False), (12, False), (16, True), (64, True)):
        tie = torch.tensor([1.0, -1.0]).repeat(count // 2)[None].double()
        (row,) = compare("m", "c", True, {"a": (tie, torch.zeros(1, count).double())})
        assert (row.verdict, row.decided) == (SAME, decided)
        found = standing("a", [row])
        assert (found.fails, found.state) == (decided, "same" if decided else "undecided")
        assert ("undecided at this sample size" in found.text) is not decided
    low = torch.tensor([-3.0, 1.0]).repeat(4)[None].double() - 0.2
    (row,) = compare("m", "c", True, {"a": (low, torch.zeros(1, 8).double())})
    assert row.decided  # eight images leave no room for a better one, where the mean lies below
    (few,) = compare("m", "c", True, {"a": (low[:, :4], torch.zeros(1, 4).double())})
    assert not few.decided


def test_one_metric_that_may_still_be_won_keeps_a_map_from_being_greyed() -> None:
    tie = torch.tensor([1.0, -1.0]).repeat(4)[None].double()
    base = torch.zeros_like(tie)
    lost = compare("deletion", "noise", True, {"a": (base - 1, base)})
    open_ = compare("mass", "noise", True, {"a": (tie, base)})
    assert standing("a", lost).fails
    assert standing("a", lost).state == "worse"
    found = standing("a", lost + open_)
    assert (found.fails, found.state) == (False, "undecided")
    assert "by mass it could not be told from noise" in found.text
    assert found.cells == (("deletion", "noise", WORSE), ("mass", "noise", SAME))
