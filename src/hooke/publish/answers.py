"""From what a route answers to what a file says: pictures as files, refusals as they are."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import PIL.Image

from hooke.publish.asking import Desk
from hooke.publish.folder import Folder
from hooke.server.sprites import webp

QUALITY = 82
LARGE, LESS = 50_000, 72
"""A WebP of the server of more bytes (the sheet of a grid) is packed again with less quality: a quarter smaller, and
beside the other at twice its size no difference is seen."""
SECONDS = "seconds"
"""How long an answer took is no part of it: the same copy has the same bytes."""


async def publish_answer(desk: Desk, folder: Folder, request: str, slim: Callable[[Any], Any]) -> None:
    """Asks, and puts what `slim` leaves of the answer into the folder; a refusal is put there as one."""
    answer = await desk.answer(request)
    if answer.status >= 400:
        folder.keep(request, {"$refused": answer.data, "$status": answer.status})
        return
    folder.keep(request, await _filed(desk, folder, slim(answer.data)))


async def _filed(desk: Desk, folder: Folder, data: Any) -> Any:
    """The data with the address of a file for each picture of the server; how long it took is left out."""
    if isinstance(data, dict):
        return {key: None if key == SECONDS else await _filed(desk, folder, value) for key, value in data.items()}
    if isinstance(data, list):
        return [await _filed(desk, folder, value) for value in data]
    if isinstance(data, str) and data.startswith("/api/"):
        found = await desk.answer(data)
        if found.status == 200 and found.kind.startswith("image/"):
            return folder.picture(_packed(found.kind, found.body))
    return data


def _packed(kind: str, content: bytes) -> bytes:
    if kind != "image/webp":
        return as_webp(content, QUALITY)
    return content if len(content) <= LARGE else as_webp(content, LESS)


def as_webp(content: bytes, quality: int) -> bytes:
    """A picture of any kind as a WebP."""
    picture = PIL.Image.open(io.BytesIO(content))
    return webp(picture.convert("RGBA" if "A" in picture.getbands() else "RGB"), quality, method=4)


def only_layers(model: dict[str, Any], layers: Sequence[str]) -> dict[str, Any]:
    """The model with places in the published layers alone; that nearest to the one shown first is shown first."""
    rows = [{**row, "spatial": row["spatial"] and row["name"] in layers} for row in model["layers"]]
    names = [row["name"] for row in rows]
    middle = names.index(model["default_layer"])
    first = min(layers, key=lambda name: abs(names.index(name) - middle))
    return {**model, "layers": rows, "default_layer": first}
