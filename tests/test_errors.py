"""Errors say what was asked, why not, what there is, and what to do next."""

import pickle

import pytest

from hooke import errors
from hooke.errors import AddressError, HookeError, ModelError, StoreWarning, WeightsError, nearest


def test_the_text_names_the_request_the_reason_the_choices_and_the_next_step() -> None:
    error = AddressError(
        "layer 'blokcs.1'", "no such layer", choices=["blocks.1", "blocks.2"], next_step="hooke layers"
    )
    assert str(error) == (
        "layer 'blokcs.1': no such layer\n  choices: blocks.1, blocks.2\n  next: hooke layers"
    )  # fmt: skip
    assert (error.request, error.reason, error.choices) == (
        "layer 'blokcs.1'",
        "no such layer",
        ("blocks.1", "blocks.2"),
    )


def test_without_choices_and_next_step_there_is_one_line() -> None:
    assert str(ModelError("open x", "no such model")) == "open x: no such model"


def test_the_tree_is_the_one_that_is_drawn_at_its_top() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HookeError)}
    assert errors.__doc__ is not None
    assert all(kind.__name__ in errors.__doc__ for kind in kinds)
    assert issubclass(WeightsError, ModelError)
    assert issubclass(AddressError, ValueError)
    assert not issubclass(StoreWarning, HookeError)


@pytest.mark.parametrize("kind", [HookeError, AddressError, WeightsError])
def test_an_error_survives_the_way_between_processes(kind: type[HookeError]) -> None:
    error = kind("a", "b", choices=["c"], next_step="d")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert (copy.request, copy.reason, copy.choices, copy.next_step) == ("a", "b", ("c",), "d")


def test_nearest_finds_a_misspelt_name_whatever_its_case() -> None:
    names = ["conv_stem", "blocks.4.1.bn2", "blocks.4.1.bn2.act", "classifier"]
    assert nearest("blocks.4.1.BN2.akt", names)[0] == "blocks.4.1.bn2.act"
    assert nearest("Classifier", names) == ["classifier"]


def test_nearest_falls_back_to_the_first_choices() -> None:
    assert nearest("zzz", ["a1", "b2", "c3"], count=2) == ["a1", "b2"]
    assert nearest("zzz", []) == []
