"""`hooke validate`: the report in three forms, what it says of its own width, and its refusals."""

import json
from pathlib import Path
from typing import get_args

import pytest

from hooke.cli.validate import STEPS, USES, validate
from hooke.errors import HookeError

FEW = {"methods": ["gradient", "grad-cam"], "metrics": ["deletion", "faithfulness"], "images": 2, "steps": 3}


def test_the_report_is_written_and_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    validate("tiny-vit", **FEW, out=tmp_path, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert {row["method"] for row in told["rows"]} == {"gradient", "grad-cam"}
    assert {row["verdict"] for row in told["rows"]} == {"too few images to tell from"}
    assert {row["metric"] for row in told["rows"]} == {"deletion (zero)", "faithfulness correlation (zero)"}
    assert len({row["control"] for row in told["rows"]}) == 8
    assert told["standings"]["gradient"]["images"] == 2
    page = (tmp_path / "report.html").read_text()
    assert 'src="data:image/png;base64,' in page
    assert "http" not in page.replace("http-equiv", "")
    assert (tmp_path / "verdicts.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "report.json").read_text())["rows"] == told["rows"]
    lines = (tmp_path / "scores.jsonl").read_text()
    validate("tiny-vit", **FEW, out=tmp_path)
    shown = capsys.readouterr()
    assert "too few to tell it from its controls" in shown.out
    assert "2 images; median width of an interval: deletion (zero) " in shown.err
    assert (tmp_path / "scores.jsonl").read_text() == lines


def test_texts_are_escaped() -> None:
    from hooke.cli.validation_page import page
    from hooke.validation.report import Report
    from hooke.validation.verdicts import Row

    row = Row("<b>", "m", "c", 1, 0, 1, 0.5, 1.5, 0.01, "better than", 9, 1)
    report = Report((row,), (), {"<b>": {}}, {}, {"<b>": {}}, {}, ("a",) * 9, (("<script>", "f"),), remarks=("<i>",))
    text = page(report, b"")
    assert "<script>" not in text
    assert "<b>" not in text
    assert "<i>" not in text
    assert "&lt;b&gt; is better than every control" in text


@pytest.mark.parametrize("kind", ["methods", "metrics"])
def test_unknown_names_are_refused(kind: str) -> None:
    with pytest.raises(HookeError, match="there is no such"):
        validate("tiny-vit", **{kind: ["nonsense"]})


def test_what_the_command_says_at_once_is_what_there_is() -> None:
    from hooke.validation.standing import Use
    from hooke.validation.validate import standard

    assert get_args(Use) == USES
    assert standard(28, 28) == standard(28, 28, steps=STEPS)


def test_credit_of_parts_is_kept_where_studies_find_it(capsys: pytest.CaptureFixture[str]) -> None:
    import hooke
    from hooke.attribution import GradientTimesActivation
    from hooke.validation.standing import verdict

    validate("tiny-vit", images=2, use="channels", as_json=True)
    told = json.loads(capsys.readouterr().out)
    method = told["methods"]["activation x gradient"]
    assert method["use"] == "channels"
    assert {row["metric"] for row in told["rows"]} == {"rank correlation with ablation"}
    assert len({row["control"] for row in told["rows"]}) == 4
    known = verdict(hooke.open("tiny-vit"), GradientTimesActivation(), method["to"], use="channels")
    assert known.images == 2
    with pytest.raises(HookeError, match="there is no such use"):
        validate("tiny-vit", use="nonsense")
