"""Objectives: their arithmetic obeys the laws of numbers, and addresses select the right numbers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from hooke.errors import AddressError, NumericsError
from hooke.modalities.image import Image
from hooke.models.opening import open
from hooke.provenance import describe
from hooke.visualization.objectives import (
    CANVAS,
    L2,
    Constant,
    Diversity,
    Energy,
    Interpolation,
    Product,
    Response,
    TotalVariation,
    Weighted,
    combinations,
    group,
    objective,
)

ACTIVATION = {
    "a": torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[10.0, 0.0], [0.0, 0.0]]]),
    "b": torch.tensor([0.5, -2.0, 7.0]),
    CANVAS: torch.tensor([[[0.0, 1.0], [0.5, 0.5]]]),
}
FIRST, SECOND = Response("a", (0, None, None)), Response("a", (1, None, None))
LEAVES = [FIRST, SECOND, Response("b", (1,)), Response("a", (1, 0, 0)), Energy(FIRST), L2(), Constant(3.0)]


@pytest.fixture(scope="module")
def model():
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 5))
    return open(layers, modality=Image(8, 8, (0.5,) * 3, (0.5,) * 3), labels=("a", "b", "c", "d", "e"))


def score(one):
    return one.score(ACTIVATION).item()


numbers = st.floats(-100, 100).map(lambda value: round(value, 3))
leaves = st.integers(0, len(LEAVES) - 1)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-"), inner, inner),
        st.tuples(st.just("*"), inner, numbers),
        st.tuples(st.just("x"), leaves, inner),
    ),
    max_leaves=4,
)
"""Objectives, as how they are made: a leaf, or an operator and its operands."""


def made(tree):
    match tree:
        case ("+", one, two):
            return made(one) + made(two)
        case ("-", one, two):
            return made(one) - made(two)
        case ("*", one, number):
            return made(one) * number
        case ("x", one, two):
            return made(one) * made(two)
        case leaf:
            return LEAVES[leaf]


def close(value):
    return pytest.approx(value, rel=1e-4, abs=1e-2 * max(1.0, abs(value)))


@given(trees, trees, trees, numbers)
def test_arithmetic_has_the_laws_of_numbers(first, second, third, number):
    one, two, three = made(first), made(second), made(third)
    a, b, c = score(one), score(two), score(three)
    assert score(one + two) == close(a + b) == close(score(two + one))
    assert score((one + two) + three) == close(a + b + c) == close(score(one + (two + three)))
    assert score(one - two) == close(a - b)
    assert score(number * one) == close(number * a) == close(score(one * number))
    assert score(number * (one + two)) == close(number * (a + b))
    assert score(-one) == close(-a)
    assert score(one - one) == close(0.0)
    assert score(one + number) == close(a + number) == close(score(number + one))
    assert score(number - one) == close(number - a)
    assert score(one * two) == close(a * b)


@given(trees, trees)
def test_operators_change_none_of_their_operands_and_equal_values_are_equal(first, second):
    one, two = made(first), made(second)
    before = describe(one), describe(two)
    _ = (one + two, one - two, one * 2, one * two, -one)
    assert (describe(one), describe(two)) == before
    assert one + two == one + two
    assert hash(one * 2) == hash(one * 2)


def test_a_channel_scores_its_mean_and_peaks_at_its_largest_response():
    assert score(FIRST) == 2.5
    assert FIRST.peak(ACTIVATION).item() == 4.0
    assert score(Response("a", (0, 1, 0))) == 3.0
    assert score(Energy(FIRST)) == (1 + 4 + 9 + 16) / 4


def test_maps_of_one_shape_are_added_place_by_place():
    assert (FIRST - SECOND).peak(ACTIVATION).item() == 4.0
    assert (FIRST + SECOND).peak(ACTIVATION).item() == 11.0


def test_a_penalty_counts_for_the_score_and_not_for_the_peak():
    punished = FIRST - 10 * L2()
    assert score(punished) == 2.5 - 10 * (0.25 + 0.25) / 4
    assert punished.peak(ACTIVATION).item() == 4.0
    assert (FIRST * (1 - L2())).peak(ACTIVATION).item() == 4.0
    assert punished.layers() == {"a"}


def test_a_group_is_the_mean_and_combinations_are_all_sums():
    assert score(group([FIRST, SECOND, 2 * FIRST])) == pytest.approx((2.5 + 2.5 + 5.0) / 3)
    found = combinations([FIRST, SECOND], [Constant(1.0), Constant(2.0), Constant(3.0)])
    assert [score(one) for one in found] == [3.5, 4.5, 5.5, 3.5, 4.5, 5.5]
    with pytest.raises(NumericsError, match="empty"):
        group([])


def test_a_sum_is_of_as_many_pictures_as_its_parts():
    several = FIRST + 100 * Diversity("a", 3) - TotalVariation()
    assert (several.pictures, FIRST.pictures, (FIRST * Diversity("a", 3)).pictures) == (3, 1, 3)
    with pytest.raises(NumericsError, match=r"of 2 and 3 pictures(.|\n)*next:"):
        Diversity("a", 2) + Interpolation(FIRST, SECOND, 3)
    with pytest.raises(NumericsError, match="two pictures at least"):
        Diversity("a", 1)


def test_an_objective_has_a_text():
    assert str(FIRST) == "a:0"
    assert str(2 * FIRST - Response("a", (1, 3, 4))) == "2*a:0 - a[1, 3, 4]"
    assert str(FIRST + 100 * Diversity("a", 3)) == "a:0 + 100*diversity(a, 3, 0)"
    assert str(Energy(FIRST) * (1 - L2())) == "(energy(a:0)) * (-l2(0.5) + 1)"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("0:2", Response("0", (2, None, None))),
        ("1:2@3,4", Response("1", (2, 3, 4))),
        ("1@3,4", Energy(Response("1", (None, 3, 4)))),
        ('logits:"c"', Response("logits", (2,))),
        ("2*0:1 - 1:3", Weighted(((2.0, Response("0", (1, None, None))), (-1.0, Response("1", (3, None, None)))))),
        ("-0:1", Weighted(((-1.0, Response("0", (1, None, None))),))),
    ],
)
def test_an_address_selects_along_the_axes_of_its_layer(model, address, expected):
    assert objective(model, model.resolve(address)) == expected
    assert objective(model, address) == expected


def test_what_speaks_of_positions_is_placed():
    assert not (FIRST + SECOND).placed
    assert (FIRST + Response("a", (1, 3, 4))).placed
    assert Energy(Response("a", (None, 3, 4))).placed
    assert Product(FIRST, Response("a", (1, 3, 4))).placed


def test_an_edge_has_nothing_to_raise(model):
    with pytest.raises(AddressError, match=r"an edge has no response(.|\n)*next:"):
        objective(model, model.resolve("0:1 -> 1:2"))


def test_only_numbers_and_objectives_can_be_added():
    for wrong in ("a", None):
        with pytest.raises(TypeError):
            FIRST + wrong
        with pytest.raises(TypeError):
            FIRST * wrong
