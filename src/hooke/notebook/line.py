"""The line between a page in a notebook and the microscope's routes: questions come as messages, answers go as such.

They are answered in a thread of their own, so that the kernel goes on hearing and running cells.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from typing import Any

from fastapi import FastAPI

from hooke.server.answers import EventStream
from hooke.server.inside import Message, call, kind_of

Say = Callable[[dict[str, Any], Sequence[bytes]], None]


class Line:
    """Asks `app` what messages ask, `{id, method, path}` with a body, and says `{id, status, kind, more}` with one.

    That a question was heard is said at once (`{id, heard}`); `{id, drop}` ends one. Events are said as they come.
    """

    def __init__(self, app: FastAPI, say: Say) -> None:
        self._app, self._say = app, say
        self._one = Lock()
        self._prepared = False
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name="hooke notebook", daemon=True)
        self._thread.start()

    def hear(self, message: dict[str, Any], body: bytes) -> None:
        """A message came; returns at once."""
        number = str(message.get("id", ""))
        if not message.get("drop"):
            self._tell({"id": number, "heard": True, "more": True})
        self._loop.call_soon_threadsafe(self._begin, number, message, body)

    def close(self) -> None:
        """Ends what is being answered, and the microscope."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._app.state.microscope.close()
        self._loop.close()

    async def _end(self) -> None:
        unfinished = list(self._tasks.values())
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    def _begin(self, number: str, message: dict[str, Any], body: bytes) -> None:
        if not self._prepared:
            self._prepared = True
            self._app.state.microscope.prepare()
        if message.get("drop"):
            if task := self._tasks.get(number):
                task.cancel()
            return
        task = self._loop.create_task(self._answer(number, str(message["method"]), str(message["path"]), body))
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._tasks.pop(number, None))

    async def _answer(self, number: str, method: str, path: str, body: bytes) -> None:
        status, kind = 500, "application/json"
        parts: list[bytes] = []

        async def send(message: Message) -> None:
            nonlocal status, kind
            if message["type"] == "http.response.start":
                status, kind = message["status"], kind_of(message)
                return
            parts.append(message.get("body", b""))
            more = bool(message.get("more_body"))
            if not more or kind == EventStream.media_type:
                said = {"id": number, "status": status, "kind": kind, "more": more}
                self._tell(said, b"".join(parts))
                parts.clear()

        try:
            await call(self._app, method, path, body, send)
        except Exception as error:  # the application says so itself before it raises; where it could not, this does
            reason = json.dumps({"request": f"{method} {path}", "reason": f"{type(error).__name__}: {error}"}).encode()
            self._tell({"id": number, "status": 500, "kind": "application/json", "more": False}, reason)

    def _tell(self, said: dict[str, Any], *buffers: bytes) -> None:
        with self._one:
            self._say(said, buffers)
