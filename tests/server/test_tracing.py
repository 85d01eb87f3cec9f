"""Spatial and channel attribution over the wire: the numbers of the studies, each pass made once."""

import base64
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy
import pytest
import torch
from fastapi import FastAPI
from starlette.testclient import TestClient

from hooke.models.model import Model
from hooke.server import trail as trails
from hooke.server.trail import Trail, packed
from hooke.shapes import Canvas
from hooke.studies.channel_attribution import Driller
from hooke.studies.spatial_attribution import Tracer, factorized, spatial_attribution

LAYERS = ["act1", "act2"]
CHAIN = "layers=act1&layers=act2"


@pytest.fixture
def model(toy: ModuleType) -> Model:
    made: Model = toy.toy()
    return made


@pytest.fixture
def canvas(toy: ModuleType, model: Model) -> Canvas:
    made: Canvas = model.modality.canvas(toy.photographs()[0][1])
    return made


@pytest.fixture
def image(client: TestClient) -> str:
    """The address of the first photograph."""
    return f"/api/images/{client.get('/api/images').json()[0]['id']}"


def unpacked(view: dict[str, Any]) -> torch.Tensor:
    """The maps, as the page reads them."""
    levels = numpy.frombuffer(base64.b64decode(view["data"]), numpy.int8).astype(numpy.float64)
    maps = levels.reshape(view["count"], view["height"], view["width"])
    return torch.from_numpy(maps * numpy.array(view["scales"])[:, None, None]).float()


def close(view: dict[str, Any], maps: torch.Tensor) -> None:
    """As close as a byte can be."""
    found, wanted = unpacked(view), maps.reshape(-1, *maps.shape[-2:])
    assert found.shape == wanted.shape
    error = (found - wanted).abs().amax((1, 2))
    assert bool((error <= wanted.abs().amax((1, 2)) / 254 * 1.001).all()), error


def test_a_byte_a_value() -> None:
    maps = torch.tensor([[[0.0, 1.27], [-0.64, 0.004]], [[0.0, 0.0], [0.0, 0.0]], [[float("nan"), 2.0], [-2.0, 0.0]]])
    found = unpacked(packed(maps).model_dump())
    assert found[0].tolist() == [[0.0, pytest.approx(1.27)], [pytest.approx(-0.64), 0.0]]
    assert found[1].tolist() == [[0, 0], [0, 0]]
    assert found[2].tolist() == [[0, 2], [-2, 0]]


def test_votes_and_factors_are_the_studys(client: TestClient, image: str, model: Model, canvas: Canvas) -> None:
    found = client.get(f"{image}/spatial?{CHAIN}").json()
    tracer = Tracer(model, canvas, LAYERS)
    study = tracer.mapped(tracer.first("act2", (0, 0)), 5)
    assert [one["name"] for one in found["layers"]] == LAYERS
    assert [one["index"] for one in found["classes"]] == list(study.classes)
    assert [one["label"] for one in found["classes"]] == [model.label(at) for at in study.classes]
    assert sum(one["probability"] for one in found["classes"]) == pytest.approx(1)
    factors = factorized(study.class_maps)
    assert found["explained"] == pytest.approx(factors.explained)
    for one in found["layers"]:
        close(one["votes"], study.class_maps[one["name"]])
        close(one["norms"], study.norms[one["name"]][None])
        close(one["tints"], factors.tints[one["name"]])
    weights = {one["index"]: one["weight"] for one in found["factors"][0]}
    assert weights == {at: pytest.approx(float(factors.weights[0, k])) for k, at in enumerate(study.classes)}


def test_a_position_and_all_pairs_are_one_tensor(client: TestClient, image: str, model: Model, canvas: Canvas) -> None:
    pointed = client.get(f"{image}/spatial/at?{CHAIN}&layer=act2&row=3&column=5").json()
    tracer = Tracer(model, canvas, LAYERS)
    close(pointed["maps"][0]["maps"], tracer.pointed("act2", (3, 5)).before["act1"])
    assert pointed["strength"] == pytest.approx(float(tracer.chain.norms("act2")[3, 5].detach()))
    forward = client.get(f"{image}/spatial/at?{CHAIN}&layer=act1&row=9&column=2").json()
    after = tracer.pointed("act1", (9, 2)).after["act2"]
    close(forward["maps"][0]["maps"], after)
    (pair,) = _followed(client, f"{image}/spatial/pairs?{CHAIN}")["pairs"]
    assert (pair["earlier"], pair["later"]) == ("act1", "act2")
    *_, study = spatial_attribution(model, canvas, LAYERS, ("act2", (3, 5)), classes=5)
    close(pair["maps"], study.pairs["act1", "act2"].flatten(0, 1))
    maps = unpacked(pair["maps"]).reshape(8, 8, 16, 16)
    assert maps[..., 9, 2].numpy() == pytest.approx(after.numpy(), abs=float(study.pairs["act1", "act2"].max()) / 200)


def test_any_label_can_be_asked_for(client: TestClient, image: str, model: Model, canvas: Canvas) -> None:
    found = client.get(f"{image}/spatial/votes?{CHAIN}&label=3").json()
    votes = Tracer(model, canvas, LAYERS).votes(3)
    for one in found["maps"]:
        close(one["maps"], votes[one["layer"]])
    assert client.get("/api/labels").json() == ["ant", "bee", "cat", "dog", "elk"]
    refused = client.get(f"{image}/spatial/votes?{CHAIN}&label=5")
    assert (refused.status_code, refused.json()["reason"]) == (404, "labels go from 0 to 4")


def test_channels_for_one_rather_than_another(client: TestClient, image: str, model: Model, canvas: Canvas) -> None:
    found = client.get(f"{image}/channels?{CHAIN}&of=1&rather=3").json()
    study = Driller(model, canvas, LAYERS, "logits:1 - logits:3").evidence()
    assert [(one["label"], one["weight"]) for one in found["terms"]] == [("bee", 1), ("dog", -1)]
    assert found["score"] == pytest.approx(study.score)
    assert found["terms"][0]["logit"] - found["terms"][1]["logit"] == pytest.approx(study.score)
    for one in found["layers"]:
        net = study.evidence[one["name"]]
        assert one["total"] == pytest.approx(float(net.sum()), rel=1e-5)
        listed = one["supporting"] + one["opposing"]
        assert {unit["channel"] for unit in listed} == set(net.nonzero().flatten().tolist())
        for unit in listed:
            assert unit["evidence"] == pytest.approx(float(net[unit["channel"]]))
            parts = [float(study.parts[f"logits:{at}"][one["name"]][unit["channel"]]) for at in (1, 3)]
            assert unit["parts"] == pytest.approx(parts)
        first = one["supporting"][0]
        assert first["evidence"] == pytest.approx(float(net.max()))
        values = Tracer(model, canvas, LAYERS).chain.values(one["name"])
        close(one["responses"], values[..., [unit["channel"] for unit in listed]].movedim(-1, 0))


def test_a_unit_is_drilled(client: TestClient, image: str, model: Model, canvas: Canvas) -> None:
    net = Driller(model, canvas, LAYERS, "logits:1").evidence().evidence["act2"]
    channel = int(net.argmax())
    found = client.get(f"{image}/channels/unit?{CHAIN}&layer=act2&channel={channel}").json()
    study = Driller(model, canvas, LAYERS, "logits:1").drill("act2", channel)
    assert [one["name"] for one in found["layers"]] == ["act1"]
    best = found["layers"][0]["supporting"][0]
    assert best["channel"] == int(study.before["act1"].argmax())
    assert best["evidence"] == pytest.approx(float(study.before["act1"].max()))
    effects = {one["index"]: one["effect"] for one in found["supports"] + found["opposes"]}
    assert effects == {at: pytest.approx(float(study.classes[at]), abs=1e-6) for at in effects}
    assert client.get(f"{image}/channels/unit?{CHAIN}&layer=act2&channel=99").status_code == 404
    assert client.get(f"{image}/channels/unit?{CHAIN}&layer=pool&channel=1").status_code == 404


def test_no_pass_is_made_twice(
    make_app: Callable[..., FastAPI], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    made: list[Trail] = []

    class Watched(Trail):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            made.append(self)

    monkeypatch.setattr("hooke.server.tracing.Trail", Watched)
    with TestClient(make_app(), base_url="http://localhost:8742") as client:
        image = f"/api/images/{client.get('/api/images').json()[0]['id']}"
        urls = [
            f"{image}/{what}"
            for what in (
                f"spatial?{CHAIN}", f"spatial/at?{CHAIN}&layer=act2&row=1&column=1",
                f"channels?{CHAIN}&of=1&rather=3", f"channels/unit?{CHAIN}&layer=act1&channel=2",
            )
        ]  # fmt: skip
        first = [client.get(url).content for url in urls]
        _followed(client, f"{image}/spatial/pairs?{CHAIN}")
        passes = made[0].tracer.chain.passes
        # Forward, one position from both sides, five labels; a position; two terms; a unit from one side; 64 positions.
        assert passes == 1 + 2 + 5 + 2 + 2 + 1 + 64
        assert [client.get(url).content for url in urls] == first
        made[0].fill(lambda done, total: None)
    assert (len(made), made[0].tracer.chain.passes) == (1, passes)


def test_too_many_pairs_are_not_filled(client: TestClient, image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trails, "MOST", 100)
    assert client.get(f"{image}/spatial?{CHAIN}").json()["fillable"] is False
    job = client.get(f"{image}/spatial/pairs?{CHAIN}").json()["job"]
    assert "too many" in client.get(f"/api/events?jobs={job}").text


@pytest.mark.parametrize(
    "query",
    ["spatial?layers=act2&layers=act1", "spatial?layers=pool&layers=head", "spatial/at?layer=act2&row=99&column=0",
     "spatial/at?layer=head&row=0&column=0", "channels?of=99", "channels?of=-1"],
)  # fmt: skip
def test_what_cannot_be_traced_is_refused_in_words(client: TestClient, image: str, query: str) -> None:
    refused = client.get(f"{image}/{query}")
    assert refused.status_code in (404, 422)
    assert json.loads(refused.content)["reason"]


def _followed(client: TestClient, url: str) -> Any:
    """The answer, once its job is done."""
    found = client.get(url)
    if found.status_code == 202:
        assert '"state":"ready"' in client.get(f"/api/events?jobs={found.json()['job']}").text
        found = client.get(url)
    assert found.status_code == 200, found.text
    return found.json()
