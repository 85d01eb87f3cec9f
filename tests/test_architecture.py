"""The rules of the house that no tool checks: hooks in one file, words that are not used, small files."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "hooke"
FILES = sorted(SOURCE.rglob("*.py"))
NAMES = [str(file.relative_to(SOURCE)) for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_hooks_live_in_one_file(file: Path) -> None:
    tree = ast.parse(file.read_text())
    calls = {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr.startswith("register_")
    }
    assert file == SOURCE / "models/taps.py" or not {call for call in calls if "hook" in call}


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_the_first_line_says_what_the_file_is_about(file: Path) -> None:
    text = file.read_text()
    assert text.startswith('"""')
    assert len(text.splitlines()) <= 360


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_a_function_is_read_without_scrolling(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name


def test_no_file_is_named_after_nothing() -> None:
    forbidden = {"utils", "misc", "helpers", "common", "core", "base", "scratch"}
    assert not {file.stem for file in FILES} & forbidden
    assert not {folder.name for file in FILES for folder in file.relative_to(SOURCE).parents} & forbidden
