"""Documentation stays true: its Python runs, and every command, option, public name and error is in it."""

import inspect
import pkgutil
import re
from pathlib import Path

import pytest
import typer.main

import hooke
from hooke import errors
from hooke.cli.program import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = "\n".join(page.read_text() for page in PAGES)
COMMANDS = (ROOT / "docs/commands.md").read_text()


def examples(page: Path) -> str:
    """The Python of a page, each line where it stands in the page, so that a failure names its line."""
    inside, lines = False, []
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            inside = line == "```python"
            lines.append("")
        else:
            lines.append(line if inside else "")
    return "\n".join(lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run(page: Path) -> None:
    exec(compile(examples(page), str(page), "exec"), {"__name__": "__main__"})


def test_the_readme_has_an_example() -> None:
    lines = [line for line in examples(ROOT / "README.md").splitlines() if line and not line.startswith("import")]
    assert len(lines) == 5


def test_every_public_name_is_documented() -> None:
    missing = [name for name in hooke.__all__ if not re.search(rf"hooke\.{name}\b", TEXT)]
    assert not missing, f"write these into docs/python.md: {missing}"


def test_no_name_is_documented_that_is_not_there() -> None:
    packages = {package.name for package in pkgutil.iter_modules(hooke.__path__)}
    named = set(re.findall(r"\bhooke\.(\w+)", TEXT)) - {"__version__"} - packages
    assert named <= set(hooke.__all__), named - set(hooke.__all__)


def test_every_error_is_documented() -> None:
    kinds = [
        name
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == errors.__name__
    ]
    assert len(kinds) >= 9
    missing = [name for name in kinds if f"`{name}`" not in TEXT]
    assert not missing, f"write these into docs/commands.md: {missing}"


def commands(group, path=("hooke",)):
    """Every command with its whole name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_every_command_and_option_is_documented() -> None:
    found = dict(commands(typer.main.get_command(app)))
    assert set(found) >= {"hooke explore", "hooke layers", "hooke predict", "hooke visualize", "hooke cache clear"}
    for name, command in found.items():
        assert name in COMMANDS, f"docs/commands.md says nothing of {name}"
        assert name in (ROOT / "README.md").read_text(), f"README.md says nothing of {name}"
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--") and option != "--help":
                    assert f"`{option}`" in COMMANDS, f"docs/commands.md says nothing of {name} {option}"


def test_links_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if not re.match(r"https?:", target):
                assert (page.parent / target.partition("#")[0]).exists(), f"{page.name} links to {target}"


def test_every_make_target_is_in_its_help() -> None:
    text = (ROOT / "Makefile").read_text()
    (targets,) = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    for target in set(targets.split()) - {"help"}:
        assert f"'make {target} " in text
