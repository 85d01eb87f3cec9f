"""The families and the atlas of a layer: those of the library, planted ones among them, told while they are made."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from threading import Event
from types import ModuleType
from typing import Any

import PIL.Image
import pytest
import torch
from fastapi import FastAPI
from planted import edges
from starlette.testclient import TestClient
from torch import nn

from hooke.modalities.image import Image
from hooke.models.opening import open
from hooke.numeric.seeds import stream
from hooke.responses.families import families, shuffled
from hooke.responses.placement import place
from hooke.responses.record import record
from hooke.responses.stimuli import Gratings, Logarithmic, Patches
from hooke.responses.tuning import Sweep, tune
from hooke.server.app import create_app
from hooke.server.atlas import spoken
from hooke.storage.store import Store
from hooke.studies.activation_atlas import Principal, activation_atlas, gathering, together
from hooke.studies.inversion import Inversion

SHORT = Inversion(steps=6, coarse=4)


@pytest.fixture
def app(make_app: Callable[..., FastAPI], monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setattr("hooke.server.atlas.METHOD", SHORT)
    monkeypatch.setattr("hooke.server.atlas.usual_layout", Principal)
    monkeypatch.setattr("hooke.server.atlas.EACH", 20)
    return make_app()


@pytest.fixture
def asking(app: FastAPI) -> Any:
    with TestClient(app, base_url="http://localhost:8742") as client:
        yield client


def told(client: TestClient, url: str) -> tuple[list[dict[str, Any]], Any]:
    """What the job of a question says on the way, and its answer."""
    first = client.get(url)
    assert first.status_code == 202, first.text
    text = client.get(f"/api/events?jobs={first.json()['job']}").text
    assert '"state":"ready"' in text, text
    parts = [part.split("\n") for part in text.split("\n\n") if part.startswith("event: work")]
    found = client.get(url)
    assert found.status_code == 200, found.text
    return [json.loads(part[1].removeprefix("data: ")) for part in parts], found.json()


def test_planted_families_are_told_in_the_order_of_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = edges.look()
    middle = edges.FREQUENCY * place(model, "1").frame.field
    stripes = Gratings(frequency=Logarithmic(middle / 2.8284, middle * 2.8284)).fixed(contrast=1)
    asked = (stripes, ("orientation", "frequency"), Sweep((16, 4), 8))
    discs = (Patches().fixed(lightness=0.5), ("hue", "size"), Sweep((12, 3), 2))
    monkeypatch.setattr("hooke.server.families.STRIPES", asked)
    monkeypatch.setattr("hooke.server.families.DISCS", discs)
    with TestClient(create_app(model, [], Store(tmp_path / "store")), base_url="http://localhost:8742") as client:
        work, found = told(client, "/api/layer/families?layer=1")
    assert found["stimuli"] == 16 * 4 * 8 + 12 * 3 * 2
    shares = [one["share"] for one in work]
    assert shares == sorted(shares)
    kinds = {one["kind"]: one for one in found["kinds"]}
    assert [(kinds[name]["shuffled"], kinds[name]["shuffled_units"]) for name in ("rotation", "hue")] == [(0, 0)] * 2

    turned = kinds["rotation"]["families"][0]
    assert turned["places"] == sorted(turned["places"])
    where = dict(zip(turned["channels"], turned["places"], strict=True))
    assert set(where) == {*edges.EDGES, edges.SCALES[1]}
    for unit, angle in zip(edges.EDGES, edges.ORIENTATIONS, strict=True):
        assert (where[unit] - angle + 90) % 180 - 90 == pytest.approx(0, abs=12)  # a step is 11.25
    (coloured,) = kinds["hue"]["families"]
    assert coloured["channels"] == list(edges.COLOURS)
    assert coloured["places"] == pytest.approx(edges.HUES)
    (mirrored,) = kinds["reflection"]["families"]
    assert edges.CHIRAL[2] in mirrored["channels"]

    tuning = tune(model, "1", discs[0], over=discs[1], by=discs[2])
    (own,) = families(tuning, "hue")
    assert coloured["likeness"] == pytest.approx(own.likeness)
    assert kinds["hue"]["shuffled"] == len(families(shuffled(tuning, "hue"), "hue"))


def test_a_layout_holds_up_nothing(asking: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """While an atlas is laid out, the drawing thread goes on with what else is wanted."""
    begun, over = Event(), Event()

    class Slow(Principal):
        def __call__(self, vectors: torch.Tensor, axes: int, seed: int) -> torch.Tensor:
            begun.set()
            assert over.wait(60)
            return super().__call__(vectors, axes, seed)

    monkeypatch.setattr("hooke.server.atlas.usual_layout", Slow)
    url = "/api/layer/atlas?layer=act1"
    job = asking.get(url).json()["job"]
    assert begun.wait(60)
    here, done = app.state.microscope, Event()
    here.queue.run("something else", lambda report: done.set())
    assert done.wait(60)
    assert asking.get(url).status_code == 202
    over.set()
    asking.get(f"/api/events?jobs={job}")
    found = asking.get(url).json()
    assert (found["done"], found["layout"]) == (True, "Slow")


def test_the_atlas_is_that_of_the_study(asking: TestClient, app: FastAPI, toy: ModuleType) -> None:
    work, found = told(asking, "/api/layer/atlas?layer=act2")
    here, model = app.state.microscope, toy.toy()
    labels = list(dict.fromkeys(here.predictions(one)[0].index for one in here.shelf.all()))
    of = [f"logits:{label}" for label in labels]
    vectors = together(list(gathering(model, [one.canvas for one in here.shelf.all()], "act2", of, each=20)))
    whole = vectors.of(())
    *_, atlas = activation_atlas(model, whole, side=4, layout=Principal(), by=SHORT)
    assert atlas.agreement is not None
    assert (found["photographs"], found["vectors"], found["layout"], found["labels"]) == (3, 60, "Principal", len(of))
    assert (found["side"], found["done"]) == (4, True)
    cells = found["cells"]
    assert [[one["row"], one["column"]] for one in cells] == atlas.there.nonzero().tolist()
    assert [one["count"] for one in cells] == atlas.counts[atlas.there].tolist()
    assert [one["count"] for one in cells] == atlas.homes[atlas.homes >= 0].bincount().tolist()
    assert [one["cosine"] for one in cells] == pytest.approx(atlas.agreement.cosines.tolist(), abs=1e-3)
    assert found["agreement"]["shuffled"] == pytest.approx(float(atlas.agreement.shuffled.nanmedian()), abs=1e-3)
    for at, cell in enumerate(cells):
        members = vectors.values[atlas.homes == at]
        assert cell["units"] == members.mean(0).topk(4).indices.tolist()
        said = vectors.credits[:, atlas.homes == at].mean(1)
        assert cell["label"] == (model.label(labels[int(said.argmax())]) if said.max() > 0 else None)
    sheet = PIL.Image.open(io.BytesIO(base64.b64decode(found["sheet"].partition(",")[2])))
    assert sheet.width // found["columns"] == sheet.height // -(-len(cells) // found["columns"])
    shares = [one["share"] for one in work]
    assert shares == sorted(shares)


def test_an_atlas_of_what_was_recorded(
    make_app: Callable[..., FastAPI], toy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hooke.server.atlas.METHOD", SHORT)
    monkeypatch.setattr("hooke.server.atlas.usual_layout", Principal)
    monkeypatch.setattr("hooke.server.atlas.RECORDED", (3, 12, 4))
    model, url = toy.toy(), "/api/layer/atlas?layer=act2&of=recorded"
    for at in range(6):
        picture = dict(toy.photographs())["first"].rotate(60 * at)
        (tmp_path / f"{at % 2}").mkdir(exist_ok=True)
        picture.save(tmp_path / f"{at % 2}" / f"{at}.png")
    kept = record(model, tmp_path, at=["act1"], out=tmp_path.with_suffix(".recording"))
    with TestClient(make_app(recording=kept), base_url="http://localhost:8742") as client:
        _, found = told(client, url)
    chosen = torch.randperm(6, generator=stream(0, "atlas of a recording")).tolist()[:4]
    samples = kept.samples()
    vectors = together(list(gathering(model, [samples.read(at, model.modality) for at in chosen], "act2", each=12)))
    *_, atlas = activation_atlas(model, vectors, side=3, layout=Principal(), by=SHORT)
    assert (found["photographs"], found["recorded"], found["vectors"], found["side"]) == (4, 6, 48, 3)
    assert [one["count"] for one in found["cells"]] == atlas.counts[atlas.there].tolist()
    assert [one["units"] for one in found["cells"]] == [
        mean.topk(4).indices[mean.topk(4).values > 0].tolist() for mean in atlas.means
    ]

    (tmp_path / "0" / "0.png").unlink()
    with TestClient(make_app(recording=kept), base_url="http://localhost:8742") as client:
        job = client.get(url).json()["job"]
        said = client.get(f"/api/events?jobs={job}").text
    assert '"state":"failed"' in said
    assert "is not what was recorded: it changed" in said


def test_an_atlas_of_a_recording_that_there_is_not(asking: TestClient) -> None:
    found = asking.get("/api/layer/atlas?layer=act2&of=recorded")
    assert "opened without a recording" in found.json()["reason"]
    assert asking.get("/api/layer/atlas?layer=act2&of=nothing").status_code == 422


def test_what_cells_speak_for_by_hand() -> None:
    credits = torch.tensor([[1.0, 3.0, 9.0], [0.0, 4.0, 9.0]])
    found = spoken(torch.tensor([0, 0, -1]), credits, 2)
    assert found is not None
    assert found.tolist() == [[2.0, 2.0], [0.0, 0.0]]
    assert spoken(torch.tensor([0]), torch.zeros(0, 1), 1) is None


def test_layers_without_places_and_layers_that_are_none(asking: TestClient, tmp_path: Path) -> None:
    eight = Image(8, 8, mean=(0.5,) * 3, std=(0.5,) * 3)
    flat = open(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 5)), modality=eight)
    with TestClient(create_app(flat, [], Store(tmp_path / "flat")), base_url="http://localhost:8742") as other:
        assert "no height and width" in other.get("/api/layer/atlas?layer=1").json()["reason"]
    assert asking.get("/api/layer/atlas?layer=nothing").status_code == 404
    assert asking.get("/api/layer/families?layer=nothing").status_code == 404
