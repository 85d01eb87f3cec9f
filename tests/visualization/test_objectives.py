"""Objectives: their arithmetic on numbers, and which numbers an address selects."""

import pytest
import torch
from torch import nn

from hooke.errors import AddressError
from hooke.modalities.image import Image
from hooke.models.opening import open
from hooke.visualization.objectives import Energy, Response, Weighted, objective

ACTIVATION = {"a": torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[10.0, 0.0], [0.0, 0.0]]])}
FIRST, SECOND = Response("a", (0, None, None)), Response("a", (1, None, None))


@pytest.fixture(scope="module")
def model():
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 5))
    return open(layers, modality=Image(8, 8, (0.5,) * 3, (0.5,) * 3), labels=("a", "b", "c", "d", "e"))


def score(one):
    return one.score(ACTIVATION).item()


def test_a_channel_scores_its_mean_and_peaks_at_its_largest_response():
    assert score(FIRST) == 2.5
    assert FIRST.peak(ACTIVATION).item() == 4.0
    assert score(Response("a", (0, 1, 0))) == 3.0
    assert score(Energy(FIRST)) == (1 + 4 + 9 + 16) / 4


def test_arithmetic_is_that_of_the_numbers():
    assert score(FIRST - SECOND) == score(FIRST) - score(SECOND)
    assert score(2 * FIRST) == score(FIRST * 2) == 2 * score(FIRST)
    assert score(-FIRST) == -score(FIRST)
    assert score(FIRST + SECOND) == score(SECOND + FIRST)
    assert score(5 * FIRST - 2 * FIRST) == 3 * score(FIRST)
    assert score(2 * (FIRST + 3 * SECOND)) == 2 * score(FIRST) + 6 * score(SECOND)


def test_operators_change_none_of_their_operands():
    one = FIRST + SECOND
    before = one.terms
    assert isinstance(one * 3 - FIRST, Weighted)
    assert one.terms == before


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("0:2", Response("0", (2, None, None))),
        ("1:2@3,4", Response("1", (2, 3, 4))),
        ("1@3,4", Energy(Response("1", (None, 3, 4)))),
        ('logits:"c"', Response("logits", (2,))),
        ("2*0:1 - 1:3", Weighted(((2.0, Response("0", (1, None, None))), (-1.0, Response("1", (3, None, None)))))),
    ],
)
def test_an_address_selects_along_the_axes_of_its_layer(model, address, expected):
    assert objective(model, model.resolve(address)) == expected


def test_an_edge_has_nothing_to_raise(model):
    with pytest.raises(AddressError, match=r"an edge has no response(.|\n)*next:"):
        objective(model, model.resolve("0:1 -> 1:2"))
