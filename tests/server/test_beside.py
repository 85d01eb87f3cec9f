"""Two models before the same photographs: the second's routes, and what is told of the difference."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy
import pytest
import torch
from fastapi import FastAPI
from starlette.testclient import TestClient
from torch import nn

from hooke.errors import ModelError
from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.numeric.similarity import linear_cka
from hooke.server.app import create_app
from hooke.storage.store import Store

UNIT = 5


@pytest.fixture
def checkpoint(toy: ModuleType) -> Model:
    """The toy with one unit changed."""
    found: Model = toy.checkpoint()
    return found


@pytest.fixture
def beside(toy: ModuleType, make_app: Callable[..., FastAPI], checkpoint: Model) -> Iterator[TestClient]:
    with TestClient(make_app(other=checkpoint), base_url="http://localhost:8742") as client:
        yield client


def image(client: TestClient) -> str:
    return str(client.get("/api/images").json()[0]["id"])


def test_the_second_model_has_the_same_routes_below_its_own_path(beside: TestClient) -> None:
    first, second = beside.get("/api/model").json(), beside.get("/beside/api/model").json()
    assert first["beside"] == second["name"]
    assert first["fingerprint"] != second["fingerprint"]
    assert second["beside"] is None
    ours, theirs = beside.get("/api/images").json(), beside.get("/beside/api/images").json()
    assert [one["id"] for one in ours] == [one["id"] for one in theirs]
    assert theirs[0]["canvas_url"].startswith("/beside/api/images/")
    assert beside.get(theirs[0]["canvas_url"]).content == beside.get(ours[0]["canvas_url"]).content
    assert beside.get("/beside/api/labels").json()[4] == "fox"
    assert beside.get("/beside/api/nothing").status_code == 404


def test_an_upload_is_seen_by_both_and_dropped_on_the_first_only(beside: TestClient, toy: ModuleType) -> None:
    from hooke.modalities.image import to_png

    png = to_png(torch.rand(3, 40, 40, generator=torch.Generator().manual_seed(1)))
    new = beside.post("/api/images?name=new", content=png).json()
    assert new["id"] in [one["id"] for one in beside.get("/beside/api/images").json()]
    answer = beside.post("/beside/api/images?name=new", content=png)
    assert answer.status_code == 403
    assert "second model" in answer.json()["reason"]


def test_other_sites_may_not_ask_the_second_model(beside: TestClient) -> None:
    assert beside.get("/beside/api/model", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert beside.get("/beside/api/model", headers={"host": "evil.example"}).status_code == 403


def test_the_unit_that_was_changed_tops_the_list(beside: TestClient) -> None:
    found = beside.get(f"/api/images/{image(beside)}/changes", params={"layer": "act2"}).json()
    count = found["count"]
    assert (found["height"], found["width"], count) == (8, 8, 8)
    assert set(found["channels"][::count]) == {UNIT}
    dictionary = beside.get(f"/beside/api/images/{image(beside)}/dictionary", params={"layer": "act2", "count": 16})
    values = dict(zip(dictionary.json()["channels"][:16], dictionary.json()["magnitudes"][:16], strict=True))
    assert found["second"][0] == pytest.approx(values[UNIT])
    assert max(found["median"]) == 0.0
    assert found["far"][0] <= abs(found["second"][0] - found["first"][0])
    before = beside.get(f"/api/images/{image(beside)}/changes", params={"layer": "act1"}).json()
    assert set(before["first"]) | set(before["second"]) == set(before["first"]) == set(before["second"])


def test_likeness_and_opinions(beside: TestClient) -> None:
    found = beside.get(f"/api/images/{image(beside)}/beside").json()
    early, late = found["layers"]
    assert (early["layer"], early["positions"]) == ("act1", 256)
    assert early["cka"] == pytest.approx(1.0)
    assert early["shuffled"] < 0.5
    assert late["cka"] < 0.999
    labels = {one["label"]: one for one in found["opinions"]}
    assert labels["elk"]["indices"] == [4, None]
    assert labels["fox"]["probabilities"][0] is None
    assert sum(one["probabilities"][1] or 0 for one in found["opinions"]) == pytest.approx(1.0)
    first = beside.get("/api/images").json()[0]["predictions"]
    assert labels[first[0]["label"]]["ranks"][0] == 0
    assert labels[first[0]["label"]]["probabilities"][0] == pytest.approx(first[0]["probability"])


def test_a_model_beside_itself_differs_in_nothing(make_app: Callable[..., FastAPI], toy: ModuleType) -> None:
    with TestClient(make_app(other=toy.toy()), base_url="http://localhost:8742") as client:
        found = client.get(f"/api/images/{image(client)}/beside").json()
        assert [one["cka"] for one in found["layers"]] == pytest.approx([1.0, 1.0])
        assert all(one["ranks"][0] == one["ranks"][1] for one in found["opinions"])
        changes = client.get(f"/api/images/{image(client)}/changes", params={"layer": "act2"}).json()
        assert changes["first"] == changes["second"]


def test_another_architecture_is_matched_by_depth_and_sees_the_photograph_at_its_size(
    toy: ModuleType, tmp_path: Path, derived: None
) -> None:
    torch.manual_seed(3)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 6, 3, stride=2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5),
    )  # fmt: skip
    other = open(module, modality=Image(24, 24, mean=(0.5,) * 3, std=(0.5,) * 3), labels=["bee", "ant", "x", "y", "z"])
    app = create_app(toy.toy(), toy.photographs(), Store(tmp_path), method=toy.method(), other=other)
    with TestClient(app, base_url="http://localhost:8742") as client:
        pairs = {one["layer"]: one for one in client.get("/api/beside").json()["layers"]}
        assert (pairs["act1"]["other"], pairs["act2"]["other"]) == ("1", "3")
        assert not pairs["act1"]["comparable"]
        seen = client.get("/beside/api/images").json()[0]
        assert (seen["width"], seen["height"]) == (24, 24)
        found = client.get(f"/api/images/{image(client)}/beside").json()
        assert all(0 < one["cka"] < 1 for one in found["layers"])
        refused = client.get(f"/api/images/{image(client)}/changes", params={"layer": "act2"})
        assert refused.status_code == 404


def test_a_model_of_other_channels_is_refused(toy: ModuleType, tmp_path: Path) -> None:
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))
    grey = open(module, modality=Image(24, 24, mean=(0.5,), std=(0.5,), channels=1), labels=list("abcde"))
    with pytest.raises(ModelError, match="of 3 channels, the other of 1"):
        create_app(toy.toy(), toy.photographs(), Store(tmp_path), other=grey)


def test_without_a_second_model_it_is_said_how_to_open_one(client: TestClient) -> None:
    assert client.get("/api/model").json()["beside"] is None
    answer = client.get("/api/beside")
    assert answer.status_code == 404
    assert "--beside" in answer.json()["next_step"]
    assert client.get("/beside/api/model").status_code == 404


def test_linear_cka_is_blind_to_turning_and_scaling_only() -> None:
    random = numpy.random.default_rng(0)
    one = torch.tensor(random.normal(size=(50, 6)))
    turned = one @ torch.linalg.qr(torch.tensor(random.normal(size=(6, 6))))[0] * 3 + 7
    assert linear_cka(one, turned) == pytest.approx(1.0)
    other = torch.tensor(random.normal(size=(50, 4)))
    centred = [part - part.mean(0) for part in (one, other)]
    expected = (centred[1].T @ centred[0]).norm() ** 2 / (
        (centred[0].T @ centred[0]).norm() * (centred[1].T @ centred[1]).norm()
    )
    assert linear_cka(one, other) == pytest.approx(float(expected))
