"""`hooke tune` and `hooke stimuli`: files, JSON, and refusals with their choices."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from PIL import Image

from hooke.cli.stimuli import in_words
from hooke.cli.tune import chosen
from hooke.errors import ImageError, StimulusError
from hooke.responses.stimuli import Choice, Circular, Fixed, Linear

MODEL = "timm:resnet10t?pretrained=false"
FEW = ("--steps", "4", "--samples", "2")


def test_a_unit_over_two_parameters(hooke, tmp_path) -> None:
    out = tmp_path / "tuning"
    answer = hooke(
        "tune", MODEL, "act1:3", "act1:5", "--stimulus", "curves", "--over", "radius,orientation", *FEW,
        "--fix", "colour=white", "--out", out, "--json",
    )  # fmt: skip
    first, second = answer.json
    assert (first["unit"], second["unit"]) == ("act1:3", "act1:5")
    assert set(first["best"]) == set(first["tuning"]) == {"radius", "orientation"}
    assert set(first["invariance"]) == {"width", "length", "offset"}
    assert 0 <= first["tuning"]["orientation"]["selectivity"]["value"] <= 1
    told = json.loads((out / "act1-3.json").read_text())
    assert len(told["mean"]) == len(told["over"]["radius"]["values"]) == 4
    assert told["low"][0][0] <= told["mean"][0][0] <= told["high"][0][0]
    for file in ("act1-3.png", "act1-3.radial.png", "act1-5.png", "stimuli.png", "joint.orientation.png"):
        with Image.open(out / file) as figure:
            assert figure.size[0] > 300


def test_crops_of_own_pictures_in_words(hooke, cat, tmp_path) -> None:
    given = ("--stimulus", "crops", "--pictures", cat, "--over", "rotation", "--out", tmp_path, *FEW)
    answer = hooke("tune", MODEL, "act1:3", *given)
    assert "rotation" in answer.out
    assert "stimuli.png" in answer.out


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


def test_stimuli_are_listed_and_drawn(hooke, tmp_path) -> None:
    listed = hooke("stimuli", "--out", tmp_path, "--json").json
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
