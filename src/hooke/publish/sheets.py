"""Pictures of units in rows on WebP sheets, as a published copy keeps them."""

from collections.abc import Sequence
from typing import Any

import PIL.Image

from hooke.publish.folder import Folder
from hooke.server.sprites import webp

DRAWN, GUESS = 128, 64
"""Sides of a drawn picture, and of the piece of a photograph that stands for one, in pixels."""
COLUMNS = 8
EACH = 32
"""A place has about eight units: the fewer others come with them, the less is fetched to show them."""
QUALITY = 60


def sheets(folder: Folder, pictures: Sequence[PIL.Image.Image], side: int) -> dict[str, Any]:
    """Puts pictures on sheets into the folder, in order; what the page knows of them."""
    files = [_sheet(folder, pictures[first : first + EACH], side) for first in range(0, len(pictures), EACH)]
    return {"side": side, "columns": COLUMNS, "each": EACH, "count": len(pictures), "files": files}


def _sheet(folder: Folder, pictures: Sequence[PIL.Image.Image], side: int) -> str:
    rows = -(-len(pictures) // COLUMNS)
    whole = PIL.Image.new("RGB", (min(COLUMNS, len(pictures)) * side, rows * side), "white")
    for at, picture in enumerate(pictures):
        small = picture.convert("RGB").resize((side, side), PIL.Image.Resampling.LANCZOS)
        whole.paste(small, (at % COLUMNS * side, at // COLUMNS * side))
    return folder.picture(webp(whole, QUALITY, method=4))
