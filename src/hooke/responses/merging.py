"""Two recordings of the same model become one."""

from dataclasses import fields, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from hooke.errors import RecordingError
from hooke.numeric.streaming.grouped import Grouped
from hooke.responses.folder import Index, copy_rows, read_layer, write_layer
from hooke.responses.plan import Plan
from hooke.responses.statistics import LayerStatistics
from hooke.storage.arrays import Rows

if TYPE_CHECKING:
    from hooke.responses.recording import Recording

FREE = ("model", "source", "data", "data_key", "inputs", "batch", "shard", "threads", "seed")
"""What may differ between two recordings that merge."""


def merge_folders(first: "Recording", second: "Recording", out: Path) -> None:
    """Write the sum of two recordings into a new folder. Errors: RecordingError."""
    plan, other = _plan(first), _plan(second)
    _check(plan, other, first, second, out)
    one, two = Index.read(first.folder), Index.read(second.folder)
    labels = tuple(sorted({*one.label_names, *two.label_names}))
    groups = tuple(sorted({*one.group_names, *two.group_names}))
    count = len(one.names)
    for at, name in enumerate(plan.layers):
        parts = []
        for index, folder, shift in ((one, first.folder, 0), (two, second.folder, count)):
            found = read_layer(folder, at)
            found.renumber(torch.arange(len(index.names)) + shift)
            _regroup(found, "label", index.label_names, labels)
            _regroup(found, "group", index.group_names, groups)
            parts.append(found)
        parts[0].merge(parts[1])
        write_layer(out, at, name, parts[0])
        for kind in ("mean", "peak", "whole"):
            place = f"responses/{kind}/{name}"
            if (first.folder / place / "zarr.json").exists():
                arrays = [Rows.open(folder / place) for folder in (first.folder, second.folder)]
                copy_rows([(array, row) for array in arrays for row in range(array.shape[0])], out / place)
    key = sha256((plan.data_key + other.data_key).encode()).hexdigest()
    total = count + len(two.names)
    replace(plan, data="", data_key=key, inputs=total).write(out)
    Index(
        one.names + two.names, one.labels + two.labels, one.groups + two.groups,
        one.failures + two.failures, labels, groups,
    ).write(out)  # fmt: skip


def _plan(recording: "Recording") -> Plan:
    found = Plan.read(recording.folder)
    if found is None:
        raise RecordingError(f"the recording {recording.folder}", "its plan.json is missing")
    return found


def _check(plan: Plan, other: Plan, first: "Recording", second: "Recording", out: Path) -> None:
    request = f"merging {first.folder} and {second.folder}"
    if plan.fingerprint != other.fingerprint:
        reason = (
            f"they are of different models: {plan.model} ({plan.fingerprint[:12]}) and "
            f"{other.model} ({other.fingerprint[:12]})"
        )
        raise RecordingError(request, reason, next_step="merge recordings of the same model")
    apart = [
        one.name for one in fields(plan) if one.name not in FREE and getattr(plan, one.name) != getattr(other, one.name)
    ]
    if apart:
        reason = f"they differ in {', '.join(apart)}"
        raise RecordingError(request, reason, next_step="record both with the same options")
    if out.exists() and any(out.iterdir()):
        raise RecordingError(request, f"{out} is not empty", next_step="give a new folder")


def _regroup(found: LayerStatistics, kind: str, own: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Give the groups of one recording their numbers among all names."""
    at = torch.tensor([names.index(name) for name in own], dtype=torch.int64)
    parts: dict[str, Any] = found.parts
    for part in (f"{kind}_means", f"{kind}_peaks"):
        wide = Grouped(len(names), found.target.channels)
        wide.counts[at], wide.sums[at] = parts[part].counts, parts[part].sums
        parts[part] = wide
