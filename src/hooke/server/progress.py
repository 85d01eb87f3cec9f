"""/api/jobs: pictures as they sharpen, as server-sent events, and the end of a job that is no longer wanted."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from hooke.server.answers import EventStream
from hooke.server.jobs import Queue
from hooke.server.microscope import Here
from hooke.server.sprites import data_url, picture_of
from hooke.server.standing import Stand
from hooke.server.wire import EndEvent, FinishedEvent, ProgressEvent, WorkEvent

router = APIRouter()

TICK = 0.1
"""Seconds from one look at the queue to the next, and so at least from one half-finished picture to the next."""
QUIET = 100
"""Ticks of silence after which a comment shows that the stream lives."""


@router.get(
    "/api/jobs/{job}/events",
    response_class=EventStream,
    responses={200: {"model": ProgressEvent | WorkEvent | FinishedEvent | EndEvent, "description": "what happens"}},
)
async def follow_job(here: Here, job: str) -> Response:
    """Events `progress`, `work`, `finished` and `end`. Whoever connects again is first told where everything stands."""
    here.queue.stands(job)  # Absent, before the stream begins
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(follow(here.queue, job), media_type=EventStream.media_type, headers=headers)


@router.delete("/api/jobs/{job}", status_code=204)
async def cancel_job(here: Here, job: str) -> None:
    """Ends a job; what others want of the same units goes on."""
    here.queue.cancel(job)


async def follow(queue: Queue, job: str) -> AsyncIterator[bytes]:
    """The events of a job: each finished unit once, and every tick the half-finished picture that is longest due."""
    done: set[str] = set()
    shown: dict[str, int] = {}
    told: BaseModel | None = None
    quiet = 0
    with queue.listening(job):
        yield b"retry: 1000\n\n"
        while not queue.stopping:
            stands, over, cancelled = queue.stands(job)
            news = [stand for stand in stands if stand.over and stand.view.address not in done]
            due = [stand for stand in stands if stand.picture and shown.get(stand.view.address) != stand.version]
            for stand in stands:
                if stand.share and not stand.over and shown.get(stand.view.address) != stand.version:
                    shown[stand.view.address] = stand.version
                    seen = None if stand.so_far is told else stand.so_far
                    told = stand.so_far
                    yield event("work", WorkEvent(share=stand.share, seconds_left=stand.seconds_left, so_far=seen))
            for stand in news:
                done.add(stand.view.address)
                yield event("finished", FinishedEvent(drawing=stand.view))
            if over:
                yield event("end", EndEvent(cancelled=cancelled))
                return
            for stand in sorted(due, key=lambda one: shown.get(one.view.address, 0))[:1]:
                shown[stand.view.address] = stand.version
                yield event("progress", await asyncio.to_thread(_sketch, stand, queue.steps))
            quiet = 0 if news or due else quiet + 1
            if quiet % QUIET == QUIET - 1:
                yield b": still here\n\n"
            await asyncio.sleep(TICK)


def event(name: str, data: BaseModel) -> bytes:
    """One server-sent event."""
    return f"event: {name}\ndata: {data.model_dump_json()}\n\n".encode()


def _sketch(stand: Stand, steps: int) -> ProgressEvent:
    assert stand.picture is not None
    return ProgressEvent(
        address=stand.view.address,
        step=stand.picture.step,
        steps=steps,
        image=data_url(picture_of(stand.picture.image), quality=60, method=0),
        response=stand.picture.response,
        seconds_left=round(stand.seconds_left or 0.0, 1),
    )
