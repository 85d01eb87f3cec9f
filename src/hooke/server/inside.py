"""The microscope's routes asked from inside this process, without a socket, as a browser would ask them."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI

Message = MutableMapping[str, Any]


async def call(
    app: FastAPI, method: str, request: str, body: bytes, send: Callable[[Message], Awaitable[None]]
) -> None:
    """Asks `app` for a path with its query; `send` hears the ASGI messages of its answer as they come."""
    path, _, query = request.partition("?")
    scope: Message = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "method": method,
        "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 0), "server": ("localhost", 80), "state": {},
    }  # fmt: skip
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()  # nobody hangs up
        asked = True
        return {"type": "http.request", "body": body, "more_body": False}

    await app(scope, receive, send)


def kind_of(start: Message) -> str:
    """The media type that the first message of an answer names."""
    headers = dict(start["headers"])
    found: bytes = headers.get(b"content-type", b"")
    return found.decode().partition(";")[0]
