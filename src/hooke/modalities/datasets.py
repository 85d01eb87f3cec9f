"""The one door for data: a folder, a manifest, a torch dataset or a few pictures become samples."""

import os
from pathlib import Path
from typing import Any

from hooke.errors import DataError, nearest
from hooke.modalities.folders import PICTURES, from_folder
from hooke.modalities.items import IndexedSamples, StreamedSamples
from hooke.modalities.manifests import ENDINGS, from_manifest
from hooke.modalities.samples import FileSamples, Row, Samples

__all__ = ["FileSamples", "Samples", "dataset"]


def dataset(source: Any = None) -> Samples:
    """Samples from a folder, a tree of labelled folders, a manifest (.csv, .tsv, .jsonl), one picture, any torch
    or Hugging Face dataset (also an iterable one, such as WebDataset's), or a sequence of pictures.

    None means the folder `$HOOKE_SAMPLE`. What an item may be is said at `IndexedSamples`. Errors: DataError for a
    path that is none of these, or data without any sample; one broken sample is no error before it is read.
    """
    if isinstance(source, Samples):
        return source
    if source is None:
        named = os.environ.get("HOOKE_SAMPLE", "")
        if not named:
            step = "give a folder, or set HOOKE_SAMPLE to one"
            raise DataError("the data", "none is given, and HOOKE_SAMPLE is not set", next_step=step)
        source = named
    if source == "":
        raise DataError("the data", "they lie nowhere: they were a Python value", next_step="give the dataset itself")
    if isinstance(source, Path | str):
        return _from_path(Path(source).expanduser())
    if isinstance(source, bytes | bytearray):
        raise DataError("bytes", "this is no dataset", next_step="give [bytes] for one picture")
    if hasattr(source, "__getitem__") and hasattr(source, "__len__"):
        return IndexedSamples(source)
    if hasattr(source, "__iter__") and iter(source) is not source:
        return StreamedSamples(source)
    step = "give a folder, a manifest, a torch dataset or a list of pictures"
    reason = "it can be gone through only once" if hasattr(source, "__iter__") else "this is no dataset"
    raise DataError(type(source).__name__, reason, next_step=step)


def _from_path(path: Path) -> Samples:
    if path.is_dir():
        return from_folder(path)
    if path.is_file() and path.suffix.lower() in ENDINGS:
        return from_manifest(path)
    if path.is_file() and path.suffix.lower() in PICTURES:
        return FileSamples([Row(path.name, path)], path)
    if path.exists():
        endings = ", ".join(sorted(ENDINGS))
        raise DataError(str(path), f"it is no folder, picture or manifest ({endings})", next_step="give one of these")
    beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    raise DataError(
        str(path), "there is no such file or folder", choices=nearest(path.name, beside), next_step="check the path"
    )
