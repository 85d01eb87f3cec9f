"""The photographs at hand: those that the microscope was opened with, and the last that were dropped on the page."""

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from hooke.errors import nearest
from hooke.server.recent import Recent
from hooke.server.refusals import Absent
from hooke.shapes import Canvas

UPLOADS = 64


@dataclass(frozen=True, eq=False)
class Photograph:
    """One photograph as the model sees it; `id` is the first 16 hex digits of the SHA-256 of its canvas."""

    id: str
    name: str
    canvas: Canvas
    uploaded: bool


class Shelf:
    """Photographs by id. Uploads push out the oldest uploads, never the photographs given at first."""

    def __init__(self, photographs: Iterable[tuple[str, Canvas]]) -> None:
        shown = (_photograph(name, canvas, uploaded=False) for name, canvas in photographs)
        self._shown = {photograph.id: photograph for photograph in shown}
        self._uploads: Recent[str, Photograph] = Recent(UPLOADS)

    @property
    def shown(self) -> list[Photograph]:
        """Those that the microscope was opened with."""
        return list(self._shown.values())

    def all(self) -> list[Photograph]:
        """Every photograph, uploads last."""
        return self.shown + self._uploads.values()

    def add(self, name: str, canvas: Canvas) -> Photograph:
        """Keeps an upload; the one that is here already where the model sees no difference."""
        new = _photograph(name, canvas, uploaded=True)
        return self._shown.get(new.id) or self._uploads.get(new.id) or self._uploads.put(new.id, new)

    def get(self, name: str) -> Photograph:
        """The photograph with this id; Absent names those that are here."""
        found = self._shown.get(name) or self._uploads.get(name)
        if found is None:
            choices = nearest(name, [photograph.id for photograph in self.all()])
            reason = "there is no such photograph, or newer ones took its place"
            raise Absent(f"image {name}", reason, choices=choices, next_step="drop the photograph on the page again")
        return found


def _photograph(name: str, canvas: Canvas, *, uploaded: bool) -> Photograph:
    digest = hashlib.sha256(canvas.contiguous().numpy().tobytes()).hexdigest()
    return Photograph(digest[:16], _clean(name), canvas, uploaded)


def _clean(name: str) -> str:
    """A name fit to be shown: one line of at most 120 characters, without control characters."""
    visible = "".join(letter if unicodedata.category(letter)[0] != "C" else " " for letter in name)
    return " ".join(visible.split())[:120] or "photograph"
