"""The unit's and the layer's routes: numbers that are those of the library, jobs that can be followed and ended."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import PIL.Image
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import hooke
from hooke.circuits.weights import weights
from hooke.errors import RecordingError
from hooke.models.kernels import kernels
from hooke.responses.distributions import distribution
from hooke.responses.recording import Recording
from hooke.responses.selectivity import selectivity
from hooke.server.wanted import again_of, text_of, wanted


@pytest.fixture(scope="module")
def recording(toy: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """What the small model did over twelve pictures with three labels."""
    data, random = tmp_path_factory.mktemp("data"), numpy.random.default_rng(3)
    for at in range(12):
        folder = data / ["ant", "bee", "cat"][at % 3]
        folder.mkdir(exist_ok=True)
        PIL.Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=numpy.uint8)).save(folder / f"{at}.png")
    return hooke.record(toy.toy(), data, at=["act1", "act2"], out=tmp_path_factory.mktemp("recording") / "of")


@pytest.fixture
def recorded(make_app: Callable[..., FastAPI], recording: Recording) -> Any:
    with TestClient(make_app(recording=recording), base_url="http://localhost:8742") as client:
        yield client


def answer(client: TestClient, url: str) -> Any:
    """The answer, once its job is done."""
    found = client.get(url)
    if found.status_code == 202:
        events = client.get(f"/api/events?jobs={found.json()['job']}").text
        assert '"cancelled":false' in events
        assert '"state":"ready"' in events, events
        found = client.get(url)
    assert found.status_code == 200, found.text
    return found.json()


def test_texts_of_what_is_wanted() -> None:
    assert wanted("a:3") == "a:3"
    assert wanted("a:3", 2) == "a:3 ~2"
    assert (text_of("a:3 ~2"), again_of("a:3 ~2")) == ("a:3", 2)
    assert (text_of("`x ~`:3"), again_of("`x ~`:3")) == ("`x ~`:3", 0)


def test_the_model_says_what_is_unique_and_what_was_recorded(client: TestClient, recorded: TestClient) -> None:
    alone, known = client.get("/api/model").json(), recorded.get("/api/model").json()
    assert alone["recording"] is None
    assert "hooke record" in alone["record_command"]
    # one, act1: 8 of 16 x 16; two, act2: 16 of 8 x 8; pool, flat: 16; head: 5.
    assert (alone["unique"], alone["neurons"]) == (85, 2 * 8 * 256 + 2 * 16 * 64 + 2 * 16 + 5)
    assert (known["recording"]["inputs"], known["recording"]["labels"]) == (12, 3)
    assert known["recording"]["layers"] == ["act1", "act2"]


def test_a_recording_of_another_model_is_refused(make_app: Callable[..., FastAPI], recording: Recording) -> None:
    other = Recording(**{**vars(recording), "fingerprint": "0" * 64})
    with pytest.raises(RecordingError, match="fingerprint"):
        make_app(recording=other)


def test_without_a_recording_it_says_what_is_missing(client: TestClient) -> None:
    found = client.get("/api/unit/density?layer=act2&channel=3")
    assert found.status_code == 404
    assert "hooke record" in found.json()["next_step"]


def test_the_sheet_has_the_numbers_of_the_library(recorded: TestClient, toy: ModuleType, recording: Recording) -> None:
    sheet = recorded.get("/api/layer?layer=act2").json()
    norms = kernels(toy.toy(), "act2").weights.flatten(1).norm(dim=1)
    assert sheet["norms"] == pytest.approx(norms.tolist(), rel=1e-5)
    kept = recording.layer("act2")
    assert sheet["active"] == pytest.approx(kept.active.tolist())
    assert sheet["labels"] == kept.label_means.argmax(0).tolist()
    assert sheet["names"] == ["ant", "bee", "cat"]
    other = recorded.get("/api/layer?layer=pool").json()
    assert other["norms"] is None
    assert other["why"]
    assert other["active"] is None
    assert recorded.get("/api/layer?layer=nowhere").status_code == 404


def test_density_and_selectivity_are_those_of_the_recording(recorded: TestClient, recording: Recording) -> None:
    density = recorded.get("/api/unit/density?layer=act2&channel=3").json()
    found = distribution(recording, "act2:3")
    assert density["before"]
    assert density["counts"] == found.before.tolist()  # type: ignore[union-attr]
    assert density["mean"] == pytest.approx(found.mean)
    told, own = recorded.get("/api/unit/selectivity?layer=act2&channel=3").json(), selectivity(recording, "act2:3")
    assert [row["name"] for row in told["rows"]] == list(own.names)
    assert [row["auc"] for row in told["rows"]] == pytest.approx(own.auc.tolist())
    assert told["p"] == own.p


def test_examples_lie_on_a_sheet(recorded: TestClient) -> None:
    found = answer(recorded, "/api/unit/examples?layer=act1&channel=2")
    assert found["inputs"] == 12
    every = [one for part in found["bins"] for one in part["examples"]] + found["maxima"] + found["minima"]
    assert sorted(one["place"] for one in every) == list(range(len(every)))
    assert found["columns"] * found["rows"] >= len(every)
    assert found["sheet"].startswith("data:image/webp;base64,")
    values = [one["value"] for one in found["maxima"]]
    assert values == sorted(values, reverse=True)


def test_weights_are_those_of_the_library(client: TestClient, toy: ModuleType) -> None:
    found = answer(client, "/api/unit/weights?layer=act2&channel=3")
    assert found["layer"] == "act1"
    own = weights(toy.toy(), "act1", "act2:3", check=None)
    up, _ = own.before("act2:3", 6)
    assert [one["channel"] for one in found["excite"]] == [int(one.unit.rpartition(":")[2]) for one in up]
    first = own.values[0, found["excite"][0]["channel"]].flatten().tolist()
    assert found["excite"][0]["tile"] == pytest.approx(first, rel=1e-4)
    assert (found["height"], found["width"]) == (3, 3)
    later = answer(client, "/api/unit/weights?layer=act2&channel=3&after=true")
    assert later["layer"] == "logits"
    assert later["of"] == 5


def test_tuning_and_ablation(client: TestClient) -> None:
    tuned = answer(client, "/api/unit/tuning?layer=act1&channel=2&kind=gratings&over=orientation")
    assert len(tuned["mean"]) == len(tuned["texts"]) == 16
    assert all(low <= mean <= high for low, mean, high in zip(tuned["low"], tuned["mean"], tuned["high"], strict=True))
    assert tuned["period"] == 180
    assert client.get("/api/unit/tuning?layer=act1&channel=2&kind=gratings&over=hue").status_code == 400
    broken = answer(client, "/api/unit/ablation?layer=act1&channel=2")
    assert [row["name"] for row in broken["rows"]] == ["first", "second", "third"]
    assert broken["controls"] == 19
    assert all(len(row["random"]) == 3 for row in broken["rows"])
    change = sum(row["after"] - row["before"] for row in broken["rows"]) / 3
    assert broken["change"] == pytest.approx(change, abs=1e-6)


def test_quality_waits_for_pictures_and_counts_their_seeds(client: TestClient) -> None:
    url = "/api/unit/quality?layer=act2&channel=3"
    assert client.get(url).status_code == 404
    asked = client.post("/api/drawings", json={"addresses": ["act2:3", "act2:3 ~1", "-act2:3", "act2:5"]}).json()
    assert [view["address"] for view in asked["drawings"]] == ["act2:3", "act2:3 ~1", "-act2:3", "act2:5"]
    events = client.get(f"/api/events?jobs={asked['job']}").text
    ready = [json.loads(line[6:])["drawing"] for line in events.splitlines() if '"drawing":' in line]
    urls = {one["address"]: one["picture_url"] for one in ready}
    assert len(set(urls.values())) == 4
    records = {name: client.get(url.replace(".png", ".json")).json() for name, url in urls.items()}
    assert records["act2:3"]["provenance"]["seed"] == 0
    assert records["act2:3 ~1"]["provenance"]["seed"] == 1
    assert records["act2:3 ~1"]["address"] == "act2:3"
    found = answer(client, url)
    assert found["pictures"] == 2
    assert found["others"] == 1
    assert found["response"] == pytest.approx(records["act2:3"]["response"], rel=1e-3)


def test_faces_are_drawings_or_pieces_of_photographs(client: TestClient) -> None:
    first = client.get("/api/face?layer=act2&channel=3")
    assert first.headers["content-type"] == "image/webp"
    assert (
        client.get("/api/face?layer=act2&channel=3", headers={"If-None-Match": first.headers["etag"]}).status_code
        == 304
    )
    assert client.get("/api/face?layer=act2&channel=99").status_code == 404
    views = client.post("/api/faces", json={"addresses": ["act2:3"]}).json()
    assert views["job"] is None
    assert views["drawings"][0]["picture_url"] is None


def test_search_by_address_by_label_and_by_lot(client: TestClient, recorded: TestClient) -> None:
    def hits(words: str, who: TestClient = client) -> list[tuple[str, int]]:
        return [(hit["layer"], hit["channel"]) for hit in who.get("/api/search", params={"q": words}).json()["hits"]]

    assert hits("act2:7")[0] == ("act2", 7)
    assert hits("2:7")[0] == ("act2", 7)
    assert ("logits", 4) in hits("elk")
    assert hits("zebra") == []
    assert client.get("/api/search?q=elk").json()["note"]
    assert recorded.get("/api/search?q=ant").json()["note"] == ""
    assert {layer for layer, _ in hits("ant", recorded)} > {"act2"}
    lot = hits("")
    assert len(lot) == 12
    assert {layer for layer, _ in lot} <= {"act1", "act2"}


def test_a_computation_is_cancelled_and_can_be_asked_for_again(
    make_app: Callable[..., FastAPI], tmp_path: Path
) -> None:
    app = make_app()
    with TestClient(app, base_url="http://localhost:8742"):
        queue, done = app.state.microscope.queue, []

        def work(report: Callable[[int, int], None]) -> None:
            for step in range(200):
                report(step, 200)
                time.sleep(0.01)
            done.append(True)

        job, other = queue.run("long", work), queue.run("long", work)
        time.sleep(0.1)
        stands, over, _ = queue.stands(job)
        assert stands[0].share > 0
        assert not over
        queue.cancel(job)
        assert queue.stands(job)[2]
        assert queue.stands(other)[0][0].view.state == "drawing"  # somebody else still waits
        queue.cancel(other)
        time.sleep(0.2)
        assert not done
        quick = queue.run("long", lambda report: done.append(True))
        while not queue.stands(quick)[1]:
            time.sleep(0.01)
        assert done == [True]
