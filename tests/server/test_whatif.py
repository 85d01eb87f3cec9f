"""What edits change and how far an effect is to be trusted, over a small real model: numbers, controls, refusals."""

import json
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import pytest
import torch
from starlette.testclient import TestClient

import hooke
from hooke.addresses import Place
from hooke.interventions.effect import effect
from hooke.models.edits import Replace, prepared
from hooke.models.recording import activations
from hooke.models.taps import tapped
from hooke.server.wire_whatif import HowSureView, WhatIfView
from hooke.studies.how_sure import how_sure
from hooke.studies.same_size import alike
from hooke.studies.what_if import what_if


def ask(client: TestClient, edits: str, **query: Any) -> Any:
    image = client.get("/api/images").json()[0]["id"]
    return client.get(f"/api/images/{image}/what-if?{urlencode({'edits': edits, **query})}")


def what(client: TestClient, edits: str, **query: Any) -> WhatIfView:
    answer = ask(client, edits, **query)
    assert answer.status_code == 200, answer.text
    return WhatIfView.model_validate_json(answer.content)


def logits(model: Any, canvas: Any, text: str) -> torch.Tensor:
    """The slow way: one whole pass with the edits in it."""
    with torch.no_grad(), tapped(model, ["logits"], hooke.edits.parse(text)) as taps:
        found: torch.Tensor = taps(model.modality.normalize(canvas[None]))["logits"][0]
    return found


@pytest.mark.parametrize(
    "text",
    [
        "ablate(act2:3)", "scale(act1:2, -0.5)", "ablate(act2@3,4)", "clamp(act2:7@1,1, 2.5)",
        "[ablate(act2:3), scale(act1:5, 2.0)]", "steer(act2, act2:1 - act2:2, 1.5)", "within(ablate(act2:3), "
        + "/".join(["11110000"] * 8) + ")",
    ],
)  # fmt: skip
def test_before_and_after_are_those_of_whole_passes(client: TestClient, model: Any, canvas: Any, text: str) -> None:
    view = what(client, text, layer="act2", row=2, column=5)
    before, after = logits(model, canvas, "scale(act2:0, 1)"), logits(model, canvas, text)
    assert {one.index for one in view.labels} == set(range(5))
    for one in view.labels:
        assert one.logit_before == pytest.approx(float(before[one.index]), abs=1e-5)
        assert one.logit_after == pytest.approx(float(after[one.index]), abs=1e-5)
        assert one.before == pytest.approx(float(before.softmax(0)[one.index]), abs=1e-6)
        assert one.after == pytest.approx(float(after.softmax(0)[one.index]), abs=1e-6)
        assert one.random is not None
        assert one.random.low <= one.random.mean <= one.random.high
    assert view.table is not None
    with torch.no_grad(), tapped(model, ["act2"], hooke.edits.parse(text)) as taps:
        vector = taps(model.modality.normalize(canvas[None]))["act2"][0, :, 2, 5]
    assert [one.after for one in view.table.units] == pytest.approx(
        [float(vector[one.channel]) for one in view.table.units], abs=1e-5
    )


def test_the_change_is_that_of_the_effect(client: TestClient, model: Any, canvas: Any) -> None:
    view = what(client, "ablate(act2:3)", of=2)
    found = effect(model, [canvas, canvas], edit="ablate(act2:3)", on="logits:2", controls=0)
    assert view.target is not None
    assert view.target.after - view.target.before == pytest.approx(float(found.rows[0].change.mean), abs=1e-5)
    rather = what(client, "ablate(act2:3)", of=2, rather=4).target
    assert rather is not None
    by = {one.index: one for one in view.labels}
    assert rather.after == pytest.approx(by[2].logit_after - by[4].logit_after, abs=1e-5)
    assert rather.name == "cat rather than elk"


def test_muting_all_units_of_a_place_is_muting_the_place(client: TestClient) -> None:
    units = what(client, "[" + ", ".join(f"ablate(act2:{unit}@3,4)" for unit in range(16)) + "]", controls=0)
    place = what(client, "ablate(act2@3,4)", controls=0)
    for one, other in zip(units.labels, place.labels, strict=True):
        assert one.logit_after == pytest.approx(other.logit_after, abs=1e-6)


def test_a_transplant_is_the_vector_of_the_other_photograph(client: TestClient, toy: ModuleType, model: Any) -> None:
    donor = client.get("/api/images").json()[1]["id"]
    view = what(client, f'patch(act2@3,4, "{donor}@6,1")', layer="act2", row=3, column=4)
    other = model.modality.canvas(toy.photographs()[1][1])
    vector = activations(model, model.modality.normalize(other[None]), ["act2"])["act2"][0, :, 6, 1]
    assert view.table is not None
    assert [one.after for one in view.table.units] == pytest.approx(
        [float(vector[one.channel]) for one in view.table.units], abs=1e-5
    )
    assert view.beside == "vectors of other places of that photograph"
    assert view.draws == 20


def test_an_edge_is_felt_where_it_leads_and_nowhere_else(client: TestClient, model: Any, canvas: Any) -> None:
    batch = model.modality.normalize(canvas[None])
    with torch.no_grad(), tapped(model, ["act2"], hooke.edits.parse("ablate(act1:3)")) as taps:
        felt = taps(batch)["act2"][:, 5]
    with torch.no_grad(), tapped(model, ["logits"], [Replace("act2:5", felt)]) as taps:
        expected = taps(batch)["logits"][0]
    view = what(client, "ablate(act1:3 -> act2:5)")
    for one in view.labels:
        assert one.logit_after == pytest.approx(float(expected[one.index]), abs=1e-5)
    assert view.draws == 7
    assert view.beside == "other units about as strong"
    all_edges = what(client, "\n".join(f"ablate(act1:3 -> act2:{unit})" for unit in range(16)), controls=0)
    whole = what(client, "ablate(act1:3)", controls=0)
    for one, other in zip(all_edges.labels, whole.labels, strict=True):
        assert one.logit_after == pytest.approx(other.logit_after, abs=1e-5)


def test_an_edge_is_held_at_the_mean_of_where_it_begins(client: TestClient, model: Any, canvas: Any) -> None:
    batch = model.modality.normalize(canvas[None])
    mean = prepared(model, hooke.edits.parse("ablate(act1:3, mean)"), batch)
    with torch.no_grad(), tapped(model, ["act2"], mean) as taps:
        felt = taps(batch)["act2"][:, 5]
    with torch.no_grad(), tapped(model, ["logits"], [Replace("act2:5", felt)]) as taps:
        expected = taps(batch)["logits"][0]
    view = what(client, "ablate(act1:3 -> act2:5, mean)")
    assert view.draws == 7
    for one in view.labels:
        assert one.logit_after == pytest.approx(float(expected[one.index]), abs=1e-5)


def test_random_others_are_of_the_same_kind_and_about_as_strong(model: Any, canvas: Any) -> None:
    held = activations(model, model.modality.normalize(canvas[None]), ["act2"])
    dice = torch.Generator().manual_seed(0)
    place = Place("act2", position=(3, 4))
    found = alike(model, place, held, dice)
    norms = held["act2"][0].norm(dim=0)
    away = (norms - norms[3, 4]).abs().flatten().sort().values
    assert len(found) == 40
    assert place not in found
    assert max(float((norms[one.position] - norms[3, 4]).abs()) for one in found) == pytest.approx(float(away[40]))
    assert alike(model, Place("act2"), held, dice) == []
    units = alike(model, Place("act2", 3), held, dice, taken=[Place("act2", 5)])
    assert sorted(str(one) for one in units) == sorted(f"act2:{at}" for at in range(16) if at not in (3, 5))


def test_each_draw_is_the_edit_made_elsewhere(model: Any, canvas: Any) -> None:
    found = what_if(model, canvas, hooke.edits.parse("ablate(act2:3)"), controls=20)
    assert found.logits is not None
    expected = torch.stack([logits(model, canvas, f"ablate(act2:{unit})") for unit in range(16) if unit != 3])
    assert found.logits.random.shape == (15, 5)
    for one in found.logits.random:
        assert float((expected - one).abs().amax(1).min()) < 1e-5
    assert len({tuple(one) for one in found.logits.random.tolist()}) >= 14  # each other unit once


def test_a_whole_layer_has_nothing_beside_it(client: TestClient) -> None:
    view = what(client, "scale(act2, 0.5)")
    assert (view.draws, view.beside) == (0, "nothing of this size to compare it with")
    assert all(one.random is None for one in view.labels)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ablate(act9:3)", "act9"),
        ("ablate(act2:99)", "out of range"),
        ("ablate(act2:3", "expected"),
        ("scale(act2:3, 1)", "a factor of 1 changes nothing"),
        ("[ablate(act2:3), ablate(act2:3)]", "contradicted"),
        ("ablate(act2:3 -> act1:5)", "does not come after"),
        ('splice(act2, "os:getcwd")', "cannot have it"),
        ("ablate(act2:3, resample)", "cannot have it"),
        ('patch(act2@3,4, "/etc/passwd")', "there is no such photograph"),
        ('within(patch(act2, "/etc/passwd"), 1)', "not within a mask"),
    ],
)
def test_what_cannot_be_edited_is_said(client: TestClient, text: str, words: str) -> None:
    answer = ask(client, text)
    assert answer.status_code in (400, 404)
    assert words in json.dumps(answer.json())


def test_how_sure_is_the_study_beside_random_others(client: TestClient, model: Any, canvas: Any) -> None:
    image = client.get("/api/images").json()[0]["id"]
    query = urlencode({"layer": "act2", "row": 3, "column": 4, "of": 1, "rather": 2, "also": "act1:3"})
    answer = client.get(f"/api/images/{image}/how-sure?{query}")
    view = HowSureView.model_validate_json(answer.content)
    found = how_sure(model, canvas, [one.address for one in view.rows], "logits:1 - logits:2")
    assert [(one.kind, one.layer) for one in view.rows][:2] == [("place", "act2"), ("unit here", "act2")]
    assert view.rows[-1].address == "act1:3"
    for one, expected in zip(view.rows, found, strict=True):
        assert (one.linear, one.integrated, one.measured) == pytest.approx(
            (expected.linear, expected.integrated, expected.measured), abs=1e-5
        )
        assert one.disagreement == pytest.approx(expected.disagreement, abs=1e-3)
    assert view.name == "bee rather than cat"
    assert {(one.kind, one.layer): one.count for one in view.controls}["place", "act2"] == 20
