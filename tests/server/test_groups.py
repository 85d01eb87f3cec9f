"""The routes of groups and of their flow: the numbers of the studies, and pictures of groups that the queue draws."""

from typing import Any

import pytest
import torch
from starlette.testclient import TestClient

from hooke.models.model import Model
from hooke.shapes import Canvas
from hooke.studies.flow import group_flow, shuffled_flow
from hooke.studies.groups import group_study, layer_curve, slider
from hooke.studies.layers import tracing_layers


@pytest.fixture
def first(client: TestClient) -> str:
    """The address of the first photograph."""
    return f"/api/images/{client.get('/api/images').json()[0]['id']}"


def answer(client: TestClient, url: str) -> Any:
    """The answer, once its job is done."""
    found = client.get(url)
    if found.status_code == 202:
        events = client.get(f"/api/events?jobs={found.json()['job']}").text
        assert '"state":"ready"' in events, events
        found = client.get(url)
    assert found.status_code == 200, found.text
    return found.json()


def test_groups_are_those_of_the_slider(client: TestClient, first: str, model: Model, canvas: Canvas) -> None:
    told = client.get(f"{first}/groups?layer=act2").json()
    assert (told["height"], told["width"]) == (8, 8)
    studied = list(slider(model, canvas, "act2"))
    assert [step["rank"] for step in told["ranks"]] == [2, 4, 6, 8, 10]
    for step, own in zip(told["ranks"], studied, strict=True):
        found = own.factorization
        assert step["explained"] == pytest.approx(found.explained)
        assert [group["index"] for group in step["groups"]] == list(own.order)
        columns = [group["column"] for group in step["groups"]]
        assert columns == sorted(columns)
        for group in step["groups"]:
            index = group["index"]
            assert group["address"] == str(found.addresses[index])
            assert group["colour"] == own.colours[index]
            amounts = torch.tensor(group["levels"]).reshape(8, 8) * step["peak"] / 1000
            torch.testing.assert_close(amounts, found.scores[0, index], atol=step["peak"] / 1999, rtol=0)
            assert amounts.argmax() == group["row"] * 8 + group["column"]


def test_effects_and_curve_are_those_of_the_study(client: TestClient, first: str, model: Model, canvas: Canvas) -> None:
    stages = group_study(model, canvas, "act2", 4)
    next(stages)
    own = next(stages)
    assert own.effects is not None
    assert own.measured is not None
    told = answer(client, f"{first}/groups/effects?layer=act2&count=4")
    assert sorted(row["index"] for row in told["rows"]) == [0, 1, 2, 3, 4]
    logits = [row["logit"] for row in told["rows"]]
    assert logits == sorted(logits, reverse=True)
    for row in told["rows"]:
        assert row["effects"] == pytest.approx(own.effects[:, row["index"]].tolist(), abs=1e-5)
        assert row["measured"] == pytest.approx(own.measured[:, row["index"]].tolist(), abs=1e-5)
    curve = answer(client, f"{first}/groups/curve?layer=act2")
    found = layer_curve(model, canvas, "act2")
    assert [one["explained"] for one in curve["ranks"]] == pytest.approx([one.explained for one in found.ranks])
    assert [one["stability"] for one in curve["ranks"]] == pytest.approx([one.stability for one in found.ranks])
    assert (curve["chosen"], curve["reason"]) == (found.chosen, found.reason)


def test_a_flow_is_that_of_the_study(client: TestClient, first: str, model: Model, canvas: Canvas) -> None:
    layers = tracing_layers(model, 2)
    own = group_flow(model, canvas, "logits:1 - logits:3", at=layers, rank=4)
    told = answer(client, f"{first}/flow?depth=2&count=4&of=1&rather=3")
    assert [layer["layer"] for layer in told["layers"]] == layers
    assert told["score"] == pytest.approx(own.flows.score, rel=1e-5)
    assert told["imbalance"] < 1e-6
    for level, layer in enumerate(told["layers"]):
        gives = [group["gives"] for group in layer["groups"]]
        assert gives == pytest.approx(own.flows.nodes[level].tolist(), abs=1e-5)
        measured = [group["measured"] for group in layer["groups"]]
        assert measured == pytest.approx(own.effects[level].tolist(), abs=1e-5)
        assert [group["group"] is None for group in layer["groups"]] == [False] * 4 + [True]
        assert layer["rest"] == pytest.approx(own.flows.residuals[level], abs=1e-5)
    torch.testing.assert_close(torch.tensor(told["edges"][0]), own.flows.edges[0].float(), atol=1e-5, rtol=0)
    control = answer(client, f"{first}/flow/control?depth=2&count=4&of=1&rather=3")
    shuffled = shuffled_flow(model, canvas, own)
    assert control["agreement"] == pytest.approx(list(shuffled.agreement), nan_ok=True)


def test_what_makes_no_sense_is_refused(client: TestClient, first: str) -> None:
    assert client.get(f"{first}/groups?layer=head").status_code == 404
    assert client.get(f"{first}/groups/effects?layer=act2&of=99").status_code == 404
    assert client.get(f"{first}/groups/effects?layer=act2&count=0").status_code == 422
    assert client.get(f"{first}/flow?of=99").status_code == 404
    assert client.get(f"{first}/flow?depth=6").status_code == 422
    assert client.get("/api/images/none/groups?layer=act2").status_code == 404


def test_the_queue_draws_groups_and_they_are_of_one_photograph(client: TestClient) -> None:
    addresses = []
    for image in client.get("/api/images").json()[:2]:
        told = client.get(f"/api/images/{image['id']}/groups?layer=act2").json()
        addresses.append([group["address"] for group in told["ranks"][0]["groups"]])
    assert not set(addresses[0]) & set(addresses[1])
    found = client.post("/api/drawings", json={"addresses": addresses[0]}).json()
    assert [one["address"] for one in found["drawings"]] == addresses[0]
    client.get(f"/api/events?jobs={found['job']}")
    again = client.post("/api/drawings", json={"addresses": addresses[0]}).json()
    assert [one["state"] for one in again["drawings"]] == ["ready"] * 2
    assert client.get(again["drawings"][0]["picture_url"]).headers["content-type"] == "image/png"


def test_a_flow_is_worked_out_once(client: TestClient, first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(client, f"{first}/flow?depth=2&count=2&of=0")
    monkeypatch.setattr("hooke.server.flow.group_flow", None)
    assert len(answer(client, f"{first}/flow/control?depth=2&count=2&of=0")["agreement"]) == 2
