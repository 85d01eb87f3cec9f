"""First guesses against a slow search, and pieces whose corners are known."""

import pytest
import torch
from torch import Tensor, nn

from hooke.errors import AddressError
from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.studies.guesses import photograph_peaks, receptive_crop


def test_peaks_are_those_of_a_search_one_value_at_a_time(model: Model, toy: nn.Module, canvases: list[Tensor]) -> None:
    peaks = photograph_peaks(model, canvases, "mind.act")
    with torch.no_grad():
        maps = [toy.mind(toy.eye((canvas[None].double() - 0.5) / 0.25))[0] for canvas in canvases]
    for channel in range(6):
        value, image, row, column = max(
            (float(maps[image][channel, row, column]), image, row, column)
            for image in range(4)
            for row in range(8)
            for column in range(12)
        )
        assert float(peaks.values[channel]) == pytest.approx(value, rel=1e-6)
        assert [int(part[channel]) for part in (peaks.images, peaks.rows, peaks.columns)] == [image, row, column]


def test_of_equal_peaks_the_first_counts() -> None:
    module = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU6())
    with torch.no_grad():
        module[0].weight.fill_(100.0)
        module[0].bias.zero_()
    model = open(module, modality=Image(4, 6, mean=(0.0,) * 3, std=(1.0,) * 3), labels=[])
    canvas = torch.zeros(3, 4, 6)
    canvas[:, 2, 3] = canvas[:, 2, 5] = canvas[:, 3, 0] = 1.0
    peaks = photograph_peaks(model, [torch.zeros(3, 4, 6), canvas, canvas], "1")
    assert peaks.values.tolist() == [6.0, 6.0]
    assert [peaks.images.tolist(), peaks.rows.tolist(), peaks.columns.tolist()] == [[1, 1], [2, 2], [3, 3]]


def test_a_layer_without_positions_has_peaks_without_places(model: Model, canvases: list[Tensor]) -> None:
    peaks = photograph_peaks(model, canvases, "logits")
    with torch.no_grad():
        logits = torch.stack([model(model.modality.normalize(canvas[None]))[0] for canvas in canvases])
    assert torch.equal(peaks.images, logits.argmax(0))
    assert peaks.rows.tolist() == peaks.columns.tolist() == [-1] * 4
    assert receptive_crop(model, canvases[0], "logits", -1, -1) is canvases[0]


def test_an_unknown_layer_is_refused(model: Model, canvases: list[Tensor]) -> None:
    with pytest.raises(AddressError, match="no layer of this name"):
        photograph_peaks(model, canvases, "mind.acct")


@pytest.mark.parametrize(
    ("layer", "row", "column", "top", "left", "side"),
    [
        ("0", 50, 60, 34, 44, 32),  # sees 3 px: at least 32, around pixel 50, 60
        ("0", 0, 223, 0, 192, 32),  # pushed inside
        ("1", 20, 10, 18, 0, 45),  # sees 45 px around pixel 40, 20
        ("2", 13, 2, 56, 0, 96),  # sees 101 px and more: at most 96, around pixel 104
    ],
)  # fmt: skip
def test_the_piece_is_where_the_unit_looks(layer: str, row: int, column: int, top: int, left: int, side: int) -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 1, 3, padding=1),
        nn.Conv2d(1, 1, 43, stride=2, padding=21),
        nn.Conv2d(1, 1, 29, stride=4, padding=14),
    )
    model = open(module, modality=Image(224, 224, mean=(0.0,) * 3, std=(1.0,) * 3), labels=[])
    rows, columns = torch.meshgrid(torch.arange(224.0), torch.arange(224.0), indexing="ij")
    piece = receptive_crop(model, torch.stack([rows, columns, rows]), layer, row, column)
    assert piece.shape == (3, side, side)
    assert abs(float(piece[0, 0, 0]) - top) <= 1
    assert abs(float(piece[1, 0, 0]) - left) <= 1
