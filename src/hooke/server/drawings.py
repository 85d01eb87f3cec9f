"""/api/drawings and /api/guesses: what units look for, drawn once, and a first guess from the photographs."""

import json
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from hooke.addresses import Place
from hooke.modalities.image import to_png
from hooke.results import Picture
from hooke.server.answers import FOREVER, Png, tagged
from hooke.server.computed import Unit
from hooke.server.microscope import Here, Microscope
from hooke.server.refusals import Absent, TooLarge
from hooke.server.standing import ready
from hooke.server.wanted import again_of, text_of, wanted
from hooke.server.wire import DrawingsRequest, DrawingsView, DrawingView
from hooke.studies.guesses import receptive_crop

router = APIRouter()

MOST = 256
"""Addresses in one request."""

Key = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The key of the picture's provenance.")]


@router.post("/api/drawings")
async def ask_drawings(here: Here, request: Request, wanted: DrawingsRequest) -> DrawingsView:
    """What is known of some units' pictures, and the job that draws those that were never drawn."""
    views = await look_up_all(here, request, wanted)
    missing = [view for view in views if view.state != "ready"]
    if not missing:
        return DrawingsView(job=None, drawings=views)
    job = here.queue.ask(missing)
    stands = {stand.view.address: stand.view for stand in here.queue.stands(job)[0]}
    return DrawingsView(job=job, drawings=[stands.get(view.address, view) for view in views])


@router.get("/api/drawings/{key}.png", response_class=Png)
async def get_drawing(here: Here, request: Request, key: Key) -> Response:
    """A finished picture."""
    picture = await here.ask(request, here.background, lambda: here.finished(key))
    if picture is None:
        raise _absent(key)
    return Png(to_png(picture.image), headers=FOREVER)


@router.get("/api/drawings/{key}.json")
async def get_drawing_record(here: Here, request: Request, key: Key) -> dict[str, Any]:
    """How a finished picture was made, and its numbers."""
    picture = await here.ask(request, here.background, lambda: here.finished(key))
    if picture is None:
        raise _absent(key)
    return record(picture)


@router.get("/api/guesses", response_class=Png)
async def get_guess(here: Here, request: Request, place: Unit) -> Response:
    """The piece of the shown photographs that drives a channel most."""
    body = await here.ask(request, here.background, lambda: guess(here, place))
    return tagged(request, body, Png)


async def look_up_all(here: Microscope, request: Request, wanted: DrawingsRequest) -> list[DrawingView]:
    """What is known of some units' pictures; TooLarge for too many at once."""
    if len(wanted.addresses) > MOST:
        raise TooLarge(f"{len(wanted.addresses)} drawings", f"at most {MOST} can be asked for at once")
    return await here.ask(request, here.background, lambda: [look_up(here, text) for text in wanted.addresses])


def look_up(here: Microscope, text: str) -> DrawingView:
    """What is known of the picture of an address; AddressError for an address that cannot be drawn."""
    address = here.model.resolve(text_of(text))
    view = DrawingView(address=wanted(str(address), again_of(text)), state="queued")
    if isinstance(address, Place) and isinstance(address.channel, int) and address.position is None:
        guess = urlencode({"layer": address.layer, "channel": address.channel})
        peaks = here.peaks(address.layer)
        if peaks is not None:
            peak = float(peaks.values[address.channel])
            view = view.model_copy(update={"guess_url": f"{here.root}/api/guesses?{guess}", "photographs_peak": peak})
    picture = here.picture(view.address)
    return ready(view, picture) if picture else view


def record(picture: Picture) -> dict[str, Any]:
    """The numbers of a picture and its provenance, as JSON data."""
    return {
        "address": picture.address, "response": picture.response, "peak": picture.peak, "steps": picture.step,
        "seconds": picture.seconds, "note": picture.note, "key": picture.provenance.key,
        "provenance": json.loads(picture.provenance.to_json()),
    }  # fmt: skip


def guess(here: Microscope, place: Place) -> bytes:
    """The piece of the shown photographs that drives a unit most, as a PNG; Absent where none are shown."""
    peaks = here.peaks(place.layer)
    if peaks is None:
        raise Absent(f"a guess for {place}", "no photographs are shown")
    assert isinstance(place.channel, int)
    image, row, column = (int(of[place.channel]) for of in (peaks.images, peaks.rows, peaks.columns))
    return to_png(receptive_crop(here.model, here.shelf.shown[image].canvas, place.layer, row, column))


def _absent(key: str) -> Absent:
    reason = "no such picture was drawn, or the store no longer has it"
    return Absent(f"drawing {key[:12]}…", reason, next_step="ask for its address again: POST /api/drawings")
