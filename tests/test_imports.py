"""Importing does nothing, and help, parsing and printing never load what is heavy."""

import json
import subprocess
import sys

import pytest

import hooke

HEAVY = ("torch", "torchvision", "timm", "numpy", "PIL", "skimage", "fastapi", "uvicorn")


def loaded_after(code: str) -> set[str]:
    """The top-level modules in memory after `code` in a fresh interpreter."""
    report = (
        "; import json, sys; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import hooke",
        "import hooke; hooke.__version__, dir(hooke)",
        "import hooke; hooke.parse('2*a:3 - 0.5*b:7')",
        *(
            f"import hooke.cli.program as program; program.run({arguments})"
            for arguments in (
                ["--help"],
                [],
                ["--version"],
                ["explore", "--help"],
                ["visualize", "--help"],
                ["cache", "info"],
                ["layers"],
                ["nonsense"],
            )
        ),
    ],
)
def test_nothing_heavy_is_loaded(code: str) -> None:
    assert not loaded_after(code) & set(HEAVY)


def test_explore_refuses_a_port_in_use_without_loading_anything() -> None:
    code = (
        "import socket; taken = socket.create_server(('127.0.0.1', 0)); port = str(taken.getsockname()[1]); "
        "import hooke.cli.program as program; assert program.run(['explore', '--port', port]) == 1"
    )
    assert not loaded_after(code) & {"torch", "timm", "fastapi"}


def test_every_public_name_is_there() -> None:
    for name in hooke.__all__:
        assert getattr(hooke, name) is not None
    assert len(hooke.__all__) <= 30
    assert hooke.__all__ == sorted(hooke.__all__)
    assert set(hooke.__all__) <= set(dir(hooke))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        hooke.nonsense  # noqa: B018
