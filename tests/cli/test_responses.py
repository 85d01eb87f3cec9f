"""`hooke examples`, `hooke selectivity` and `hooke surprise` on a recording of the shipped photographs."""

import json
from pathlib import Path

import PIL.Image
import pytest

UNIT = "blocks.2.1.bn2.act:5"


@pytest.fixture(scope="module")
def recording(hooke, tmp_path_factory) -> Path:
    """The default model over twelve photographs in two folders and a broken file; one layer."""
    from hooke.modalities.image import photographs

    root = tmp_path_factory.mktemp("recorded")
    for at, (name, picture) in enumerate(photographs()):
        file = root / "data" / ("even" if at % 2 == 0 else "odd") / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        picture.resize((96, 96)).save(file)
    (root / "data" / "odd" / "broken.png").write_bytes(b"no picture")
    answer = hooke(
        "record", "efficientnet-lite0", root / "data", "--out", root / "recording", "--layers", "blocks.2.1.bn2.act"
    )
    assert answer.code == 0, answer.err
    return root / "recording"


def test_examples_are_written_as_pictures_and_numbers(hooke, recording: Path, tmp_path: Path) -> None:
    answer = hooke("examples", recording, UNIT, "--out", tmp_path, "--count", 3, "--json")
    assert answer.code == 0, answer.err
    (found,) = answer.json
    assert found["unit"] == UNIT
    assert found["inputs"] == 12
    for file in (found["file"], found["density"]):
        with PIL.Image.open(file) as picture:
            assert min(picture.size) > 300
    assert json.loads(Path(found["json"]).read_text())["bins"] == found["bins"]
    values = [one["value"] for one in found["maxima"]]
    assert values == sorted(values, reverse=True)
    assert len(values) == 3
    assert all(len(part["examples"]) <= 3 for part in found["bins"])


def test_selectivity_of_a_unit_and_search(hooke, recording: Path, tmp_path: Path) -> None:
    found = hooke("selectivity", recording, UNIT, "--shuffles", 20, "--out", tmp_path, "--json").json
    assert {one["label"] for one in found["labels"]} == {"even", "odd"}
    assert sum(one["inputs"] for one in found["labels"]) == 12
    assert found["labels"][0]["auc"] == pytest.approx(1 - found["labels"][1]["auc"])
    assert len(list(tmp_path.glob("*.selectivity.png"))) == 1
    answer = hooke("selectivity", recording, "--label", "odd", "--count", 3)
    assert answer.code == 0
    assert "shuffled labels" in answer.err
    assert answer.out.count("blocks.2.1.bn2.act:") >= 3


def test_surprise_names_its_parts_and_what_is_missing(hooke, recording: Path, tmp_path: Path) -> None:
    found = hooke("surprise", recording, "--count", 2, "--out", tmp_path, "--json").json
    assert len(found["found"]) == 2
    assert "no tuning: none was given" in found["missing"]
    assert {part["name"] for part in found["found"][0]["parts"]} >= {"odd distribution", "unlike its family"}
    assert len(list(tmp_path.glob("*.png"))) == 3


def test_refusals(hooke, recording: Path, tmp_path: Path) -> None:
    for arguments, word in (
        (("selectivity", tmp_path), "one UNIT or one --label"),
        (("selectivity", recording, UNIT, "--groups"), "0 different groups"),
        (("examples", recording, UNIT, "--out", tmp_path, "--data", tmp_path / "gone"), "no such file"),
    ):
        answer = hooke(*arguments)
        assert answer.code == 1
        assert word in answer.err
