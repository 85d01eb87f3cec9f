"""Activation grids against planted templates: each cell shows the one template that its position holds."""

import pytest
import torch
from planted.templates import LAYER, PATCH, Templates, laid, templates

from hooke.errors import AddressError, NumericsError
from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.studies.activation_grid import LEAST, Grid, activation_grids, agreement, grid_layers, mosaic
from hooke.studies.inversion import Inversion, levels, spot

KINDS = torch.tensor([[0, 0, 1, 1, 2], [0, 3, 1, 4, 2], [5, 3, 3, 4, 4], [5, 5, 5, 2, 2]])


@pytest.fixture(scope="module")
def eye() -> Model:
    return open(Templates(), modality=Image(32, 40, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)))


@pytest.fixture(scope="module")
def moments(eye: Model) -> list[Grid]:
    return list(activation_grids(eye, laid(KINDS), [LAYER], by=Inversion(steps=120), every=4))


def test_each_cell_is_its_template(moments: list[Grid]) -> None:
    grid = moments[-1]
    assert grid.done
    assert grid.agreement is not None
    cut = (grid.cells.shape[-1] - PATCH) // 2
    middles = grid.cells[..., cut : cut + PATCH, cut : cut + PATCH].flatten(1) - 0.5
    patterns = templates().flatten(1)
    likeness = middles @ patterns.T / (middles.norm(dim=1)[:, None] * patterns.norm(dim=1))
    assert likeness.argmax(1).tolist() == KINDS.flatten().tolist()
    assert float(likeness.amax(1).median()) > 0.9
    assert float(grid.agreement.cosines.min()) > 0.99
    assert float(grid.agreement.shuffled.median()) < 0.1
    assert grid.agreement.told == 1.0


def test_it_comes_coarse_to_fine_and_counts_its_passes(moments: list[Grid]) -> None:
    sizes = [(one.rows, one.columns) for one in moments]
    assert sizes == sorted(sizes)
    assert set(sizes) == {(2, 3), (4, 5)}
    assert all(len(one.cells) == one.rows * one.columns for one in moments)
    assert moments[-1].passes == 6 * Inversion().coarse + 20 * 120
    assert [one.done for one in moments].count(True) == 1


def test_cells_are_scaled_by_the_square_of_the_magnitude(moments: list[Grid]) -> None:
    grid = moments[-1]
    norms = torch.full_like(grid.norms, 0.0)
    norms[0], norms[1] = 2.0, 1.0
    whole = mosaic(Grid(**{**vars(grid), "norms": norms}), side=500, scaled=True)
    cell = whole.shape[2] // grid.columns
    wide = [int(whole[3, cell // 2, at * cell : (at + 1) * cell].sum()) for at in range(3)]
    assert wide == [round(cell * (LEAST + 0.67)), round(cell * (LEAST + 0.67 / 4)), round(cell * LEAST)]
    assert mosaic(grid, side=500).shape == (3, grid.rows * cell, grid.columns * cell)


def test_a_spot_has_one_position_in_its_middle(eye: Model, default_model: Model) -> None:
    assert (spot(eye, LAYER).side, spot(eye, LAYER).position) == (24, (1, 1))
    for layer in grid_layers(default_model):
        found = spot(default_model, layer)
        first, last = default_model.layers.region(layer, found.position)[0]
        assert abs((first + last) / 2 - found.side / 2) <= 1


def test_levels_keep_means_and_begin_at_their_own_parents() -> None:
    vectors = torch.arange(28.0)[:, None, None].expand(28, 28, 1)
    there = torch.zeros(28, 28, dtype=torch.bool)
    there[:14, :14] = True
    coarse, *_, fine = levels(vectors, there)
    assert coarse.there.shape == (4, 4)
    assert coarse.vectors[0, 0] == 3.0
    assert len(coarse.vectors) == 4
    assert len(fine.vectors) == 196
    assert torch.allclose(fine.begin.sum(1), torch.ones(196))


def test_shuffled_cells_are_never_their_own() -> None:
    found = agreement(torch.eye(9), torch.eye(9), 0)
    assert torch.equal(found.cosines, torch.ones(9))
    assert torch.equal(found.shuffled, torch.zeros(9))
    assert found.told == 1.0


def test_four_layers_of_every_size(default_model: Model) -> None:
    found = [default_model.layer(name) for name in grid_layers(default_model)]
    assert [row.height for row in found] == [28, 14, 14, 7]


def test_what_cannot_be_drawn(eye: Model) -> None:
    with pytest.raises(AddressError, match="no positions"):
        next(activation_grids(eye, laid(KINDS), ["logits"]))
    with pytest.raises(NumericsError, match="zero"):
        next(activation_grids(eye, torch.full((3, 32, 40), 0.5), [LAYER]))


def test_coarse_grids_of_all_layers_come_first_and_progress_is_of_all(eye: Model) -> None:
    found = list(activation_grids(eye, laid(KINDS), ["input", LAYER], by=Inversion(steps=4, coarse=2), every=1))
    assert {one.layer for one in found} == {"input", LAYER}
    first = {one.layer for one in found if one.level == 0}
    later = next(at for at, one in enumerate(found) if one.level == 1)
    assert {one.layer for one in found[:later]} == first
    progress = [one.progress for one in found]
    assert progress == sorted(progress)
    assert progress[0] == 0
    assert progress[-1] == pytest.approx(1)
