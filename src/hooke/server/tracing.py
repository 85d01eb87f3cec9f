"""What the routes of spatial and channel attribution share: the trail of a photograph, and the names of answers."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

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
