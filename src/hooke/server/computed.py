"""An answer that takes a while: there already, or a job to follow, and then to be asked for again."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from hooke.addresses import Place
from hooke.server.answers import REVALIDATE
from hooke.server.microscope import Here, Microscope
from hooke.server.wire import JobView

Report = Callable[[int, int], None]

LATER: dict[int | str, dict[str, Any]] = {202: {"model": JobView, "description": "not yet: follow the job, ask again"}}


def computed(here: Microscope, name: str, work: Callable[[Report], BaseModel]) -> Response:
    """The answer of that name, or (202) the job in the drawing thread that works it out."""
    body = here.answers.get(name)
    if body is None:
        return JSONResponse(JobView(job=here.compute(name, work)).model_dump(), 202, {"Cache-Control": "no-store"})
    return Response(body, media_type="application/json", headers=REVALIDATE)


async def known(here: Microscope, name: str, work: Callable[[], BaseModel]) -> Response:
    """The answer of that name, worked out now, in a thread of its own, where it is not known."""
    body = here.answers.get(name)
    if body is None:
        body = here.answers.put(name, await asyncio.to_thread(lambda: work().model_dump_json().encode()))
    return Response(body, media_type="application/json", headers=REVALIDATE)


def checked(here: Here, layer: str, channel: Annotated[int, Query(ge=0)]) -> Place:
    """The address of the unit that is asked about; AddressError where this model has no such unit."""
    place = here.model.resolve(Place(layer, channel))
    assert isinstance(place, Place)
    return place


Unit = Annotated[Place, Depends(checked)]
"""The unit that a request names by `layer` and `channel`; looked up in a thread, since a pass may hold the model."""
