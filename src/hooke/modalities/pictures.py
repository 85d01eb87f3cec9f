"""Reading pictures that strangers made: files, bytes and arrays become RGB, or a clear refusal."""

import io
import struct
from pathlib import Path
from typing import Any, TypeAlias

import numpy
import PIL.Image
import PIL.ImageOps
from numpy.typing import NDArray

from hooke.errors import ImageError, nearest

Array: TypeAlias = NDArray[Any]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF")
"""The formats that are read: none of them starts another program."""

PIXELS = 50_000_000
"""The most pixels that a picture may have; known from its header, before anything is decoded."""

BYTES = 64 * 1024 * 1024
"""The most bytes that a picture's file may have."""

DAMAGE = (OSError, ValueError, SyntaxError, struct.error, KeyError, IndexError, TypeError, EOFError, OverflowError)
"""What Pillow raises over damaged files."""


def read_picture(source: Path | str | bytes | PIL.Image.Image | Array, *, name: str = "") -> PIL.Image.Image:
    """The picture in RGB: turned as its EXIF says, over white where transparent, 16-bit greys scaled.

    An array is [height, width] or [height, width, 1, 3 or 4], as bytes, 16-bit or floats 0 to 1; of an animation
    the first frame is read. Errors: ImageError for what is no picture, is cut short, is over 50 megapixels or 64 MB.
    """
    if isinstance(source, PIL.Image.Image):
        return _decoded(source, name or "the picture")
    if isinstance(source, numpy.ndarray):
        return _from_array(source, name or "the array")
    if isinstance(source, bytes):
        label, data = name or "the picture", source
        _refuse_large(label, len(source))
    else:
        label, data = _file(Path(source), name)
    try:
        picture = PIL.Image.open(io.BytesIO(data), formats=FORMATS)
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as bomb:
        raise _too_many_pixels(label, str(bomb).split(", could be")[0]) from None
    except PIL.UnidentifiedImageError:
        reason = "it is empty" if not data else "it is no picture that can be read here"
        raise ImageError(
            label, reason, choices=FORMATS, next_step="give a photograph in one of these formats"
        ) from None
    except DAMAGE as damage:
        raise _damaged(label, damage) from damage
    return _decoded(picture, label)


def grey(plane: Array) -> NDArray[numpy.float32]:
    """A plane of numbers as floats 0 to 1: bytes over 255, 16-bit over 65,535, floats as they are.

    Errors: ImageError for floats outside 0 to 1, NaN and other kinds of number.
    """
    if plane.dtype == numpy.bool_:
        return plane.astype(numpy.float32)
    if plane.dtype.kind == "u" and plane.dtype.itemsize <= 2:
        return (plane / numpy.float32(numpy.iinfo(plane.dtype).max)).astype(numpy.float32)
    if plane.dtype.kind == "f":
        values: NDArray[numpy.float32] = plane.astype(numpy.float32)
        if bool(numpy.isfinite(values).all()) and values.min(initial=0) >= 0 and values.max(initial=0) <= 1:
            return values
        raise ImageError(
            "an array of floats", "its values are not all between 0 and 1", next_step="divide by its range"
        )
    raise ImageError(f"an array of {plane.dtype}", "it is not of bytes, 16-bit numbers or floats 0 to 1")


def _file(path: Path, name: str) -> tuple[str, bytes]:
    label = name or path.name or str(path)
    if "://" in str(path) or str(path).startswith(("http:/", "https:/")):
        raise ImageError(str(path), "pictures are not fetched from the network", next_step="save it and give the file")
    if path.is_dir():
        raise ImageError(str(path), "it is a folder", next_step="give one picture in it")
    try:
        if not path.is_file():
            beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            close = nearest(path.name, beside)
            raise ImageError(str(path), "there is no such file", choices=close, next_step="check the path")
        _refuse_large(label, path.stat().st_size)
        return label, path.read_bytes()
    except OSError as refusal:
        reason = f"it cannot be read ({refusal.strerror or refusal})"
        raise ImageError(str(path), reason, next_step="check its permissions") from refusal


def _refuse_large(label: str, size: int) -> None:
    if size > BYTES:
        raise ImageError(
            label,
            f"its {size / 2**20:,.0f} MB are over the limit of {BYTES // 2**20} MB",
            next_step="give a smaller copy",
        )


def _too_many_pixels(label: str, found: str) -> ImageError:
    return ImageError(
        label, f"{found}; the limit is {PIXELS // 1_000_000} megapixels", next_step="give a smaller copy of it"
    )


def _damaged(label: str, damage: Exception) -> ImageError:
    return ImageError(label, f"the picture is damaged or cut short ({damage})", next_step="save or copy the file again")


def _decoded(picture: PIL.Image.Image, label: str) -> PIL.Image.Image:
    """Decode after looking at the header's size; then one upright RGB picture."""
    width, height = picture.size
    if width * height > PIXELS:
        raise _too_many_pixels(label, f"it has {width:,} x {height:,} pixels")
    if width * height == 0:
        raise ImageError(label, f"it has {width} x {height} pixels", next_step="give a picture that shows something")
    try:
        picture.load()
        return _rgb(_upright(picture))
    except ImageError:
        raise
    except (*DAMAGE, PIL.Image.DecompressionBombError) as damage:
        raise _damaged(label, damage) from damage


def _upright(picture: PIL.Image.Image) -> PIL.Image.Image:
    try:
        return PIL.ImageOps.exif_transpose(picture)
    except DAMAGE:  # a broken EXIF block does not make the picture unreadable
        return picture


def _rgb(picture: PIL.Image.Image) -> PIL.Image.Image:
    if picture.mode in ("F", "I") or picture.mode.startswith("I;16"):
        return _from_array(_scaled(numpy.asarray(picture)), "a grey picture")
    if picture.has_transparency_data:
        layered = picture.convert("RGBA")
        white = PIL.Image.new("RGBA", layered.size, "white")
        return PIL.Image.alpha_composite(white, layered).convert("RGB")
    return picture.convert("RGB")


def _scaled(levels: Array) -> Array:
    """Grey levels of 16 bits, of 32-bit whole numbers or of floats as 16 bits or as floats 0 to 1."""
    if levels.dtype.kind == "f":
        low, high = float(numpy.nanmin(levels)), float(numpy.nanmax(levels))
        if low >= 0 and high <= 1:
            return levels
        return numpy.nan_to_num((levels - low) / max(high - low, 1e-12)).clip(0, 1)
    if levels.dtype == numpy.uint16:
        return levels
    return numpy.asarray(levels.clip(0, 65535), dtype=numpy.uint16)


def _from_array(array: Array, label: str) -> PIL.Image.Image:
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise ImageError(
            f"{label} of shape {tuple(array.shape)}", "a picture is [height, width] or [height, width, 1, 3 or 4]"
        )
    if array.shape[0] * array.shape[1] > PIXELS:
        raise _too_many_pixels(label, f"it has {array.shape[1]:,} x {array.shape[0]:,} pixels")
    levels = numpy.rint(grey(array) * 255).astype(numpy.uint8)
    if levels.shape[2] == 1:
        return PIL.Image.fromarray(levels[:, :, 0]).convert("RGB")
    return _rgb(PIL.Image.fromarray(levels))
