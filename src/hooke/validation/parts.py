"""Credit of parts: is what a channel, unit, position or group is said to give what the target loses without it?

A map is tried by taking pixels away (`validate`). Where credits are read part by part, each part itself is taken away.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.attribution.attribute import attribute
from hooke.attribution.gradients import Gradient, GradientTimesActivation
from hooke.attribution.method import Method
from hooke.attribution.targets import Target, target
from hooke.errors import AttributionWarning, NumericsError
from hooke.factorization.factorize import factorize
from hooke.factorization.flows import parts_of
from hooke.factorization.nmf import nmf_of
from hooke.factorization.rows import recorded, rows_of
from hooke.models.model import Model
from hooke.models.suffix import Prefix, Suffix, suffix_of
from hooke.numeric.seeds import stream
from hooke.numeric.similarity import spearman
from hooke.provenance import describe
from hooke.results import Layer
from hooke.shapes import Canvas
from hooke.storage.store import Store
from hooke.validation.controls import redrawn
from hooke.validation.report import Asked, Report, verdicts
from hooke.validation.scoring import Watch
from hooke.validation.sources import MIDDLE, digest, named_maps
from hooke.validation.standing import Use, keep
from hooke.validation.validate import explained, read

METRIC = "rank correlation with ablation"
PARTS = 40
"""Of each image: half of them the strongest, half drawn at random among the others that are not zero."""
USUAL: Mapping[str, Method] = {"activation x gradient": GradientTimesActivation()}
GROUPS = 6
ROWS = 32
"""In one pass, at most."""
CONTROLS = {
    "random credit": "a number drawn for each part",
    "activation": "how strong each part is: the sum of what it holds, or a position's norm",
    "another image's credit": "the method's credit in the image before, read at the same parts",
    "random network": "the method on the network with all weights redrawn",
}
"""What any credit has to beat."""

Parts = Float[Tensor, "part ..."]


@dataclass(frozen=True, eq=False)
class _Seen:
    """One image: what its parts hold and how strong they are, what the target loses without each, and the credit that
    each method, and each on a random network, gives at each place of the layer."""

    parts: Parts
    strength: Float[Tensor, "part"]
    lost: Float[Tensor, "part"]
    own: Mapping[str, Tensor]
    random: Mapping[str, Tensor]


def validate_parts(
    model: Model, data: Any = None, *, to: str = MIDDLE, use: Use = "channels",
    methods: Mapping[str, Method] = USUAL, of: str | Sequence[str] | None = None, images: int | None = None,
    parts: int = PARTS, seed: int = 0, watch: Watch | None = None, store: Store | None = None,
) -> Report:  # fmt: skip
    """Is the credit of parts of a layer that of their ablation? Methods by name beside controls, with verdicts.

    The score of an image is Spearman's correlation, over its parts, of credit and of what the target falls by when
    the part is set to zero; chance is 0. `use`: "channels" (at all positions), "units" (at one), "positions" (all
    channels), "groups" (of a factorization of the image; only for activation x gradient). `data`, `of`, `watch`: as
    for `hooke.validate`. What is found is kept in the store. Errors: NumericsError for what does not fit together.
    """
    _check(methods, use)
    layer = named_maps(model, to)
    canvases, names, _, place = read(model, data, images, None)
    targets = explained(model, canvases, of)
    seen: list[_Seen] = []
    for at, (canvas, one) in enumerate(zip(canvases, targets, strict=True)):
        if watch is not None:
            watch(f"{use} of {layer}", at, len(canvases))
        seen.append(_seen(model, canvas, one, layer, use, methods, parts, seed))
    dice = [
        torch.rand(len(one.lost), generator=stream(seed, "credit", digest(canvases[at]))) for at, one in enumerate(seen)
    ]
    shared = {"random credit": dice, "activation": [one.strength for one in seen]}
    scores: dict[str, dict[str, Sequence[Tensor | None]]] = {
        name: {
            "": [_credit(one.own[name], one, use) for one in seen],
            "another image's credit": [
                _credit(seen[at - 1].own[name], one, use) if len(seen) > 1 else None for at, one in enumerate(seen)
            ],
            "random network": [_credit(one.random[name], one, use) for one in seen],
        }
        for name in methods
    }
    about = {"use": use, "layer": layer, "parts": parts}
    asked = {name: {"type": "Parts", "by": describe(by), "to": layer, "use": use} for name, by in methods.items()}
    own = {name: _scored(every, seen) for name, every in scores.items()}
    report = _report(model, about, asked, own, _scored(shared, seen), names, place)
    for name, by in methods.items():
        found = report.standing(name)
        text = found.text.replace(name, f"{name} of {use} of {layer}", 1)
        keep(model, by, layer, "sum", replace(found, text=text), store, use)
    return report


def lost(suffix: Suffix, prefix: Prefix, of: Target, parts: Parts) -> Float[Tensor, "part"]:
    """By how much the target falls without each of some parts of what the layer holds, a few in a pass; float64."""
    if not len(parts):
        return torch.zeros(0, dtype=torch.float64)
    with torch.no_grad():
        found = [
            of.read(suffix.run(prefix, prefix.values - some, sorted(of.layers))) for some in torch.split(parts, ROWS)
        ]
        whole = of.read(suffix.run(prefix, prefix.values, sorted(of.layers)))
    return (whole - torch.cat(found)).double().cpu()


def _seen(
    model: Model, canvas: Canvas, of: str, layer: str, use: Use, methods: Mapping[str, Method], count: int, seed: int
) -> _Seen:  # fmt: skip
    asked, suffix = target(model, of), suffix_of(model, layer)
    prefix = suffix.prepare(model.modality.normalize(canvas[None]).to(model.device, model.dtype))
    if use == "groups":
        parts, strength = _grouped(model, canvas, suffix.layer, prefix.values, seed)
    else:
        parts, strength = _chosen(prefix.values, suffix.layer, use, count, stream(seed, "parts", digest(canvas)))
    other = redrawn(model, seed, None, "cascade")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AttributionWarning)  # a random network's credits may well be zero
        own, random = (
            {name: _given(one, canvas, of, layer, use, by, seed) for name, by in methods.items()}
            for one in (model, other)
        )
    return _Seen(parts.double().cpu(), strength.double().cpu(), lost(suffix, prefix, asked, parts), own, random)


def _given(model: Model, canvas: Canvas, of: str, layer: str, use: Use, by: Method, seed: int) -> Tensor:
    """What a method gives at each place of the layer; for groups, the gradient there."""
    if use == "groups" and isinstance(by, GradientTimesActivation):
        by = Gradient(by.smooth_pooling)
    return attribute(model, canvas, of, layer, by, seed=seed).values[0].double().cpu()


def _chosen(
    values: Tensor, row: Layer, use: Use, count: int, dice: torch.Generator
) -> tuple[Parts, Float[Tensor, "part"]]:
    """Parts of a layer's values [1, ...] and how strong each is: the strongest, and others at random."""
    channel = row.axes.index("channel")
    places = values[0].movedim(channel - 1, 0).flatten(1)
    strengths = {"channels": places.sum(1), "units": places.flatten(), "positions": places.norm(dim=0)}[use]
    order = strengths.abs().argsort(descending=True, stable=True)
    order = order[: int((strengths != 0).sum())]
    first, rest = order[: count // 2], order[count // 2 :]
    drawn = rest[torch.randperm(len(rest), generator=dice)[: count - len(first)].to(rest.device)]
    kept = torch.cat([first, drawn])
    where = torch.zeros(len(kept), *places.shape, dtype=torch.bool, device=values.device)
    at = torch.arange(len(kept), device=values.device)
    if use == "channels":
        where[at, kept] = True
    elif use == "positions":
        where[at, :, kept] = True
    else:
        where.flatten(1)[at, kept] = True
    shape = values[0].movedim(channel - 1, 0).shape
    whole = where.view(len(kept), *shape).movedim(1, channel)
    return torch.where(whole, values, values.new_zeros(())), strengths[kept]


def _grouped(model: Model, canvas: Canvas, row: Layer, values: Tensor, seed: int) -> tuple[Parts, Tensor]:
    """What each group of the image adds to the layer, and how much of it there is; the rest last."""
    rows = rows_of(recorded(model, canvas[None], row.name))
    found = factorize(model, canvas, at=row.name, by=nmf_of(rows, GROUPS), seed=seed)
    channel = row.axes.index("channel")
    last = values.movedim(channel, -1)
    parts = parts_of(last, found.groups, last.ndim - 1)[:, 0].movedim(-1, channel)
    return parts, parts.flatten(1).sum(1)


def _credit(given: Tensor, seen: _Seen, use: Use) -> Float[Tensor, "part"]:
    """What is given at each place of the layer, read at the parts; of groups, gradient x what they add."""
    weights = seen.parts if use == "groups" else (seen.parts != 0).double()
    return (weights * given).flatten(1).sum(1)


def _scored(
    credits: Mapping[str, Sequence[Tensor | None]], seen: Sequence[_Seen]
) -> dict[str, dict[str, Float[Tensor, "seed image"]]]:
    """The score of each image by whose credit it is; what has none anywhere is left out."""
    found = {}
    for name, every in credits.items():
        row = [
            math.nan if credit is None else _agreement(credit, one.lost)
            for credit, one in zip(every, seen, strict=True)
        ]
        if any(map(math.isfinite, row)):
            found[name] = {METRIC: torch.tensor([row], dtype=torch.float64)}
    return found


def _agreement(credit: Float[Tensor, "part"], lost: Float[Tensor, "part"]) -> float:
    """The rank correlation; 0 for credit that is the same everywhere, NaN where nothing is lost."""
    found = float(spearman(credit[None].double(), lost[None]))
    return 0.0 if math.isnan(found) and bool((lost != lost[:1]).any()) else found


def _report(
    model: Model, about: Mapping[str, Any], methods: Mapping[str, Any],
    scores: Mapping[str, dict[str, dict[str, Tensor]]], shared: dict[str, dict[str, Tensor]],
    names: Sequence[str], place: str,
) -> Report:  # fmt: skip
    asked = (Asked(METRIC, True, dict(about), "0"),)
    known = {name: every for name, every in scores.items() if "" in every}
    return Report(
        verdicts(asked, known, shared), asked, methods, {one: {"type": text} for one, text in CONTROLS.items()}, known,
        shared, tuple(names), ((model.name, model.fingerprint),), place,
    )  # fmt: skip


def _check(methods: Mapping[str, Method], use: Use) -> None:
    for name, by in methods.items():
        if use == "maps" or (use == "groups" and not isinstance(by, GradientTimesActivation)):
            step = "ask `hooke.validate` for maps, and activation x gradient of groups"
            raise NumericsError(f"{name} of {use}", "no part of a layer can be taken away for it", next_step=step)
