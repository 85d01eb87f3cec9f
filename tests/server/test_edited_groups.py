"""Groups and their flow in an edited model: numbers known by hand, no edit as a mirror, and flows that add up."""

from typing import Any
from urllib.parse import urlencode

import pytest
import torch
from starlette.testclient import TestClient

import hooke
from hooke.models.model import Model
from hooke.models.suffix import suffix_of
from hooke.models.taps import tapped
from hooke.numeric.nonnegative import nonnegative_amounts
from hooke.server.wire_groups import EditedFlowView, EditedGroupsView, FlowElsewhereView
from hooke.shapes import Canvas
from hooke.studies.edited_groups import edited_groups
from hooke.studies.flow import GroupFlow, Way, edited_flow, flows_elsewhere, group_flow
from hooke.studies.groups import GroupStudy, group_study
from hooke.studies.layers import tracing_layers
from hooke.studies.what_if import variants


@pytest.fixture(scope="module")
def study(model: Model, canvas: Canvas) -> GroupStudy:
    """Four groups of the second layer, with their effects."""
    stages = group_study(model, canvas, "act2", 4)
    next(stages)
    return next(stages)


@pytest.fixture(scope="module")
def flow(model: Model, canvas: Canvas) -> GroupFlow:
    return group_flow(model, canvas, "logits:1", at=tracing_layers(model, 2), rank=3)


def after(model: Model, canvas: Canvas, study: GroupStudy, text: str, controls: int = 0) -> Any:
    edits = hooke.edits.parse(text) if text else []
    return edited_groups(model, canvas, study.factorization.groups, edits, controls)


def held(model: Model, canvas: Canvas, text: str, layer: str) -> torch.Tensor:
    """The slow way: one whole pass with the edits in it."""
    with torch.no_grad(), tapped(model, [layer], hooke.edits.parse(text)) as taps:
        found: torch.Tensor = taps(model.modality.normalize(canvas[None]))[layer][0]
    return found


def test_without_edits_nothing_changes(model: Model, canvas: Canvas, study: GroupStudy) -> None:
    found = after(model, canvas, study, "")
    torch.testing.assert_close(found.before, study.factorization.scores[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(found.after, found.before)
    assert found.explained[1] == pytest.approx(study.factorization.explained, abs=1e-6)
    torch.testing.assert_close(found.lost, study.measured, atol=1e-5, rtol=0)
    assert len(found.random) == 0


def test_a_muted_group_is_gone_and_no_other_moves(model: Model, canvas: Canvas, study: GroupStudy) -> None:
    """What is left of the layer lies as it lay to all other groups, so their amounts are still the best."""
    found = after(model, canvas, study, f"ablate({study.factorization.addresses[1]})", controls=3)
    expected = found.before.clone()
    expected[1] = 0
    torch.testing.assert_close(found.after, expected, atol=1e-4, rtol=0)
    assert found.beside == "other groups about as strong"
    for draw in found.random:
        (gone,) = (draw < 1e-4).nonzero()[:, 0].tolist()
        assert gone != 1
    twice = after(model, canvas, study, f"scale({study.factorization.addresses[1]}, 2)")
    expected[1] = 2 * found.before[1]
    torch.testing.assert_close(twice.after, expected, atol=1e-4, rtol=0)


def test_the_units_of_a_group_muted_leave_nothing_of_it(model: Model, canvas: Canvas, study: GroupStudy) -> None:
    direction = study.factorization.directions[2]
    units = direction.nonzero()[:, 0].tolist()
    text = "[" + ", ".join(f"ablate(act2:{unit})" for unit in units) + "]"
    found = after(model, canvas, study, text)
    assert found.before[2].max() > 0
    assert float(found.after[2].abs().max()) < 1e-5
    values = held(model, canvas, text, "act2").flatten(1).T
    by_hand = nonnegative_amounts(values, study.factorization.directions)
    torch.testing.assert_close(found.after.flatten(1).T, by_hand, atol=1e-5, rtol=0)


@pytest.mark.parametrize("text", ["ablate(act1:2)", "ablate(act2@3,4)", "scale(act2:5, 3)", "ablate(pool:4)"])
def test_what_labels_lose_is_measured_in_the_edited_model(
    model: Model, canvas: Canvas, study: GroupStudy, text: str
) -> None:
    found = after(model, canvas, study, text)
    values = held(model, canvas, text, "act2")
    logits = held(model, canvas, text, "logits")
    torch.testing.assert_close(found.logits, logits, atol=1e-5, rtol=0)
    suffix = suffix_of(model, "act2")
    prefix = suffix.prepare(model.modality.normalize(canvas[None]))
    later = hooke.edits.parse(text) if "pool" in text else []
    for group, direction in enumerate(study.factorization.directions):
        without = values - found.after[group] * direction[:, None, None]
        with torch.no_grad():
            expected = logits - suffix.run(prefix, without[None], ["logits"], later)["logits"][0]
        torch.testing.assert_close(found.lost[group], expected, atol=1e-5, rtol=0)
    if "pool" in text:
        torch.testing.assert_close(found.after, found.before)


def test_a_prefix_holds_edits_on_the_way(model: Model, canvas: Canvas) -> None:
    batch = model.modality.normalize(canvas[None])
    suffix = suffix_of(model, "act2")
    edits = hooke.edits.parse("[ablate(act1:2), scale(act2:3, 2)]")
    prefix = suffix.prepare(batch, edits)
    with torch.no_grad(), tapped(model, ["act2", "logits"], edits) as taps:
        whole = taps(batch)
    torch.testing.assert_close(prefix.values, whole["act2"])
    torch.testing.assert_close(suffix.run(prefix, prefix.values)["logits"], whole["logits"])
    with pytest.raises(hooke.errors.AddressError, match="comes after act2"):
        suffix.prepare(batch, hooke.edits.parse("ablate(pool:1)"))


@pytest.mark.parametrize("text", ["ablate(act1:2)", "ablate(act2:3)", "scale(pool:5, 2)", "ablate(act2)", "GROUP"])
def test_an_edited_flow_adds_up_to_the_edited_label(model: Model, canvas: Canvas, flow: GroupFlow, text: str) -> None:
    text = f"ablate({flow.factorizations[0].addresses[0]})" if text == "GROUP" else text
    found = edited_flow(model, canvas, flow, hooke.edits.parse(text))
    assert found.score == pytest.approx(float(held(model, canvas, text, "logits")[1]), abs=1e-5)
    assert float(found.nodes[-1].sum()) + found.constant == pytest.approx(found.score)
    assert found.imbalance() < 1e-6
    if text == "ablate(act2)":
        assert all(float(node.abs().max()) == 0 for node in found.nodes)
    if "#" in text:
        assert abs(float(found.nodes[0][0])) < 1e-5 * float(flow.flows.nodes[0].abs().max())
        assert float(found.edges[0][:, 0].abs().max()) < 1e-5


def gives(model: Model, canvas: Canvas, flow: GroupFlow, edits: list[Any], level: int) -> torch.Tensor:
    """The slow way: whole passes, one for each place of the way, with the layer's values put in and the edits made."""
    found = flow.factorizations[level]
    batch = model.modality.normalize(canvas[None])
    with torch.no_grad(), tapped(model, [found.layer], edits) as taps:
        values = taps(batch)[found.layer]
    order = model.layers.site
    late = [one for one in edits if order(str(one.address).split(":")[0]).order > order(found.layer).order]
    gradients = []
    for share in Way().places:
        here = (share * values).requires_grad_()
        with torch.enable_grad(), tapped(model, ["logits"], [hooke.edits.Replace(found.layer, here), *late]) as taps:
            gradients.append(torch.autograd.grad(taps(batch)["logits"][0, 1], here)[0])
    amounts = nonnegative_amounts(values[0].flatten(1).T, found.directions)
    parts = amounts.T[:, :, None] * found.directions[:, None]
    parts = torch.cat([parts, (values[0].flatten(1).T - parts.sum(0))[None]])
    mean: torch.Tensor = torch.stack(gradients).mean(0)[0].flatten(1).T
    return (parts * mean).sum((1, 2))


@pytest.mark.parametrize("text", ["ablate(act1:2)", "scale(act2:3, 2)", "ablate(pool:4)"])
def test_the_flow_after_the_same_edits_elsewhere(model: Model, canvas: Canvas, flow: GroupFlow, text: str) -> None:
    """Of each random other the nodes are those of the flow with these edits, as whole passes find them, too."""
    edits = hooke.edits.parse(text)
    *so_far, found = flows_elsewhere(model, canvas, flow, edits, controls=6)
    assert [len(one.nodes[0]) for one in (*so_far, found)] == [0, 4, 6]
    assert (found.draws, found.beside) == (6, "other units about as strong")
    assert torch.equal(found.nodes[1][:4], so_far[1].nodes[1])
    made = variants(model, canvas, edits, flow.layers, 6).made[1:]
    assert len({str(one.address) for (one,) in made} | {str(edits[0].address)}) == 7
    for draw, others in enumerate(made):
        same = edited_flow(model, canvas, flow, list(others))
        for level, nodes in enumerate(found.nodes):
            torch.testing.assert_close(nodes[draw], same.nodes[level], atol=1e-5, rtol=1e-5)
            slow = gives(model, canvas, flow, list(others), level)
            torch.testing.assert_close(nodes[draw].float(), slow, atol=1e-4, rtol=1e-4)
    nothing = next(flows_elsewhere(model, canvas, flow, hooke.edits.parse("ablate(act1)")))
    assert (nothing.draws, nothing.beside) == (0, "nothing of this size to compare it with")


def test_a_flow_without_edits_is_the_flow(model: Model, canvas: Canvas, flow: GroupFlow) -> None:
    found = edited_flow(model, canvas, flow, [])
    for ours, theirs in zip(found.nodes + found.edges, flow.flows.nodes + flow.flows.edges, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


def test_the_routes_say_what_the_studies_say(
    client: TestClient, model: Model, canvas: Canvas, study: GroupStudy
) -> None:
    first = f"/api/images/{client.get('/api/images').json()[0]['id']}"
    told = client.get(f"{first}/groups?layer=act2").json()
    step = next(one for one in told["ranks"] if one["rank"] == 4)
    address = step["groups"][0]["address"]
    query = {"edits": "ablate(act1:2)", "group": address, "labels": "3,0", "controls": 5}
    view = EditedGroupsView.model_validate_json(client.get(f"{first}/groups/what-if?{urlencode(query)}").content)
    own = after(model, canvas, study, "ablate(act1:2)", controls=5)
    assert [one.after for one in view.groups] == pytest.approx(own.after.flatten(1).mean(1).tolist(), abs=1e-5)
    assert [one.index for one in view.labels] == [3, 0]
    assert view.labels[0].measured == pytest.approx(own.lost[:, 3].tolist(), abs=1e-5)
    for at, one in enumerate(view.groups):
        assert max(one.levels) == round(1000 * float(own.after[at].max() / own.before.max()))
        assert one.random is not None
        assert one.random.low <= one.random.mean <= one.random.high
    for wrong in ({"group": "act2:3"}, {"labels": "99"}, {"edits": "nonsense"}, {"group": "act2#ffffffff.0"}):
        assert client.get(f"{first}/groups/what-if?{urlencode({**query, **wrong})}").status_code in (400, 404, 422)
    url = f"{first}/flow/what-if?{urlencode({'depth': 2, 'count': 3, 'of': 1, 'edits': 'ablate(act1:2)'})}"
    job = client.get(url).json()["job"]
    client.get(f"/api/events?jobs={job}")
    flowing = EditedFlowView.model_validate_json(client.get(url).content)
    assert flowing.imbalance < 1e-6
    study_flow = group_flow(model, canvas, "logits:1", at=tracing_layers(model, 2), rank=3)
    same = edited_flow(model, canvas, study_flow, hooke.edits.parse("ablate(act1:2)"))
    assert flowing.gives[0] == pytest.approx(same.nodes[0].tolist(), abs=1e-5)
    url = url.replace("/what-if?", "/what-if/elsewhere?")
    job = client.get(url).json()["job"]
    client.get(f"/api/events?jobs={job}")
    *_, own_others = flows_elsewhere(model, canvas, study_flow, hooke.edits.parse("ablate(act1:2)"))
    others = FlowElsewhereView.model_validate_json(client.get(url).content)
    assert others.measured == others.draws == own_others.draws
    low = own_others.nodes[1].amin(0).tolist()
    assert [one.low for one in others.random[1] if one] == pytest.approx(low, abs=1e-5)
