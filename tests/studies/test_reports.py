"""Reports of the tracing studies on the planted square: their numbers are those known by hand, and they draw."""

from typing import Any

import pytest
import torch
from studies.open_square import FAR, LAYERS, NEAR, figure, look
from torch import Tensor, nn

from hooke.errors import HookeError
from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.studies.registry import STUDIES, VIEWS, Asked, Report, silent, study


@pytest.fixture(scope="module")
def model() -> Model:
    return look(-5)


def reported(model: Model, name: str, seen: str = "square", **asked: Any) -> Report:
    found = study(name).report(model, figure(seen), Asked(**asked), silent)
    for one in list(found.figures.values())[:2]:
        one.set_layout_engine("none")
        one.draw_without_rendering()
    return found


class Seen(nn.Module):
    """Red is seen, then twice as much red one position to the right of it; the first class counts that."""

    def __init__(self) -> None:
        super().__init__()
        self.here = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.ReLU())
        self.right = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, bias=False), nn.ReLU())
        with torch.no_grad():
            self.here[0].weight.fill_(1)  # type: ignore[union-attr, operator]
            self.right[0].weight.zero_()[0, 0, 1, 0] = 2  # type: ignore[union-attr, operator, index]

    def forward(self, x: Tensor) -> Tensor:
        total = self.right(self.here(x)).sum((2, 3))
        return torch.cat([total, -total], 1)


def test_spatial_attribution() -> None:
    image = Image(3, 4, (0.0,), (1.0,), channels=1)
    small = open(Seen(), modality=image, labels=("one", "other"))
    lit = torch.zeros(1, 3, 4)
    lit[0, 1, 1] = 1
    asked = Asked(layers=("here.1", "right.1"), position=(1, 1), count=2)
    found = study("spatial-attribution").report(small, lit, asked, silent)
    facts, expected = found.facts, torch.zeros(3, 4)
    expected[1, 2] = 2
    assert facts["pointer"]["layer"] == "here.1"
    assert facts["pointer"]["after"] == {"right.1": expected.tolist()}
    assert [(one["label"], one["effect"]) for one in facts["pointer"]["classes"]] == [("one", 2), ("other", -2)]
    assert facts["class_maps"]["right.1"]["0"] == expected.tolist()
    assert facts["passes"] == 2 + 2 + 3 * 4
    assert (facts["sure"]["linear"], facts["sure"]["measured"]) == (2, 2)
    assert facts["timings"]["pointer"] <= facts["timings"]["tables"] <= facts["timings"]["all"]
    sprite = found.pictures["here.1-to-right.1"]
    assert sprite.nonzero().tolist() == [[0, 1 * 3 + 1, 2 * 4 + 1]]  # in the tile of 1, 2 the pixel of 1, 1
    assert facts["sprites"] == {"here.1-to-right.1": 2}
    assert set(found.figures) == {"pointer", "tints"}


def test_channel_attribution(model: Model) -> None:
    asked = {"layers": LAYERS[:2], "of": ("logits:0", "logits:1"), "count": 2}
    found = reported(model, "channel_attribution", "window", **asked)
    facts = found.facts
    assert facts["name"] == "square rather than cross"
    units = facts["units"]["corners_act"]
    assert [(one["channel"], one["evidence"]) for one in units["against"]] == [(5, pytest.approx(-5))]
    assert [one["channel"] for one in units["for"]] == [2, 3]
    assert units["for"][0]["map"][NEAR][FAR] == 1
    assert units["for"][0]["parts"] == {"logits:0": pytest.approx(2), "logits:1": 0}
    crossing = facts["drilled"]["corners_act:5"]["channels"]["edges_act"]
    assert crossing == [{"channel": at, "effect": pytest.approx(2)} for at in (0, 1)]


def test_groups(model: Model) -> None:
    facts = reported(model, "groups", layers=("corners_act",), count=2).facts
    assert len(facts["groups"]) == 2
    for one in facts["groups"]:
        assert {entry["label"] for entry in one["effects"]} == {"square", "cross"}
        assert len(one["map"]) == 24
    ahead = [one["peak"][1] for one in facts["groups"]]
    assert ahead == sorted(ahead)
    total = sum(one["effects"][0]["effect"] for one in facts["groups"]) + facts["rest"][0]["effect"]
    assert total == pytest.approx(8, abs=1e-4)  # what the corners give to a square, however they are grouped


def test_flow(model: Model) -> None:
    """Corners give 8 and skipping edges 4, less 5; the rest adds up whatever the groups are."""
    facts = reported(model, "flow", layers=LAYERS[:2], of=('logits:"square"',), count=2).facts
    gives = [sum(group["gives"] for group in layer["groups"]) for layer in facts["layers"]]
    assert gives[1] == pytest.approx(8, abs=1e-3)
    assert facts["score"] == pytest.approx(7)
    assert facts["imbalance"] < 1e-4
    assert facts["constant"] == pytest.approx(7 - 8, abs=1e-3)
    assert len(facts["strongest"]) == 2


def test_semantic_dictionary(model: Model) -> None:
    """The dictionary of a corner says how sure its units' effects on the likeliest label are."""
    facts = reported(model, "semantic-dictionary", layers=("corners_act",), position=(NEAR, FAR), count=2).facts
    first = facts["entries"][0]
    assert (first["address"], first["magnitude"]) == ("corners_act:2", 1)
    assert [(one["label"], one["effect"]) for one in first["supports"]] == [("square", 2)]
    assert facts["sure"]["label"] == "square"
    assert facts["sure"]["entries"][0]["address"] == f"corners_act:2@{NEAR},{FAR}"
    assert facts["sure"]["entries"][0]["measured"] == pytest.approx(2, abs=1e-4)


def test_how_sure(model: Model) -> None:
    facts = reported(model, "how_sure", of=("logits:0", "corners_act:2", f"corners_act@{FAR},{FAR}")).facts
    for one in facts["selections"]:
        assert (one["linear"], one["measured"]) == pytest.approx((2, 2), abs=1e-4)
    assert facts["name"] == "square"
    units = reported(model, "how_sure", layers=("corners_act",), position=(NEAR, NEAR), count=2).facts["selections"]
    assert [one["address"] for one in units] == [
        f"corners_act:0@{NEAR},{NEAR}", f"corners_act:1@{NEAR},{NEAR}", f"corners_act@{NEAR},{NEAR}",
        "corners_act:0", "corners_act:1", "corners_act",
    ]  # fmt: skip


def test_every_view_has_its_own_grammar_which_names_it() -> None:
    spelled = [str(view) for view in VIEWS.values()]
    assert len(set(spelled)) == len(spelled)
    assert {view.atom for view in VIEWS.values()} == {"neuron", "spatial", "channel", "group", "whole"}
    assert study("group/attribution/flow").name == "flow"
    with pytest.raises(HookeError, match="group/attribution/flow"):
        study("group/attribution/flaw")


def test_every_study_has_a_report() -> None:
    for one in STUDIES:
        assert study(one.name.replace("_", "-")) is one
