"""Validation: methods beside their controls, metric by metric and image by image, with verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import torch
from jaxtyping import Bool
from torch import Tensor

from hooke.attribution.method import Method
from hooke.attribution.reading import positions
from hooke.errors import NumericsError
from hooke.modalities.datasets import dataset
from hooke.models.model import Model
from hooke.numeric.fixed import Fixed
from hooke.results import Attribution
from hooke.shapes import Canvases
from hooke.storage.store import Store
from hooke.validation import controls
from hooke.validation.bench import Bench, top
from hooke.validation.controls import Control
from hooke.validation.explainers import explainers
from hooke.validation.faithfulness import (
    Deletion,
    FaithfulnessCorrelation,
    Gap,
    Infidelity,
    Insertion,
    Metric,
    PointingGame,
    RelevanceMass,
    SensitivityN,
)
from hooke.validation.ledger import Ledger
from hooke.validation.report import Report
from hooke.validation.scoring import Passed, Watch, scored, settings
from hooke.validation.sources import Explained, Given, MapFunction, Source, digest, named_maps, source
from hooke.validation.standing import keep

GROUP = 4
"""Images that are measured together."""

Offered: TypeAlias = Method | Source | Attribution | Tensor | MapFunction
"""A method, its maps [image, height, width], or a function that makes them."""
Several: TypeAlias = Mapping[str, Offered] | Sequence[Method | Source] | Method | Source | None


def validate(
    model: Model | Sequence[Model], attributions: Several = None, data: Any = None,
    by: Metric | Sequence[Metric] | None = None, against: Sequence[Control] = controls.all, *,
    of: str | Sequence[str] | None = None, masks: Bool[Tensor, "image height width"] | None = None,
    images: int | None = None, seed: int = 0, ledger: Path | None = None, watch: Watch | None = None,
    store: Store | None = None, passed: Passed | None = None,
) -> Report:  # fmt: skip
    """Are maps better than looking at nothing? Every method beside every control by every metric, with verdicts.

    `model`: one, or several that were trained alike from other seeds. `attributions`: methods by name, maps [image,
    height, width] or Attributions of the input, or functions (model, canvases, of) -> maps; None, the usual ones.
    `data`: canvases [image, channel, height, width], or what `hooke.record` takes; the first `images` of it. `by`:
    metrics (None: `standard`). `of`: what is explained, for all images or for each (None: each one's likeliest label).
    `masks`: where the truth lies. `ledger`: a file in which scores are kept, so that the same call goes on where it
    was interrupted. What is found of methods is kept in the store, where pages and studies ask for it. `passed`: told
    of every pass through a model; it may raise to end the validation.
    Errors: NumericsError and DataError for what does not fit together.
    """
    models = [model] if isinstance(model, Model) else list(model)
    if not models:
        raise NumericsError("a validation", "there is no model", next_step="give one, or several of one kind")
    canvases, names, known, place = read(models[0], data, images, masks)
    sources = _sources(models[0], attributions, canvases)
    metrics = _metrics(by, canvases, known is not None)
    parts = _groups(len(canvases))

    def benches(one: Model) -> Iterator[Bench]:
        targets = explained(one, canvases, of)
        for part in parts:
            inside = None if known is None else known[part]
            yield Bench(one, canvases[part], targets[part], seed=seed, masks=inside)

    report = scored(
        [(one, len(parts), benches(one)) for one in models], sources, metrics, against, Ledger(ledger), names=names,
        place=place, question={"metrics": [settings(one) for one in metrics]}, watch=watch, passed=passed,
    )  # fmt: skip
    _keep(models[0], sources, report, store)
    return report


def standard(height: int, width: int, *, masks: bool = False, steps: int = 14) -> tuple[Metric, ...]:
    """The metrics that are asked by default: two removals, both orders, subsets; on at most 28 x 28 cells.

    With `masks`, the pointing game and relevance mass, too.
    """
    cell = cells(height, width)
    curves: list[Metric] = [
        Deletion(steps=steps, cell=cell),
        Gap(steps=steps, cell=cell),
        Insertion(steps=steps, cell=cell),
    ]
    subsets: list[Metric] = [FaithfulnessCorrelation(cell=cell), SensitivityN(cell=cell), Infidelity(cell=cell)]
    return tuple(curves + subsets + ([PointingGame(), RelevanceMass()] if masks else []))


def cells(height: int, width: int) -> int:
    """The side of the smallest square cells that tile an image with at most 28 x 28 of them."""
    sides = range(1, max(height, width) + 1)
    return next(one for one in sides if height % one == width % one == 0 and max(height, width) // one <= 28)


def _keep(model: Model, sources: Sequence[Source], report: Report, store: Store | None) -> None:
    for one in sources:
        if isinstance(one, Explained) and one.name in report.scores:
            keep(model, one.by, named_maps(model, one.to), one.reading, report.standing(one.name), store)


def _sources(model: Model, offered: Several, canvases: Canvases) -> list[Source]:
    if offered is None:
        return list(explainers(model))
    if isinstance(offered, Method | Source):
        offered = [offered]
    if isinstance(offered, Mapping):
        found = [_source(name, one, canvases) for name, one in offered.items()]
    else:
        found = [_source(type(one).__name__, one, canvases) for one in offered]
    names = [one.name for one in found]
    if not found or len(set(names)) < len(names) or "" in names:
        raise NumericsError("the methods", f"their names are {names}", next_step="give each a name: {'name': method}")
    return found


def _source(name: str, one: Offered, canvases: Canvases) -> Source:
    if isinstance(one, Attribution | Tensor):
        maps = positions(one) if isinstance(one, Attribution) else one
        return Given(name, Fixed(maps), Fixed(canvases))
    return source(name, one)


def _metrics(by: Metric | Sequence[Metric] | None, canvases: Canvases, masks: bool) -> tuple[Metric, ...]:
    if by is None:
        return standard(*canvases.shape[2:], masks=masks)
    found = (by,) if isinstance(by, Metric) else tuple(by)
    names = [one.name for one in found]
    if not found or len(set(names)) < len(names):
        raise NumericsError("the metrics", f"their names are {names}", next_step="give each once")
    return found


def read(
    model: Model, data: Any, images: int | None, masks: Tensor | None
) -> tuple[Canvases, list[str], Tensor | None, str]:
    """The canvases, their names, where the truth lies, and where they came from."""
    if isinstance(data, Tensor):
        canvases = data if data.ndim == 4 else data[None]
        canvases = canvases[:images]
        return canvases.float(), [digest(one)[:12] for one in canvases], None if masks is None else masks[:images], ""
    samples = dataset(data)
    count = min(len(samples), images or len(samples))
    canvases = torch.stack([samples.read(at, model.modality) for at in range(count)])
    if masks is None:
        known = [samples.mask(at, model.modality) for at in range(count)]
        found = [one for one in known if one is not None]
        masks = torch.stack(found) > 0.5 if len(found) == count else None
    return canvases, list(samples.names[:count]), None if masks is None else masks[:count], Path(samples.place).name


def explained(model: Model, canvases: Canvases, of: str | Sequence[str] | None) -> tuple[str, ...]:
    """What is explained in each: `of`, or the likeliest label."""
    if of is None:
        return tuple(top(model, canvases))
    found = (of,) * len(canvases) if isinstance(of, str) else tuple(of)
    if len(found) != len(canvases):
        raise NumericsError("what is explained", f"{len(found)} addresses for {len(canvases)} images")
    return found


def _groups(count: int) -> list[slice]:
    """Runs of `GROUP` images; a last single one goes with those before it."""
    starts = list(range(0, count, GROUP))
    if len(starts) > 1 and count - starts[-1] == 1:
        starts.pop()
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], count], strict=True)]
