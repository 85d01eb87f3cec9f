"""Ports: taken early, refused clearly, given back."""

import socket
import subprocess
import sys

import pytest

from hooke.errors import ServeError
from hooke.server.serving import address, bind


def test_a_bound_port_is_listened_at_before_anything_is_served() -> None:
    with bind("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        assert address(sock) == f"http://127.0.0.1:{port}"
        socket.create_connection(("127.0.0.1", port), timeout=1).close()


def test_a_port_in_use_is_named_with_the_next_step() -> None:
    with bind("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(ServeError, match=f"port {port} is in use") as refusal:
            bind("127.0.0.1", port)
        assert "--port" in refusal.value.next_step


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [("127.0.0.1", 65536, "0 to 65535"), ("no.such.host.invalid", 0, "unknown"), ("192.0.2.1", 0, "refused")],
)
def test_what_cannot_be_bound_is_refused(host: str, port: int, reason: str) -> None:
    with pytest.raises(ServeError, match=reason) as refusal:
        bind(host, port)
    assert refusal.value.next_step


def test_everywhere_is_shown_as_this_machine() -> None:
    with bind("0.0.0.0", 0) as sock:
        assert address(sock).startswith("http://127.0.0.1:")


def test_binding_imports_nothing_heavy() -> None:
    code = "import sys, hooke.server.serving; print({'torch', 'fastapi', 'uvicorn', 'asyncio'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
