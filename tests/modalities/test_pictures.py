"""Pictures of all kinds become RGB; damaged, huge and foreign files are refused by name, and soon."""

import contextlib
import io
import struct
import time
import zlib
from pathlib import Path

import numpy
import PIL.Image
import pytest

from hooke.errors import ImageError
from hooke.modalities.photographs import photographs
from hooke.modalities.pictures import BYTES, read_picture


def encoded(picture: PIL.Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, format=kind, **options)
    return file.getvalue()


def empty_png(width: int, height: int) -> bytes:
    """A PNG whose header promises more than its few bytes hold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_photograph_is_the_same_from_path_text_bytes_and_array(tmp_path: Path) -> None:
    cat = photographs()[0][1]
    file = tmp_path / "cat.png"
    file.write_bytes(encoded(cat))
    for source in (file, str(file), file.read_bytes(), cat, numpy.asarray(cat)):
        assert read_picture(source).tobytes() == cat.tobytes()


def test_exif_turns_the_picture() -> None:
    picture = PIL.Image.new("RGB", (20, 10), "black")
    picture.paste("white", (0, 0, 10, 10))
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # taken with the camera turned: rotate by 90 degrees clockwise to show
    upright = read_picture(encoded(picture, "PNG", exif=exif))
    assert upright.size == (10, 20)
    assert upright.getpixel((5, 2)) == (255, 255, 255)
    assert upright.getpixel((5, 17)) == (0, 0, 0)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparency_stands_over_white(kind: str) -> None:
    picture = PIL.Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    picture.putpixel((1, 1), (255, 0, 0, 255))
    options = {"lossless": True} if kind == "WEBP" else {}
    shown = read_picture(encoded(picture, kind, **options))
    assert (shown.mode, shown.getpixel((0, 0)), shown.getpixel((1, 1))) == ("RGB", (255, 255, 255), (255, 0, 0))


def test_a_palette_with_a_transparent_colour_stands_over_white() -> None:
    picture = PIL.Image.new("P", (2, 1))
    picture.putpalette([0, 0, 255, 255, 0, 0])
    picture.putpixel((1, 0), 1)
    shown = read_picture(encoded(picture, "PNG", transparency=0))
    assert (shown.getpixel((0, 0)), shown.getpixel((1, 0))) == ((255, 255, 255), (255, 0, 0))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_greys_keep_their_scale(kind: str) -> None:
    levels = numpy.array([[0, 257 * 51, 65535]], dtype=numpy.uint16)
    shown = read_picture(encoded(PIL.Image.fromarray(levels), kind))
    assert [shown.getpixel((column, 0)) for column in range(3)] == [(0, 0, 0), (51, 51, 51), (255, 255, 255)]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "HSV", "LAB", "F", "I", "I;16", "RGBa"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    assert read_picture(PIL.Image.new(mode, (3, 2))).mode == "RGB"


def test_arrays_of_bytes_16_bits_floats_and_truth_agree() -> None:
    for array in (
        numpy.array([[0, 255]], dtype=numpy.uint8),
        numpy.array([[0, 65535]], dtype=numpy.uint16),
        numpy.array([[0.0, 1.0]]),
        numpy.array([[False, True]]),
    ):
        assert list(read_picture(array).tobytes()) == [0, 0, 0, 255, 255, 255]


@pytest.mark.parametrize(
    "array",
    [
        numpy.zeros((4, 4, 2), dtype=numpy.uint8),
        numpy.zeros(4, dtype=numpy.uint8),
        numpy.zeros((0, 4, 3), dtype=numpy.uint8),
        numpy.full((4, 4), 2.0),
        numpy.full((4, 4), -0.1),
        numpy.full((4, 4), numpy.nan),
        numpy.zeros((4, 4), dtype=numpy.int64),
        numpy.zeros((4, 4), dtype=object),
    ],
)
def test_arrays_that_are_no_picture_are_refused(array: numpy.ndarray) -> None:
    with pytest.raises(ImageError):
        read_picture(array)


def test_a_text_file_is_no_picture(tmp_path: Path) -> None:
    file = tmp_path / "notes.jpg"
    file.write_text("these are my notes")
    with pytest.raises(ImageError, match=r"notes\.jpg.*no picture") as refusal:
        read_picture(file)
    assert "PNG" in refusal.value.choices


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_a_file_that_is_cut_short_is_refused_by_name(kind: str, tmp_path: Path) -> None:
    data = encoded(photographs()[0][1], kind)
    file = tmp_path / "holiday.picture"
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageError, match=r"holiday\.picture.*(damaged or cut short|no picture)"):
        read_picture(file)


@pytest.mark.parametrize("size", [(30_000, 30_000), (8_000, 8_000), (12_000, 12_000), (2**31 - 1, 1)])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels_are_refused_from_the_header(size: tuple[int, int]) -> None:
    start = time.monotonic()
    with pytest.raises(ImageError, match="50 megapixels"):
        read_picture(empty_png(*size), name="wall.png")
    assert time.monotonic() - start < 1


def test_too_many_pixels_in_an_array_are_refused() -> None:
    with pytest.raises(ImageError, match="50 megapixels"):
        read_picture(numpy.broadcast_to(numpy.uint8(0), (10_000, 10_000)))


def test_too_many_bytes_are_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "film.png"
    with file.open("wb") as hole:
        hole.truncate(BYTES + 1)
    with pytest.raises(ImageError, match=r"film\.png.*64 MB"):
        read_picture(file)
    with pytest.raises(ImageError, match="64 MB"):
        read_picture(bytes(BYTES + 1))


def test_a_missing_file_names_those_beside_it(tmp_path: Path) -> None:
    (tmp_path / "chelsea.png").touch()
    with pytest.raises(ImageError, match="no such file") as refusal:
        read_picture(tmp_path / "chelsae.png")
    assert refusal.value.choices == ("chelsea.png",)


@pytest.mark.parametrize(
    ("source", "reason"), [(b"", "empty"), ("https://example.org/cat.png", "network"), (Path("/"), "folder")]
)
def test_what_is_no_file_of_a_picture_says_why(source: bytes | str | Path, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        read_picture(source)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damage_anywhere_ends_in_a_picture_or_in_an_image_error() -> None:
    generator = numpy.random.default_rng(0)
    small = photographs()[0][1].resize((40, 30))
    exif = PIL.Image.Exif()
    exif[0x0112] = 3
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM"):
        whole = encoded(small, kind, **({} if kind in ("GIF", "BMP", "PPM", "TIFF") else {"exif": exif}))
        for _ in range(60):
            data = bytearray(whole)
            for place in generator.integers(0, min(len(data), 400), 3):
                data[place] = generator.integers(0, 256)
            with contextlib.suppress(ImageError):
                assert read_picture(bytes(data)).mode == "RGB"
