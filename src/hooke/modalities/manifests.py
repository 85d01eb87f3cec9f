"""Manifests: a table of pictures in CSV or JSON lines, with their labels, groups and masks."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hooke.errors import DataError
from hooke.modalities.samples import FileSamples, Row

COLUMNS = ("path", "label", "group", "mask")
ENDINGS = frozenset({".csv", ".tsv", ".jsonl", ".ndjson"})


def from_manifest(file: Path) -> FileSamples:
    """The pictures that a manifest lists, in its order.

    Columns are path, label, group and mask (all but path may be left out); others are passed over. Paths are relative
    to the manifest's folder. A row that cannot be understood is a sample that cannot be read, under its line's name.
    Errors: DataError for a manifest that cannot be read, has no column `path`, or lists nothing.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as refusal:
        reason = refusal.strerror if isinstance(refusal, OSError) else "it is not UTF-8 text"
        raise DataError(str(file), f"the manifest cannot be read ({reason})") from refusal
    lines = _csv(file, text) if file.suffix.lower() in (".csv", ".tsv") else _jsonl(file, text)
    rows = [_row(file, line, entry) for line, entry in lines]
    if not rows:
        raise DataError(str(file), "the manifest lists no pictures", next_step="one line a picture: path,label,group")
    return FileSamples(rows, file)


def _csv(file: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """(line, columns or what is wrong with the line)."""
    reader = csv.DictReader(text.splitlines(keepends=True), delimiter="\t" if file.suffix.lower() == ".tsv" else ",")
    columns = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    if "path" not in columns:
        raise DataError(
            str(file),
            "it has no column `path`",
            choices=columns,
            next_step=f"the first line names {', '.join(COLUMNS)}",
        )
    try:
        for entry in reader:
            extra = None in entry
            yield reader.line_num, "it has more cells than there are columns" if extra else entry
    except csv.Error as error:
        yield reader.line_num, f"the rest cannot be read: {error}"


def _jsonl(file: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """(line, columns or what is wrong with the line)."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except ValueError as error:
            yield number, f"it is not JSON: {error}"
            continue
        yield number, entry if isinstance(entry, dict) else "it is not a JSON object"


def _row(file: Path, line: int, entry: Mapping[str, Any] | str) -> Row:
    name = f"{file.name} line {line}"
    if isinstance(entry, str):
        return Row(name, None, fault=entry)
    cells: dict[str, str | None] = {}
    for column in COLUMNS:
        cell = entry.get(column)
        if cell is not None and not isinstance(cell, str | int | float):
            return Row(name, None, fault=f"its {column} is neither text nor a number")
        cells[column] = None if cell is None else str(cell).strip() or None
    path, mask = cells["path"], cells["mask"]
    if path is None:
        return Row(name, None, fault="it names no path")
    masked = None if mask is None else file.parent / mask
    return Row(path, file.parent / path, cells["label"], cells["group"], masked)
