"""Searching by a patch: units that see one colour of a photograph whose halves are known."""

import pytest
import torch
from torch import Tensor, nn

from hooke.errors import AddressError
from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.studies.patch_search import overlap, patch_search


class Colours(nn.Module):
    """One unit for each of red, green, blue, and one that holds 1 everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.see = nn.Conv2d(3, 4, 1)
        self.act = nn.ReLU()
        with torch.no_grad():
            self.see.weight.zero_()[:3, :, 0, 0] = torch.eye(3)
            assert self.see.bias is not None
            self.see.bias.copy_(torch.tensor([0.0, 0, 0, 1]))

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.see(x)).mean((2, 3))


@pytest.fixture
def model() -> Model:
    return open(Colours(), modality=Image(4, 4, (0.0,) * 3, (1.0,) * 3))


@pytest.fixture
def canvas() -> Tensor:
    """Red on the left half; green in the lower right quarter, half as strong."""
    canvas = torch.zeros(3, 4, 4)
    canvas[0, :, :2] = 1
    canvas[1, 2:, 2:] = 0.5
    return canvas


def test_a_place_counts_by_its_share_of_the_patch() -> None:
    assert overlap((0, 0, 0.5, 0.25), 4, 4).tolist() == [[1, 1, 0, 0]] + [[0] * 4] * 3
    assert overlap((0.125, 0.5, 0.25, 1), 2, 4).tolist() == [[0] * 4, [0.5, 0, 0, 0]]
    assert float(overlap((0.1, 0.2, 0.4, 0.9), 5, 7).sum()) == pytest.approx(0.3 * 0.7 * 35)


def test_the_units_of_the_patch_stand_out_by_hand(model: Model, canvas: Tensor) -> None:
    red, *others = patch_search(model, canvas, ["act"], (0, 0, 0.5, 1))
    # Red is 1 inside and 0 outside, its deviation over the photograph one half; the constant unit never changes.
    assert (red.channel, red.inside, red.outside, red.score) == pytest.approx((0, 1, 0, 2))
    assert others == []
    green = patch_search(model, canvas, ["see", "act"], (0.5, 0.5, 1, 1))
    assert [(one.layer, one.channel) for one in green] == [("see", 1), ("act", 1)]
    assert green[0].score == pytest.approx(0.5 / (0.25 * 0.75 * 0.25) ** 0.5)


def test_here_and_not_there(model: Model, canvas: Tensor) -> None:
    found = patch_search(model, canvas, ["act"], (0, 0, 1, 1), (0, 0, 0.5, 1))
    assert [(one.channel, one.inside, one.outside) for one in found] == [(1, 0.125, 0)]


@pytest.mark.parametrize("part", [(0.5, 0, 0.5, 1), (0, 0, 1.5, 1), (-0.1, 0, 1, 1)])
def test_what_is_no_part_is_refused(model: Model, canvas: Tensor, part: tuple[float, float, float, float]) -> None:
    with pytest.raises(AddressError, match="no part"):
        patch_search(model, canvas, ["act"], part)


def test_all_of_the_photograph_leaves_no_rest(model: Model, canvas: Tensor) -> None:
    with pytest.raises(AddressError, match="leaves none"):
        patch_search(model, canvas, ["act"], (0, 0, 1, 1))
