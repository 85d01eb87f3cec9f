"""A recording made by hand: the exact statistics of values that a test has in full."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from hooke.responses.recording import Extremes, Groups, Histogram, LayerRecording, Recording, Reservoir
from hooke.results import Layer

BINS, PICKS, MOST = 6, 8, 16


def layer_of(
    values: Tensor, labels: Sequence[str | None] = (), groups: Sequence[str | None] = (), *, layer: Layer | None = None,
    before: Tensor | None = None, kept: bool = True,
) -> LayerRecording:  # fmt: skip
    """All statistics of values [input, channel, row, column]; `before`: those entering the nonlinearity."""
    inputs, channels = values.shape[:2]
    entering = values if before is None else before
    flat = values.transpose(0, 1).reshape(channels, -1).double()
    mean, peak = values.mean((2, 3)), values.amax((2, 3))
    return LayerRecording(
        layer=layer or _row(values), count=flat.shape[1], mean=flat.mean(1), variance=flat.var(1, unbiased=False),
        minimum=flat.amin(1), maximum=flat.amax(1), active=(flat > 0).double().mean(1),
        top=_extremes(entering, largest=True), bottom=_extremes(entering, largest=False), after=_histogram(values),
        before=None if before is None else _histogram(before), reservoir=_reservoir(entering),
        labels=_groups(mean, peak, labels), groups=_groups(mean, peak, groups),
        second_moment=mean.T @ mean / inputs,
        coactivation=_alike(peak),
        pooled_mean=mean if kept else None, pooled_peak=peak if kept else None,
    )  # fmt: skip


def recording_of(
    layers: dict[str, LayerRecording], names: Sequence[str], labels: Sequence[str | None],
    groups: Sequence[str | None] | None = None, *, data: Path | str = "", data_key: str = "", fingerprint: str = "",
) -> Recording:  # fmt: skip
    """A recording of these layers."""
    return Recording(
        Path("by-hand"), fingerprint, "toy", "", str(data), data_key, tuple(names), tuple(labels),
        tuple(groups if groups is not None else [None] * len(names)), (), tuple(layers), layers.__getitem__,
    )  # fmt: skip


def _alike(peak: Tensor) -> Tensor:
    centred = peak - peak.mean(0)
    length = centred.square().sum(0).sqrt()
    return (centred.T @ centred / (length[:, None] * length)).nan_to_num(0)


def _row(values: Tensor, name: str = "act") -> Layer:
    _, channels, height, width = values.shape
    return Layer(
        name, "ReLU", ("batch", "channel", "height", "width"), (1, channels, height, width), channels, height, width,
        1, 1, 0, True, True, True,
    )  # fmt: skip


def _extremes(values: Tensor, *, largest: bool) -> Extremes:
    inputs, width = values.shape[0], values.shape[3]
    flat = values.flatten(2)
    best = flat.max(2) if largest else flat.min(2)
    found = best.values.T.topk(min(MOST, inputs), 1, largest=largest)
    where = best.indices.T.gather(1, found.indices)
    return Extremes(found.values, found.indices, where // width, where % width)


def _histogram(values: Tensor) -> Histogram:
    flat = values.transpose(0, 1).flatten(1).double().contiguous()
    edges = torch.linspace(float(flat.min()) - 1e-3, float(flat.max()) + 1e-3, 400, dtype=torch.float64)
    at = torch.bucketize(flat, edges, right=True) - 1
    return Histogram(edges, torch.stack([torch.bincount(one, minlength=399) for one in at]))


def _reservoir(values: Tensor) -> Reservoir:
    channels, height, width = values.shape[1:]
    dice = torch.Generator().manual_seed(0)
    shape = (channels, BINS, PICKS)
    kept = {name: torch.full(shape, -1) for name in ("inputs", "rows", "columns")}
    found, counts = torch.full(shape, torch.nan), torch.zeros(channels, BINS, dtype=torch.long)
    edges = torch.stack(
        [torch.linspace(float(one.min()), float(one.max()) + 1e-6, BINS + 1) for one in values.unbind(1)]
    )
    for channel in range(channels):
        flat = values[:, channel].flatten()
        for at in range(BINS):
            inside = ((flat >= edges[channel, at]) & (flat < edges[channel, at + 1])).nonzero()[:, 0]
            counts[channel, at] = len(inside)
            picked = inside[torch.randperm(len(inside), generator=dice)[:PICKS]]
            where = (channel, at, slice(len(picked)))
            found[where] = flat[picked]
            kept["inputs"][where] = picked // (height * width)
            kept["rows"][where] = picked % (height * width) // width
            kept["columns"][where] = picked % width
    return Reservoir(edges, found, kept["inputs"], kept["rows"], kept["columns"], counts)


def _groups(mean: Tensor, peak: Tensor, said: Sequence[str | None]) -> Groups:
    names = tuple(sorted({one for one in said if one is not None}))
    held = [torch.tensor([one == name for one in said]) for name in names]
    empty = torch.zeros(0, mean.shape[1])
    return Groups(
        names, torch.tensor([int(one.sum()) for one in held], dtype=torch.long),
        torch.stack([mean[one].mean(0) for one in held]) if held else empty,
        torch.stack([peak[one].mean(0) for one in held]) if held else empty,
    )  # fmt: skip
