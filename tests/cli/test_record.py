"""`hooke record`: a folder becomes a recording, and what cannot be read is said."""

from pathlib import Path

from planted.units import SIDE, Units, pictures

import hooke as package


def model() -> tuple[Units, package.Image, tuple[str, ...]]:
    """The planted network, as `package.module:function` opens it."""
    return Units(), package.Image(SIDE, SIDE, (0.0,) * 3, (1.0,) * 3, crop_fraction=1.0), ()


def test_a_folder_is_recorded(hooke, tmp_path: Path) -> None:
    for at, (picture, label) in enumerate(pictures()[:12]):
        (tmp_path / "data" / label).mkdir(parents=True, exist_ok=True)
        picture.save(tmp_path / "data" / label / f"{at:03d}.png")
    (tmp_path / "data" / "cat" / "broken.png").write_bytes(b"")
    path = str(Path(__file__).parents[1])
    given = ("cli.test_record:model", tmp_path / "data", "--out", tmp_path / "r", "--json")
    found = hooke("record", *given, PYTHONPATH=path).json
    assert (found["inputs"], found["layers"][0]["dead"]) == (12, 1)
    assert [one["name"] for one in found["failures"]] == ["cat/broken.png"]
    again = hooke("record", *given[:-1], PYTHONPATH=path)
    assert "12 inputs, 1 layers" in again.out
    assert "cat/broken.png" in again.err
    refused = hooke("record", *given, "--positions", "2", PYTHONPATH=path)
    assert refused.code == 1
    assert "positions 4, not 2" in refused.err
