"""The activation grids of a photograph: those of the study, told while they grow, and drawn once."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import PIL.Image
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from torch import nn

from hooke.modalities.image import Image
from hooke.models.opening import open
from hooke.server.app import create_app
from hooke.server.grids import growing
from hooke.server.wire_grids import GridsView
from hooke.storage.store import Store
from hooke.studies.activation_grid import activation_grids, grid_layers
from hooke.studies.inversion import Inversion

SHORT = Inversion(steps=3, coarse=2)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hooke.server.grids.METHOD", SHORT)
    monkeypatch.setattr("hooke.server.grids.REST", 0.0)
    monkeypatch.setattr("hooke.server.grids.GREY", 1)


@pytest.fixture
def app(make_app: Callable[..., FastAPI]) -> FastAPI:
    return make_app()


@pytest.fixture
def asking(app: FastAPI) -> Any:
    with TestClient(app, base_url="http://localhost:8742") as client:
        yield client


def told(client: TestClient, job: str) -> list[tuple[str, dict[str, Any]]]:
    """The events of a job to its end."""
    text = client.get(f"/api/events?jobs={job}").text
    parts = [part.split("\n") for part in text.split("\n\n") if part.startswith("event: ")]
    return [(part[0].removeprefix("event: "), json.loads(part[1].removeprefix("data: "))) for part in parts]


def test_the_grids_are_those_of_the_study_and_are_drawn_once(
    asking: TestClient, app: FastAPI, toy: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = asking.get("/api/images").json()[0]["id"]
    asked = asking.get(f"/api/images/{image}/grids")
    assert asked.status_code == 202
    events = told(asking, asked.json()["job"])
    assert events[-1] == ("end", {"job": asked.json()["job"], "cancelled": False})
    found = asking.get(f"/api/images/{image}/grids").json()["layers"]
    model = toy.toy()
    assert [each["layer"] for each in found] == grid_layers(model) == ["act1", "act2"]
    canvas = app.state.microscope.shelf.get(image).canvas
    own = {grid.layer: grid for grid in activation_grids(model, canvas, by=SHORT, every=1) if grid.done}
    for each in found:
        grid = own[each["layer"]]
        assert (each["rows"], each["columns"], each["canvases"]) == (grid.rows, grid.columns, grid.passes)
        assert each["norms"] == pytest.approx(grid.norms.tolist(), rel=1e-4)
        assert grid.agreement is not None
        assert each["agreement"]["cosine"] == pytest.approx(float(grid.agreement.cosines.nanmedian()), abs=1e-3)
        assert each["agreement"]["shuffled"] == pytest.approx(float(grid.agreement.shuffled.nanmedian()), abs=1e-3)
        sheet = PIL.Image.open(io.BytesIO(asking.get(each["sheet_url"]).content))
        assert sheet.format == "WEBP"
        assert sheet.width // each["columns"] == sheet.height // each["rows"] == sheet.width / each["columns"]
    monkeypatch.setattr("hooke.server.grids.activation_grids", None)  # nothing is drawn again, not even by a new server
    store = app.state.microscope.store
    with TestClient(create_app(model, toy.photographs(), store), base_url="http://localhost:8742") as later:
        assert later.get(f"/api/images/{image}/grids").json()["layers"] == found
        assert later.get(found[0]["sheet_url"]).content == asking.get(found[0]["sheet_url"]).content


def test_what_there_is_so_far_is_told_coarse_first(app: FastAPI) -> None:
    microscope = app.state.microscope
    photograph = microscope.shelf.shown[0]
    moments = list(growing(microscope, photograph, "grids"))
    shares = [moment.share for moment in moments]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    seen = [moment.so_far for moment in moments if isinstance(moment.so_far, GridsView)]
    first = next(view for view in seen if len(view.layers) == 2)
    assert all(layer.rows == layer.columns == 4 and not layer.done for layer in first.layers)
    assert all(layer.done and layer.agreement for layer in seen[-1].layers)
    sheets = {layer.sheet_url.rpartition("/")[2].removesuffix(".webp") for view in seen for layer in view.layers}
    assert all(microscope.grids.get(name) for name in sheets)


def test_what_was_left_off_is_taken_up_where_it_was(asking: TestClient, app: FastAPI) -> None:
    image = asking.get("/api/images").json()[1]["id"]
    microscope = app.state.microscope
    name = f"grids {image}"
    begun = microscope.growths.put(name, growing(microscope, microscope.shelf.get(image), name))
    share = [next(begun).share for _ in range(5)][-1]
    assert share > 0
    job = asking.get(f"/api/images/{image}/grids").json()["job"]
    work = [data["share"] for kind, data in told(asking, job) if kind == "work"]
    assert work
    assert min(work) > share
    assert microscope.growths.get(name) is None
    assert len(asking.get(f"/api/images/{image}/grids").json()["layers"]) == 2


def test_a_model_without_positions_and_a_grid_that_is_not_there(asking: TestClient, tmp_path: Path) -> None:
    assert asking.get("/api/model").json()["grid_layers"] == ["act1", "act2"]
    assert asking.get(f"/api/grids/{'0' * 64}.webp").status_code == 404
    assert asking.get("/api/images/nothing/grids").status_code == 404
    eight = Image(8, 8, mean=(0.5,) * 3, std=(0.5,) * 3)
    flat = open(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 5)), modality=eight)
    pictures = [("grey", PIL.Image.new("RGB", (8, 8)))]
    with TestClient(create_app(flat, pictures, Store(tmp_path / "flat")), base_url="http://localhost:8742") as other:
        assert other.get("/api/model").json()["grid_layers"] == []
        refused = other.get(f"/api/images/{other.get('/api/images').json()[0]['id']}/grids")
        assert refused.status_code == 404
        assert "height and width" in refused.json()["reason"]
