"""Answers that are worked out once: now, or as a job to follow and then to be asked for again."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from hooke.addresses import Place
from hooke.server.answers import REVALIDATE
from hooke.server.microscope import Here, Microscope
from hooke.server.standing import Grown
from hooke.server.wire import JobView

Report = Callable[[int, int], None]

LATER: dict[int | str, dict[str, Any]] = {202: {"model": JobView, "description": "not yet: follow the job, ask again"}}


def computed(here: Microscope, name: str, work: Callable[[Report], BaseModel]) -> Response:
    """The answer of that name, or (202) the job in the drawing thread that works it out."""
    body = here.answers.get(name)
    return later(here.compute(name, work)) if body is None else answer(body)


async def asked(here: Microscope, request: Request, name: str, work: Callable[[], BaseModel]) -> Response:
    """The answer of that name, worked out now, in the foreground, where it is not known."""
    body = here.answers.get(name)
    if body is None:
        body = await here.ask(request, here.foreground, lambda: _kept(here, name, work))
    return answer(body)


async def known(here: Microscope, name: str, work: Callable[[], BaseModel]) -> Response:
    """The answer of that name, worked out now, in a thread of its own, where it is not known.

    Whoever asks for it meanwhile waits for it.
    """
    body = here.answers.get(name)
    if body is None:
        async with here.turns.setdefault(name, asyncio.Lock()):
            body = await asyncio.to_thread(_kept, here, name, work)
    return answer(body)


def underway(here: Microscope, name: str, growth: Iterator[Grown]) -> Iterator[Grown]:
    """What grows in slices: gone on with after a cancel, and begun anew once it is done or has failed."""
    try:
        yield from growth
    except Exception:
        here.growths.drop(name)
        raise
    here.growths.drop(name)


def answer(body: bytes | str) -> Response:
    """JSON that is there already."""
    return Response(body, media_type="application/json", headers=REVALIDATE)


def later(job: str) -> Response:
    """The job to follow (202)."""
    return JSONResponse(JobView(job=job).model_dump(), 202, {"Cache-Control": "no-store"})


def checked(here: Here, layer: str, channel: Annotated[int, Query(ge=0)]) -> Place:
    """The address of the unit that is asked about; AddressError where this model has no such unit."""
    place = here.model.resolve(Place(layer, channel))
    assert isinstance(place, Place)
    return place


Unit = Annotated[Place, Depends(checked)]
"""The unit that a request names by `layer` and `channel`; looked up in a thread, since a pass may hold the model."""

Label = Annotated[int | None, Query(ge=0)]
"""A label by its index; None: nobody asks about one."""


def _kept(here: Microscope, name: str, work: Callable[[], BaseModel]) -> bytes:
    """Whoever waited for another who asked the same finds it here."""
    return here.answers.get(name) or here.answers.put(name, work().model_dump_json().encode())
