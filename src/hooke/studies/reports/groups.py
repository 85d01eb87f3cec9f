"""Groups as numbers, as maps over the photograph, and as effects on the classes; the slider's curve."""

import time
from typing import Any

from hooke.factorization.factorization import Factorization
from hooke.models.model import Model
from hooke.plots.groups import colour, group_maps, rank_figure
from hooke.plots.sure import group_effects
from hooke.shapes import Canvas
from hooke.studies.groups import GroupStudy, group_study, slider
from hooke.studies.registry import Asked, Report, Watch
from hooke.studies.reports import trust
from hooke.studies.semantic_dictionary import default_layer

GROUPS, LABELS, UNITS = 6, 5, 5


def report(model: Model, canvas: Canvas, asked: Asked, watch: Watch) -> Report:
    """The groups of one layer, their effects on the likeliest classes, and the groups at every rank of the slider."""
    layer, count = (asked.layers or (default_layer(model),))[0], asked.count or GROUPS
    begun = time.perf_counter()
    seconds: dict[str, float] = {}
    found: GroupStudy | None = None
    stages = group_study(model, canvas, layer, count, seed=asked.seed)
    for name in ("maps", "tables", "curve"):
        found = next(stages)
        seconds[name] = time.perf_counter() - begun
        watch(name, len(seconds), 4)
    assert found is not None
    steps = list(slider(model, canvas, layer, [one.rank for one in found.curve.ranks] if found.curve else ()))
    seconds["slider"] = time.perf_counter() - begun
    told = _trusted(model, found)
    facts = {**_facts(model, found, steps), **trust.facts(*told), "timings": seconds}
    return Report(facts, _figures(model, canvas, found, told))


def _trusted(model: Model, found: GroupStudy) -> tuple[trust.Told, trust.Told]:
    """What is known of the effects of a layer's groups, and what this photograph shows of them."""
    assert found.effects is not None
    assert found.measured is not None
    layer, likely = found.factorization.layer, _likely(found)
    linear, measured = (part[:, likely].flatten().tolist() for part in (found.effects, found.measured))
    return trust.known(model, layer, "groups"), trust.here(
        linear, measured, "effects of groups on likely labels", layer
    )


def _facts(model: Model, found: GroupStudy, steps: list[GroupStudy]) -> dict[str, Any]:
    curve = found.curve
    assert curve is not None
    return {
        "layer": found.factorization.layer, "key": found.factorization.key,
        "explained": found.factorization.explained, "groups": _groups(model, found, maps=True),
        "rest": _effects(model, found, len(found.order)),
        "ranks": [vars(one) for one in curve.ranks], "chosen": curve.chosen, "reason": curve.reason,
        "slider": [
            {"rank": len(one.order), "explained": one.factorization.explained, "groups": _groups(model, one)}
            for one in steps
        ],
    }  # fmt: skip


def _groups(model: Model, found: GroupStudy, maps: bool = False) -> list[dict[str, Any]]:
    """The groups from left to right."""
    one, peaks = found.factorization, found.factorization.peaks()
    listed = []
    for group in found.order:
        facts = {
            "address": str(one.addresses[group]), "colour": found.colours[group], "share": float(one.shares[group]),
            "peak": list(peaks[group][1:]), "units": strongest_units(one, group),
        }  # fmt: skip
        more = {"map": one.scores[0, group].tolist(), "effects": _effects(model, found, group)} if maps else {}
        listed.append({**facts, **more})
    return listed


def strongest_units(found: Factorization, group: int) -> list[int]:
    """The channels that are strongest in a group's direction."""
    direction = found.directions[group]
    units: list[int] = direction.topk(min(UNITS, len(direction))).indices.tolist()
    return units


def _effects(model: Model, found: GroupStudy, group: int) -> list[dict[str, Any]]:
    assert found.effects is not None
    assert found.measured is not None
    return [
        {
            "label": model.label(at), "index": at, "effect": float(found.effects[group, at]),
            "measured": float(found.measured[group, at]),
        }
        for at in _likely(found)
    ]  # fmt: skip


def _likely(found: GroupStudy) -> list[int]:
    likely: list[int] = found.logits.argsort(descending=True, stable=True)[:LABELS].tolist()
    return likely


def _figures(
    model: Model, canvas: Canvas, found: GroupStudy, told: tuple[trust.Told, trust.Told]
) -> dict[str, Any]:  # fmt: skip
    one, order = found.factorization, list(found.order)
    units = ["channels " + ", ".join(map(str, strongest_units(one, at))) for at in order]
    names = [str(one.addresses[at]).removeprefix(one.layer) for at in order]
    title = f"{model.name}  {one.layer}: {len(order)} groups explain {one.explained:.0%}, from left to right"
    photograph = canvas.permute(1, 2, 0).expand(-1, -1, 3).cpu().numpy()
    shares = [float(one.shares[at]) for at in order]
    figures = {"groups": group_maps(photograph, one.scores[0, order].numpy(), names, units, shares, title)}
    labels = [model.label(at).split(",")[0] for at in _likely(found)]
    rows = [*order, len(order)]
    assert found.effects is not None
    assert found.measured is not None
    linear, measured = (part[rows][:, _likely(found)].numpy() for part in (found.effects, found.measured))
    colours = [*(colour(at) for at in range(len(order))), "#BBBBBB"]
    note, grey = trust.sentences(*told), trust.fails(*told)
    figures["effects"] = group_effects(
        [*names, "rest"], colours, labels, linear, measured, "what groups give", note, grey
    )
    if found.curve is not None:
        curve = [(at.rank, at.explained, at.random, at.stability) for at in found.curve.ranks]
        figures["ranks"] = rank_figure(curve, found.curve.chosen)
    return figures
