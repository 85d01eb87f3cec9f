"""The routes of the search by a patch and of the same errors: the numbers of their studies, and what is missing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import PIL.Image
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import hooke
from hooke.studies.patch_search import patch_search


@pytest.fixture
def image(client: TestClient) -> str:
    return str(client.get("/api/images").json()[0]["id"])


def test_a_patch_finds_the_units_of_the_study(client: TestClient, image: str, toy: ModuleType) -> None:
    url = f"/api/images/{image}/patch?layer=act2&inside=0,0,50,50&count=5"
    found, model = client.get(url).json(), toy.toy()
    canvas = model.modality.canvas(toy.photographs()[0][1])
    own = patch_search(model, canvas, ["act2"], (0, 0, 0.5, 0.5), count=5)
    assert [one["channel"] for one in found["own"]] == [one.channel for one in own]
    assert [one["score"] for one in found["own"]] == pytest.approx([one.score for one in own])
    assert (found["layers"], found["units"]) == (2, 24)
    assert {one["layer"] for one in found["every"]} <= {"act1", "act2"}
    other = client.get(f"{url}&outside=50,50,100,100").json()
    assert [one["outside"] for one in other["own"]] != [one["outside"] for one in found["own"]]


@pytest.mark.parametrize(
    ("query", "status"),
    [("layer=act2&inside=0,0,5", 404), ("layer=act2&inside=50,0,50,9", 404), ("layer=head&inside=0,0,9,9", 404),
     ("layer=act2&inside=0,0,100,100", 404), ("layer=act2", 422)],
)  # fmt: skip
def test_what_is_no_patch_is_refused(client: TestClient, image: str, query: str, status: int) -> None:
    answer = client.get(f"/api/images/{image}/patch?{query}")
    assert answer.status_code == status
    assert answer.json()["reason"]


def test_the_same_doubt_is_found_among_the_photographs(client: TestClient) -> None:
    shown = client.get("/api/images").json()
    found = client.get(f"/api/images/{shown[0]['id']}/doubt").json()
    first, second = shown[0]["predictions"][:2]
    assert (found["first"], found["second"]) == (first["label"], second["label"])
    assert found["own"] == {"image": shown[0]["id"], "first": first["probability"], "second": second["probability"]}
    # Five labels: all of them are among the five likeliest of every photograph.
    assert {one["image"] for one in found["same"]} == {one["id"] for one in shown[1:]}
    assert found["looked"] == 2


def test_without_a_recording_no_labels_are_confused(client: TestClient, image: str) -> None:
    found = answer(client, f"/api/images/{image}/confusions")
    assert found["confusions"] == []
    assert "recorded" in found["missing"]


@pytest.fixture
def labelled(make_app: Callable[..., FastAPI], toy: ModuleType, tmp_path: Path) -> Iterator[TestClient]:
    """Twelve pictures, each with a label that the model does not give it, or does: known beforehand."""
    model, random = toy.toy(), numpy.random.default_rng(3)
    for at in range(12):
        picture = PIL.Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=numpy.uint8))
        said = model.predict(model.modality.canvas(picture), count=1)[0].label
        folder = tmp_path / "data" / (said if at % 3 else next(name for name in model.labels if name != said))
        folder.mkdir(exist_ok=True, parents=True)
        picture.save(folder / f"{at:02}.png")
    kept = hooke.record(model, tmp_path / "data", at=["act1", "act2"], out=tmp_path / "recording")
    with TestClient(make_app(recording=kept), base_url="http://localhost:8742") as client:
        yield client


def test_labels_that_are_confused_are_counted_and_shown(labelled: TestClient) -> None:
    image = labelled.get("/api/images").json()[0]["id"]
    found = answer(labelled, f"/api/images/{image}/confusions")
    assert (found["inputs"], found["recorded"], found["wrong"]) == (12, 12, 4)
    assert sum(one["wrong"] for one in found["confusions"]) == 4
    assert all(one["truth"] != one["said"] for one in found["confusions"])
    assert found["confusions"][0]["shown"] == found["confusions"][0]["wrong"]
    assert found["confusions"][0]["sheet"].startswith("data:image/webp")
    assert found["units"] == 24


def answer(client: TestClient, url: str) -> Any:
    """The answer, once its job is done."""
    found = client.get(url)
    if found.status_code == 202:
        client.get(f"/api/events?jobs={found.json()['job']}")
        found = client.get(url)
    assert found.status_code == 200, found.text
    return found.json()
