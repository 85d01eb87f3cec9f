"""`hooke explore`: listening at once, serving until Ctrl-C, nothing left behind."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from hooke.cli.explore import photographs

PROGRAM = Path(sys.executable).with_name("hooke")


@contextlib.contextmanager
def exploring(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `hooke explore` on a free port and its address, stopped at the end."""
    command = [PROGRAM, "explore", *map(str, arguments), "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield process, json.loads(line)["address"] if "--json" in arguments else line.split()[0]
    finally:
        process.kill()
        process.communicate()


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=120) as answer:
        return json.load(answer)


def test_serves_until_ctrl_c(cat, tmp_path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    with exploring(cat, tmp_path / "notes.txt", tmp_path / "missing.png") as (process, url):
        assert get(f"{url}/api/model")["name"] == "efficientnet-lite0"
        assert [image["name"] for image in get(f"{url}/api/images")] == ["cat"]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0
        assert out == ""
        assert "notes.txt" in err
        assert "missing.png" in err
        assert "Traceback" not in err
    with pytest.raises(OSError, match="refused"):
        get(f"{url}/api/model")


def test_ctrl_c_while_it_loads() -> None:
    with exploring() as (process, _):
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "Traceback" not in err


def test_an_unknown_model_ends_it() -> None:
    with exploring("timm:resnet5O", "--json") as (process, _):
        _, err = process.communicate(timeout=120)
        assert process.returncode == 1
        assert json.loads(err)["error"] == "ModelError"


def test_a_port_in_use(hooke) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = hooke("explore", "--port", port)
        assert answer.code == 1
        assert str(port) in answer.err
        assert "--port" in answer.err


def test_folders_are_searched_for_pictures(tmp_path, capsys) -> None:
    inside = tmp_path / "holiday" / "2026"
    inside.mkdir(parents=True)
    for name in ("b.PNG", "a.jpg", ".hidden.png"):
        PIL.Image.new("RGB", (40, 40), "teal").save(inside / name)
    (inside / "broken.png").write_text("no picture")
    (tmp_path / "empty").mkdir()
    found = photographs([tmp_path / "holiday", tmp_path / "empty"])
    assert [name for name, _ in found] == ["a", "b"]
    err = capsys.readouterr().err
    assert "broken.png" in err
    assert "empty" in err
    assert "notes" not in err


def test_without_readable_pictures_the_shipped_ones_are_shown(tmp_path, capsys) -> None:
    assert photographs([tmp_path / "missing.png"])[0][0] == "cat"
    assert "missing.png" in capsys.readouterr().err
