"""The least explained unit is the one that nothing was planted to explain."""

import pytest
import torch
from responses.by_hand import layer_of, recording_of

from hooke.errors import AddressError
from hooke.responses.surprise import surprise

LABELS = ["cat", "dog"] * 30


def planted(kept: bool = True):
    """Units 0 to 5 fire for dogs, 6 and 7 for cats, 8 has an odd distribution and neither label nor kin, 9 is dead."""
    dice = torch.Generator().manual_seed(0)
    values = torch.rand(60, 10, 2, 2, generator=dice)
    dogs = torch.tensor([one == "dog" for one in LABELS])
    values[dogs, :6] += 2
    values[~dogs, 6:8] += 2
    values[:, 8] = 0.01 * values[:, 8]
    values[7, 8] = 3
    values[:, 9] = 0
    return recording_of({"act": layer_of(values, LABELS, kept=kept)}, [str(at) for at in range(60)], LABELS)


def test_the_unexplained_unit_comes_first_and_says_why() -> None:
    found = surprise(planted())
    assert found.found[0].address == "act:8"
    assert (found.units, found.dead) == (9, 1)
    assert [part.name for part in found.found[0].parts] == ["no label", "odd distribution", "unlike its family"]
    assert all(0 < part.rank < 1 for one in found.found for part in one.parts)
    first = found.found[0]
    assert first.score == pytest.approx(sum(part.rank for part in first.parts) / 3)
    assert found.missing == ("no tuning: none was given",)
    told = {one.address: (one.label, one.auc) for one in found.found}
    assert told["act:0"] == ("dog", 1)
    assert told["act:6"] == ("cat", 1)
    assert [one.score for one in found.found] == sorted((one.score for one in found.found), reverse=True)


def test_tuning_and_families_explain() -> None:
    found = surprise(planted(), tunings={f"act:{at}": 0.9 for at in range(8)}, families=[["act:8", "act:0"]], count=3)
    assert len(found.found) == 3
    parts = {part.name: part for part in found.found[0].parts}
    assert found.found[0].address == "act:8"
    assert parts["no tuning"].measure == 1
    assert found.missing == ()
    told = {one.address: one for one in surprise(planted(), tunings={"act:8": 1.0}).found}
    assert {part.name: part.measure for part in told["act:8"].parts}["no tuning"] == 0


def test_what_cannot_be_measured_is_said() -> None:
    found = surprise(planted(kept=False))
    assert "no label: the recording keeps statistics only" in found.missing
    assert [part.name for part in found.found[0].parts] == ["odd distribution", "unlike its family"]
    few = recording_of({"act": planted().layer("act")}, [""] * 60, [None] * 60)
    assert "no label: no label or group has 5 inputs" in surprise(few).missing
    with pytest.raises(AddressError):
        surprise(planted(), at=["atc"])
