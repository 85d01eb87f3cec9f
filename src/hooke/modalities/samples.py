"""Samples: many inputs, each read when it is asked for, with what is known of it beforehand."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import PIL.Image
from jaxtyping import Float
from torch import Tensor

from hooke.errors import DataError
from hooke.modalities.image import Image, read_picture
from hooke.shapes import Canvas

TAIL = 4096
"""Bytes at the end of a file that go into the key."""


class Samples(ABC):
    """Inputs in a fixed order, with names, labels and groups; can be pickled, so that worker processes read them.

    What cannot be read is an ImageError or DataError of that one sample, when it is read and not before.
    """

    names: tuple[str, ...]
    """Of each sample, in order."""
    labels: tuple[str | None, ...]
    """What each sample shows; None where that is not known."""
    groups: tuple[str | None, ...]
    """A coarser label, or any other grouping."""

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self):,} samples, {len(set(self.labels) - {None}):,} labels>"

    @property
    @abstractmethod
    def key(self) -> str:
        """SHA-256 (64 hex digits) of what the samples are; each kind says of what."""

    @property
    @abstractmethod
    def place(self) -> str:
        """Where the samples lie, as `dataset` takes it; "" where that is no place on a disk."""

    @abstractmethod
    def picture(self, index: int) -> PIL.Image.Image:
        """One sample as an RGB picture, whole."""

    @abstractmethod
    def read(self, index: int, modality: Image) -> Canvas:
        """One sample as the model's canvas (float32, values 0 to 1)."""

    def mask(self, index: int, modality: Image) -> Float[Tensor, "height width"] | None:
        """The mask of one sample (0 to 1), cut as its canvas is; None where it has none."""
        self._check(index)
        return None

    def _check(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise DataError(f"sample {index}", f"there are {len(self):,} samples: 0 to {len(self) - 1}")
        return index


@dataclass(frozen=True)
class Row:
    """One picture in a file. `fault` says why there is none: reading the sample raises it."""

    name: str
    path: Path | None
    label: str | None = None
    group: str | None = None
    mask: Path | None = None
    fault: str = ""


class FileSamples(Samples):
    """Pictures in files.

    The key is of names, labels, groups, masks, file sizes and the last 4 KB of each file: it survives a copy of the
    files to another place and finds a file that was saved again, without reading all of the data.
    """

    def __init__(self, rows: Iterable[Row], place: Path | str) -> None:
        self.rows = tuple(rows)
        self.names = tuple(row.name for row in self.rows)
        self.labels = tuple(row.label for row in self.rows)
        self.groups = tuple(row.group for row in self.rows)
        self._place = str(place)

    @property
    def place(self) -> str:
        """The folder or manifest."""
        return self._place

    @cached_property
    def key(self) -> str:
        """SHA-256 of names, labels, groups, masks, file sizes and the last 4 KB of each file."""
        digest = hashlib.sha256()
        for row in self.rows:
            mask = "" if row.mask is None else row.mask.name
            for text in (row.name, row.label, row.group, mask, row.fault):
                digest.update(repr(text).encode() + b"\0")
            for path in (row.path, row.mask):
                digest.update(_end(path))
        return digest.hexdigest()

    def picture(self, index: int) -> PIL.Image.Image:
        """One picture in RGB. Errors: ImageError for a broken file, DataError for a broken row."""
        row = self.rows[self._check(index)]
        if row.path is None:
            raise DataError(row.name, row.fault)
        return read_picture(row.path, name=row.name)

    def read(self, index: int, modality: Image) -> Canvas:
        """One picture as the model's canvas. Errors: ImageError for a broken file, DataError for a broken row."""
        return modality.canvas(self.picture(index))

    def mask(self, index: int, modality: Image) -> Float[Tensor, "height width"] | None:
        """The mask of one sample (0 to 1), cut as its canvas is; None where the manifest names none."""
        row = self.rows[self._check(index)]
        return None if row.mask is None else modality.canvas(read_picture(row.mask)).mean(0)


def digest_of(parts: Sequence[object]) -> str:
    """SHA-256 (64 hex digits) of the parts' Python forms, or of their bytes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update((part if isinstance(part, bytes) else repr(part).encode()) + b"\0")
    return digest.hexdigest()


def _end(path: Path | None) -> bytes:
    """Size and last bytes of a file; a mark where there is none."""
    if path is None:
        return b"-"
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL))
            return str(size).encode() + b"\0" + file.read()
    except OSError:
        return b"unreadable"
