"""Arrays in chunks on disk (Zarr 3): rows are written block by block, any block again with the same outcome.

A block is a whole number of chunks, and a chunk is a file that appears at once and whole, so a writer that was killed
leaves nothing half-written and several writers of different blocks never meet. Every chunk carries a checksum.
"""

from pathlib import Path
from typing import Any, TypeAlias

import numpy
import zarr
import zarr.codecs
import zarr.errors
from numpy.typing import NDArray

from hooke.errors import NumericsError, StoreError

Numbers: TypeAlias = NDArray[Any]

BYTES = 4 * 2**20
"""About how large a chunk is before it is compressed."""


class Rows:
    """An array on disk whose first axis is written in blocks; half precision unless said otherwise.

    `shape` is the whole array's; a chunk holds `rows` whole rows. Rows that were never written read as NaN.
    """

    def __init__(self, array: "zarr.Array[Any]", folder: Path) -> None:
        self.array = array
        self.folder = folder

    def __repr__(self) -> str:
        return f"<Rows {self.shape} {self.array.dtype} at {self.folder}>"

    @classmethod
    def create(cls, folder: Path, shape: tuple[int, ...], *, rows: int | None = None, dtype: str = "float16") -> "Rows":
        """A new array, or the one that is there already if it is of the same form; `rows` None: chunks of about 4 MB.

        Errors: StoreError where another array is there, or nothing can be written.
        """
        if rows is None:
            rows = chunk_rows(shape, dtype)
        if (folder / "zarr.json").exists():
            found = cls.open(folder, writable=True)
            if (found.shape, found.rows, str(found.array.dtype)) != (tuple(shape), rows, dtype):
                raise StoreError(
                    f"an array of {tuple(shape)} in {folder}",
                    f"there is another one: {found.shape}, {found.rows} rows a chunk, {found.array.dtype}",
                    next_step="take another folder",
                )
            return found
        try:
            array = zarr.create_array(
                store=str(folder), shape=tuple(shape), chunks=(rows, *shape[1:]), dtype=dtype, fill_value=numpy.nan,
                compressors=[zarr.codecs.ZstdCodec(level=1), zarr.codecs.Crc32cCodec()],
                config={"write_empty_chunks": True},
            )  # fmt: skip
        except OSError as refusal:
            raise _refused(folder, refusal) from refusal
        return cls(array, folder)

    @classmethod
    def open(cls, folder: Path, *, writable: bool = False) -> "Rows":
        """The array in a folder. Errors: StoreError where there is none, or it is damaged."""
        try:
            array = zarr.open_array(str(folder), mode="r+" if writable else "r")
        except (OSError, ValueError, KeyError, TypeError, zarr.errors.BaseZarrError) as failure:
            reason = "there is no array" if not (folder / "zarr.json").exists() else "its description is damaged"
            raise StoreError(f"the array {folder}", reason, next_step="record again") from failure
        return cls(array.with_config({"write_empty_chunks": True}), folder)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole array."""
        return tuple(self.array.shape)

    @property
    def rows(self) -> int:
        """Rows in one chunk; blocks start at a multiple of it."""
        return int(self.array.chunks[0])

    def write(self, start: int, block: Numbers) -> None:
        """Put the rows of a block in place, from row `start`; the same block again changes nothing.

        Errors: StoreError for a block that does not fit or does not cover whole chunks, or a full disk; NumericsError
        where a finite number does not fit the array's precision (over 65,504 in half precision).
        """
        end = start + len(block)
        whole = start % self.rows == 0 and (end % self.rows == 0 or end == self.shape[0])
        if block.shape[1:] != self.shape[1:] or end > self.shape[0] or not whole:
            raise StoreError(
                f"rows {start} to {end} of {block.shape[1:]} in {self.folder}",
                f"the array is {self.shape}, and a block covers whole chunks of {self.rows} rows",
            )
        with numpy.errstate(over="ignore"):
            stored = block.astype(self.array.dtype)
        if bool((numpy.isinf(stored) & numpy.isfinite(block)).any()):
            largest = float(numpy.abs(block[numpy.isfinite(block)]).max())
            raise NumericsError(
                f"rows {start} to {end} in {self.folder}",
                f"{largest:.4g} does not fit {self.array.dtype}",
                next_step="keep statistics only, or store float32",
            )
        try:
            self.array[start:end] = stored
        except OSError as refusal:
            raise _refused(self.folder, refusal) from refusal

    def read(self, start: int = 0, end: int | None = None) -> Numbers:
        """Rows `start` up to `end`, as float32. Errors: StoreError where a chunk is damaged."""
        return numpy.asarray(self._get((slice(start, end),)), dtype=numpy.float32)

    def column(self, channel: int) -> Numbers:
        """One channel (the second axis) of every row, as float32. Errors: StoreError where a chunk is damaged."""
        return numpy.asarray(self._get((slice(None), channel)), dtype=numpy.float32)

    def missing(self) -> tuple[int, ...]:
        """The first rows of the chunks that were never written."""
        name = self.folder / "c"
        rest = ["0"] * (len(self.shape) - 1)
        starts = range(0, self.shape[0], self.rows)
        return tuple(start for start in starts if not name.joinpath(str(start // self.rows), *rest).is_file())

    def _get(self, selection: tuple[Any, ...]) -> Any:
        try:
            return self.array[selection]
        except (OSError, ValueError, RuntimeError) as failure:
            reason = f"a chunk is damaged ({failure})"
            raise StoreError(f"the array {self.folder}", reason, next_step="record again") from failure


def chunk_rows(shape: tuple[int, ...], dtype: str = "float16") -> int:
    """Rows of a chunk of about 4 MB: at least 1, at most all."""
    row = numpy.dtype(dtype).itemsize * int(numpy.prod(shape[1:]))
    return max(1, min(shape[0], BYTES // max(1, row)))


def _refused(folder: Path, refusal: OSError) -> StoreError:
    reason = f"it cannot be written ({refusal.strerror or refusal})"
    return StoreError(f"the array {folder}", reason, next_step="free some room, or take another folder")
