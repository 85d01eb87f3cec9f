"""The pictures of units in a published copy: drawn once, on sheets; pieces of photographs where none was drawn."""

import io
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import PIL.Image

from hooke.addresses import Place, parse
from hooke.publish.asking import Desk
from hooke.publish.folder import Folder
from hooke.publish.ledger import Ledger
from hooke.publish.sheets import DRAWN, EACH, GUESS, sheets
from hooke.server.microscope import Microscope
from hooke.server.sprites import picture_of
from hooke.studies.guesses import Peaks, receptive_crop

PICTURES = "/pictures"
WANTED = "/wanted"
"""Which pictures were asked for: of no use to the page, so in a file of its own."""
OWN = frozenset({"address", "data", "recorded"})
"""What differs from picture to picture, and what is told of no one."""


async def publish_pictures(
    desk: Desk, folder: Folder, ledger: Ledger, wanted: Sequence[str], layers: Sequence[str], beside: Sequence[str]
) -> None:
    """Draws what was never drawn and packs all into sheets; of `beside`, and of all units of `layers`, only a guess."""
    if folder.answered(WANTED) and folder.answer(WANTED) == [*wanted, *beside]:
        ledger.expect("drawing", -len(wanted), 2)
        return
    views = await _drawn(desk, ledger, wanted)
    finished = [view for view in views if view["state"] == "ready"]
    content = [PIL.Image.open(io.BytesIO((await desk.answer(view["picture_url"])).body)) for view in finished]
    folder.keep(PICTURES, {
        "drawn": {view["address"]: _told(view, at) for at, view in enumerate(finished)},
        "sheets": sheets(folder, content, DRAWN),
        "guesses": _guesses(desk, folder, ledger, _channels(desk, layers, beside)),
        "provenance": await _provenance(desk, finished),
    })  # fmt: skip
    folder.keep(WANTED, [*wanted, *beside])


async def _drawn(desk: Desk, ledger: Ledger, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """What is known of the pictures, once they are drawn; layer by layer, so that batches are full."""
    views: list[dict[str, Any]] = []
    by_layer: dict[str, list[str]] = defaultdict(list)
    for text in wanted:
        by_layer[text.rpartition(":")[0]].append(text)
    for some in by_layer.values():
        for first in range(0, len(some), EACH):
            part = some[first : first + EACH]
            with ledger.doing("drawing", len(part)):
                views += await desk.drawn(part)
    return views


def _told(view: dict[str, Any], at: int) -> dict[str, Any]:
    return {
        "at": at, "response": view["response"], "peak": view["peak"], "seen": view["photographs_peak"],
        "steps": view["steps"], "note": view["note"],
    }  # fmt: skip


def _channels(desk: Desk, layers: Sequence[str], beside: Sequence[str]) -> dict[str, list[int]]:
    """The units of which a piece of a photograph is shown, by layer."""
    found = {layer: list(range(desk.here.model.layer(layer).channels or 0)) for layer in layers}
    for text in beside:
        place = parse(text)
        if isinstance(place, Place) and isinstance(place.channel, int) and place.layer not in layers:
            found.setdefault(place.layer, []).append(place.channel)
    return found


def _guesses(desk: Desk, folder: Folder, ledger: Ledger, channels: dict[str, list[int]]) -> dict[str, dict[str, Any]]:
    """For each layer its sheets and the channels that stand on them, in order; and those that no photograph excites."""
    ledger.expect("pieces of photographs", len(channels), 20)
    found = {}
    for layer, some in channels.items():
        with ledger.doing("pieces of photographs"):
            peaks = desk.here.peaks(layer)
            silent = [channel for channel in some if peaks.values[channel] <= 0]
            excited = [channel for channel in some if peaks.values[channel] > 0]
            pieces = _pieces(desk.here, layer, peaks, excited)
            found[layer] = {**sheets(folder, pieces, GUESS), "channels": excited, "silent": silent}
    return found


def _pieces(here: Microscope, layer: str, peaks: Peaks, channels: Sequence[int]) -> list[PIL.Image.Image]:
    """The pieces of the photographs that drive some units of a layer most, as /api/guesses cuts them."""
    shown, found = here.shelf.shown, []
    for channel in channels:
        image, row, column = (int(of[channel]) for of in (peaks.images, peaks.rows, peaks.columns))
        found.append(picture_of(receptive_crop(here.model, shown[image].canvas, layer, row, column)))
    return found


async def _provenance(desk: Desk, finished: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How the pictures were made, as far as it is the same for all."""
    if not finished:
        return {}
    record = (await desk.answer(finished[0]["picture_url"].replace(".png", ".json"))).data
    return {key: value for key, value in record["provenance"].items() if key not in OWN}
