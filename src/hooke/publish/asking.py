"""Asking the microscope's own routes in this process, as a page would: long answers are waited for."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from hooke.errors import PublishError
from hooke.server.inside import Message, call, kind_of

TICK = 0.05
"""Seconds between two looks at a job."""
TURNS = 3
"""An answer that was worked out and is gone again is asked for so often."""


@dataclass(frozen=True)
class Answer:
    """What a route answered."""

    status: int
    kind: str
    body: bytes

    @property
    def data(self) -> Any:
        """The body as JSON data."""
        return json.loads(self.body)


class Desk:
    """Asks one application; nothing leaves the process."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.here = app.state.microscope

    async def answer(self, request: str) -> Answer:
        """The answer to a GET, after the job that works it out; a refusal is an answer, too.

        PublishError where a job fails for another reason than a refusal, or the server made a mistake.
        """
        for _ in range(TURNS):
            found = await self._ask(request)
            if found.status >= 500:
                raise PublishError(f"GET {request}", str(found.data.get("reason") or "the server failed"))
            if found.status != 202:
                return found
            if failure := await self._end(found.data["job"]):
                view = {"request": request, "reason": failure, "choices": [], "next_step": ""}
                return Answer(422, "application/json", json.dumps(view).encode())
        raise PublishError(f"GET {request}", "its answer was worked out, and forgotten before it was read")

    async def drawn(self, addresses: Sequence[str]) -> list[dict[str, Any]]:
        """What is known of pictures once all of them are drawn."""
        found = (await self._ask("/api/drawings", {"addresses": list(addresses)})).data
        if found["job"]:
            await self._end(found["job"])
            found = (await self._ask("/api/drawings", {"addresses": list(addresses)})).data
            if found["job"]:  # what cannot be drawn is tried again by each request
                self.here.queue.cancel(found["job"])
        views: list[dict[str, Any]] = found["drawings"]
        return views

    async def _end(self, job: str) -> str:
        """Waits for a job; why it failed, or nothing."""
        queue = self.here.queue
        with queue.listening(job):
            while True:
                stands, over, cancelled = queue.stands(job)
                if over:
                    notes = [stand.view.note for stand in stands if stand.view.state == "failed"]
                    return "it was cancelled" if cancelled else "; ".join(notes)
                await asyncio.sleep(TICK)

    async def _ask(self, request: str, body: object = None) -> Answer:
        method, content = ("GET", b"") if body is None else ("POST", json.dumps(body).encode())
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        await call(self.app, method, request, content, send)
        said = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], kind_of(sent[0]), said)
