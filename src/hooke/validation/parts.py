"""Credit of parts: is what a channel, unit, position or group is said to give what the target loses without it?

A map is tried by taking pixels away (`validate`). Where credits are read part by part, each part itself is taken away.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from hooke.validation.sources import MIDDLE, digest, named_maps
from hooke.validation.standing import Use, keep
from hooke.validation.validate import explained, read

METRIC = "rank correlation with ablation"
PARTS = 40
"""Of each image: half of them the strongest, half drawn at random among the others that are not zero."""
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
Watch = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class _Seen:
    """One image: what its parts hold and how strong they are, what the target loses without each, and the credit that
    the method, and the method on a random network, gives at each place of the layer."""

    parts: Parts
    strength: Float[Tensor, "part"]
    lost: Float[Tensor, "part"]
    own: Tensor
    random: Tensor


def validate_parts(
    model: Model, data: Any = None, *, to: str = MIDDLE, use: Use = "channels",
    by: Method = GradientTimesActivation(), name: str = "activation x gradient", of: str | Sequence[str] | None = None,
    images: int | None = None, parts: int = PARTS, seed: int = 0, watch: Watch | None = None,
    store: Store | None = None,
) -> Report:  # fmt: skip
    """Is the credit of parts of a layer that of their ablation? A method beside controls, with verdicts.

    The score of an image is Spearman's correlation, over its parts, of credit and of what the target falls by when
    the part is set to zero; chance is 0. `use`: "channels" (at all positions), "units" (at one), "positions" (all
    channels), "groups" (of a factorization of the image; only for activation x gradient). `data`, `of`: as for
    `hooke.validate`. What is found is kept in the store. Errors: NumericsError for what does not fit together.
    """
    if use == "maps" or (use == "groups" and not isinstance(by, GradientTimesActivation)):
        step = "ask `hooke.validate` for maps, and activation x gradient of groups"
        raise NumericsError(f"{name} of {use}", "no part of a layer can be taken away for it", next_step=step)
    layer = named_maps(model, to)
    canvases, names, _, place = read(model, data, images, None)
    targets = explained(model, canvases, of)
    scores: dict[str, list[float]] = {one: [] for one in ("", *CONTROLS)}
    seen: list[_Seen] = []
    for at, (canvas, one) in enumerate(zip(canvases, targets, strict=True)):
        if watch is not None:
            watch(f"{use} of {layer}", at, len(canvases))
        seen.append(_seen(model, canvas, one, layer, use, by, parts, seed))
    for at, one_seen in enumerate(seen):
        before = seen[at - 1].own if len(seen) > 1 else None
        dice = torch.rand(len(one_seen.lost), generator=stream(seed, "credit", digest(canvases[at])))
        credits = {
            "": _credit(one_seen.own, one_seen, use), "random credit": dice, "activation": one_seen.strength,
            "another image's credit": None if before is None else _credit(before, one_seen, use),
            "random network": _credit(one_seen.random, one_seen, use),
        }  # fmt: skip
        for control, credit in credits.items():
            scores[control].append(math.nan if credit is None else _agreement(credit, one_seen.lost))
    report = _report(model, name, by, layer, use, parts, scores, names, place)
    keep(model, by, layer, "sum", report.standing(name), store, use)
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
    model: Model, canvas: Canvas, of: str, layer: str, use: Use, by: Method, count: int, seed: int
) -> _Seen:  # fmt: skip
    asked, suffix = target(model, of), suffix_of(model, layer)
    prefix = suffix.prepare(model.modality.normalize(canvas[None]).to(model.device, model.dtype))
    if use == "groups":
        parts, strength = _grouped(model, canvas, suffix.layer, prefix.values, seed)
    else:
        parts, strength = _chosen(prefix.values, suffix.layer, use, count, stream(seed, "parts", digest(canvas)))
    method = Gradient(by.smooth_pooling) if isinstance(by, GradientTimesActivation) and use == "groups" else by
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AttributionWarning)  # a random network's credits may well be zero
        own, random = (
            attribute(one, canvas, of, layer, method, seed=seed).values[0].double().cpu()
            for one in (model, redrawn(model, seed, None, "cascade"))
        )
    return _Seen(parts.double().cpu(), strength.double().cpu(), lost(suffix, prefix, asked, parts), own, random)


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


def _agreement(credit: Float[Tensor, "part"], lost: Float[Tensor, "part"]) -> float:
    """The rank correlation; 0 for credit that is the same everywhere, NaN where nothing is lost."""
    found = float(spearman(credit[None].double(), lost[None]))
    return 0.0 if math.isnan(found) and bool((lost != lost[:1]).any()) else found


def _report(
    model: Model, name: str, by: Method, layer: str, use: Use, parts: int, scores: dict[str, list[float]],
    names: Sequence[str], place: str,
) -> Report:  # fmt: skip
    tensors = {one: {METRIC: torch.tensor([values], dtype=torch.float64)} for one, values in scores.items()}
    known = {one: found for one, found in tensors.items() if bool(found[METRIC].isfinite().any())}
    asked = (Asked(METRIC, True, {"use": use, "layer": layer, "parts": parts}, "0"),)
    methods = {name: {"type": "Parts", "by": describe(by), "to": layer, "use": use}}
    rows = verdicts(asked, {name: known}, {})
    about = {one: {"type": text} for one, text in CONTROLS.items()}
    return Report(
        rows, asked, methods, about, {name: known}, {}, tuple(names), ((model.name, model.fingerprint),), place,
    )  # fmt: skip
