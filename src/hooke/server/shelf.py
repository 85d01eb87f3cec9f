"""The photographs at hand: those that the microscope was opened with, the last that were dropped on the page; and how a
second model sees them."""

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch

from hooke.errors import nearest
from hooke.server.recent import Recent
from hooke.server.refusals import Absent, Forbidden
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


class Mirror(Shelf):
    """The photographs of another shelf, under the same ids, at the size that another model takes; nothing is put here.

    What the first model sees is scaled, not cut anew: a place of it is the same place here.
    """

    def __init__(self, of: Shelf, shape: Sequence[int]) -> None:
        self._of, self._shape = of, tuple(shape)
        self._seen: Recent[str, Photograph] = Recent(2 * UPLOADS)

    @property
    def shown(self) -> list[Photograph]:
        """Those that the microscope was opened with."""
        return [self._scaled(photograph) for photograph in self._of.shown]

    def all(self) -> list[Photograph]:
        """Every photograph, uploads last."""
        return [self._scaled(photograph) for photograph in self._of.all()]

    def add(self, name: str, canvas: Canvas) -> Photograph:
        """Forbidden: photographs are dropped on the first model."""
        raise Forbidden(
            f"photograph {name}", "a second model sees the photographs of the first", next_step="drop it there"
        )

    def get(self, name: str) -> Photograph:
        """The photograph with this id; Absent names those that are here."""
        return self._scaled(self._of.get(name))

    def _scaled(self, photograph: Photograph) -> Photograph:
        if tuple(photograph.canvas.shape) == self._shape:
            return photograph
        known = self._seen.get(photograph.id)
        if known is None:
            size = self._shape[-2:]
            scaled = torch.nn.functional.interpolate(photograph.canvas[None], size, mode="bicubic", antialias=True)[0]
            known = self._seen.put(photograph.id, replace(photograph, canvas=scaled.clamp(0, 1)))
        return known


def _photograph(name: str, canvas: Canvas, *, uploaded: bool) -> Photograph:
    digest = hashlib.sha256(canvas.contiguous().numpy().tobytes()).hexdigest()
    return Photograph(digest[:16], _clean(name), canvas, uploaded)


def _clean(name: str) -> str:
    """A name fit to be shown: one line of at most 120 characters, without control characters."""
    visible = "".join(letter if unicodedata.category(letter)[0] != "C" else " " for letter in name)
    return " ".join(visible.split())[:120] or "photograph"
