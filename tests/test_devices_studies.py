"""Studies, attributions, edits and weights say on whatever device the small model was opened on what they say on the
CPU, and give their answers there."""

import json

import pytest
import torch
from test_devices import NUMBER, PLACES, close

from hooke.attribution.attribute import attribute
from hooke.attribution.captum import Captum, ShapleySampling
from hooke.attribution.gradients import GradCAM, Gradient, GradientTimesActivation
from hooke.attribution.parts import Patches
from hooke.attribution.paths import IntegratedGradients
from hooke.attribution.perturbations import Occlusion
from hooke.circuits.weights import Direct, Expanded, weights
from hooke.cli.figures import plain
from hooke.factorization import ICA, NMF, PCA, KMeans
from hooke.factorization.factorize import factorize
from hooke.interventions.effect import effect
from hooke.interventions.surgery import operate
from hooke.models.edits import Ablate
from hooke.models.opening import open
from hooke.studies.flow import edited_flow, flows_elsewhere, group_flow, shuffled_flow
from hooke.studies.registry import STUDIES, Asked, silent
from hooke.studies.what_if import what_if
from hooke.validation.planted.contrasts import null_patch

LAYERS = ("act1", "act2")


@pytest.fixture(scope="module")
def here(toy):
    return toy.toy()


@pytest.fixture(scope="module", params=PLACES)
def there(request, here):
    device, precision = request.param
    return open(here.module, device=device, precision=precision, modality=here.modality, labels=here.labels)


@pytest.fixture(scope="module")
def canvas(toy, here):
    return here.modality.canvas(toy.photographs()[0][1])


def numbers(value):
    """All numbers in a JSON value but how long it took."""
    if isinstance(value, dict):
        return [one for key in value for one in numbers(value[key]) if key not in ("timings", "seconds")]
    if isinstance(value, list):
        return [one for each in value for one in numbers(each)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


@pytest.mark.parametrize("name", [one.name for one in STUDIES if not one.many])
def test_every_study_of_a_photograph_reports(there, canvas, derived, name):
    asked = Asked(layers=LAYERS, position=(3, 3) if name == "semantic_dictionary" else None, count=2, steps=2)
    (wanted,) = (one for one in STUDIES if one.name == name)
    found = wanted.report(there, canvas, asked, silent)
    facts = json.loads(json.dumps(plain(found.facts), allow_nan=False))
    assert numbers(facts)
    assert all(picture.device.type == "cpu" for picture in found.pictures.values())


BY = [
    Gradient(), GradientTimesActivation(), GradCAM(), IntegratedGradients(steps=4), Occlusion(),
    Captum(ShapleySampling(Patches(size=16), samples=2)),
]  # fmt: skip


@pytest.mark.parametrize("by", BY, ids=lambda one: type(getattr(one, "method", one)).__name__)
def test_attributions_agree(here, there, canvas, by):
    to = "input" if isinstance(by, Captum) else "act2"
    ours, theirs = (attribute(model, canvas, "logits:0", to, by=by).values for model in (here, there))
    close(theirs, ours, 3 * NUMBER[there.dtype])


def test_the_flow_agrees_and_so_do_the_edited_and_the_shuffled(here, there, canvas):
    edits = [Ablate("act1:2")]
    said = []
    for model in (here, there):
        flow = group_flow(model, canvas, "logits:0", at=LAYERS, rank=2)
        after = edited_flow(model, canvas, flow, edits)
        *_, other = flows_elsewhere(model, canvas, flow, edits, controls=2)
        assert len(flow.agreement) == 2
        assert len(shuffled_flow(model, canvas, flow).edge_agreement) == 1
        assert max(flow.flows.imbalance(), after.imbalance()) < 1e-3
        tensors = [*flow.flows.nodes, *flow.effects, *flow.edge_effects, *after.nodes, *other.nodes]
        assert {one.device.type for one in tensors} == {"cpu"}
        said.append(torch.tensor([flow.flows.score, after.score, *(float(one.sum()) for one in flow.flows.nodes)]))
    close(said[1], said[0], NUMBER[there.dtype])


@pytest.mark.parametrize("by", [NMF(2), PCA(2), ICA(2), KMeans(2)], ids=lambda one: type(one).__name__)
def test_groups_are_found(there, canvas, by):
    found = factorize(there, canvas, at="act2", by=by)
    assert found.scores.device.type == found.directions.device.type == "cpu"
    assert 0 < found.explained <= 1 + 1e-6


def test_what_if_and_effects_agree(here, there, canvas, toy):
    edits = [Ablate("act2:5")]
    ours, theirs = (what_if(model, canvas, edits, controls=3).logits.after for model in (here, there))
    close(theirs, ours, NUMBER[there.dtype])
    pictures = [picture for _, picture in toy.photographs()]
    ours, theirs = (effect(model, pictures, edits, "logits:0", controls=2).after for model in (here, there))
    close(theirs, ours, NUMBER[there.dtype])


def test_surgery_is_the_edit(there):
    done = operate(there, "ablate(act1:2)", ["head.bias[0] = 3"])
    assert done.model.device == there.device
    assert done.difference < NUMBER[there.dtype]


def test_weights_agree(here, there):
    for by in (Direct(), Expanded()):
        ours, theirs = (weights(model, "act1", "act2", by=by, check=None).values for model in (here, there))
        close(theirs, ours, NUMBER[there.dtype])


def test_a_null_patch_is_fitted(there, canvas):
    region = torch.zeros(1, 32, 32, dtype=torch.bool)
    region[:, 8:12, 8:12] = True
    without = canvas[None]
    patched, moved = null_patch(there, torch.full_like(without, 0.5), without, region)
    assert patched.device.type == moved.device.type == "cpu"
    assert bool(torch.isfinite(moved).all())
