"""Validation from end to end, on a linear model: good maps win, bad ones do not, and nothing is done twice."""

from pathlib import Path

import pytest
import torch
from validation.linear import SIDE, exact, inputs, linear

import hooke
from hooke.attribution import Gradient, GradientTimesActivation, SmoothGrad
from hooke.errors import DataError, NumericsError
from hooke.storage.store import Store
from hooke.validation import controls
from hooke.validation.faithfulness import Deletion, FaithfulnessCorrelation, Gap, PointingGame
from hooke.validation.report import Report
from hooke.validation.sources import Explained
from hooke.validation.standing import verdict
from hooke.validation.validate import standard, validate
from hooke.validation.verdicts import BETTER, FEW, WORSE

MODEL, WEIGHT = linear()
CANVASES = inputs(12)
EXACT = exact(CANVASES, WEIGHT, 0)
METRICS = (Deletion(steps=4, cell=2, score="value"), FaithfulnessCorrelation(cell=2, count=20))
METHODS = {"good": GradientTimesActivation(), "given": EXACT, "wrong": lambda model, canvases, of: -EXACT_OF(canvases)}


def EXACT_OF(canvases: torch.Tensor) -> torch.Tensor:
    return exact(canvases, WEIGHT, 0)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("ledger") / "scores.jsonl"


@pytest.fixture(scope="module")
def report(store: Store, ledger: Path) -> Report:
    return validate(MODEL, METHODS, CANVASES, METRICS, of="logits:0", ledger=ledger, store=store)


def test_exact_credits_beat_every_control_and_their_opposite_loses(report: Report) -> None:
    good = [row for row in report.rows if row.method == "good"]
    assert {row.control for row in good} == {one.name for one in controls.all}
    assert {row.verdict for row in good} == {BETTER}
    wrong = [row for row in report.rows if row.method == "wrong" and row.control == "uniform noise"]
    assert {row.verdict for row in wrong} == {WORSE}
    assert report.standing("wrong").fails
    assert not report.standing("good").fails
    assert all(row.images == 12 and row.low <= row.difference <= row.high for row in report.rows)


def test_given_maps_are_as_good_as_the_method_and_lack_only_what_asks_again(report: Report) -> None:
    for metric in METRICS:
        torch.testing.assert_close(
            report.scores["given"][""][metric.name], report.scores["good"][""][metric.name], atol=1e-4, rtol=1e-4
        )
    lacking = {one.name for one in controls.all} - {row.control for row in report.rows if row.method == "given"}
    assert lacking == {"random network", "random readout"}
    assert any("given beside random network: only the maps are known" in remark for remark in report.remarks)


def test_a_report_survives_its_json(report: Report) -> None:
    again = Report.from_json(report.to_json())
    assert again.to_json() == report.to_json()
    assert again.rows == report.rows
    with pytest.raises(DataError, match="cannot be read"):
        Report.from_json("{}")


def test_what_was_measured_is_not_measured_again(report: Report, ledger: Path, store: Store, monkeypatch) -> None:
    lines = ledger.read_text().splitlines()
    assert len(lines) == 3 * 4  # groups of four images; three methods and the shared controls
    torn = ledger.with_name("torn.jsonl")
    torn.write_text("\n".join(lines[:5]) + "\n" + lines[5][:40])
    told = []
    again = validate(
        MODEL, METHODS, CANVASES, METRICS, of="logits:0", ledger=torn, store=store, watch=lambda *one: told.append(one)
    )
    assert again.rows == report.rows
    assert told[-1][1:] == (12, 12)
    assert len(torn.read_text().splitlines()) >= 12

    def never(*_: object) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(Deletion, "scores", never)
    assert validate(MODEL, METHODS, CANVASES, METRICS, of="logits:0", ledger=ledger, store=store).rows == report.rows


def test_pages_can_ask_for_the_verdict_of_a_method(report: Report, store: Store) -> None:
    known = verdict(MODEL, GradientTimesActivation(), store=store)
    assert known.measured
    assert known.text == report.standing("good").text
    other = verdict(MODEL, GradientTimesActivation(smooth_pooling=True), store=store)
    assert other.text.endswith("(measured with other settings)")
    assert not verdict(MODEL, SmoothGrad(), store=store).measured
    assert not verdict(MODEL, GradientTimesActivation(), "last", store=store).measured
    assert "not yet measured" in verdict(linear(3)[0], GradientTimesActivation(), store=store).text


def test_several_seeds_of_a_model(store: Store) -> None:
    models = [linear(seed)[0] for seed in (0, 1, 2)]
    found = validate(models, Gradient(), CANVASES[:8], METRICS[:1], [controls.Uniform()], of="logits:0", store=store)
    (row,) = found.rows
    assert (row.seeds, row.images) == (3, 8)
    assert found.scores["Gradient"][""][METRICS[0].name].shape == (3, 8)
    assert len(found.models) == 3


def test_labels_permuted_by_the_users_training(store: Store) -> None:
    permuted = controls.Permuted(lambda seed: linear(100 + seed)[0])
    found = validate(
        MODEL, {"good": GradientTimesActivation()}, CANVASES, METRICS, [permuted], of="logits:0", store=store
    )
    assert {row.verdict for row in found.rows} == {BETTER}
    assert {row.control for row in found.rows} == {"permuted labels"}


def test_a_method_that_cannot_be_asked_is_remarked_and_left_out(store: Store) -> None:
    methods = {"good": Gradient(), "cam": Explained("cam", Gradient(), to="logits")}
    found = validate(MODEL, methods, CANVASES[:4], METRICS[:1], [controls.Edges()], of="logits:0", store=store)
    assert {row.method for row in found.rows} == {"good"}
    assert {row.verdict for row in found.rows} == {FEW}
    assert any(remark.startswith("cam was not measured") for remark in found.remarks)


def test_masks_bring_the_pointing_game(store: Store) -> None:
    assert PointingGame() in standard(SIDE, SIDE, masks=True)
    assert [one.cell for one in standard(224, 224)[:1]] == [8]
    masks = torch.zeros(8, SIDE, SIDE, dtype=torch.bool)
    masks[:, :2] = True
    found = validate(
        MODEL,
        {"m": EXACT[:8]},
        CANVASES[:8],
        PointingGame(),
        [controls.Centre()],
        of="logits:0",
        masks=masks,
        store=store,
    )
    assert found.scores["m"][""]["pointing game"].shape == (1, 8)
    blind = validate(
        MODEL, {"m": EXACT[:8]}, CANVASES[:8], PointingGame(), [controls.Centre()], of="logits:0", store=store
    )
    assert not blind.rows
    assert any("needs masks" in remark for remark in blind.remarks)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(NumericsError, match="their names"):
        validate(MODEL, [Gradient(), Gradient()], CANVASES, METRICS)
    with pytest.raises(NumericsError, match="two have the name"):
        validate(MODEL, Gradient(), CANVASES, METRICS, [controls.Uniform(), controls.Uniform(1)])
    with pytest.raises(NumericsError, match="addresses"):
        validate(MODEL, Gradient(), CANVASES, METRICS, of=["logits:0"])
    with pytest.raises(NumericsError, match="there is no model"):
        validate([], Gradient(), CANVASES)
    with pytest.raises(NumericsError, match=r"\[input, height, width\]"):
        validate(MODEL, {"m": EXACT[0]}, CANVASES, METRICS)
    assert hooke.validate is validate
    assert Gap().chance == "0"


def test_planted_maps_are_greyed_when_that_is_decided_and_not_before(store: Store) -> None:
    dice = torch.Generator().manual_seed(7)
    many = inputs(40, seed=3)
    credit = exact(many, WEIGHT, 0)
    chance = torch.rand(credit.shape, generator=dice)
    faint = credit + 4 * credit.std() * torch.randn(credit.shape, generator=dice)
    by, against = FaithfulnessCorrelation(cell=2, count=20), [controls.Uniform(), controls.Centre()]

    def stands(maps: torch.Tensor, count: int) -> str:
        found = validate(MODEL, {"m": maps[:count]}, many[:count], by, against, of="logits:0", store=store)
        return found.standing("m").state

    assert [stands(credit, count) for count in (8, 40)] == ["better", "better"]
    assert [stands(faint, count) for count in (8, 40)] == ["undecided", "better"]
    assert [stands(chance, count) for count in (8, 40)] == ["undecided", "same"]
    assert [stands(-credit, count) for count in (8, 40)] == ["worse", "worse"]
