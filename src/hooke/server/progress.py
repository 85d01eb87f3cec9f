"""/api/events, /api/jobs: what happens to all that a page waits for, as one stream; the end of a job."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from hooke.server.answers import EventStream
from hooke.server.jobs import Queue
from hooke.server.microscope import Here
from hooke.server.refusals import Absent
from hooke.server.sprites import data_url, picture_of
from hooke.server.standing import Stand
from hooke.server.wire import EndEvent, FinishedEvent, LostEvent, ProgressEvent, WorkEvent

router = APIRouter()

TICK = 0.1
"""Seconds from one look at the queue to the next, and so at least from one half-finished picture to the next."""
QUIET = 100
"""Ticks of silence after which a comment shows that the stream lives."""
MOST = 128
"""Jobs that one stream tells of."""


@router.get(
    "/api/events",
    response_class=EventStream,
    responses={200: {"model": LostEvent | ProgressEvent | WorkEvent | FinishedEvent | EndEvent, "description": "news"}},
)
async def follow_jobs(here: Here, jobs: Annotated[str, Query(max_length=MOST * 24)]) -> Response:
    """Events `progress`, `work`, `finished` and `end` of jobs (their names with commas between), `lost` of those that
    are not there; one stream for all that a page waits for. Whoever connects again is first told where each stands."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    told = follow(here.queue, dict.fromkeys(filter(None, jobs.split(",")[:MOST])))
    return StreamingResponse(told, media_type=EventStream.media_type, headers=headers)


@router.delete("/api/jobs/{job}", status_code=204)
async def cancel_job(here: Here, job: str) -> None:
    """Ends a job; what others want of the same units goes on."""
    here.queue.cancel(job)


async def follow(queue: Queue, jobs: Iterable[str]) -> AsyncIterator[bytes]:
    """The events of jobs until all are over: each finished unit once, and every tick the half-finished picture that is
    longest due."""
    quiet = 0
    with ExitStack() as listening:
        yield b"retry: 1000\n\n"
        going: list[Told] = []
        for job in jobs:
            try:
                listening.enter_context(queue.listening(job))
            except Absent:
                yield event("lost", LostEvent(job=job))
            else:
                going.append(Told(job))
        while going and not queue.stopping:
            due: list[tuple[Told, Stand]] = []
            quiet += 1
            for told in going:
                news, sketches = told.news(queue)
                due += sketches
                for one in news:
                    quiet = 0
                    yield one
            going = [told for told in going if not told.over]
            for told, stand in sorted(due, key=lambda one: one[0].shown.get(one[1].view.address, 0))[:1]:
                quiet = 0
                told.shown[stand.view.address] = stand.version
                yield event("progress", await asyncio.to_thread(_sketch, told.job, stand, queue.steps))
            if quiet % QUIET == QUIET - 1:
                yield b": still here\n\n"
            if going:
                await asyncio.sleep(TICK)


class Told:
    """What one stream told of one job."""

    def __init__(self, job: str) -> None:
        self.job = job
        self.over = False
        self.shown: dict[str, int] = {}
        """By address the version of what was told last."""
        self._done: set[str] = set()
        self._so_far: BaseModel | None = None

    def news(self, queue: Queue) -> tuple[list[bytes], list[tuple["Told", Stand]]]:
        """The events since the last look, half-finished pictures apart: where those stand that are due."""
        stands, self.over, cancelled = queue.stands(self.job)
        events: list[bytes] = []
        for stand in stands:
            if stand.share and not stand.over and self._late(stand):
                self.shown[stand.view.address] = stand.version
                seen = None if stand.so_far is self._so_far else stand.so_far
                self._so_far = stand.so_far
                done = WorkEvent(job=self.job, share=stand.share, seconds_left=stand.seconds_left, so_far=seen)
                events.append(event("work", done))
        for stand in stands:
            if stand.over and stand.view.address not in self._done:
                self._done.add(stand.view.address)
                events.append(event("finished", FinishedEvent(job=self.job, drawing=stand.view)))
        if self.over:
            events.append(event("end", EndEvent(job=self.job, cancelled=cancelled)))
            return events, []
        return events, [(self, stand) for stand in stands if stand.picture and self._late(stand)]

    def _late(self, stand: Stand) -> bool:
        return self.shown.get(stand.view.address) != stand.version


def event(name: str, data: BaseModel) -> bytes:
    """One server-sent event."""
    return f"event: {name}\ndata: {data.model_dump_json()}\n\n".encode()


def _sketch(job: str, stand: Stand, steps: int) -> ProgressEvent:
    assert stand.picture is not None
    return ProgressEvent(
        job=job,
        address=stand.view.address,
        step=stand.picture.step,
        steps=steps,
        image=data_url(picture_of(stand.picture.image), quality=60, method=0),
        response=stand.picture.response,
        seconds_left=round(stand.seconds_left or 0.0, 1),
    )
