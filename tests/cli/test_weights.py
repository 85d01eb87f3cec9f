"""`hooke weights` and the tying in `hooke layers`, on the planted network."""

import json
from pathlib import Path

import numpy
import torch
from planted import square

MODEL = "planted.square:parts"
HERE = {"PYTHONPATH": str(Path(__file__).parents[1])}


def test_numbers_and_files(hooke, tmp_path: Path) -> None:
    out = tmp_path / "weights"
    found = hooke("weights", MODEL, "edges_act", "figures_act", "--out", out, "--no-check", "--json", **HERE).json
    assert (found["source"], found["sources"], found["targets"]) == ("edges_act", 2, 2)
    assert found["rows"] == list(range(-7, 8))
    assert found["trust"] is None
    (one, _) = found["units"]
    assert one["unit"] == "figures_act:0"
    # Each edge does both, and inhibits more: it stands there, once.
    assert one["excite"] == []
    assert [(entry["excitation"], entry["inhibition"]) for entry in one["inhibit"]] == [(10, -16), (10, -16)]
    stored = numpy.load(out / "weights.npz")
    assert torch.equal(torch.from_numpy(stored["values"]), square.tiles(square.EDGES_TO_FIGURES, square.EDGES, 7))
    assert list(stored["sources"]) == ["edges_act:0", "edges_act:1"]
    names = {Path(file).name for file in found["files"]}
    assert names == {"figures_act-0.png", "figures_act-1.png", "matrix.png", "weights.npz", "weights.json"}
    assert all(Path(file).stat().st_size for file in found["files"])
    assert json.loads((out / "weights.json").read_text())["key"] == found["key"]


def test_units_and_the_table(hooke) -> None:
    answer = hooke("weights", MODEL, "edges_act:1,edges_act:0", "corners_act:2", "--direct", "--no-check", **HERE)
    assert answer.code == 0
    assert [line.split()[1] for line in answer.out.splitlines()[2:]] == ["edges_act:1", "edges_act:0"]
    assert "tiles of 5 x 5" in answer.err
    assert "linear in place of hardtanh" in answer.err


def test_a_refusal(hooke) -> None:
    answer = hooke("weights", MODEL, "corners_act", "edges_act", **HERE)
    assert answer.code == 1
    assert "the source is the layer that comes first" in answer.err


def test_tying_in_the_layer_table(hooke, tmp_path: Path) -> None:
    file = tmp_path / "families.json"
    file.write_text(json.dumps({"corners_act": [list(square.TURNED["corners"])]}))
    answer = hooke("layers", MODEL, "--families", file, **HERE)
    (row,) = [line.split() for line in answer.out.splitlines() if line.startswith("corners_act")]
    assert row[-3:-1] == ["1,152x", "576x"]
    assert "weights are shared 576x" in answer.err
    file.write_text("[]")
    assert "no families of channels" in hooke("layers", MODEL, "--families", file, **HERE).err
