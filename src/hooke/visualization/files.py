"""A drawn picture as a file that says how it was made."""

import json
from io import BytesIO

import PIL.Image
from PIL.PngImagePlugin import PngInfo

from hooke.modalities.image import to_png
from hooke.results import Picture


def picture_png(picture: Picture, *, transparent: bool = False) -> bytes:
    """A PNG whose text chunk `hooke` holds, as JSON, what was measured of the picture, its key and its provenance."""
    facts = {
        "response": picture.response, "peak": picture.peak, "seconds": picture.seconds, "note": picture.note,
        "key": picture.provenance.key, "provenance": json.loads(picture.provenance.to_json()),
    }  # fmt: skip
    info = PngInfo()
    info.add_itxt("hooke", json.dumps(facts))
    encoded = BytesIO()
    PIL.Image.open(BytesIO(to_png(picture.image, transparent=transparent))).save(encoded, "PNG", pnginfo=info)
    return encoded.getvalue()
