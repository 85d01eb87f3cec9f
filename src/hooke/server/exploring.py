"""The microscope over a model that is open already: its application, its address, its window."""

import os
import sys
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hooke.server.serving import address, bind, serve

if TYPE_CHECKING:
    import PIL.Image
    from fastapi import FastAPI

    from hooke.models.model import Model
    from hooke.responses.recording import Recording
    from hooke.storage.store import Store


def application(
    model: "Model", photographs: "Sequence[Path | str | PIL.Image.Image]", store: "Store | None",
    recording: "Recording | Path | str | None", beside: "Model | None" = None, hosts: Sequence[str] = (),
) -> "FastAPI":  # fmt: skip
    """The application over photographs, or over those that ship with scikit-image.

    Errors: RecordingError for a recording of another model, ImageError for a picture that cannot be read.
    """
    from hooke.modalities.image import photographs as shipped
    from hooke.modalities.image import read_picture
    from hooke.responses.recording import open_recording
    from hooke.server.app import create_app
    from hooke.storage.store import Store

    known = open_recording(recording) if isinstance(recording, Path | str) else recording
    read = [(_name(one, number), read_picture(one)) for number, one in enumerate(photographs, start=1)]
    return create_app(model, read or shipped(), store or Store(), hosts=hosts, recording=known, other=beside)


def serve_here(make: Callable[[], "FastAPI"], host: str, port: int, browser: bool) -> None:
    """Serves an application until Ctrl-C; prints its address, and opens it where a browser has a window to open.

    The port is taken before the application is made. Errors: ServeError for a port or host that cannot be had.
    """
    with bind(host, port) as sock:
        app = make()
        print(f"{address(sock)}   (Ctrl-C stops)", flush=True)
        if browser:
            open_window(address(sock))
        serve(app, sock)


def open_window(url: str) -> bool:
    """Opens the page in a browser with a window; False where there is none, or nobody at the terminal to see it."""
    screen = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    return screen and sys.stdout.isatty() and webbrowser.open(url)


def _name(photograph: object, number: int) -> str:
    return Path(photograph).stem if isinstance(photograph, str | Path) else f"photograph {number}"
