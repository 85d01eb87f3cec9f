"""/api/images/{image}/patch: which units fire in one part of a photograph and not in another."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from hooke.errors import AddressError
from hooke.server.computed import asked
from hooke.server.microscope import Here, Microscope
from hooke.server.shelf import Photograph
from hooke.server.wire_patch import PatchView, StandoutView
from hooke.studies.patch_search import Part, Standout, patch_search
from hooke.studies.semantic_dictionary import spatial_layers

router = APIRouter()

_AREA = re.compile(r"\d{1,3}(,\d{1,3}){3}")
MOST = 48


@router.get("/api/images/{image}/patch", response_model=PatchView)
async def get_patch(
    here: Here, request: Request, image: str, layer: str,
    inside: Annotated[str, Query(description="Left, top, right, bottom in percent.", max_length=15)],
    outside: Annotated[str, Query(max_length=15)] = "", count: Annotated[int, Query(ge=1, le=MOST)] = 12,
) -> Response:  # fmt: skip
    """The units of a layer, and of any nonlinearity, that fire inside a patch and not outside (or in `outside`)."""
    photograph, area = here.shelf.get(image), _area(inside)
    other = _area(outside) if outside else None
    name = f"patch {image} {layer} {inside} {outside} {count}"
    return await asked(here, request, name, lambda: _found(here, photograph, layer, area, other, count))


def _found(
    here: Microscope, photograph: Photograph, layer: str, inside: Part, outside: Part | None, count: int
) -> PatchView:
    spatial, active, _ = spatial_layers(here.model)
    names = [row.name for row in active or spatial]
    own = patch_search(here.model, photograph.canvas, [layer], inside, outside, count)
    every = patch_search(here.model, photograph.canvas, names, inside, outside, count)
    return PatchView(
        layer=layer, own=[_view(one) for one in own], every=[_view(one) for one in every], layers=len(names),
        units=sum(row.channels or 0 for row in active or spatial),
    )  # fmt: skip


def _view(one: Standout) -> StandoutView:
    return StandoutView(
        layer=one.layer, channel=one.channel, inside=one.inside, outside=one.outside, score=one.score
    )  # fmt: skip


def _area(text: str) -> Part:
    if not _AREA.fullmatch(text):
        raise AddressError(f"the patch {text!r}", "it is not left,top,right,bottom in whole percent")
    left, top, right, bottom = (int(side) / 100 for side in text.split(","))
    return left, top, right, bottom
