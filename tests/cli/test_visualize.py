"""`hooke visualize`: PNGs that say how they were made, a contact sheet, and names that are safe everywhere."""

import json
from pathlib import Path

import PIL.Image

from hooke.cli.visualize import file_names

UNITS = ("blocks.1.0.bn1.act:3", "blocks.1.0.bn1.act:7")


def test_pictures_with_their_provenance(hooke, tmp_path) -> None:
    command = ("visualize", "efficientnet-lite0", *UNITS, "--out", tmp_path, "--steps", 4, "--size", 64, "--seed", 3)
    first = hooke(*command, "--json")
    assert first.code == 0, first.err
    assert [one["address"] for one in first.json] == list(UNITS)
    for one in first.json:
        assert {"address", "file", "response", "seconds"} <= set(one)
        with PIL.Image.open(one["file"]) as picture:
            assert picture.size == (64, 64)
            facts = json.loads(picture.text["hooke"])
        assert facts["provenance"]["address"] == one["address"]
        assert facts["provenance"]["seed"] == 3
        assert facts["provenance"]["method"]["steps"] == 4
        assert facts["response"] == one["response"]
    with PIL.Image.open(tmp_path / "contact-sheet.png") as sheet:
        assert min(sheet.size) > 176
    before = [Path(one["file"]).read_bytes() for one in first.json]
    again = hooke(*command, "--json")
    assert again.json == first.json
    assert [Path(one["file"]).read_bytes() for one in again.json] == before


def test_a_channel_out_of_range(hooke, tmp_path) -> None:
    answer = hooke("visualize", "efficientnet-lite0", "blocks.1.0.bn1.act:9999", "--out", tmp_path)
    assert answer.code == 1
    assert "9999" in answer.err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made(hooke, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    answer = hooke("visualize", "efficientnet-lite0", UNITS[0], "--out", tmp_path / "file" / "inside")
    assert answer.code == 1
    assert "--out" in answer.err


def test_file_names_are_safe_and_different() -> None:
    names = file_names(
        ["a.b:3", "a.b-3", "A.b:3", 'logits:"tabby, tabby cat"', "2*a:3 - 0.5*b:7", "../../etc:1", "x" * 300]
    )
    assert names[:3] == ["a.b-3.png", "a.b-3~2.png", "A.b-3~3.png"]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(not name.startswith(".") and not set(name) & set('/\\:*?"<>| ') and len(name) < 130 for name in names)
