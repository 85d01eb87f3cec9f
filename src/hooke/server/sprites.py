"""Many small pictures on one sheet, as a data: URL."""

import base64
import io
from collections.abc import Sequence

import numpy
import PIL.Image

from hooke.shapes import Canvas


def picture_of(canvas: Canvas) -> PIL.Image.Image:
    """A canvas (values 0 to 1) as an RGB picture (no torch: every thread that uses it has threads of its own)."""
    levels = numpy.rint(canvas.cpu().numpy().clip(0, 1) * 255).astype(numpy.uint8).transpose(1, 2, 0)
    return PIL.Image.fromarray(levels if levels.shape[2] == 3 else levels[:, :, 0]).convert("RGB")


def sheet(pictures: Sequence[PIL.Image.Image], side: int, columns: int, quality: int = 72) -> str:
    """The pictures in rows of `columns`, each `side` pixels wide and high; transparent where they are."""
    rows = max(1, -(-len(pictures) // columns))
    whole = PIL.Image.new("RGBA", (columns * side, rows * side))
    for at, picture in enumerate(pictures):
        small = picture.convert("RGBA").resize((side, side), PIL.Image.Resampling.BILINEAR)
        whole.paste(small, (at % columns * side, at // columns * side))
    return data_url(whole, quality, method=2)


def data_url(picture: PIL.Image.Image, quality: int, method: int) -> str:
    """A picture as a WebP in a data: URL; the larger `method` (0 to 6), the smaller and the slower."""
    return "data:image/webp;base64," + base64.b64encode(webp(picture, quality, method)).decode()


def webp(picture: PIL.Image.Image, quality: int, method: int) -> bytes:
    """A picture as the bytes of a WebP file."""
    file = io.BytesIO()
    picture.save(file, format="WEBP", quality=quality, method=method)
    return file.getvalue()
