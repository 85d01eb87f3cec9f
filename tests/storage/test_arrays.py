"""Arrays on disk: what was written is read, blocks are idempotent, damage is found."""

import hashlib
from pathlib import Path

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooke.errors import NumericsError, StoreError
from hooke.storage.arrays import Rows, chunk_rows


def tree(folder: Path) -> dict[str, str]:
    """The hash of every file."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.fixture
def values() -> numpy.ndarray:
    return numpy.random.default_rng(0).normal(size=(10, 3)).astype(numpy.float32)


def test_blocks_in_any_order_and_twice_give_the_same_bytes(tmp_path: Path, values: numpy.ndarray) -> None:
    whole = Rows.create(tmp_path / "a", (10, 3), rows=4)
    whole.write(0, values)
    parts = Rows.create(tmp_path / "b", (10, 3), rows=4)
    for start, end in ((8, 10), (0, 4), (4, 8), (0, 4)):
        parts.write(start, values[start:end])
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    again = Rows.open(tmp_path / "b")
    assert numpy.array_equal(again.read(), values.astype(numpy.float16).astype(numpy.float32))
    assert numpy.array_equal(again.column(1), again.read()[:, 1])
    assert again.missing() == ()


def test_an_array_that_is_there_is_gone_on_with(tmp_path: Path, values: numpy.ndarray) -> None:
    Rows.create(tmp_path / "a", (10, 3), rows=4).write(0, values[:4])
    resumed = Rows.create(tmp_path / "a", (10, 3), rows=4)
    assert resumed.missing() == (4, 8)
    assert numpy.isnan(resumed.read(4)).all()
    resumed.write(4, values[4:])
    assert resumed.missing() == ()
    with pytest.raises(StoreError, match="there is another one"):
        Rows.create(tmp_path / "a", (11, 3), rows=4)


def test_a_block_of_zeros_or_nan_counts_as_written(tmp_path: Path) -> None:
    rows = Rows.create(tmp_path / "a", (4, 2), rows=2)
    rows.write(0, numpy.full((2, 2), numpy.nan, numpy.float32))
    rows.write(2, numpy.zeros((2, 2), numpy.float32))
    assert rows.missing() == ()


@pytest.mark.parametrize(("start", "count", "width"), [(1, 4, 3), (0, 3, 3), (8, 4, 3), (0, 4, 2)])
def test_a_block_that_does_not_fit_is_refused(tmp_path: Path, start: int, count: int, width: int) -> None:
    with pytest.raises(StoreError, match="whole chunks"):
        Rows.create(tmp_path / "a", (10, 3), rows=4).write(start, numpy.zeros((count, width), numpy.float32))


def test_what_half_precision_cannot_hold_is_refused_and_infinity_is_kept(tmp_path: Path) -> None:
    rows = Rows.create(tmp_path / "a", (1, 2))
    with pytest.raises(NumericsError, match="float32"):
        rows.write(0, numpy.array([[1e5, 0]], numpy.float32))
    rows.write(0, numpy.array([[numpy.inf, 65504]], numpy.float32))
    assert rows.read().tolist() == [[numpy.inf, 65504]]
    wide = Rows.create(tmp_path / "b", (1, 2), dtype="float32")
    wide.write(0, numpy.array([[1e5, 0]], numpy.float32))
    assert wide.read()[0, 0] == 1e5


def test_a_damaged_chunk_is_found(tmp_path: Path, values: numpy.ndarray) -> None:
    Rows.create(tmp_path / "a", (10, 3), rows=10).write(0, values)
    (chunk,) = (tmp_path / "a" / "c").rglob("0/0")
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        Rows.open(tmp_path / "a").read()


def test_what_is_no_array_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no array"):
        Rows.open(tmp_path / "none")
    (tmp_path / "zarr.json").write_text("{")
    with pytest.raises(StoreError, match="damaged"):
        Rows.open(tmp_path)


@settings(max_examples=25)
@given(st.integers(1, 10**6), st.integers(1, 10**7))
def test_chunks_are_about_four_megabytes(count: int, width: int) -> None:
    rows = chunk_rows((count, width))
    assert 1 <= rows <= count
    assert rows == 1 or rows * width * 2 <= 4 * 2**20
