"""Provenance: the key is the hash of the question, the same everywhere, and describe() writes methods down."""

import dataclasses
import hashlib
import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from enum import Enum
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hooke.addresses import parse
from hooke.provenance import LATER, Provenance, describe, versions
from hooke.results import Prediction

QUESTION = Provenance("f00d", "conv:3", {"type": "Ascent", "steps": 128}, 1, 0, "float32")
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=8,
)


@dataclass(frozen=True)
class Wobble:
    pixels: float
    around: tuple[int, int] = (5, 7)


@dataclass(frozen=True)
class Climb:
    steps: int
    wobble: Wobble
    others: tuple[Wobble, ...] = ()


def test_the_key_is_the_sha256_of_the_questions_canonical_json() -> None:
    written = (
        '{"address":"conv:3","data":null,"dtype":"float32",'
        '"method":{"steps":128,"type":"Ascent"},"model":"f00d","revision":1,"seed":0}'
    )
    assert QUESTION.key == hashlib.sha256(written.encode()).hexdigest()


def test_the_key_is_equal_in_another_process_with_another_hash_seed() -> None:
    code = (
        "from hooke.provenance import Provenance\n"
        "print(Provenance('f00d', 'conv:3', {'steps': 128, 'type': 'Ascent'}, 1, 0, 'float32').key)"
    )
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        found = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
        )
        assert found.stdout.strip() == QUESTION.key


@pytest.mark.parametrize(
    "change",
    [
        {"model": "beef"}, {"address": "conv:4"}, {"method": {"type": "Ascent", "steps": 129}}, {"revision": 2},
        {"seed": 1}, {"seed": None}, {"dtype": "bfloat16"}, {"data": "cafe"},
    ],
)  # fmt: skip
def test_another_question_has_another_key(change: dict[str, Any]) -> None:
    other = replace(QUESTION, **change)
    assert other.key != QUESTION.key
    assert other != QUESTION


def test_library_versions_are_recorded_and_not_hashed() -> None:
    recorded = replace(QUESTION, recorded={"torch": "2.14.1"})
    assert recorded.key == QUESTION.key
    assert recorded != QUESTION
    assert json.loads(recorded.to_json())["recorded"] == {"torch": "2.14.1"}


@given(_json, st.text(), st.none() | st.integers())
def test_json_round_trip(method: Any, address: str, seed: int | None) -> None:
    provenance = Provenance("m", address, method, 3, seed, "float32", "d", {"python": "3.11"})
    copy = Provenance.from_json(provenance.to_json())
    assert copy == provenance
    assert hash(copy) == hash(provenance)
    assert copy.key == provenance.key
    assert copy.method == method


def test_a_provenance_is_frozen_even_against_changes_of_what_it_was_made_from() -> None:
    method = {"sizes": [1, 2]}
    provenance = replace(QUESTION, method=method)
    before = provenance.key
    method["sizes"].append(3)
    assert provenance.key == before
    with pytest.raises(AttributeError):
        provenance.model = "x"  # type: ignore[misc]


@pytest.mark.parametrize("method", [{"a": math.nan}, {"a": object()}, {1, 2}, b"x"])
def test_a_method_that_is_not_json_is_refused(method: object) -> None:
    with pytest.raises(TypeError, match="not JSON"):
        replace(QUESTION, method=method)


def test_describe_writes_nested_dataclasses_with_their_types() -> None:
    here = Wobble.__module__
    assert describe(Climb(3, Wobble(1.5), (Wobble(2.0, (0, 1)),))) == {
        "type": f"{here}.Climb",
        "steps": 3,
        "wobble": {"type": f"{here}.Wobble", "pixels": 1.5, "around": [5, 7]},
        "others": [{"type": f"{here}.Wobble", "pixels": 2.0, "around": [0, 1]}],
    }


def test_classes_of_hooke_go_by_their_own_name() -> None:
    assert describe(Prediction("cat", 281, 0.5)) == {
        "type": "Prediction", "label": "cat", "index": 281, "probability": 0.5,
    }  # fmt: skip


class Side(Enum):
    LEFT = "left"


@pytest.mark.parametrize(
    ("value", "described"),
    [
        (None, None),
        (True, True),
        (numpy.int64(3), 3),
        (numpy.float64(0.5), 0.5),
        (math.inf, {"type": "float", "value": "inf"}),
        (parse("2*a:3 - 0.5*b:7"), "2*a:3 - 0.5*b:7"),
        (parse("a -> b"), "a -> b"),
        (Path("a") / "b", str(Path("a") / "b")),
        (Side.LEFT, "left"),
        ({"b": (1, 2), "a": {3}}, {"b": [1, 2], "a": [3]}),
        (frozenset({"b", "a"}), ["a", "b"]),
    ],
)
def test_describe_of_plain_values(value: object, described: object) -> None:
    assert describe(value) == described
    json.dumps(describe(value), allow_nan=False)


def test_arrays_are_described_by_the_hash_of_their_bytes() -> None:
    values = [[1.0, 2.0], [3.0, 4.0]]
    expected = {
        "type": "array", "dtype": "float32", "shape": [2, 2],
        "sha256": hashlib.sha256(numpy.array(values, "<f4").tobytes()).hexdigest(),
    }  # fmt: skip
    tensor = torch.tensor(values)
    assert describe(tensor) == expected
    assert describe(tensor.t().contiguous().t()) == expected
    assert describe(numpy.array(values, ">f4")) == expected
    assert describe(tensor.t()) != expected


@pytest.mark.parametrize(
    "value",
    [object(), b"x", Wobble, {1: 2}, torch.ones(2, requires_grad=True), numpy.array([object()]), test_json_round_trip],
)
def test_describe_refuses_what_has_no_such_form(value: object) -> None:
    with pytest.raises(TypeError):
        describe(value)


def test_versions_names_the_installed_packages() -> None:
    found = versions()
    assert found["torch"] == metadata.version("torch")
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    found.clear()
    assert versions()


@pytest.mark.parametrize("module", ["errors", "addresses", "provenance"])
def test_the_lowest_rows_know_nothing_of_torch(module: str) -> None:
    code = f"import sys, hooke.{module}; print('torch' in sys.modules, 'numpy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]


def test_a_field_that_came_later_does_not_change_the_keys_of_before() -> None:
    @dataclasses.dataclass(frozen=True)
    class Method:
        steps: int = 3
        tries: int = dataclasses.field(default=1, metadata=LATER)
        layers: tuple[str, ...] = dataclasses.field(default_factory=tuple, metadata=LATER)

    assert {**describe(Method()), "type": ""} == {"type": "", "steps": 3}
    assert {**describe(Method(tries=2, layers=("a",))), "type": ""} == {
        "type": "", "steps": 3, "tries": 2, "layers": ["a"],
    }  # fmt: skip
