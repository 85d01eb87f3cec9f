"""How a method stands: nothing at first, then what a small measurement finds, as the command line would find it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from hooke.attribution import GradientTimesActivation
from hooke.server import verdicts
from hooke.server.wire_verdicts import MethodStandingView
from hooke.storage.store import Store
from hooke.validation.parts import CONTROLS, METRIC, validate_parts
from hooke.validation.standing import verdict

UNITS = {"method": "activation x gradient", "layer": "act2", "use": "units"}


def measured(client: TestClient, query: dict[str, str]) -> MethodStandingView:
    job = client.get("/api/standing/measured", params=query)
    assert job.status_code == 202
    events = client.get(f"/api/events?jobs={job.json()['job']}").text
    assert '"state":"ready"' in events, events
    found = client.get("/api/standing/measured", params=query)
    assert found.status_code == 200, found.text
    assert found.json() == client.get("/api/standing", params=query).json()
    return MethodStandingView(**found.json())


def test_nothing_is_known_before_it_was_measured(client: TestClient) -> None:
    found = MethodStandingView(**client.get("/api/standing", params=UNITS).json())
    assert (found.state, found.fails, found.rows) == ("unmeasured", False, [])
    assert found.text == "activation x gradient of units of act2: not yet measured on this model"
    assert found.command.startswith("hooke validate ")
    assert found.command.endswith(' --methods "activation x gradient" --use units --to act2')
    assert found.offer == "8 photographs"
    own = MethodStandingView(**client.get("/api/standing", params={"method": "gradient x input"}).json())
    assert (own.layer, own.use) == ("input", "maps")


def test_a_small_measurement_is_that_of_the_library_and_is_kept(
    client: TestClient, toy: ModuleType, tmp_path: Path
) -> None:
    found = measured(client, UNITS)
    model, here = toy.toy(), client.app.state.microscope  # type: ignore[attr-defined]
    again = Store(tmp_path / "again")
    report = validate_parts(model, verdicts._sample(here), to="act2", use="units", store=again)
    alone = report.standing("activation x gradient")
    assert (found.state, found.images) == (alone.state, 8)
    assert found.metrics == [METRIC]
    assert {row.control for row in found.rows} == set(CONTROLS)
    assert {(row.control, row.verdicts[0]) for row in found.rows} == {(one.control, one.verdict) for one in report.rows}
    assert (found.data, found.sample[:3]) == ("photographs", ["first", "second", "third"])
    kept = verdict(model, GradientTimesActivation(), "act2", use="units", store=here.store)
    assert kept == replace(alone, text=found.text)
    assert found.text.startswith("activation x gradient of units of act2")
    assert found.text.removeprefix("activation x gradient of units of act2") in alone.text
    other = client.get("/api/standing", params={**UNITS, "use": "channels"}).json()
    assert other["state"] == "unmeasured"


def test_maps_are_measured_with_all_controls(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "SUBSETS", 8)
    monkeypatch.setattr(verdicts, "STEPS", 3)
    found = measured(client, {"method": "gradient x input"})
    assert found.images == 8
    assert len(found.metrics) == 3
    assert {len(row.verdicts) for row in found.rows} == {3}
    assert len(found.rows) == 8
    assert found.state in ("better", "part", "same", "worse", "undecided")
    assert found.fails is (found.state in ("same", "worse"))


def test_a_recording_lends_its_inputs(make_app: Callable[..., FastAPI], toy: ModuleType, tmp_path: Path) -> None:
    import hooke

    for name, picture in toy.photographs():
        picture.save(tmp_path / f"{name}.png")
    kept = hooke.record(toy.toy(), tmp_path, at=["act1"], out=tmp_path / "of")
    with TestClient(make_app(recording=kept), base_url="http://localhost:8742") as client:
        sample = verdicts._sample(client.app.state.microscope)  # type: ignore[attr-defined]
        assert (sample.place, sorted(sample.names)) == ("what was recorded", ["first.png", "second.png", "third.png"])
        assert client.get("/api/standing", params=UNITS).json()["offer"] == "3 inputs of what was recorded"


def test_what_there_is_not_is_refused(client: TestClient) -> None:
    assert client.get("/api/standing", params={"method": "tea leaves"}).status_code == 422
    assert client.get("/api/standing", params={**UNITS, "layer": "nowhere"}).status_code == 404
    assert client.get("/api/standing", params={**UNITS, "use": "nothing"}).status_code == 422
