"""Selectivity on planted units: one label only, all alike, two labels; and controls that find nothing in noise."""

import math

import pytest
import torch
from responses.by_hand import layer_of, recording_of

from hooke.errors import AddressError, DataError, RecordingError
from hooke.responses.selectivity import ambiguity, class_selectivity, selectivity

LABELS = ["cat", "dog", "owl", "fox"] * 15


def planted(kept: bool = True):
    """Unit 0 fires for dogs only, 1 for all alike, 2 for cats and owls, 3 is noise, 4 is dead."""
    dice = torch.Generator().manual_seed(0)
    values = torch.rand(60, 5, 2, 2, generator=dice) * 0.1
    shown = torch.tensor([{"cat": 0, "dog": 1, "owl": 2, "fox": 3}[one] for one in LABELS])
    values[:, 0] = (shown == 1)[:, None, None] * (1 + values[:, 0])
    values[:, 1] = 1 + values[:, 1] * 0
    values[:, 2] = ((shown == 0) | (shown == 2))[:, None, None] * (1 + 0 * values[:, 2])
    values[:, 4] = 0
    groups = ["tame" if one in ("cat", "dog") else None for one in LABELS]
    groups[2] = "wild"
    layer = layer_of(values, LABELS, groups, kept=kept)
    return recording_of({"act": layer}, [f"{at}.png" for at in range(60)], LABELS, groups)


def test_a_unit_of_one_label() -> None:
    found = selectivity(planted(), "act:0")
    assert found.names[0] == "dog"
    assert float(found.auc[0]) == 1
    assert found.index == pytest.approx(1)
    assert found.ambiguity == pytest.approx(1)
    assert found.p == pytest.approx(1 / 201)
    assert float(found.surely[0]) < float(found.low[0]) < 1 == pytest.approx(float(found.high[0]))
    assert float(found.low[0]) > float(found.chance[0]) > 0.55
    assert found.counts.tolist() == [15] * 4
    assert found.inputs == 60


def test_a_unit_of_two_labels_and_one_of_all() -> None:
    two = selectivity(planted(), "act:2")
    assert set(two.names[:2]) == {"cat", "owl"}
    assert two.ambiguity == pytest.approx(2)
    assert two.index == pytest.approx((1 - 1 / 3) / (1 + 1 / 3))
    assert float(two.auc[0]) == pytest.approx(15 * 0.5 / 45 + 30 / 45)
    alike = selectivity(planted(), "act:1")
    assert alike.index == pytest.approx(0)
    assert math.isnan(alike.ambiguity)
    assert alike.auc.tolist() == [0.5] * 4
    assert alike.p == 1


def test_noise_is_no_better_than_shuffled_labels() -> None:
    found = selectivity(planted(), "act:3")
    assert found.p > 0.05
    assert bool((found.auc < found.chance).all())
    assert float(found.shuffled_index[0]) <= found.index <= float(found.shuffled_index[2])
    assert bool((found.surely < 0.5).all())


def test_noise_is_seldom_called_significant() -> None:
    dice = torch.Generator().manual_seed(3)
    values = torch.rand(60, 40, 1, 1, generator=dice)
    recording = recording_of({"act": layer_of(values, LABELS)}, [str(at) for at in range(60)], LABELS)
    found = [selectivity(recording, f"act:{unit}", shuffles=99, seed=unit).p for unit in range(40)]
    assert sum(p <= 0.05 for p in found) <= 6


def test_groups_means_and_a_dead_unit() -> None:
    found = selectivity(planted(), "act:0", groups=True, mean=True, shuffles=5)
    assert found.names == ("tame", "wild")
    assert found.counts.tolist() == [30, 1]
    dead = selectivity(planted(), "act:4", shuffles=5)
    assert math.isnan(dead.index)


def test_the_index_as_morcos_defines_it() -> None:
    means = torch.tensor([[4.0, 1, 0, -1], [1, 1, 0, 2], [1, 1, 0, 2]])
    index = class_selectivity(means)
    assert index[:2].tolist() == [pytest.approx(3 / 5), 0]
    assert bool(index[2:].isnan().all())
    assert ambiguity(torch.eye(4)[:, :1] + 0.0)[0] == 1


def test_what_cannot_be_answered_is_refused() -> None:
    with pytest.raises(RecordingError, match="keeps statistics only"):
        selectivity(planted(kept=False), "act:0")
    for address in ("act", "act:0@1,1", "2*act:0", "act:9", "input:0"):
        with pytest.raises(AddressError):
            selectivity(planted(), address)
    bare = recording_of({"act": planted().layer("act")}, ["x"] * 60, [None] * 60)
    with pytest.raises(DataError, match="0 different labels"):
        selectivity(bare, "act:0")
