"""The real program in real processes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(sys.executable).with_name("hooke")


@dataclass(frozen=True)
class Answer:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout as JSON."""
        return json.loads(self.out)


Run = Callable[..., Answer]


def answered(code: int, out: str, err: str) -> Answer:
    """Whatever it said, it did not break off with a stack."""
    assert "Traceback" not in err, err
    return Answer(code, out, err)


def surroundings(**more: str) -> dict[str, str]:
    """The environment of a command: this one, on one thread."""
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


class Started:
    """`hooke` with arguments; keyword arguments are environment variables. See `started.py`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("started.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=surroundings(),
        )  # fmt: skip

    def __call__(self, *arguments: object, **environment: str) -> Answer:
        out, err = self.folder / "out.txt", self.folder / "err.txt"
        asked = {
            "arguments": [*map(str, arguments)], "environment": surroundings(**environment),
            "folder": os.getcwd(), "input": os.devnull, "out": str(out), "err": str(err),
        }  # fmt: skip
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(asked), file=self.process.stdin, flush=True)
        code = int(self.process.stdout.readline())
        return answered(code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def hooke(cache: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs `hooke` in a fork of a process that is started once."""
    started = Started(tmp_path_factory.mktemp("started"))
    yield started
    with started.process as process:
        assert process.stdin
        process.stdin.close()


@pytest.fixture(scope="session")
def installed() -> Run:
    """Runs the installed program itself, from nothing; keyword arguments are environment variables."""

    def run(*arguments: object, **environment: str) -> Answer:
        done = subprocess.run(
            [PROGRAM, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=300,
            env=surroundings(**environment),
        )
        return answered(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def cat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph of a cat in a file."""
    from hooke.modalities.image import photographs

    file = tmp_path_factory.mktemp("photographs") / "cat.png"
    photographs()[0][1].save(file)
    return file
