"""Planted pictures: the label changes pixels in the masks only, and nothing else knows of it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from hooke.errors import DataError
from hooke.modalities.planted import DECOYS, LABELS, PLATE, SIDE, balanced, plant
from hooke.modalities.scenes import scenes

SETS = list(LABELS)


@pytest.mark.parametrize("name", SETS)
@settings(max_examples=3)
@given(seed=some.integers(0, 10_000))
def test_another_label_changes_pixels_in_the_masks_only(name: str, seed: int) -> None:
    labels = balanced(name, 12, seed)
    one = plant(name, labels, seed)
    other = plant(name, (labels + 1) % len(LABELS[name]), seed, one.decoys)
    changed = (one.canvases != other.canvases).any(1)
    assert not bool((changed & ~(one.masks | other.masks)).any())
    assert bool(changed.flatten(1).any(1).all())


@pytest.mark.parametrize("name", SETS)
def test_without_is_the_same_picture_outside_of_what_was_planted(name: str) -> None:
    one = plant(name, balanced(name, 24, 0), 0)
    changed = (one.canvases != one.without).any(1)
    assert not bool((changed & ~one.inside).any())
    assert float(changed.sum() / one.inside.sum()) > 0.9  # the rest is as bright by chance, or both are clipped
    assert float(one.canvases.min()) >= 0
    assert float(one.canvases.max()) <= 1


def test_the_shapes_differ_everywhere_in_the_mask() -> None:
    """Each pixel of the mask belongs to some shapes and not to others, each pixel of the core to all of them."""
    drawn = [plant("shape", [label] * 12, 3, [0] * 12) for label in range(3)]
    inside = torch.stack([one.inside for one in drawn])
    assert all(torch.equal(one.masks, inside.any(0) & ~inside.all(0)) for one in drawn)


def test_pairs_of_sets_show_the_same_pictures() -> None:
    one = plant("object", [0, 1, 2, 3], 5, [3, 2, 1, 0])
    other = plant("scene", one.decoys, 5, one.labels)
    assert torch.equal(one.canvases, other.canvases)
    assert torch.equal(one.masks, ~other.masks)
    one, other = plant("texture", [0, 1], 5, [2, 1]), plant("shape", [2, 1], 5, [0, 1])
    assert torch.equal(one.canvases, other.canvases)


def test_a_watermark_is_a_plate_anywhere() -> None:
    one = plant("watermark", [0] * 300, 1)
    assert one.masks.flatten(1).sum(1).unique().tolist() == [PLATE**2]
    assert float(one.masks.any(0).float().mean()) > 0.9  # hardly a place is free of them
    assert one.canvases.shape == (300, 3, SIDE, SIDE)


def test_a_seed_is_always_the_same_and_decoys_say_nothing_of_labels() -> None:
    for name in SETS:
        labels = balanced(name, 240, 2)
        one, again = plant(name, labels, 2), plant(name, labels, 2)
        assert torch.equal(one.canvases, again.canvases)
        counts = torch.zeros(len(LABELS[name]), len(DECOYS[name]))
        counts.index_put_((one.labels, one.decoys), torch.ones(240), accumulate=True)
        expected = counts.sum(1, keepdim=True) * counts.sum(0) / 240
        assert float(((counts - expected) ** 2 / expected).sum()) < 30  # chi square of at most 9 degrees


def test_refusals_name_the_sets() -> None:
    with pytest.raises(DataError, match="watermark"):
        plant("nothing", [0], 0)
    with pytest.raises(DataError, match="from 0 to 2"):
        plant("shape", [3], 0)


def test_scenes_stay_what_the_transformer_was_trained_on() -> None:
    assert scenes([0, 17, 47], 7).double().mean().item() == pytest.approx(0.42324, abs=1e-4)
