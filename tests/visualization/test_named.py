"""Objectives and penalties by name: each is what its function makes, and says what it needs."""

import pytest
import torch
from torch import nn
from visualization.by_hand import opened

from hooke.errors import HookeError
from hooke.numeric.fixed import Fixed
from hooke.visualization.objectives import (
    Alignment,
    Direction,
    Diversity,
    Interpolation,
    Material,
    TotalVariation,
    accentuation,
    caricature,
    facet,
    inversion,
    matching,
    most_natural,
    named,
    objective,
    penalized,
    style,
)
from hooke.visualization.objectives.named import OBJECTIVES, PENALTIES, spread

PHOTOGRAPHS = list(torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(0)))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return opened(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU())


def test_each_name_is_its_function(model):
    unit, other = objective(model, "4:1"), objective(model, "4:2")
    first, these, those = PHOTOGRAPHS[0], torch.stack(PHOTOGRAPHS[:2]), torch.stack(PHOTOGRAPHS[2:])
    vector = torch.arange(8.0)
    expected = {
        "response": ("4:1", Material(), unit),
        "direction": ("4", Material(vector=vector), Direction("4", Fixed(vector), 2.0)),
        "inversion": ("4", Material(PHOTOGRAPHS), inversion(model, "4", first)),
        "caricature": ("4", Material(PHOTOGRAPHS), caricature(model, "4", first)),
        "style": ("2 + 4", Material(PHOTOGRAPHS), style(model, ["2", "4"], first)),
        "accentuation": (
            "4:1", Material(PHOTOGRAPHS, layers=("2",), numbers={"strength": 3.0}),
            accentuation(unit, model, "2", first, 3.0),
        ),
        "diversity": ("4:1", Material(numbers={"count": 3}), unit + 4.0 * Diversity("4", 3)),
        "interpolation": (
            "4:1", Material(to="4:2", layers=("2",)), Interpolation(unit, other, 4) + 1.0 * Alignment("2", 4),
        ),
        "facet": ("4:1", Material(PHOTOGRAPHS[:2], PHOTOGRAPHS[2:], ("2",)), facet(unit, model, "2", these, those)),
        "matching": (
            "4:1", Material(PHOTOGRAPHS, layers=("2",), numbers={"count": 2}),
            unit + 20.0 * matching(model, ["2"], most_natural(unit, model, PHOTOGRAPHS, 2)),
        ),
    }  # fmt: skip
    assert set(expected) == set(OBJECTIVES)
    for name, (address, material, wanted) in expected.items():
        assert named(model, name, address, material) == wanted, name


def test_penalties_are_subtracted(model):
    unit = objective(model, "4:1")
    assert penalized(model, unit, {"tv": 0.5}) == unit - 0.5 * TotalVariation()
    everything = penalized(model, unit, dict.fromkeys([*PENALTIES, "batchnorm"], 1.0))
    assert len(everything.terms) == 1 + len(PENALTIES) + 1
    assert everything.layers() == {"4", "0"}


@pytest.mark.parametrize(
    ("name", "address", "words"),
    [
        ("nonsense", "4:1", "choices: response, direction"),
        ("inversion", "4", "needs a photograph(.|\n)*--of FILE"),
        ("inversion", "4:1", "whole layer"),
        ("style", "4", "needs a photograph"),
        ("direction", "4", "needs a vector"),
        ("interpolation", "4:1", "another unit(.|\n)*--to ADDRESS"),
        ("matching", "4:1", "needs a photograph"),
        ("facet", "4:1", "needs a photograph"),
    ],
)
def test_what_is_missing_is_named(model, name, address, words):
    with pytest.raises(HookeError, match=words):
        named(model, name, address, Material())


def test_an_unknown_penalty_lists_them(model):
    with pytest.raises(HookeError, match="choices: l1, l2, tv, blur, boundary, alpha, batchnorm"):
        penalized(model, objective(model, "4:1"), {"nonsense": 1.0})


def test_layers_are_spread_over_the_depth(default_model):
    found = spread(default_model, objective(default_model, "logits:3"))
    order = [layer.name for layer in default_model.layers]
    places = [order.index(name) / len(order) for name in found]
    assert len(found) == 4
    assert places == sorted(places)
    assert places[0] < 0.3
    assert places[-1] > 0.7
    early = spread(default_model, objective(default_model, "blocks.1.0.bn1.act:3"), 2)
    assert all(order.index(name) <= order.index("blocks.1.0.bn1.act") for name in early)
