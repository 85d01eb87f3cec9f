"""`hooke explore`: the microscope in the browser, listening before anything heavy is loaded."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from hooke.cli.measuring import recorded
from hooke.cli.options import DEFAULT_MODEL, Device, Json, Precision, Recording, Trust
from hooke.cli.report import emit, opening, say
from hooke.errors import ImageError

if TYPE_CHECKING:
    import PIL.Image

PICTURES = frozenset({".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})
MOST = 60
"""Photographs shown at once; each is analysed when the microscope opens."""


def explore(
    model: Annotated[str, Argument(metavar="MODEL", help="As for the other commands.")] = DEFAULT_MODEL,
    images: Annotated[
        list[Path] | None, Argument(metavar="IMAGES", help="Pictures, or folders of them. Default: a shipped few.")
    ] = None,
    port: Annotated[int, Option(help="Port to serve at; 0 takes any free one.")] = 8742,
    host: Annotated[str, Option(help="Address to serve at; 127.0.0.1 is this machine only.")] = "127.0.0.1",
    no_browser: Annotated[bool, Option("--no-browser", help="Only print the address.")] = False,
    recording: Recording = None,
    beside: Annotated[
        str | None, Option(metavar="MODEL", help="A second model or checkpoint, shown beside the first.")
    ] = None,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Open the microscope: move over a photograph and see which units fire there and what each looks for."""
    from hooke.server.exploring import open_window
    from hooke.server.serving import address, bind, serve

    model, paths = meant(model, images)
    sock = bind(host, port)
    try:
        url = address(sock)
        emit({"address": url, "model": model}, indent=None) if as_json else print(f"{url}   (Ctrl-C stops)", flush=True)
        with opening(model):
            from hooke.models.opening import open
            from hooke.server.app import create_app
            from hooke.storage.store import Store

            known = recorded(recording)
            opened = open(model, device=device, precision=precision, trust=trust)
            other = open(beside, device=device, precision=precision, trust=trust) if beside else None
            app = create_app(opened, photographs(paths), Store(), hosts=(host,), recording=known, other=other)
        if not (no_browser or as_json):
            open_window(url)
        serve(app, sock)
    finally:
        sock.close()


def meant(model: str, images: Sequence[Path] | None) -> tuple[str, list[Path]]:
    """The model and the pictures: what is a file or folder, as in `hooke explore cat.jpg`, is no model."""
    paths = list(images or [])
    return (DEFAULT_MODEL, [Path(model), *paths]) if Path(model).exists() else (model, paths)


def photographs(paths: Sequence[Path]) -> "list[tuple[str, PIL.Image.Image]]":
    """The readable pictures with their names, or where there are none the shipped ones, and that is told."""
    from hooke.modalities.image import photographs as shipped

    read = readable(paths)
    if paths and not read:
        say("none of these pictures can be read: showing the shipped ones")
    return read or shipped()


def readable(paths: Sequence[Path]) -> "list[tuple[str, PIL.Image.Image]]":
    """The readable pictures with their names; what cannot be read is told on stderr, with the reason."""
    from hooke.modalities.image import read_picture

    read: list[tuple[str, PIL.Image.Image]] = []
    for file in _files(paths):
        if len(read) == MOST:
            say(f"hooke: only the first {MOST} pictures are shown; drop others on the page")
            break
        try:
            read.append((file.stem, read_picture(file)))
        except ImageError as error:
            say(f"left out: {error.request}: {error.reason}")
    return read


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Files as given; of folders, the pictures at any depth, by name, without hidden ones."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in PICTURES)
        shown = [file for file in inside if not any(part.startswith(".") for part in file.relative_to(path).parts)]
        if not shown:
            say(f"left out: {path}: no pictures in this folder")
        yield from shown
