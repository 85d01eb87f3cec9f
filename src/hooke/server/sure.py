"""/api/images/{image}/how-sure: what places give to a label, told in three ways, beside random others."""

import time
from typing import Annotated

import torch
from fastapi import APIRouter, Query
from starlette.responses import Response

from hooke.addresses import Place
from hooke.errors import AddressError
from hooke.models.layers import LOGITS
from hooke.server.computed import Label, known
from hooke.server.microscope import Here, Microscope
from hooke.server.shelf import Photograph
from hooke.server.whatif import spread
from hooke.server.wire_whatif import HowSureView, SureControlView, SureView
from hooke.studies.how_sure import STEPS, Sure, how_sure
from hooke.studies.reports.targets import likeliest, named
from hooke.studies.same_size import kind, of_the_same_size
from hooke.studies.semantic_dictionary import check_position, layer_dictionary, spatial_layer

router = APIRouter()

UNITS = 10
OTHERS = 20


@router.get("/api/images/{image}/how-sure", response_model=HowSureView)
async def get_how_sure(
    here: Here, image: str, layer: str, row: int, column: int, of: Label = None, rather: Label = None,
    also: Annotated[str, Query(description="Addresses, one a line.", max_length=4000)] = "",
) -> Response:  # fmt: skip
    """A place, its strongest units, and `also`: what each gives to a label, or to one rather than another."""
    photograph = here.shelf.get(image)
    name = " ".join(map(str, ("how-sure", image, layer, row, column, of, rather, also)))

    def work() -> HowSureView:
        return _sure(here, photograph, layer, (row, column), _asked(here, photograph, of, rather), also.splitlines())

    return await known(here, name, work)


def _asked(here: Microscope, photograph: Photograph, of: int | None, rather: int | None) -> str:
    first = likeliest(here.model, photograph.canvas) if of is None else str(Place(LOGITS, of))
    return first if rather is None else f"{first} - {Place(LOGITS, rather)}"


def _sure(
    here: Microscope, photograph: Photograph, layer: str, position: tuple[int, int], of: str, also: list[str]
) -> HowSureView:
    begun = time.perf_counter()
    check_position(spatial_layer(here.model, layer), position)
    strongest = layer_dictionary(here.model, photograph.canvas, layer, UNITS)
    units = [
        channel
        for channel, magnitude in zip(
            strongest.channels[position].tolist(), strongest.magnitudes[position].tolist(), strict=True
        )
        if magnitude > 0
    ]
    places = [Place(layer, position=position), *(Place(layer, unit, position) for unit in units)]
    selections = list(dict.fromkeys([*places, *(_place(here, text) for text in also)]))
    others = of_the_same_size(here.model, photograph.canvas, selections, OTHERS, here.seed)
    found = how_sure(here.model, photograph.canvas, [*selections, *others], of)
    controls = _controls(found[len(selections) :], others)
    rows = [_row(one, place, controls) for one, place in zip(found, selections, strict=False)]
    return HowSureView(
        name=named(here.model, of), rows=rows, controls=list(controls.values()), steps=STEPS,
        seconds=time.perf_counter() - begun,
    )  # fmt: skip


def _place(here: Microscope, text: str) -> Place:
    found = here.model.resolve(text)
    if not isinstance(found, Place):
        raise AddressError(text, "a selection is one place", next_step="give its places one by one")
    return found


def _controls(found: list[Sure], others: list[Place]) -> dict[tuple[str, str], SureControlView]:
    """What the random others of each kind and layer came to."""
    apart: dict[tuple[str, str], list[Sure]] = {}
    for one, place in zip(found, others, strict=True):
        apart.setdefault((kind(place), place.layer), []).append(one)
    views = {}
    for key, some in apart.items():
        measured = spread(torch.tensor([one.measured for one in some]))
        assert measured is not None
        mean = sum(one.disagreement for one in some) / len(some)
        views[key] = SureControlView(kind=key[0], layer=key[1], count=len(some), measured=measured, disagreement=mean)
    return views


def _row(one: Sure, place: Place, controls: dict[tuple[str, str], SureControlView]) -> SureView:
    beside = controls.get((kind(place), place.layer))
    return SureView(
        address=one.address, layer=place.layer, kind=kind(place),
        channel=place.channel if isinstance(place.channel, int) else None,
        linear=one.linear, integrated=one.integrated, measured=one.measured, disagreement=one.disagreement,
        beyond=abs(one.measured) > max(abs(beside.measured.low), abs(beside.measured.high)) if beside else None,
    )  # fmt: skip
