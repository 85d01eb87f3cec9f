"""`hooke visualize` with objectives: named ones, penalties, searches, films, and refusals."""

import json

import numpy
import PIL.Image
import pytest

from hooke.cli.objectives import Objectives, batched, frame_every
from hooke.errors import DataError, HookeError
from hooke.visualization.ascent import Ascent

LAYER = "blocks.1.0.bn1.act"
QUICK = ("--steps", 4, "--size", 64)


def test_diversity_is_several_pictures_of_one_unit(hooke, tmp_path):
    answer = hooke(
        "visualize", "efficientnet-lite0", f"{LAYER}:3", "--objective", "diversity", "--count", 3, "--out", tmp_path,
        *QUICK, "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert [one["address"].rpartition(": ")[2] for one in answer.json] == [f"picture {n} of 3" for n in (1, 2, 3)]
    with PIL.Image.open(answer.json[0]["file"]) as picture:
        method = json.loads(picture.text["hooke"])["provenance"]["method"]
    assert method["objective"]["type"] == "Weighted"


def test_a_direction_with_penalties_attempts_and_a_film(hooke, tmp_path):
    numpy.save(tmp_path / "vector.npy", numpy.eye(96, dtype=numpy.float32)[3])
    answer = hooke(
        "visualize", "efficientnet-lite0", LAYER, "--objective", "direction", "--vector", tmp_path / "vector.npy",
        "--penalty", "tv=0.5", "--penalty", "batchnorm=0.1", "--attempts", 2, "--snapshots", 4, "--animation", "webp",
        "--smooth-pooling", "--plateau", 0.001, "--batch", "auto", "--out", tmp_path / "out", *QUICK, "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    (one,) = answer.json
    film = one["file"].replace(".png", ".film.webp")
    with PIL.Image.open(film) as frames:
        assert frames.n_frames >= 2
    assert list((tmp_path / "out").glob("*.step0004.png"))


def test_a_caricature_of_a_photograph(hooke, cat, tmp_path):
    answer = hooke(
        "visualize", "efficientnet-lite0", "bn1.act", "--objective", "caricature", "--of", cat, "--out", tmp_path,
        "--steps", 2, "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert len(answer.json) == 1


def test_refusals_name_what_there_is(hooke, tmp_path):
    answer = hooke(
        "visualize", "efficientnet-lite0", f"{LAYER}:3", "--objective", "nonsense", "--out", tmp_path, "--json"
    )
    assert answer.code == 1
    assert {"caricature", "diversity", "matching"} <= set(json.loads(answer.err.splitlines()[-1])["choices"])


@pytest.mark.parametrize("wrong", ["tv=much", "tv="])
def test_a_penalty_is_a_name_and_a_number(wrong):
    with pytest.raises(HookeError, match=r"NAME=WEIGHT(.|\n)*next:"):
        Objectives("response", ([], []), (), None, None, {}).wanted(None, ["a:1"], [wrong])


@pytest.mark.parametrize("wrong", ["many", "0", "-1"])
def test_a_batch_is_a_number_or_auto(wrong):
    with pytest.raises(HookeError, match="auto"):
        batched(Ascent(), wrong, None, [])


def test_a_vector_that_is_none(tmp_path):
    (tmp_path / "vector.npy").write_text("no numbers")
    with pytest.raises(DataError, match=r"vector\.npy(.|\n)*no NumPy file"):
        Objectives("direction", ([], []), (), None, tmp_path / "vector.npy", {})._vector()


def test_films_are_of_kinds_that_there_are():
    assert (frame_every(None, None), frame_every(None, "webp"), frame_every(8, "webp")) == (None, 2, 8)
    with pytest.raises(HookeError, match="choices: webp, gif, png, mp4"):
        frame_every(None, "avi")
