"""`hooke study`: figures, numbers, and what it refuses."""

import json
from pathlib import Path

import PIL.Image
from cli.conftest import Run


def test_a_dictionary_is_written_and_drawn(hooke: Run, cat: Path, tmp_path: Path) -> None:
    found = hooke(
        "study", "semantic-dictionary", "efficientnet-lite0", cat, "--layers", "blocks.4.1.bn2.act", "--at", "5,7",
        "--count", 3, "--out", tmp_path, "--json",
    )  # fmt: skip
    assert found.code == 0, found.err
    written = json.loads((tmp_path / "semantic_dictionary.json").read_text())
    assert written == found.json
    magnitudes = [entry["magnitude"] for entry in written["entries"]]
    assert len(magnitudes) == 3
    assert magnitudes == sorted(magnitudes, reverse=True)
    assert written["position"] == [5, 7]
    assert written["norm"] >= magnitudes[0]
    assert (tmp_path / "semantic_dictionary.png").stat().st_size > 10_000


def test_an_unknown_study_and_a_position_that_is_none(hooke: Run, cat: Path, tmp_path: Path) -> None:
    unknown = hooke("study", "dictionry", "efficientnet-lite0", cat, "--out", tmp_path, "--json")
    assert unknown.code == 1
    assert "semantic_dictionary" in json.loads(unknown.err)["choices"]
    nowhere = hooke("study", "semantic_dictionary", "efficientnet-lite0", cat, "--at", "5", "--out", tmp_path)
    assert nowhere.code == 1
    assert "ROW,COLUMN" in nowhere.err


def test_a_grid_is_written_plain_and_scaled_on_nothing(hooke: Run, cat: Path, tmp_path: Path) -> None:
    about = ("--layers", "blocks.6.0.bn2.act", "--steps", 1, "--out", tmp_path, "--json")
    found = hooke("study", "activation_grid", "efficientnet-lite0", cat, *about)
    assert found.code == 0, found.err
    for name, mode in (("grid", "RGB"), ("scaled", "RGBA")):
        with PIL.Image.open(tmp_path / f"blocks.6.0.bn2.act.{name}.png") as written:
            assert (written.mode, written.width) == (mode, 672)
