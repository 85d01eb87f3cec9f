"""A drawing while it sharpens, as a film: WebP, GIF, APNG by Pillow, MP4 by imageio where its ffmpeg is installed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import PIL.Image

from hooke.errors import HookeError
from hooke.shapes import Canvas

FORMATS = ("webp", "gif", "png", "mp4")
LAST = 8
"""Frames for which the last picture stays."""


def animate(frames: Sequence[Canvas], file: Path | str, rate: float = 12.0) -> Path:
    """Writes pictures (1 or 3 channels, values 0 to 1, all of one size) as a film of `rate` frames a second.

    The ending of `file` says which kind. The last picture stays for `LAST` frames more. Errors: HookeError for no
    frames, another ending, or MP4 without imageio's ffmpeg.
    """
    path = Path(file)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise HookeError(f"an animation as {path.name}", "its ending is no kind of film", choices=FORMATS)
    if not frames or rate <= 0:
        raise HookeError(f"an animation as {path.name}", "it needs a frame at least, and a rate above 0")
    pictures = [_pixels(canvas) for canvas in [*frames, *[frames[-1]] * LAST]]
    if kind == "mp4":
        _film(pictures, path, rate)
        return path
    images = [PIL.Image.fromarray(pixels) for pixels in pictures]
    quality: dict[str, Any] = {"quality": 90, "method": 4} if kind == "webp" else {}
    images[0].save(path, save_all=True, append_images=images[1:], duration=round(1000 / rate), loop=0, **quality)
    return path


def _pixels(canvas: Canvas) -> "numpy.typing.NDArray[numpy.uint8]":
    """Bytes [height, width, 3]."""
    planes = canvas.detach().clamp(0, 1).mul(255).round().byte().cpu().numpy()
    return numpy.ascontiguousarray(numpy.broadcast_to(planes[:3], (3, *planes.shape[1:])).transpose(1, 2, 0))


def _film(pictures: "Sequence[numpy.typing.NDArray[numpy.uint8]]", path: Path, rate: float) -> None:
    try:
        import imageio

        writer = imageio.get_writer(path, format="FFMPEG", fps=rate, macro_block_size=2)
    except (ImportError, ValueError) as missing:
        raise HookeError(
            f"an animation as {path.name}", "writing MP4 needs imageio with ffmpeg, which is not installed",
            choices=FORMATS[:-1], next_step="pip install imageio[ffmpeg], or choose another kind",
        ) from missing  # fmt: skip
    with writer:
        for pixels in pictures:
            writer.append_data(pixels)
