"""From what a route answers to what a file says: pictures as files, refusals as they are, and the units in it."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import PIL.Image

from hooke.addresses import Place
from hooke.publish.asking import Desk
from hooke.publish.folder import Folder
from hooke.server.sprites import webp

QUALITY = 82


async def publish_answer(desk: Desk, folder: Folder, request: str) -> None:
    """Asks, and puts the answer into the folder; a refusal is put there as one."""
    answer = await desk.answer(request)
    if answer.status >= 400:
        folder.keep(request, {"$refused": answer.data, "$status": answer.status})
        return
    folder.keep(request, await _filed(desk, folder, answer.data))


async def _filed(desk: Desk, folder: Folder, data: Any) -> Any:
    """The data with the address of a file for each picture of the server; what took how long is left out."""
    if isinstance(data, dict):
        return {key: await _filed(desk, folder, value) for key, value in data.items()}
    if isinstance(data, list):
        return [await _filed(desk, folder, value) for value in data]
    if isinstance(data, str) and data.startswith("/api/"):
        found = await desk.answer(data)
        if found.status == 200 and found.kind.startswith("image/"):
            return folder.picture(as_webp(found.body))
    return data


def as_webp(content: bytes) -> bytes:
    """A picture of any kind as a WebP."""
    picture = PIL.Image.open(io.BytesIO(content))
    return webp(picture.convert("RGBA" if "A" in picture.getbands() else "RGB"), QUALITY, method=4)


def only_layers(model: dict[str, Any], layers: Sequence[str]) -> dict[str, Any]:
    """The model with places in the published layers alone; the first of them that it would show is shown first."""
    rows = [{**row, "spatial": row["spatial"] and row["name"] in layers} for row in model["layers"]]
    default = model["default_layer"]
    return {**model, "layers": rows, "default_layer": default if default in layers else layers[0]}


def mentioned(data: Any) -> Iterator[str]:
    """The units that an answer names: by their addresses, or by their layers and channels."""
    if isinstance(data, dict):
        layer, channel, address = (data.get(key) for key in ("layer", "channel", "address"))
        if isinstance(layer, str) and isinstance(channel, int):
            yield str(Place(layer, channel))
        if isinstance(address, str):
            yield address
        if isinstance(layer, str) and isinstance(data.get("channels"), list):
            yield from (str(Place(layer, one)) for one in data["channels"] if isinstance(one, int))
    for inner in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from mentioned(inner)
