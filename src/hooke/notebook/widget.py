"""The microscope as a widget: the page in a cell, its questions as messages to the kernel."""

from collections.abc import Sequence
from typing import Any

import anywidget
from fastapi import FastAPI
from traitlets import Int, Unicode

from hooke.errors import ServeError
from hooke.notebook.line import Line
from hooke.server.app import STATIC


class Explorer(anywidget.AnyWidget):
    """`view` is what is looked at, as in the address of the page: read it, or set it and the widget follows.

    `close()` ends its threads. Errors: ServeError where the page was not built.
    """

    _esm = Unicode().tag(sync=True)
    view = Unicode("/").tag(sync=True)
    height = Int(820).tag(sync=True)

    def __init__(self, app: FastAPI, *, view: str = "/", height: int = 820) -> None:
        super().__init__(_esm=_script(), view=view, height=height)
        self._line: Line | None = Line(app, lambda said, buffers: self.send(said, buffers))
        self.on_msg(self._hear)

    def _hear(self, _: object, message: dict[str, Any], buffers: Sequence[memoryview | bytes]) -> None:
        if self._line is not None:
            self._line.hear(message, bytes(buffers[0]) if buffers else b"")

    def close(self) -> None:
        """The widget disappears, and what it had in the background ends."""
        line, self._line = getattr(self, "_line", None), None
        if line is not None:
            line.close()
        super().close()


def _script() -> str:
    """The page as one module."""
    file = STATIC / "notebook.js"
    if not file.is_file():
        raise ServeError("explore in a notebook", "the page was never built", next_step="make web")
    return file.read_text(encoding="utf-8")
