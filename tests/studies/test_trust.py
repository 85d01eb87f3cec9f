"""What reports say of how far to trust them: verdicts of the model, agreement in the photograph, and what is greyed."""

import pytest
import torch
from studies.open_square import LAYERS, figure, look

from hooke.attribution.gradients import GradientTimesActivation
from hooke.models.model import Model
from hooke.storage.store import Store
from hooke.studies.registry import Asked, silent, study
from hooke.studies.reports import trust
from hooke.validation.standing import Standing, keep


def test_agreement_in_a_photograph_is_a_rank_correlation_with_its_interval() -> None:
    one = trust.here([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 7, 6], "groups of a", "a")
    assert (one.state, one.fails) == ("better", False)
    # Fisher: atanh(27/28) - 1.96 x 1.06 / 2 = 0.966, whose tanh is 0.747; the same upwards gives 0.996
    assert one.text.endswith("of 7 groups of a agree: rank correlation 0.96 [0.75, 1.00]")
    assert trust.here([1, 2, 3, 4, 5, 6, 7], [7, 6, 5, 4, 3, 2, 1], "groups").state == "worse"
    assert trust.here([1, 2, 3], [1, 2, 3], "units").state == "undecided"
    assert trust.here([1, 1, 1], [1, 2, 3], "units").state == "undecided"
    random = torch.randn(2, 400, generator=torch.Generator().manual_seed(0)).tolist()
    many = trust.here(*random, "channels")
    assert (many.state, many.fails) == ("same", True)
    assert trust.here(random[0][:8], random[1][:8], "channels").state == "undecided"


def test_the_verdict_on_the_model_comes_before_what_one_photograph_shows() -> None:
    bad = trust.here([1, 2, 3, 4, 5, 6, 7], [7, 6, 5, 4, 3, 2, 1], "groups")
    unmeasured = trust.Told("groups of a", "a", "unmeasured", False, "not yet")
    good = trust.Told("groups of a", "a", "better", False, "it is better")
    assert trust.fails(unmeasured, bad)
    assert not trust.fails(unmeasured)
    assert not trust.fails(good, bad)
    told = trust.facts(good, bad)
    assert told["validated"].startswith("It is better. In this photograph credit")
    assert [one["state"] for one in told["standings"]] == ["better", "worse"]


@pytest.fixture
def model() -> Model:
    return look(-5)


def test_layers_that_nobody_measured_share_a_sentence_and_one_that_fails_is_drawn_by_itself(
    model: Model, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    real = trust.known
    monkeypatch.setattr(trust, "known", lambda model, layer, use: real(model, layer, use, store))
    asked = Asked(layers=LAYERS[:2], of=("logits:0",), count=2)
    before = study("channel_attribution").report(model, figure("square"), asked, silent)
    layers = ", ".join(LAYERS[:2])
    assert (
        f"Activation x gradient of channels of {layers}: not yet measured on this model; " in before.facts["validated"]
    )
    assert "units_failing" not in before.figures
    bad = Standing(True, True, "it beats all controls by no metric", images=16)
    keep(model, GradientTimesActivation(), LAYERS[0], "sum", bad, store, "channels")
    after = study("channel_attribution").report(model, figure("square"), asked, silent)
    assert {"units", "units_failing"} <= set(after.figures)
    assert "It beats all controls by no metric." in after.facts["validated"]
    states = {one["of"]: (one["state"], one["fails"]) for one in after.facts["standings"]}
    assert states[f"channels of {LAYERS[0]}"] == ("same", True)
    assert states[f"channels of {LAYERS[1]}"] == ("unmeasured", False)


@pytest.mark.parametrize("name", ["semantic_dictionary", "groups", "flow", "how_sure"])
def test_every_report_of_credit_says_how_far_to_trust_it(model: Model, name: str) -> None:
    layers = LAYERS[:2] if name == "flow" else ("corners_act",)
    asked = Asked(layers=layers, of=("logits:0",) if name in ("flow", "how_sure") else (), count=2)
    found = study(name).report(model, figure("square"), asked, silent)
    assert found.facts["standings"]
    assert found.facts["validated"].endswith(".")
    assert "in this photograph" in found.facts["validated"].lower()
