"""Searching for units by words and by what they fire with; the planted ones come first."""

import pytest
import torch
from responses.by_hand import layer_of, recording_of

from hooke.errors import DataError
from hooke.responses.search import companions, matching, search

LABELS = ["dalmatian, coach dog, carriage dog", "tabby, tabby cat", "hotdog, hot dog, red hot", None] * 20
GROUPS = ["dog", "cat", None, None] * 20


@pytest.fixture(scope="module")
def recording():
    """Unit a:3 fires for dalmatians, b:1 a little less, b:2 with a:3; all else is noise."""
    dice = torch.Generator().manual_seed(0)
    first, second = (torch.rand(80, 10, 1, 1, generator=dice) for _ in range(2))
    shown = torch.tensor([one == LABELS[0] for one in LABELS])
    first[shown, 3] += 1
    second[shown, 1] += 0.6
    second[:, 2] = first[:, 3] * 2 + 1
    layers = {}
    for name, values in (("a", first), ("b", second)):
        layer = layer_of(values, LABELS, GROUPS)
        row = type(layer.layer)(**(vars(layer.layer) | {"name": name}))
        layers[name] = type(layer)(**(vars(layer) | {"layer": row}))
    return recording_of(layers, [str(at) for at in range(80)], LABELS, GROUPS)


def test_words_find_labels_groups_and_definitions(recording) -> None:
    positive, kinds = matching(recording, "dalmatian")
    assert kinds == (LABELS[0],)
    assert int(positive.sum()) == 20
    assert matching(recording, "DOG", definitions=False)[1] == (LABELS[0], "dog", LABELS[2])
    assert matching(recording, "spots")[1] == (LABELS[0],)
    assert matching(recording, "carriage dog", definitions=False)[1] == (LABELS[0],)


def test_the_planted_units_come_first_and_beat_chance(recording) -> None:
    found = search(recording, "dalmatian", count=5)
    assert {hit.address for hit in found.hits[:2]} == {"a:3", "b:2"}
    assert found.hits[2].address == "b:1"
    assert found.hits[0].auc == 1
    assert found.hits[0].low > found.chance[1] > found.chance[0] > 0.5
    assert (found.inputs, found.total, found.units) == (20, 80, 20)
    assert found.hits[3].auc <= found.chance[1] + 0.05
    assert search(recording, "dalmatian", at=["b"], count=1).hits[0].address == "b:2"


def test_what_fires_together_is_found_across_layers(recording) -> None:
    (first, strength), *rest = companions(recording, "a:3", count=4)
    assert first == "b:2"
    assert strength == pytest.approx(1)
    assert rest[0][0] == "b:1"
    assert all(address != "a:3" for address, _ in rest)
    assert search(recording, "dalmatian", at=["b"], count=1).hits[0].together[0][0] == "b:1"


def test_what_is_said_of_nothing_or_everything_is_refused(recording) -> None:
    with pytest.raises(DataError, match=r"(?s)no label or group.*choices: dalmatian"):
        search(recording, "dalmatain")
    with pytest.raises(DataError, match="give a word"):
        search(recording, " ?")
    whole = recording_of({}, ["a", "b"], ["x", "x"])
    with pytest.raises(DataError, match="nothing to compare"):
        matching(whole, "x")
