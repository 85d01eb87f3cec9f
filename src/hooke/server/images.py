"""/api/images: the photographs as the model sees them, and new ones dropped on the page."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from hooke.modalities.image import read_picture, to_png
from hooke.server.answers import FOREVER, Png, WebP
from hooke.server.microscope import Here, Microscope
from hooke.server.shelf import Photograph
from hooke.server.sprites import picture_of, webp
from hooke.server.wire import ImageView, PredictionView

router = APIRouter()

SIDE = 104
"""Of a thumbnail, in pixels: twice what the strip shows, for dense screens."""

_BODY = {"requestBody": {"required": True, "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}}


@router.get("/api/images")
async def list_images(here: Here, request: Request) -> list[ImageView]:
    """Every photograph with what the model thinks it is; uploads last."""
    return [
        await here.ask(request, here.foreground, lambda one=one: image_view(here, one))  # type: ignore[misc]
        for one in here.shelf.all()
    ]


@router.post("/api/images", openapi_extra=_BODY)
async def add_image(here: Here, request: Request, name: Annotated[str, Query(max_length=1000)] = "") -> ImageView:
    """Takes a photograph (the bytes of its file) and analyses it; it stays until newer ones take its place."""
    async with here.uploading:
        body = await request.body()
        return await here.ask(request, here.foreground, lambda: _taken(here, name, body))


@router.get("/api/images/{image}/canvas.png", response_class=Png)
async def get_canvas(here: Here, image: str) -> Response:
    """Exactly what the model sees of a photograph."""
    return Png(to_png(here.shelf.get(image).canvas), headers=FOREVER)


@router.get("/api/images/{image}/thumbnail.webp", response_class=WebP)
async def get_thumbnail(here: Here, image: str) -> Response:
    """The same, at most 104 pixels wide and high."""
    small = picture_of(here.shelf.get(image).canvas)
    small.thumbnail((SIDE, SIDE))
    return WebP(webp(small, quality=82, method=4), headers=FOREVER)


def image_view(here: Microscope, photograph: Photograph) -> ImageView:
    """The photograph as the page shows it."""
    _, height, width = photograph.canvas.shape
    return ImageView(
        id=photograph.id,
        name=photograph.name,
        width=width,
        height=height,
        canvas_url=f"{here.root}/api/images/{photograph.id}/canvas.png",
        thumbnail_url=f"{here.root}/api/images/{photograph.id}/thumbnail.webp",
        uploaded=photograph.uploaded,
        predictions=[
            PredictionView(label=found.label, index=found.index, probability=found.probability)
            for found in here.predictions(photograph)
        ],
    )


def _taken(here: Microscope, name: str, body: bytes) -> ImageView:
    canvas = here.model.modality.canvas(read_picture(body, name=name or "the photograph"))
    return image_view(here, here.shelf.add(name, canvas))
