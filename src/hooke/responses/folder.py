"""The folder of a finished recording: what is written at the end, and how one layer is read from it."""

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from hooke.errors import RecordingError
from hooke.modalities.samples import Samples
from hooke.numeric.streaming import bins, reservoir
from hooke.numeric.streaming.bins import Bins
from hooke.numeric.streaming.extremes import Largest
from hooke.responses.gathering import Target
from hooke.responses.plan import Plan
from hooke.responses.reduction import Reduction
from hooke.responses.shards import distinct
from hooke.responses.states import read_state, write_bytes, write_state
from hooke.responses.statistics import LayerStatistics
from hooke.responses.values import Extremes, Groups, Histogram, LayerRecording, Reservoir
from hooke.results import Layer
from hooke.storage.arrays import Rows

INDEX = "recording.json"
RANGES = 8
"""Bins of activation in a channel's reservoir."""


@dataclass(frozen=True)
class Index:
    """What a folder says of a finished recording: the inputs that were read, in order, and those that were not."""

    names: tuple[str, ...]
    labels: tuple[str | None, ...]
    groups: tuple[str | None, ...]
    failures: tuple[tuple[str, str], ...]
    label_names: tuple[str, ...]
    group_names: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Finish the recording: it is one from now on."""
        write_bytes(folder / INDEX, json.dumps(asdict(self)).encode())

    @classmethod
    def read(cls, folder: Path) -> "Index":
        """Errors: RecordingError where the folder holds no finished recording."""
        try:
            found = json.loads((folder / INDEX).read_bytes())
            failures = tuple((name, reason) for name, reason in found.pop("failures"))
            return cls(**{name: tuple(value) for name, value in found.items()}, failures=failures)
        except FileNotFoundError:
            begun = (folder / "plan.json").exists()
            reason = "it was begun but not finished" if begun else "there is no recording"
            step = "record again with the same arguments: it goes on where it stopped" if begun else "check the path"
            raise RecordingError(f"the recording {folder}", reason, next_step=step) from None
        except (OSError, ValueError, TypeError, KeyError) as failure:
            reason = f"{INDEX} cannot be read ({failure})"
            raise RecordingError(f"the recording {folder}", reason, next_step="copy it again") from failure


def is_finished(folder: Path) -> bool:
    """Whether a folder holds a finished recording."""
    return (folder / INDEX).exists()


def finish(folder: Path, plan: Plan, reduction: Reduction, samples: Samples) -> None:
    """Write what the sums say, layer by layer, and the index last. Errors: RecordingError."""
    failed = {index for index, _ in reduction.failures}
    rows = tuple(index for index in range(plan.inputs) if index not in failed)
    if not rows:
        first = "; ".join(f"{one.name}: {one.reason}" for _, one in reduction.failures[:3])
        reason = f"no input could be read ({first})"
        raise RecordingError(f"the recording {folder}", reason, next_step="check the data, and record again")
    number = torch.full((plan.inputs,), -1, dtype=torch.int64)
    number[torch.tensor(rows)] = torch.arange(len(rows))
    for at, (name, one) in enumerate(reduction.statistics.items()):
        one.renumber(number)
        write_layer(folder, at, name, one)
    compact(folder, plan.inputs, rows)
    Index(
        tuple(samples.names[row] for row in rows), tuple(samples.labels[row] for row in rows),
        tuple(samples.groups[row] for row in rows),
        tuple((failure.name, failure.reason) for _, failure in reduction.failures),
        distinct(samples.labels), distinct(samples.groups),
    ).write(folder)  # fmt: skip
    with suppress(OSError):
        shutil.rmtree(folder / "shards", ignore_errors=True)
        (folder / "sums.state").unlink(missing_ok=True)


def write_layer(folder: Path, at: int, name: str, one: LayerStatistics) -> None:
    """Write the statistics of the layer that is number `at`."""
    facts = {"layer": asdict(one.target.layer), "target": [one.target.channels, one.target.height, one.target.width],
             "clamp": one.target.clamp and [str(end) for end in one.target.clamp]}  # fmt: skip
    write_state(layer_file(folder, at), one.state(), facts | {"name": name})


def read_layer(folder: Path, at: int) -> LayerStatistics:
    """Errors: RecordingError where the file is damaged."""
    tensors, facts = read_state(layer_file(folder, at))
    row: dict[str, Any] = facts["layer"] | {name: tuple(facts["layer"][name]) for name in ("axes", "shape")}
    low_high = facts["clamp"]
    clamp = None if low_high is None else (float(low_high[0]), float(low_high[1]))
    channels, height, width = facts["target"]
    return LayerStatistics.from_state(Target(Layer(**row), channels, height, width, clamp), tensors)


def layer_file(folder: Path, at: int) -> Path:
    """Where the statistics of layer number `at` are."""
    return folder / "layers" / f"{at:04d}.state"


def layer_recording(folder: Path, at: int, index: Index) -> LayerRecording:
    """One layer, ready to be looked at. Errors: RecordingError, StoreError where something is damaged."""
    one = read_layer(folder, at)
    parts: dict[str, Any] = one.parts
    target, width = one.target, one.target.width
    before, after = parts["before"], parts.get("after") or parts["before"]
    if target.clamp is not None:
        after = before.clamped(*target.clamp)
    pooled = {kind: _responses(folder, kind, target.layer.name) for kind in ("mean", "peak")}
    products, together = parts.get("products"), parts.get("together")
    second = products.second_moment if products else _second_moment(pooled["mean"])
    coactivation = together.correlation if together else _correlation(pooled["peak"])
    minimum, maximum = parts["values"].lowest, parts["peaks"].highest
    return LayerRecording(
        layer=target.layer, count=parts["means"].count * target.positions, mean=parts["means"].mean,
        variance=parts["values"].variance, minimum=minimum, maximum=maximum, active=parts["values"].positive_share,
        top=_extremes(parts["top"], width, 1), bottom=_extremes(parts["bottom"], width, -1),
        after=_histogram(after), before=_histogram(before) if target.layer.activation else None,
        reservoir=_regrouped(parts, width),
        labels=Groups(index.label_names, parts["label_means"].counts, parts["label_means"].means,
                      parts["label_peaks"].means),
        groups=Groups(index.group_names, parts["group_means"].counts, parts["group_means"].means,
                      parts["group_peaks"].means),
        second_moment=second, coactivation=coactivation,
        second_moment_positions=parts["spatial"].second_moment if "spatial" in parts else None,
        pooled_mean=pooled["mean"], pooled_peak=pooled["peak"], whole=_whole(folder, target.layer.name),
        quantile_error=bins.RELATIVE_ERROR,
    )  # fmt: skip


def _extremes(found: Largest, width: int, sign: int) -> Extremes:
    held = found.inputs >= 0
    rows, columns = found.places // width, found.places % width
    nowhere = torch.tensor(-1, dtype=found.places.dtype)
    values = (found.values * sign).where(held, torch.nan)
    return Extremes(values, found.inputs, rows.where(held, nowhere), columns.where(held, nowhere))


def _histogram(found: Bins) -> Histogram:
    return Histogram(bins.edges(), found.counts)


def _regrouped(parts: dict[str, Any], width: int) -> Reservoir:
    """The reservoir in `RANGES` bins of each channel's own range; a uniform choice stays one when bins join."""
    found: reservoir.Reservoir = parts["reservoir"]
    channels, ranges, k = found.values.shape
    held = found.counts > 0
    first = held.int().argmax(1)
    last = ranges - 1 - held.int().flip(1).argmax(1)
    joined = ((torch.arange(ranges) - first[:, None]) * RANGES).div((last - first + 1)[:, None], rounding_mode="floor")
    joined = joined.clamp(0, RANGES - 1)
    keys = joined[:, :, None].expand(-1, -1, k).flatten(1) * 2**32 + found.priorities.flatten(1)
    order = keys.argsort(dim=1, stable=True)
    group = joined[:, :, None].expand(-1, -1, k).flatten(1).gather(1, order)
    begins = torch.searchsorted(group.contiguous(), torch.arange(RANGES).repeat(channels, 1))
    rank = torch.arange(ranges * k) - begins.gather(1, group)
    chosen = (rank < k).nonzero(as_tuple=True)
    slot = (chosen[0], group[chosen], rank[chosen])
    cell = (chosen[0], order[chosen])
    made = {name: torch.full((channels, RANGES, k), -1, dtype=torch.int32) for name in ("inputs", "places")}
    values = torch.full((channels, RANGES, k), torch.nan)
    values[slot] = found.values.flatten(1)[cell]
    for name, tensor in made.items():
        tensor[slot] = getattr(found, name).flatten(1)[cell]
    counts = torch.zeros(channels, RANGES, dtype=torch.int64).scatter_add_(1, joined, found.counts)
    empty = made["inputs"] < 0
    return Reservoir(
        _range_edges(parts, first, last), values, made["inputs"].long(),
        (made["places"] // width).masked_fill(empty, -1), (made["places"] % width).masked_fill(empty, -1), counts,
    )  # fmt: skip


def _range_edges(parts: dict[str, Any], first: Tensor, last: Tensor) -> Tensor:
    """The edges of each channel's bins: those of the ranges that they join, within the values that were seen."""
    inner = torch.tensor([-torch.inf, *reservoir.EDGES, torch.inf])
    steps = torch.arange(RANGES + 1)
    at = first[:, None] - (-(steps * (last - first + 1)[:, None])).div(RANGES, rounding_mode="floor")
    low, high = -parts["bottom"].values[:, :1], parts["top"].values[:, :1]
    return inner[at].clamp(low, high)


def compact(folder: Path, inputs: int, rows: Sequence[int]) -> None:
    """Leave out of every array the rows of inputs that failed. Whenever it is interrupted, it can be done again."""
    if len(rows) == inputs:
        return
    for old in {path.parent for path in (folder / "responses").glob("*/*/zarr.json")}:
        new = old.with_name(old.name + ".compact")
        array = Rows.open(old)
        if array.shape[0] != inputs:
            continue
        shutil.rmtree(new, ignore_errors=True)
        copy_rows([(array, row) for row in rows], new)
        shutil.rmtree(old)
        new.rename(old)
    for new in (folder / "responses").glob("*/*.compact"):  # stopped just before the last line
        new.rename(new.with_name(new.name.removesuffix(".compact")))


def copy_rows(rows: Sequence[tuple[Rows, int]], place: Path) -> None:
    """A new array of these rows of others, made a chunk at a time."""
    first = rows[0][0]
    made = Rows.create(place, (len(rows), *first.shape[1:]), rows=min(len(rows), first.rows))
    for start in range(0, len(rows), made.rows):
        made.write(
            start, numpy.concatenate([array.read(row, row + 1) for array, row in rows[start : start + made.rows]])
        )


def _responses(folder: Path, kind: str, layer: str) -> Tensor | None:
    path = folder / "responses" / kind / layer
    return torch.from_numpy(Rows.open(path).read()) if (path / "zarr.json").exists() else None


def _whole(folder: Path, layer: str) -> Rows | None:
    path = folder / "responses" / "whole" / layer
    return Rows.open(path) if (path / "zarr.json").exists() else None


def _second_moment(rows: Tensor | None) -> Tensor:
    assert rows is not None
    return rows.double().T @ rows.double() / len(rows)


def _correlation(rows: Tensor | None) -> Tensor:
    assert rows is not None
    from hooke.numeric.streaming.products import Products

    found = Products(rows.shape[1])
    found.add(rows.double())
    return found.correlation
