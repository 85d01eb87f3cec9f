"""The program as a whole: what it says alone, its version, its refusals and exit codes."""

import json
from importlib.metadata import version


def test_alone_it_explains_itself_in_one_screen(installed) -> None:
    answer = installed()
    assert answer.code == 0
    assert len(answer.out.splitlines()) <= 23
    assert max(map(len, answer.out.splitlines())) <= 80
    for command in ("explore", "layers", "predict", "visualize", "cache", "--version"):
        assert f"hooke {command}" in answer.out


def test_version(installed) -> None:
    assert installed("--version").out == f"hooke {version('hooke')}\n"
    assert installed("--version", "--json").json["hooke"] == version("hooke")


def test_every_command_has_help_and_json(installed) -> None:
    for command in (
        ["explore"],
        ["layers"],
        ["predict"],
        ["visualize"],
        ["render"],
        ["cache", "info"],
        ["cache", "clear"],
    ):
        answer = installed(*command, "--help")
        assert answer.code == 0
        assert "--json" in answer.out


def test_commands_that_open_a_model_say_where_how_and_how_far_to_trust(installed) -> None:
    for command in ("explore", "layers", "predict", "visualize"):
        text = installed(command, "--help").out
        assert all(option in text for option in ("--device", "--precision", "--trust"))


def test_a_wrong_command_line_is_2(installed) -> None:
    answer = installed("layrs")
    assert answer.code == 2
    assert "layrs" in answer.err
    assert "hooke --help" in answer.err
    assert answer.out == ""


def test_a_wrong_command_line_as_json(installed) -> None:
    answer = installed("predict", "--json")
    error = json.loads(answer.err)
    assert answer.code == 2
    assert error["error"] == "usage"
    assert "MODEL" in error["reason"]


def test_a_refusal_as_json(installed) -> None:
    answer = installed("layers", "timm:resnet5O", "--json")
    error = json.loads(answer.err)
    assert answer.code == 1
    assert answer.out == ""
    assert error["error"] == "ModelError"
    assert any("resnet50" in choice for choice in error["choices"])
    assert set(error) == {"error", "request", "reason", "choices", "next_step"}
