"""`hooke tune` and `hooke stimuli`: files, JSON, and refusals with their choices."""

import json
from dataclasses import asdict
from pathlib import Path

import PIL.Image
import pytest
from planted import edges
from torch import nn

import hooke as package
from hooke.cli.stimuli import in_words, stimuli
from hooke.cli.tune import chosen, tune
from hooke.errors import ImageError, StimulusError
from hooke.modalities.image import Image
from hooke.responses.stimuli import Choice, Circular, Fixed, Linear

HERE = Path(__file__)
PLANTED = ("cli.test_tune:look", {"PYTHONPATH": str(HERE.parents[1])})
FEW = ("--steps", "4", "--samples", "2")


def look() -> tuple[nn.Module, Image, tuple[str, ...]]:
    """The planted network, as `package.module:function` opens it."""
    model = edges.look()
    return model.module, model.modality, ()


def test_units_over_two_parameters_beside_recorded_data(hooke, cat: Path, tmp_path: Path) -> None:
    name, environment = PLANTED
    recorded = package.record(package.open(name), cat, at=["1"], out=tmp_path / "recording")
    out = tmp_path / "tuning"
    answer = hooke(
        "tune", name, "1:3", "1:5", "--stimulus", "curves", "--over", "radius,orientation", *FEW,
        "--fix", "colour=white", "--recording", recorded.folder, "--out", out, "--json", **environment,
    )  # fmt: skip
    first, second = answer.json
    assert (first["unit"], second["unit"]) == ("1:3", "1:5")
    assert set(first["best"]) == set(first["tuning"]) == {"radius", "orientation"}
    assert set(first["invariance"]) == {"width", "length", "offset"}
    assert 0 <= first["tuning"]["orientation"]["selectivity"]["value"] <= 1
    largest = float(recorded.layer("1").maximum[5])
    assert second["strength"]["share_of_maximum"] == pytest.approx(second["strength"]["best"]["value"] / largest)
    assert second["strength"]["sigmas"] is not None
    told = json.loads((out / "1-3.json").read_text())
    assert len(told["mean"]) == len(told["over"]["radius"]["values"]) == 4
    assert told["low"][0][0] <= told["mean"][0][0] <= told["high"][0][0]
    for file in ("1-3.png", "1-3.radial.png", "1-5.png", "stimuli.png", "joint.orientation.png"):
        with PIL.Image.open(out / file) as figure:
            assert figure.size[0] > 300


def test_crops_of_own_pictures_in_words(cat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In this process: a new one takes seconds to load its libraries."""
    tune(PLANTED[0], ["1:3"], tmp_path, "rotation", stimulus="crops", pictures=cat, steps=4, samples=2)
    out = capsys.readouterr().out
    assert "rotation" in out
    assert "1-3.png" in out
    assert "stimuli.png" in out


@pytest.mark.parametrize(
    ("given", "choice"),
    [
        (("grating", []), "gratings"),
        (("gratings", ["orientatoin=3"]), "orientation"),
        (("gratings", ["phase"]), "phase"),
        (("gratings", ["phase=x"]), ""),
        (("lines", ["colour=mauve"]), "red"),
        (("gratings", [], Path()), "crops"),
    ],
)
def test_refusals_name_the_choices(given, choice: str) -> None:
    with pytest.raises(StimulusError) as refusal:
        chosen(*given)
    assert choice in (refusal.value.choices or ("",))


def test_pictures_that_cannot_be_read(tmp_path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(ImageError, match="no picture"):
        chosen("crops", [], tmp_path)
    with pytest.raises(ImageError):
        chosen("crops", [], tmp_path / "notes.txt")


def test_stimuli_are_listed_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stimuli(None, tmp_path, as_json=True)
    listed = json.loads(capsys.readouterr().out)
    assert len(listed) == 11
    assert listed["gratings"]["orientation"] == {"kind": "circular", "turn": 180, "unit": "°"}
    assert (tmp_path / "stimuli.png").exists()


@pytest.mark.parametrize(
    ("among", "words"),
    [
        (Circular(180), "0 to 180, round"),
        (Linear(0, 1), "0 to 1"),
        (Choice(tuple("abcdef")), "one of 6: a, b, c, d, ..."),
        (Fixed(3), "3"),
    ],
)
def test_ranges_in_words(among, words: str) -> None:
    assert in_words(asdict(among)) == words
