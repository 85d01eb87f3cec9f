"""From a port to a running server and back: bind first, serve until Ctrl-C, leave nothing running.

sock = bind("127.0.0.1", 8742)        # before anything slow: a port in use is known at once
print(address(sock))                  # http://127.0.0.1:8742; browsers that connect now wait
serve(create_app(...), sock)          # returns after Ctrl-C
"""

import errno
import os
import socket
import warnings
from typing import TYPE_CHECKING

from hooke.errors import ServeError

if TYPE_CHECKING:
    from fastapi import FastAPI

BACKLOG = 128


def bind(host: str = "127.0.0.1", port: int = 8742) -> socket.socket:
    """A listening socket; port 0 takes any free one. Nothing heavy is imported.

    Whoever connects before `serve` is running waits for it. Raises ServeError where the port is in use, or may
    not be had, or the host is none of this machine's.
    """
    request = f"serve at {host}:{port}"
    if not 0 <= port <= 65535:
        raise ServeError(
            request, "ports go from 0 to 65535", next_step="choose another with --port, such as --port 8742"
        )
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        reason = f"the host is unknown ({error})"
        raise ServeError(request, reason, next_step="use --host 127.0.0.1 (this machine only)") from None
    sock = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere this option lets two programs share one port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(target)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise _refusal(error, host, port) from None
    return sock


def address(sock: socket.socket) -> str:
    """Where a browser on this machine finds the server: http://HOST:PORT."""
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: "FastAPI", sock: socket.socket) -> None:
    """Serves an app of `create_app` on a socket of `bind` until Ctrl-C, then returns normally.

    Open event streams are ended, drawing stops within a step, and the socket is closed. SIGTERM stops as
    gracefully, and then ends the process as SIGTERM does. A second Ctrl-C does not wait for open connections.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.microscope.stop()  # event streams end by themselves, so uvicorn need not wait for them
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=3, server_header=False
    )
    with warnings.catch_warnings():
        # Torch warns of itself at its first forward derivative; a filter set in one thread is undone by another.
        warnings.filterwarnings("ignore", "`torch.jit.script`", FutureWarning)
        try:
            Server(config).run(sockets=[sock])
        except KeyboardInterrupt:
            pass
        finally:
            app.state.microscope.close()
            sock.close()


def _refusal(error: OSError, host: str, port: int) -> ServeError:
    request, other = f"serve at {host}:{port}", "choose another with --port; --port 0 takes any free one"
    if error.errno == errno.EADDRINUSE:
        return ServeError(request, f"port {port} is in use, perhaps by another Hooke", next_step=other)
    if error.errno == errno.EACCES:
        return ServeError(request, f"port {port} needs more rights than you have", next_step=other)
    reason = f"the system refused it ({error.strerror or error})"
    return ServeError(request, reason, next_step="use --host 127.0.0.1 (this machine only)")
