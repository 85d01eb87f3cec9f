"""/api/face and /api/faces: the small picture that stands for a unit, and which units have one that was drawn."""

import io

import PIL.Image
from fastapi import APIRouter, Request
from starlette.responses import Response

from hooke.addresses import Place
from hooke.server.answers import WebP, tagged
from hooke.server.computed import Unit
from hooke.server.drawings import guess, look_up_all
from hooke.server.microscope import Here, Microscope
from hooke.server.sprites import picture_of, webp
from hooke.server.wire import DrawingsRequest, DrawingsView

router = APIRouter()

SIDE = 96


@router.get("/api/face", response_class=WebP)
async def get_face(here: Here, request: Request, place: Unit) -> Response:
    """What a unit was drawn as, or else the piece of the shown photographs that drives it most; small."""
    body = await here.ask(request, here.background, lambda: _face(here, place))
    return tagged(request, body, WebP)


@router.post("/api/faces")
async def ask_faces(here: Here, request: Request, wanted: DrawingsRequest) -> DrawingsView:
    """What is known of some units' pictures; nothing is drawn."""
    return DrawingsView(job=None, drawings=await look_up_all(here, request, wanted))


def _face(here: Microscope, place: Place) -> bytes:
    drawn = here.picture(str(place))
    key = drawn.provenance.key if drawn else f"guess {place}"
    known = here.faces.get(key)
    if known is not None:
        return known
    whole = picture_of(drawn.image) if drawn else PIL.Image.open(io.BytesIO(guess(here, place)))
    small = whole.convert("RGB").resize((SIDE, SIDE), PIL.Image.Resampling.BILINEAR)
    return here.faces.put(key, webp(small, quality=80, method=2))
