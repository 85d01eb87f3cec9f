"""The Python that a reader takes away of each figure: it runs as it was copied, and says what the figure says."""

import importlib.util
import json
import re
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import hooke
from hooke.responses.recording import Recording
from hooke.studies.groups import group_study
from hooke.studies.registry import VIEWS

ROOT = Path(__file__).parents[2]
PRINT = """
import { RECIPES, SHIPPED } from %s
const stands = JSON.parse(process.argv[1])
const texts = Object.entries(stands).map(([key, stand]) => [key, RECIPES[key.split(' ')[0]](stand)])
console.log(JSON.stringify([texts, Object.keys(RECIPES), SHIPPED]))
"""
CAT = {"model": "toy:made", "photo": {"name": "cat", "uploaded": False}, "layer": "act2", "steps": 2}
UNIT = {"model": "toy:made", "unit": "act2:3", "steps": 2}
STANDS: dict[str, dict[str, Any]] = {
    "semantic_dictionary": {**CAT, "place": {"row": 1, "column": 2}, "count": 3},
    "activation_grid": {**CAT, "layers": ["act1", "act2"]},
    "spatial_attribution": {**CAT, "layers": ["act1", "act2"]},
    "channel_attribution": {**CAT, "layers": ["act1", "act2"], "of": 1, "rather": 2},
    "groups": {**CAT, "count": 3},
    "flow": {**CAT, "layers": ["act1", "act2"], "of": 1, "rather": 0, "count": 3},
    "how_sure": {**CAT, "of": 1, "selections": ["act2@1,2", "act2:3@1,2"]},
    "how_sure of a group": {**CAT, "of": 1, "count": 3, "selections": ["GROUP"]},
    "what_if": {
        **CAT, "place": {"row": 1, "column": 2}, "photos": {"c7ff": {"name": "coffee", "uploaded": False}},
        "edits": ["ablate(act1:1)", "scale(act1:2 -> act2:3, 0.5)", 'patch(act2@0,1, "c7ff@3,4")'],
    },
    "what_if to a group": {**CAT, "count": 3, "edits": ["ablate(GROUP)"]},
    "alike": CAT,
    "confusions": CAT,
    "patch": {**CAT, "inside": "0,0,50,50", "outside": "50,0,100,100", "count": 3},
    "likeness": {**CAT, "second": "toy:other"},
    "changes": {**CAT, "second": "toy:other", "place": {"row": 1, "column": 2}},
    "looks": UNIT, "quality": UNIT, "density": UNIT, "examples": UNIT, "selectivity": UNIT, "ablation": UNIT,
    "tuning": {**UNIT, "stimulus": ["gratings", "orientation"]},
    "feeds": {**UNIT, "other": "act1"},
    "fed": {**UNIT, "other": "logits"},
    "units": {"model": "toy:made", "layer": "act2"},
    "families": {"model": "toy:made", "layer": "act2", "steps": 4},
    "atlas": {"model": "toy:made", "layer": "act2", "steps": 2, "layout": "Principal"},
    "atlas of what was recorded": {
        "model": "toy:made", "layer": "act2", "steps": 2, "layout": "Principal", "inputs": 3
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def group(toy: ModuleType) -> str:
    """The address of a group of the small model, from a model that is gone."""
    model = toy.toy()
    canvas = model.modality.canvas(dict(hooke.photographs())["cat"])
    return str(next(group_study(model, canvas, "act2", 3)).factorization.addresses[1])


@pytest.fixture(scope="module")
def taken(group: str) -> tuple[dict[str, str], list[str], list[str]]:
    """The Python of each figure, the names of all that have some, and the photographs that it takes for shipped."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec
    assert spec.loader
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    script = PRINT % json.dumps((ROOT / "web/src/lib/recipes.ts").as_uri())
    stands = json.dumps(STANDS).replace("GROUP", group)
    command = [build.node_home() / "bin/node", "--no-warnings", "--input-type=module", "-e", script, stands]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    texts, names, shipped = json.loads(said.stdout)
    return dict(texts), names, shipped


@pytest.fixture(scope="module")
def recording(toy: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """What the small model did over a few labelled pictures."""
    names = ["ant", "bee", "cat"]
    data = tmp_path_factory.mktemp("data")
    for at in range(6):
        (data / names[at % 3]).mkdir(exist_ok=True)
        dict(toy.photographs())["first"].rotate(60 * at).save(data / names[at % 3] / f"{at}.png")
    return hooke.record(toy.toy(), data, at=["act1", "act2"], out=tmp_path_factory.mktemp("recording") / "of")


def test_every_figure_has_its_python(taken: tuple[dict[str, str], list[str], list[str]]) -> None:
    _, names, shipped = taken
    assert {key.split()[0] for key in STANDS} == set(names)
    assert set(VIEWS) - {"caricature"} <= set(names)
    assert shipped == [name for name, _ in hooke.photographs()]


@pytest.mark.parametrize("figure", STANDS)
def test_it_runs(
    figure: str, taken: tuple[dict[str, str], list[str], list[str]], toy: ModuleType, derived: None,
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    code = taken[0][figure]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hooke, "open", lambda name: {"toy:made": toy.toy, "toy:other": toy.checkpoint}[name]())
    monkeypatch.setattr(hooke, "open_recording", lambda folder: {"your-recording": recording}[folder])
    short = hooke.Ascent(hooke.Fourier(size=32), steps=2)
    monkeypatch.setattr(hooke, "Ascent", lambda steps: short)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what small samples and weights of no model are worth is no matter here
        exec(compile(code, figure, "exec"), {})
    said = capsys.readouterr().out
    assert said.strip()
    assert bool(list(tmp_path.glob("*.png"))) == ("savefig" in code or "write_bytes" in code)


def test_it_says_what_the_page_says(
    taken: tuple[dict[str, str], list[str], list[str]], toy: ModuleType, client: Any
) -> None:
    """The same place of the same photograph, asked by the page and by the code."""
    image = client.get("/api/images").json()[0]
    asked = {"layer": "act2", "row": 1, "column": 2, "edits": "ablate(act1:1)"}
    told = client.get(f"/api/images/{image['id']}/what-if", params=asked).json()["labels"]
    stand = taken[0]["what_if"].replace('dict(hooke.photographs())["cat"]', "picture")
    code = re.sub(r"(?s)edits \+= \[Felt.*?(?=found =)", "", stand).replace("hooke.open", "opened")
    space: dict[str, Any] = {"picture": toy.photographs()[0][1], "opened": lambda name: toy.toy()}
    exec(compile(code, "what if", "exec"), space)
    before, after = (space[name].tolist() for name in ("before", "after"))
    assert [one["before"] for one in told] == pytest.approx([before[one["index"]] for one in told], rel=1e-5)
    assert [one["after"] for one in told] == pytest.approx([after[one["index"]] for one in told], rel=1e-5)


def test_two_models_say_what_the_page_says(
    taken: tuple[dict[str, str], list[str], list[str]], toy: ModuleType, make_app: Callable[..., FastAPI],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """What changed at a place, and how alike the layers are: asked by the page and by the code."""
    models = {"toy:made": toy.toy, "toy:other": toy.checkpoint}
    space: dict[str, Any] = {"given": toy.photographs()[0][1], "opened": lambda name: models[name]()}
    for name in ("likeness", "changes"):
        code = taken[0][name].replace('dict(hooke.photographs())["cat"]', "given").replace("hooke.open", "opened")
        exec(compile(code, name, "exec"), space)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    with TestClient(make_app(other=toy.checkpoint()), base_url="http://localhost:8742") as client:
        image = client.get("/api/images").json()[0]["id"]
        told = client.get(f"/api/images/{image}/beside").json()["layers"]
        found = client.get(f"/api/images/{image}/changes", params={"layer": "act2"}).json()
    alike = [[one["layer"], one["other"], str(round(one["cka"], 3))] for one in told]
    assert [line[:3] for line in lines[: len(told)]] == alike
    rows, first = lines[len(told) :], (found["width"] + 2) * found["count"]
    assert [int(row[0]) for row in rows] == found["channels"][first : first + found["count"]]
    assert [float(row[2]) for row in rows] == pytest.approx(found["second"][first : first + found["count"]], rel=1e-4)
