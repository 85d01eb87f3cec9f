"""Activation atlases against planted templates: cells are the means of what lies in them, classes choose their own."""

import pytest
import torch
from planted.templates import LAYER, PATCH, Templates, laid, templates

from hooke.errors import NumericsError
from hooke.modalities.datasets import dataset
from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.studies.activation_atlas import (
    Atlas,
    Principal,
    Vectors,
    activation_atlas,
    atlas_picture,
    averaged,
    gathered,
)
from hooke.studies.inversion import Inversion

BY = Inversion(steps=100)


@pytest.fixture(scope="module")
def eye() -> Model:
    image = Image(32, 32, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), crop_fraction=1.0)
    return open(Templates(), modality=image, labels=tuple("abcdef"))


@pytest.fixture(scope="module")
def vectors(eye: Model) -> Vectors:
    dice = torch.Generator().manual_seed(0)
    pictures = [laid(torch.randint(0, 6, (4, 4), generator=dice)).permute(1, 2, 0).numpy() for _ in range(8)]
    shown = dataset([(255 * picture).round().astype("uint8") for picture in pictures])
    return gathered(eye, shown, LAYER, ["logits:0", "logits:4"], each=16)


def shown(atlas: Atlas) -> torch.Tensor:
    """Which template each cell shows."""
    cut = (atlas.cells.shape[-1] - PATCH) // 2
    middles = atlas.cells[..., cut : cut + PATCH, cut : cut + PATCH].flatten(1) - 0.5
    return (middles @ templates().flatten(1).T).argmax(1)


def test_vectors_say_where_they_are_from_and_what_they_speak_for(vectors: Vectors) -> None:
    assert vectors.values.shape == (128, 6)
    assert vectors.places.unique(dim=0).shape == (128, 3)
    kinds = vectors.values.argmax(1)
    more = vectors.values - vectors.values.mean(0)
    assert torch.allclose(vectors.credits, more[:, [0, 4]].T / 16, atol=1e-5)
    assert bool((vectors.credits[1][kinds != 4] < 0.05 * vectors.credits[1].max()).all())


def test_each_cell_is_drawn_as_what_lies_in_it(eye: Model, vectors: Vectors) -> None:
    *_, atlas = activation_atlas(eye, vectors.of([]), side=6, least=1, layout=Principal(), by=BY)
    assert atlas.done
    assert atlas.agreement is not None
    assert float(atlas.agreement.cosines.median()) > 0.95
    assert int(atlas.counts.sum()) == 128
    assert len(set(shown(atlas).tolist())) >= 3
    picture = atlas_picture(atlas, 10)
    assert picture.shape == (4, 60, 60)
    assert bool((picture[3].unfold(0, 10, 10).unfold(1, 10, 10).amax((2, 3)) == atlas.there).all())


def test_a_class_chooses_its_own(eye: Model, vectors: Vectors) -> None:
    *_, atlas = activation_atlas(eye, vectors.of([1]), side=3, least=1, layout=Principal(), by=BY)
    assert set(shown(atlas).tolist()) == {4}
    assert atlas.of == "logits:4"


def test_two_classes_go_from_right_to_left(eye: Model, vectors: Vectors) -> None:
    *_, atlas = activation_atlas(eye, vectors, side=4, least=1, layout=Principal(), by=BY)
    columns = atlas.there.nonzero()[:, 1]
    kinds = shown(atlas)
    assert set(kinds[columns == 0].tolist()) == {4}
    assert set(kinds[columns == 3].tolist()) == {0}


def test_averages_by_hand() -> None:
    values = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    points = torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    means, there, counts, homes = averaged(values, points, 2, 1)
    assert there.tolist() == [[True, False], [False, True]]
    assert counts.tolist() == [[2, 0], [0, 1]]
    assert homes.tolist() == [0, 0, 1]
    assert means[0, 0].tolist() == [2.0, 0.0]
    with pytest.raises(NumericsError, match="none has 3"):
        averaged(values, points, 2, 3)


def test_points_that_lie_far_off_leave_no_empty_map() -> None:
    dice = torch.Generator().manual_seed(0)
    points = torch.cat([torch.rand(396, 2, generator=dice), 1000 + torch.rand(4, 2, generator=dice)])
    _, there, counts, _ = averaged(torch.ones(400, 1), points, 4, 1)
    assert bool(there.all())
    assert counts.sum(0).tolist() == counts.sum(1).tolist() == [100] * 4
