"""What the routes of spatial and channel attribution share: the trail of a photograph, and answers worked out once."""

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from hooke.server.answers import REVALIDATE
from hooke.server.microscope import Microscope
from hooke.server.shelf import Photograph
from hooke.server.trail import Trail

Layers = Annotated[
    list[str],
    Query(default_factory=list, max_length=12, description="Of the chain, in the model's order; none: four."),
]


def name_of(what: str, image: str, layers: Sequence[str], *more: object) -> str:
    """The name of an answer about a photograph in some layers."""
    return "\n".join([what, image, *layers, *map(str, more)])


def trail(here: Microscope, photograph: Photograph, layers: Sequence[str]) -> Trail:
    """What is kept of a photograph in some layers, begun where it is not there; a forward pass and two more."""
    key = (photograph.id, *layers)
    return here.trails.get(key) or here.trails.put(key, Trail(here.model, photograph.canvas, layers))


async def asked(here: Microscope, request: Request, name: str, work: Callable[[], BaseModel]) -> Response:
    """The answer of that name, worked out now, in the foreground, where it is not known."""
    body = here.answers.get(name)
    if body is None:
        body = await here.ask(request, here.foreground, lambda: _kept(here, name, work))
    return answer(body)


def answer(body: bytes) -> Response:
    """JSON that is there already."""
    return Response(body, media_type="application/json", headers=REVALIDATE)


def _kept(here: Microscope, name: str, work: Callable[[], BaseModel]) -> bytes:
    """Whoever waited for another who asked the same finds it here."""
    return here.answers.get(name) or here.answers.put(name, work().model_dump_json().encode())
