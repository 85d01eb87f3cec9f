"""The server as a process of its own: streams, leaving, sharing, Ctrl-C, kill -9, and a restart."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ENDLESS = 1_000_000
"""Steps that no test waits for."""


@dataclass
class Server:
    """A running server: its process and a client of it."""

    process: subprocess.Popen[str]
    url: str
    client: httpx.Client

    def ask(self, *addresses: str) -> dict[str, Any]:
        answer = self.client.post("/api/drawings", json={"addresses": addresses})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def events(self, job: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The events of a job as they come; closing the iterator hangs up."""
        with self.client.stream("GET", f"/api/events?jobs={job}") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            name = ""
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield name, json.loads(line.removeprefix("data: "))


Start = Callable[..., Server]


@pytest.fixture
def start(toy_server: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts servers over one store; whatever still runs at the end is killed."""
    running: list[Server] = []

    def launch(steps: int, side: int = 32) -> Server:
        environment = {**os.environ, "HOOKE_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, str(toy_server), "0", str(steps), str(side)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), url + process.stdout.read()
        running.append(Server(process, url, httpx.Client(base_url=url, timeout=60)))
        return running[-1]

    yield launch
    for server in running:
        server.client.close()
        server.process.kill()
        server.process.wait()
        assert server.process.stdout
        server.process.stdout.close()


def ended(server: Server, seconds: float = 15.0) -> tuple[int, str]:
    """The exit code and all that was printed after the address."""
    code = server.process.wait(seconds)
    assert server.process.stdout
    return code, server.process.stdout.read()


@contextmanager
def stopwatch(limit: float) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < limit


def test_drawings_sharpen_are_shared_and_are_there_the_next_time(start: Start) -> None:
    server = start(steps=400)
    job, other = server.ask("act2:1", "act1:2"), server.ask("act2:1")
    assert job["job"] != other["job"]
    told = server.events(job["job"])
    progress = [next(told) for _ in range(3)]
    assert [name for name, _ in progress] == ["progress"] * 3
    assert all(data["image"].startswith("data:image/webp;base64,") for _, data in progress)
    steps = [data["step"] for _, data in progress]
    assert steps == sorted(set(steps))
    assert all(data["steps"] == 400 and data["seconds_left"] > 0 for _, data in progress)
    shared = list(server.events(other["job"]))
    assert [name for name, _ in shared if name != "progress"] == ["finished", "end"]
    rest = [data for name, data in told if name == "finished"]
    assert [data["drawing"]["address"] for data in rest] == ["act2:1", "act1:2"]
    assert rest[0]["drawing"] == next(data for name, data in shared if name == "finished")["drawing"]
    assert server.client.get(rest[0]["drawing"]["picture_url"]).content.startswith(b"\x89PNG")
    assert server.ask("act2:1")["job"] is None


def test_a_photograph_is_analysed_while_pictures_are_drawn_and_who_leaves_frees_the_easel(start: Start) -> None:
    server = start(steps=ENDLESS)
    image = server.client.get("/api/images").json()[0]["id"]
    job = server.ask("act2:1")["job"]
    told = server.events(job)
    next(told)
    with stopwatch(3):
        assert server.client.get(f"/api/images/{image}/dictionary?layer=act2").status_code == 200
    told.close()  # hang up
    again = server.events(job)  # a page that was reloaded
    assert next(again)[0] == "progress"
    waiting = server.ask("act1:1")["job"]
    again.close()
    with stopwatch(30):
        assert next(server.events(waiting))[1]["address"] == "act1:1"
    assert list(server.events(job)) == [("end", {"job": job, "cancelled": True})]
    with stopwatch(5):
        server.client.delete(f"/api/jobs/{waiting}")
        last = server.ask("act1:3")["job"]
        assert next(server.events(last))[1]["address"] == "act1:3"


def test_ctrl_c_ends_streams_and_drawing_and_gives_the_port_back(start: Start) -> None:
    server = start(steps=ENDLESS)
    told = server.events(server.ask("act2:1")["job"])
    next(told)
    server.process.send_signal(signal.SIGINT)
    with stopwatch(10):
        assert "end" not in [name for name, _ in told]  # so the page asks again when the server is back
        code, printed = ended(server)
    assert (code, printed) == (0, "served\n")
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", int(server.url.rpartition(":")[2])))


def test_sigterm_ends_as_gracefully(start: Start) -> None:
    server = start(steps=ENDLESS)
    next(server.events(server.ask("act2:1")["job"]))
    server.process.terminate()
    assert ended(server) == (-signal.SIGTERM, "")


def test_after_kill_9_in_the_middle_of_a_drawing_all_goes_on(start: Start) -> None:
    server = start(steps=200, side=64)
    told = server.events(server.ask("act2:1", "act1:1", "act1:2")["job"])
    for name, data in told:
        if name == "finished":
            first = data["drawing"]
        if name == "progress" and data["address"].startswith("act1"):
            break
    picture = server.client.get(first["picture_url"]).content
    server.process.kill()
    assert ended(server)[0] == -signal.SIGKILL
    server = start(steps=200, side=64)
    views = server.ask("act2:1", "act1:1", "act1:2")
    assert [view["state"] for view in views["drawings"]] == ["ready", "queued", "queued"] or (
        [view["state"] for view in views["drawings"]] == ["ready", "drawing", "drawing"]
    )
    assert views["drawings"][0] == first
    assert server.client.get(first["picture_url"]).content == picture
    drawn = [data["drawing"]["state"] for name, data in server.events(views["job"]) if name == "finished"]
    assert drawn == ["ready", "ready"]


def test_what_is_too_large_is_refused_before_it_is_sent(start: Start) -> None:
    server = start(steps=1)
    host, port = server.url.removeprefix("http://").split(":")
    for path, size in (("/api/images?name=big", 64 * 2**20 + 1), ("/api/drawings", 2**20)):
        head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {size}\r\n"
        with socket.create_connection((host, int(port)), timeout=10) as sock:
            sock.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n")  # and not a byte of the body
            assert select.select([sock], [], [], 5)[0]
            assert sock.recv(4096).startswith(b"HTTP/1.1 413 ")
    big = server.client.post("/api/images?name=chunked", content=(bytes(2**20) for _ in range(66)))
    assert big.status_code == 413
    assert server.client.get("/api/model").status_code == 200
