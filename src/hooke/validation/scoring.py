"""Scoring: every method and control under every model by every metric, piece by piece into a ledger, as a report."""

import hashlib
import json
import math
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from hooke.errors import AttributionWarning, HookeError
from hooke.models.model import Model
from hooke.numeric.controls import Maps
from hooke.numeric.fixed import Fixed
from hooke.provenance import describe
from hooke.validation import controls
from hooke.validation.bench import Bench
from hooke.validation.controls import Beside, Control, beside_nothing
from hooke.validation.faithfulness.metric import Metric
from hooke.validation.ledger import Ledger, Scores
from hooke.validation.report import Asked, Report, verdicts
from hooke.validation.sources import Remembered, Source

REVISION = 1
"""Of what is measured: raised whenever the same question would get other scores."""

Watch: TypeAlias = Callable[[str, int, int], None]
"""Told which method is done on a bench, how many such pieces are done, and of how many."""

Passed: TypeAlias = Callable[[int], None]
"""Told after every pass of how many rows it was; it may raise to end the validation."""


def scored(
    benches: Sequence[tuple[Model, int, Iterable[Bench]]], sources: Sequence[Source], metrics: Sequence[Metric],
    against: Sequence[Control], lines: Ledger, *, names: Sequence[str], place: str,
    question: Mapping[str, Any], watch: Watch | None = None, passed: Passed | None = None,
) -> Report:  # fmt: skip
    """Every method beside every control by every metric, paired over images and models.

    `benches`: each model with its images, in so many benches, made when they are asked. `question`: what decides the
    scores besides bench, method and controls; part of the ledger's keys. A method that cannot be asked (a HookeError)
    is remarked, and left out where a model has no scores of it. Errors: NumericsError for two controls of one name.
    """
    controls.check(against)
    found: list[dict[str, list[Scores]]] = []
    remarks, seconds, done = dict[str, None](), dict[str, float](), 0
    plan = [None, *sources]
    total = sum(count for _, count, _ in benches) * len(plan)
    for _, _, parts in benches:
        found.append({source.name if source else "": [] for source in plan})
        for bench in parts:
            bench.watch = passed
            for source in plan:
                entry = _piece(bench, source, metrics, against, lines, question)
                name = source.name if source else ""
                found[-1][name].append(entry["scores"])
                remarks.update(dict.fromkeys(entry["remarks"]))
                seconds[name or "controls"] = seconds.get(name or "controls", 0.0) + entry["seconds"]
                done += 1
                if watch is not None:
                    watch(name or "controls", done, total)
    asked = tuple(Asked(one.name, one.higher, settings(one), one.chance) for one in metrics)
    own = ["", *(one.name for one in against if not one.shared)]
    scores = {}
    for source in sources:
        if all(any(one[source.name]) for one in found):
            every = {name: _joined([one[source.name] for one in found], name, metrics) for name in own}
            if every[""]:
                scores[source.name] = {name: these for name, these in every.items() if these}
    shared = {one.name: _joined([each[""] for each in found], one.name, metrics) for one in against if one.shared}
    return Report(
        verdicts(asked, scores, shared), asked, {one.name: one.question for one in sources},
        {one.name: controls.question(one) for one in against}, scores, shared, tuple(names),
        tuple((one.name, one.fingerprint) for one, _, _ in benches), place, tuple(remarks), seconds,
    )  # fmt: skip


def settings(metric: Metric) -> Any:
    """A metric's settings as JSON data; its type alone where it has no such form."""
    try:
        return describe(metric)
    except TypeError:  # a function of the user's, a model
        return {"type": type(metric).__name__}


def _piece(
    bench: Bench, source: Source | None, metrics: Sequence[Metric], against: Sequence[Control], lines: Ledger,
    question: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """The scores of one method and of its own controls on a bench; of the shared ones where it is None."""
    chosen = [one for one in against if one.shared == (source is None)]
    key = _key(bench, source, chosen, question)
    known = lines.get(key)
    if known is not None:
        return known
    start, remarks, beside = time.monotonic(), list[str](), dict[str, Source]()
    if source is None:
        beside = {one.name: beside_nothing(one) for one in chosen}
    else:
        own = Remembered(source)
        beside[""] = own
        for one in chosen:
            refusal = one.refusal(own)
            if refusal:
                remarks.append(f"{source.name} beside {one.name}: {refusal}")
            else:
                beside[one.name] = Beside(one, own)
    try:
        scores = _scores(bench, beside, metrics, remarks)
    except HookeError as failure:
        if source is None:
            raise
        scores = {}
        remarks.append(f"{source.name} was not measured: {failure.request}: {failure.reason}")
    lines.put(key, scores, name=source.name if source else "", remarks=remarks, seconds=time.monotonic() - start)
    found = lines.get(key)
    assert found is not None
    return found


def _scores(bench: Bench, sources: Mapping[str, Source], metrics: Sequence[Metric], remarks: list[str]) -> Scores:
    """Of each source's maps the score of each image by each metric; what cannot be asked is remarked and left out."""
    maps: dict[str, Maps] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AttributionWarning)  # a random network's maps may well be empty
        for name, source in sources.items():
            try:
                maps[name] = source.maps(bench.model, bench.canvases, bench.of)
            except HookeError as failure:
                if not name:
                    raise
                remarks.append(f"{name}: {failure.request}: {failure.reason}")
        found: Scores = {name: {} for name in maps}
        for metric in metrics:
            asked = [name for name in maps if not _refused(metric, bench, sources[name], remarks)]
            if not asked:
                continue
            numbers = metric.scores(
                bench, [sources[name] for name in asked], torch.stack([maps[name] for name in asked])
            )
            for name, row in zip(asked, numbers, strict=True):
                found[name][metric.name] = [float(one) for one in row]
    return found


def _refused(metric: Metric, bench: Bench, source: Source, remarks: list[str]) -> bool:
    refusal = metric.refusal(bench, source)
    if refusal and refusal not in remarks:
        remarks.append(refusal)
    return bool(refusal)


def _joined(models: Sequence[Sequence[Scores]], name: str, metrics: Sequence[Metric]) -> dict[str, Tensor]:
    """The scores of one name [model, image] by metric, NaN where a bench has none; nothing where none has."""
    found = {}
    for metric in metrics:
        sizes = [max((len(v) for every in part.values() for v in every.values()), default=0) for part in models[0]]
        rows = []
        for benches in models:
            row: list[float] = []
            for part, size in zip(benches, sizes, strict=True):
                row += part.get(name, {}).get(metric.name, [math.nan] * size)
            rows.append(row)
        table = torch.tensor(rows, dtype=torch.float64)
        if bool(table.isfinite().any()):
            found[metric.name] = table
    return found


def _key(bench: Bench, source: Source | None, against: Sequence[Control], more: Mapping[str, Any]) -> str:
    """A name for one piece of work: the question that its scores answer."""
    masks = None if bench.masks is None else Fixed(bench.masks.float()).digest
    question = {
        "revision": REVISION, "model": bench.model.fingerprint, "images": bench.names, "of": bench.of, "masks": masks,
        "seed": bench.seed, "method": None if source is None else source.question,
        "controls": [controls.question(one) for one in against], **more,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
