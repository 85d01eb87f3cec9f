"""Every route over a small real model: its numbers, its pictures and its refusals."""

import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import PIL.Image
import pytest
import torch
from fastapi import FastAPI
from starlette.testclient import TestClient

from hooke.modalities.image import to_png
from hooke.models.recording import activations
from hooke.server.wire import DictionaryView, DrawingsView, ErrorView, ImageView, ModelView, UnitEffectsView
from hooke.studies.semantic_dictionary import unit_effects
from hooke.visualization.drawing import question, visualize


def pixels(png: bytes) -> numpy.ndarray[Any, Any]:
    return numpy.asarray(PIL.Image.open(io.BytesIO(png)))


def png_of(seed: int, size: tuple[int, int] = (32, 32)) -> bytes:
    file = io.BytesIO()
    values = numpy.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=numpy.uint8)
    PIL.Image.fromarray(values).save(file, format="PNG")
    return file.getvalue()


def refusal(answer: Any, status: int) -> ErrorView:
    assert answer.status_code == status, answer.text
    return ErrorView.model_validate_json(answer.content)


def images(client: TestClient) -> list[ImageView]:
    return [ImageView.model_validate(one) for one in client.get("/api/images").json()]


def test_the_model_is_a_tower_from_input_to_logits(client: TestClient) -> None:
    plain = client.get("/api/model", headers={"accept-encoding": "identity"})
    packed = client.get("/api/model", headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert packed.content == plain.content
    model = ModelView.model_validate_json(packed.content)
    assert [layer.name for layer in model.layers][:3] == ["input", "one", "act1"]
    assert model.layers[-1].name == "logits"
    assert (model.input_height, model.input_width, model.label_count) == (32, 32, 5)
    assert model.parameters == 8 * 27 + 8 + 16 * 72 + 16 + 5 * 16 + 5
    assert model.default_layer == "act2"
    spatial = {layer.name: layer.spatial for layer in model.layers}
    assert (spatial["act2"], spatial["logits"]) == (True, False)


def test_photographs_are_shown_as_the_model_sees_them(client: TestClient, toy: ModuleType) -> None:
    found = images(client)
    assert [one.name for one in found] == ["first", "second", "third"]
    model, (_, picture) = toy.toy(), toy.photographs()[1]
    canvas = model.modality.canvas(picture)
    answer = client.get(found[1].canvas_url)
    assert answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"]
    assert numpy.array_equal(pixels(answer.content), pixels(to_png(canvas)))
    small = client.get(found[1].thumbnail_url)
    assert small.headers["content-type"] == "image/webp"
    wholes = [pixels(client.get(one.canvas_url).content).astype(float) for one in found]
    assert numpy.argmin([numpy.abs(pixels(small.content) - one).mean() for one in wholes]) == 1
    expected = [(one.label, one.index, pytest.approx(one.probability)) for one in model.predict(canvas, 5)]
    assert [(one.label, one.index, one.probability) for one in found[1].predictions] == expected


def test_an_upload_is_analysed_and_kept_once(client: TestClient) -> None:
    first = ImageView.model_validate_json(client.post("/api/images?name=my%00cat%0A.png", content=png_of(1)).content)
    assert (first.name, first.uploaded, first.width, first.height) == ("my cat .png", True, 32, 32)
    assert len(first.predictions) == 5
    again = client.post("/api/images?name=other", content=png_of(1)).json()
    assert again == first.model_dump()
    assert [one.id for one in images(client)][3:] == [first.id]
    shown = client.get(first.canvas_url)
    assert numpy.array_equal(pixels(shown.content), pixels(png_of(1)))


def test_the_oldest_uploads_make_room(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client.app.state.microscope.shelf._uploads, "_limit", 2)  # type: ignore[attr-defined]
    ids = [client.post("/api/images", content=png_of(seed)).json()["id"] for seed in (1, 2, 3)]
    assert [one.id for one in images(client)][3:] == ids[1:]
    assert ids[1] in refusal(client.get(f"/api/images/{ids[0]}/canvas.png"), 404).choices


@pytest.mark.parametrize("body", [b"", b"no picture at all", png_of(1)[:200]])
def test_what_is_no_picture_is_refused_by_name(client: TestClient, body: bytes) -> None:
    view = refusal(client.post("/api/images?name=cat.jpg", content=body), 422)
    assert view.request == "cat.jpg"
    assert view.next_step


def test_the_dictionary_is_the_sorted_activation(client: TestClient, toy: ModuleType) -> None:
    image = images(client)[2]
    url = f"/api/images/{image.id}/dictionary?layer=act2&count=4"
    view = DictionaryView.model_validate_json(client.get(url).content)
    model = toy.toy()
    canvas = model.modality.canvas(toy.photographs()[2][1])
    activation = activations(model, model.modality.normalize(canvas[None]), ["act2"])["act2"][0].numpy()
    order = numpy.argsort(-activation, axis=0, kind="stable")[:4].transpose(1, 2, 0)
    assert (view.height, view.width, view.count) == (8, 8, 4)
    assert view.channels == order.flatten().tolist()
    magnitudes = numpy.take_along_axis(activation.transpose(1, 2, 0), order, axis=2).flatten()
    assert view.magnitudes == pytest.approx(magnitudes.tolist(), abs=1e-6)
    assert view.norms == pytest.approx(numpy.linalg.norm(activation, axis=0).flatten().tolist(), rel=1e-5)
    assert client.get(url).content == client.get(url).content


def test_effects_are_those_of_the_study(client: TestClient, toy: ModuleType) -> None:
    image = images(client)[0]
    answer = client.get(f"/api/images/{image.id}/effects?layer=act2&row=3&column=4&channels=7,2")
    found = [UnitEffectsView.model_validate(one) for one in answer.json()]
    model = toy.toy()
    canvas = model.modality.canvas(toy.photographs()[0][1])
    expected = unit_effects(model, canvas, "act2", (3, 4), [7, 2], 3)
    assert [one.channel for one in found] == [7, 2]
    for one, entry in zip(found, expected, strict=True):
        assert one.magnitude == pytest.approx(entry.magnitude)
        assert [(e.label, e.index) for e in one.supports] == [(e.label, e.index) for e in entry.supports]
        assert [e.effect for e in one.opposes] == pytest.approx([e.effect for e in entry.opposes])


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/api/images/feed/dictionary?layer=act2", 404, "no such photograph"),
        ("/api/images/{id}/dictionary?layer=act3", 404, "no layer of this name"),
        ("/api/images/{id}/dictionary?layer=logits", 404, "no channels over height and width"),
        ("/api/images/{id}/dictionary", 422, "query.layer"),
        ("/api/images/{id}/dictionary?layer=act2&count=99", 422, "query.count"),
        ("/api/images/{id}/effects?layer=act2&row=8&column=0&channels=1", 404, "rows go from 0 to 7"),
        ("/api/images/{id}/effects?layer=act2&row=0&column=0&channels=16", 404, "channels go from 0 to 15"),
        ("/api/images/{id}/effects?layer=act2&row=0&column=0&channels=1;2", 404, "channel numbers"),
        ("/api/guesses?layer=act2&channel=16", 404, "out of range: act2 has 0 to 15"),
        ("/api/guesses?layer=nothing&channel=1", 404, "no layer of this name"),
        ("/api/drawings/" + "0" * 64 + ".png", 404, "no such picture"),
        ("/api/%2e%2e/%2e%2e/etc/passwd", 404, "no such route"),
        ("/api/jobs/none/events", 404, "no such route"),
        ("/api/events", 422, "query.jobs"),
        ("/api/nothing", 404, "no such route"),
    ],
)
def test_what_is_not_there_is_refused_with_a_reason(client: TestClient, path: str, status: int, reason: str) -> None:
    view = refusal(client.get(path.replace("{id}", images(client)[0].id)), status)
    assert reason in view.reason


def test_an_unknown_route_names_those_that_exist(client: TestClient) -> None:
    choices = refusal(client.get("/api/nothing"), 404).choices
    assert "GET /api/model" in choices
    assert "DELETE /api/jobs/{job}" in choices


def test_a_layer_without_positions_names_the_nearest_with_them(client: TestClient) -> None:
    view = refusal(client.get(f"/api/images/{images(client)[0].id}/dictionary?layer=head"), 404)
    assert view.choices[:2] == ["pool", "act2"]


def test_a_guess_is_cut_from_the_photograph_that_drives_the_unit_most(client: TestClient, toy: ModuleType) -> None:
    model = toy.toy()
    canvases = [model.modality.canvas(picture) for _, picture in toy.photographs()]
    maps = activations(model, model.modality.normalize(torch.stack(canvases)), ["act2"])["act2"][:, 3]
    image, row, column = (int(part) for part in numpy.unravel_index(int(maps.argmax()), maps.shape))
    piece = pixels(client.get("/api/guesses?layer=act2&channel=3").content)
    side = 7  # what act2 sees; at most 3/7 of 32 = 14, at least 1/7 = 5
    top, left = (min(max(round(4 * at - side / 2 + 0.5), 0), 32 - side) for at in (row, column))
    whole = pixels(to_png(canvases[image]))
    corners = [(top + i, left + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    assert any(numpy.array_equal(piece, whole[i : i + side, j : j + side]) for i, j in corners if i >= 0 <= j)
    tag = client.get("/api/guesses?layer=act2&channel=3").headers["etag"]
    assert client.get("/api/guesses?layer=act2&channel=3", headers={"If-None-Match": tag}).status_code == 304


def draw(client: TestClient, *addresses: str) -> DrawingsView:
    answer = client.post("/api/drawings", json={"addresses": list(addresses)})
    assert answer.status_code == 200, answer.text
    return DrawingsView.model_validate_json(answer.content)


def test_drawings_are_made_once_and_are_those_of_visualize(client: TestClient, toy: ModuleType) -> None:
    asked = draw(client, "act2:1", "act2:2", 'logits:"bee"', "act2:1")
    assert asked.job
    assert [one.address for one in asked.drawings] == ["act2:1", "act2:2", "logits:1", "act2:1"]
    assert {one.state for one in asked.drawings} <= {"queued", "drawing"}
    told = client.get(f"/api/events?jobs={asked.job}").text
    assert told.count("event: finished") == 3
    assert told.endswith('"cancelled":false}\n\n')
    ready = draw(client, "act2:1", "act2:2", "logits:1")
    assert ready.job is None
    model, by = toy.toy(), toy.method()
    for view in ready.drawings:
        expected = visualize(model, view.address, by=by, seed=0)
        key = question(model, view.address, by=by, seed=0).key
        assert (view.state, view.picture_url, view.steps) == ("ready", f"/api/drawings/{key}.png", 6)
        assert view.response == pytest.approx(expected.response)
        shown = client.get(view.picture_url)
        assert "immutable" in shown.headers["cache-control"]
        assert numpy.array_equal(pixels(shown.content), pixels(to_png(expected.image)))
        made = client.get(f"/api/drawings/{key}.json").json()
        assert made["provenance"] == json.loads(expected.provenance.to_json())
        assert (made["address"], made["peak"]) == (view.address, pytest.approx(view.peak))
    maps = activations(
        model,
        model.modality.normalize(torch.stack([model.modality.canvas(picture) for _, picture in toy.photographs()])),
        ["act2", "logits"],
    )
    assert ready.drawings[0].photographs_peak == pytest.approx(float(maps["act2"][:, 1].max()))
    assert ready.drawings[2].photographs_peak == pytest.approx(float(maps["logits"][:, 1].max()))


def test_pictures_outlive_the_server(make_app: Callable[..., FastAPI]) -> None:
    with TestClient(make_app(), base_url="http://localhost") as client:
        job = draw(client, "act1:1").job
        client.get(f"/api/events?jobs={job}")
        first = client.get(str(draw(client, "act1:1").drawings[0].picture_url)).content
    with TestClient(make_app(), base_url="http://localhost") as client:
        key = question(client.app.state.microscope.model, "act1:1", by=client.app.state.microscope.method, seed=0).key  # type: ignore[attr-defined]
        assert client.get(f"/api/drawings/{key}.png").content == first
        again = draw(client, "act1:1")
        assert (again.job, again.drawings[0].state) == (None, "ready")


def test_pictures_are_shown_also_where_nothing_can_be_kept(
    make_app: Callable[..., FastAPI], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    monkeypatch.setattr(app.state.microscope.store, "put", lambda *_: False)
    with TestClient(app, base_url="http://localhost") as client:
        job = draw(client, "act1:1").job
        told = client.get(f"/api/events?jobs={job}").text
        finished = json.loads(told.partition("event: finished\ndata: ")[2].partition("\n")[0])["drawing"]
        assert client.get(finished["picture_url"]).status_code == 200


@pytest.mark.parametrize(
    ("address", "reason"),
    [("act2:99", "out of range"), ("nowhere:1", "no layer of this name"), ("::", "at position 0")],
)
def test_addresses_that_cannot_be_drawn_are_refused(client: TestClient, address: str, reason: str) -> None:
    answer = client.post("/api/drawings", json={"addresses": ["act2:1", address]})
    assert 400 <= answer.status_code < 500
    assert reason in ErrorView.model_validate_json(answer.content).reason


def test_too_many_addresses_are_refused(client: TestClient) -> None:
    refusal(client.post("/api/drawings", json={"addresses": ["act2:1"] * 257}), 413)


def test_a_cancelled_job_says_so(client: TestClient, toy: ModuleType) -> None:
    microscope = client.app.state.microscope  # type: ignore[attr-defined]
    hold = time.monotonic() + 0.5
    before = microscope.queue._draw

    def slow(addresses: Any) -> Any:
        for pictures in before(addresses):
            time.sleep(max(0.0, hold - time.monotonic()))
            yield pictures

    microscope.queue._draw = slow
    job = draw(client, "act2:5").job
    assert client.delete(f"/api/jobs/{job}").status_code == 204
    assert client.get(f"/api/events?jobs={job}").text.endswith('"cancelled":true}\n\n')
    refusal(client.delete("/api/jobs/other"), 404)


def test_the_page_answers_every_address_of_its_own(make_app: Callable[..., FastAPI], tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<p>the page</p>")
    (tmp_path / "assets/app.js").write_text("look(1)\n" * 99)
    (tmp_path.parent / "secret.txt").write_text("secret")
    with TestClient(make_app(static=tmp_path), base_url="http://localhost") as client:
        for path in ("/", "/image/feed", "/layer/blocks.4.1.bn2.act", "/../secret.txt", "/%2e%2e/secret.txt", "/a%00b"):
            assert client.get(path).text == "<p>the page</p>"
        for takes, given in (("gzip, br", "gzip"), ("identity", None)):
            script = client.get("/assets/app.js", headers={"accept-encoding": takes})
            assert script.text == "look(1)\n" * 99
            assert (script.headers.get("content-encoding"), script.headers["vary"]) == (given, "Accept-Encoding")
            assert "javascript" in script.headers["content-type"]
            assert "immutable" in script.headers["cache-control"]
        assert "no-cache" in client.get("/").headers["cache-control"]
        ahead = re.findall(r"<(/api/\w+)>; rel=preload; as=fetch; crossorigin", client.get("/").headers["link"])
        assert [client.get(path).status_code for path in ahead] == [200, 200]
        assert client.get("/assets/gone.js").status_code == 404
    with TestClient(make_app(static=tmp_path / "none"), base_url="http://localhost") as client:
        assert "make web" in client.get("/").text


def test_a_mistake_is_an_error_view_and_is_logged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("told only in the terminal")

    client.app.state.microscope.shelf.all = broken  # type: ignore[attr-defined]
    view = refusal(client.get("/api/images"), 500)
    assert view.reason == "Hooke made a mistake (ZeroDivisionError)"
    assert "told only in the terminal" in caplog.text
