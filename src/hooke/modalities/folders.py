"""Folders of pictures: every picture at any depth, its label from the folder that it lies in."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from hooke.errors import DataError
from hooke.modalities.samples import FileSamples, Row

PICTURES = frozenset(
    {
        ".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif",
        ".tiff", ".webp",
    }
)  # fmt: skip
"""The endings of the files that are taken for pictures."""

_WORDNET = re.compile(r"n\d{8}")


def from_folder(folder: Path) -> FileSamples:
    """The pictures of a folder and its folders, sorted by name, without hidden ones; other files are passed over.

    A picture's label is the folder directly inside `folder` that it lies in (none for a picture in `folder` itself).
    Where a folder on the way is named by a WordNet id (n02124075), that one counts, and the label is its English
    name; the group is then one of the plain ones (dog, bird, vehicle, ...) of `hooke.modalities.wordnet`.
    A folder that cannot be read is a sample that cannot be read. DataError where there is no picture at all.
    """
    found = list(_walk(folder))
    if not found:
        endings = ", ".join(sorted(PICTURES))
        raise DataError(str(folder), "there are no pictures in this folder", next_step=f"pictures end in {endings}")
    ids = {part for row in found for part in row.name.split("/")[:-1] if _WORDNET.fullmatch(part)}
    names, groups = _wordnet(ids)
    return FileSamples([_labelled(row, names, groups) for row in found], folder)


def _walk(folder: Path) -> Iterator[Row]:
    """The pictures below a folder, by name; links are followed, but no folder is entered twice."""
    faults: list[OSError] = []
    entered: set[str] = set()
    rows = []
    for place, folders, files in os.walk(folder, onerror=faults.append, followlinks=True):
        here = os.path.realpath(place)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if here not in entered else []
        if here in entered:
            continue
        entered.add(here)
        for name in files:
            path = Path(place, name)
            if path.suffix.lower() in PICTURES and not name.startswith("."):
                rows.append(Row(_name(path, folder), path))
    for fault in faults:
        reason = f"this folder cannot be read ({fault.strerror or fault})"
        rows.append(Row(_name(Path(fault.filename), folder), None, fault=reason))
    yield from sorted(rows, key=lambda row: row.name)


def _name(path: Path, folder: Path) -> str:
    """The path below the folder, as text that can be written anywhere."""
    inside = path.relative_to(folder).as_posix() if path != folder else path.name
    return inside.encode(errors="backslashreplace").decode()


def _wordnet(ids: set[str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """English names and plain groups of WordNet ids."""
    if not ids:
        return {}, {}
    from hooke.modalities.wordnet import groups, names

    return names(ids), groups(ids)


def _labelled(row: Row, names: Mapping[str, str], groups: Mapping[str, str]) -> Row:
    if row.path is None:
        return row
    folders = row.name.split("/")[:-1]
    named = next((part for part in reversed(folders) if part in names), None)
    if named is not None:
        return Row(row.name, row.path, names[named], groups.get(named))
    return Row(row.name, row.path, folders[0] if folders else None)
