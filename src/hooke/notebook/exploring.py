"""`hooke.explore`: the microscope over a model that is open already, in a cell of a notebook or in a browser."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from hooke.errors import ServeError
from hooke.server.exploring import application, serve_here

if TYPE_CHECKING:
    import PIL.Image

    from hooke.models.model import Model
    from hooke.notebook.widget import Explorer
    from hooke.responses.recording import Recording
    from hooke.storage.store import Store


def explore(
    model: "Model", photographs: "Sequence[Path | str | PIL.Image.Image]" = (), *, host: str = "127.0.0.1",
    port: int = 8742, browser: bool = True, store: "Store | None" = None,
    recording: "Recording | Path | str | None" = None, view: str = "/", height: int = 820,
    beside: "Model | None" = None,
) -> "Explorer | None":  # fmt: skip
    """In a notebook: the microscope as a widget, without a server or port. Elsewhere: serve it until Ctrl-C.

    Without `photographs` those that ship with scikit-image are shown. Drawings are kept in `store` (None: the
    user's). `recording`: what the model did over data (`hooke.record`), or its folder; it feeds dataset examples,
    densities and selectivity. `beside`: a second model, to see the same photographs by. `view` (as in the address of
    the page) and `height` (pixels) are the widget's; `host`, `port` and `browser` (open a window) the server's.
    Errors: RecordingError for a recording of another model, ServeError for a port or host that cannot be had and for a
    widget that cannot be made, ImageError for a picture that cannot be read.
    """
    if not in_notebook():
        serve_here(lambda: application(model, photographs, store, recording, beside, (host,)), host, port, browser)
        return None
    if find_spec("anywidget") is None:
        reason = "the package anywidget, which shows it, is not installed"
        raise ServeError("explore in a notebook", reason, next_step="pip install 'hooke[notebook]'")
    from hooke.notebook.widget import Explorer

    return Explorer(application(model, photographs, store, recording, beside), view=view, height=height)


def in_notebook() -> bool:
    """Whether a kernel runs this, so that a page shows what it displays."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if getattr(shell, "kernel", None) is not None:
        return True
    marimo = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())
