"""`hooke render`: sheets of layers, an estimate for all of them, and clear refusals."""

import json

import PIL.Image
import pytest

from hooke.cli.render import parse_units
from hooke.errors import HookeError

LAYERS = ("--layers", "blocks.0.0.bn1.act", "--layers", "blocks.1.0.bn1.act")


def test_a_sample_of_two_layers_and_how_long_all_would_take(hooke, tmp_path) -> None:
    command = ("render", "efficientnet-lite0", *LAYERS, "--sample", 4, "--steps", 2, "--size", 32, "--cell", 32)
    first = hooke(*command, "--out", tmp_path, "--json")
    assert first.code == 0, first.err
    rows = first.json["layers"]
    assert [(row["drawn"], row["channels"]) for row in rows] == [(4, 32), (4, 96)]
    assert first.json["seconds_for_all"] == pytest.approx(sum(row["seconds"] * row["channels"] for row in rows))
    with PIL.Image.open(tmp_path / rows[1]["image"]) as sheet:
        assert sheet.size == (64, 64)
    units = json.loads((tmp_path / "blocks.1.0.bn1.act.json").read_text())["units"]
    assert [unit["address"] for unit in units] == [f"blocks.1.0.bn1.act:{channel}" for channel in (0, 24, 48, 72)]


def test_units_are_numbers_and_ranges() -> None:
    assert parse_units("3, 0-2,2") == [0, 1, 2, 3]
    with pytest.raises(HookeError, match="0-31,40"):
        parse_units("0-x")
