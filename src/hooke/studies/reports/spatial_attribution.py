"""Spatial attribution as numbers, as tints and maps, and as sprites of all pairs."""

import time
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import torch
from torch import Tensor

from hooke.addresses import Place
from hooke.models.model import Model
from hooke.plots.maps import Bars, Shown, maps, tinted
from hooke.shapes import Canvas
from hooke.studies.channel_attribution import extremes
from hooke.studies.how_sure import Sure, how_sure
from hooke.studies.layers import tracing_layers
from hooke.studies.registry import Asked, Report, Watch
from hooke.studies.reports import trust
from hooke.studies.reports.how_sure import told
from hooke.studies.spatial_attribution import (
    CLASSES,
    Paths,
    SpatialAttribution,
    Tracer,
    paths_of,
    spatial_attribution,
)

LAYERS, LISTED, TAKEN = 4, 5, 48
PATH_NAMES = ("linear", "integrated", "stochastic path")


def report(model: Model, canvas: Canvas, asked: Asked, watch: Watch) -> Report:
    """Four layers; the pointer is in the last but one, by default where its vector is longest."""
    layers = list(asked.layers) or tracing_layers(model, LAYERS)
    begun = time.perf_counter()
    seconds: dict[str, float] = {}
    tracer = Tracer(model, canvas, layers)
    layer = layers[max(0, len(layers) - 2)]
    position = asked.position or _longest(tracer.chain.norms(layer).detach())
    found = None
    for found in spatial_attribution(model, canvas, layers, (layer, position), asked.count or CLASSES, tracer):
        seconds.setdefault("pointer", time.perf_counter() - begun)
        if found.factors is not None:
            seconds.setdefault("tables", time.perf_counter() - begun)
        watch("positions", found.done, found.total)
    assert found is not None
    seconds["all"] = time.perf_counter() - begun
    watch("paths", found.done, found.total)
    paths = paths_of(model, canvas, layers, (layer, position))
    seconds["with paths"] = time.perf_counter() - begun
    (sure,) = how_sure(model, canvas, [Place(layer, position=position)], f"logits:{int(found.logits.argmax())}")
    known = {name: trust.known(model, name, "positions") for name in layers}
    seen = _seen(model, canvas, found)
    facts = {
        **_facts(model, found, paths), **trust.facts(*known.values(), *seen.values()), "sure": told([sure])[0],
        "timings": seconds,
    }  # fmt: skip
    return Report(facts, _figures(model, canvas, found, paths, sure, known, seen), _sprites(found))


def _seen(model: Model, canvas: Canvas, found: SpatialAttribution) -> dict[str, trust.Told]:
    """What this photograph shows of the maps: for the likeliest label the positions of each layer, and under "" those
    of the layer before for the pointer's norm; some positions, evenly spread, are taken away one by one."""
    label, pointed = f"logits:{found.classes[0]}", found.pointed
    seen = {
        name: trust.sure_here(how_sure(model, canvas, _spread(name, norms), label), f"positions of {name}", name)
        for name, norms in found.norms.items()
    }
    if pointed.before:
        name = list(pointed.before)[-1]
        of = str(Place(pointed.layer, position=pointed.position))
        what = f"positions of {name} for the pointer's norm"
        seen[""] = trust.sure_here(how_sure(model, canvas, _spread(name, found.norms[name]), of), what, name)
    return seen


def _spread(name: str, norms: Tensor) -> list[Place]:
    """Some positions of a layer, evenly spread over all."""
    count = min(TAKEN, norms.numel())
    return [Place(name, position=divmod(at * norms.numel() // count, norms.shape[1])) for at in range(count)]


def _longest(norms: Tensor) -> tuple[int, int]:
    row, column = divmod(int(norms.argmax()), norms.shape[1])
    return row, column


def _facts(model: Model, found: SpatialAttribution, paths: Sequence[Paths]) -> dict[str, Any]:
    pointed = found.pointed
    top = found.logits.argsort(descending=True, stable=True)[:LISTED].tolist()
    factors = found.factors
    return {
        "layers": {name: list(norms.shape) for name, norms in found.norms.items()},
        "predicted": [{"label": model.label(at), "index": at, "logit": float(found.logits[at])} for at in top],
        "pointer": {
            "layer": pointed.layer, "position": list(pointed.position), "strength": pointed.strength,
            "before": {name: one.tolist() for name, one in pointed.before.items()},
            "after": {name: one.tolist() for name, one in pointed.after.items()},
            "classes": _votes(model, found),
        },
        "class_maps": {
            name: {str(at): one.tolist() for at, one in zip(found.classes[:LISTED], of, strict=False)}
            for name, of in found.class_maps.items()
        },
        "factors": None if factors is None else {
            "explained": factors.explained, "classes": [_words(model, found, one) for one in factors.weights],
            "tints": {name: one.tolist() for name, one in factors.tints.items()},
        },
        "paths": [
            {
                "of": one.of, "to": one.to, "paths": PATH_NAMES, "agreement": one.dependence.agreement.tolist(),
                "moved": one.dependence.moved.tolist(),
            }
            for one in paths
        ],
        "sprites": {f"{a}-to-{b}": float(one.nan_to_num().abs().max()) for (a, b), one in found.pairs.items()},
        "passes": found.done,
    }  # fmt: skip


def _votes(model: Model, found: SpatialAttribution) -> list[dict[str, Any]]:
    """What the position gives to those of the likeliest classes for which, and against which, it speaks most."""
    likely = list(found.classes)
    effects = found.pointed.classes[likely]
    positive, negative = extremes(effects, LISTED)
    listed = [likely[at] for at in positive + negative[::-1]]
    return [{"label": model.label(at), "index": at, "effect": float(found.pointed.classes[at])} for at in listed]


def _words(model: Model, found: SpatialAttribution, weights: Tensor) -> list[str]:
    """The classes of a factor, those that set it apart first."""
    strongest = weights.argsort(descending=True, stable=True)[:LISTED].tolist()
    return [model.label(found.classes[at]).split(",")[0] for at in strongest]


def _figures(
    model: Model, canvas: Canvas, found: SpatialAttribution, paths: Sequence[Paths], sure: Sure,
    known: Mapping[str, trust.Told], seen: Mapping[str, trust.Told],
) -> dict[str, Any]:  # fmt: skip
    """What fails is greyed, in figures of its own."""
    photograph = canvas.permute(1, 2, 0).cpu().numpy()
    figures = {"pointer": _pointer(model, photograph, found, sure, seen.get(""))}
    for name, failing in (("tints", False), ("tints_failing", True)):
        layers = [one for one in found.layers if trust.fails(known[one], seen[one]) is failing]
        if found.factors is not None and layers:
            tints = [(one, found.factors.tints[one].numpy()) for one in layers]
            words = [_words(model, found, one) for one in found.factors.weights]
            note = (
                f"two factors of position x {len(found.classes)} classes; they explain {found.factors.explained:.0%}.\n"
                + fill(trust.sentences(*(told[one] for told in (known, seen) for one in layers)), 150)
            )
            title = f"{model.name}: what positions speak for"
            figures[name] = tinted(photograph, tints, words, title, note, pale=failing)
    if paths:
        rows = [
            [Shown(f"{one.to}\n{name}", path.numpy()) for name, path in zip(PATH_NAMES, one.maps, strict=True)]
            for one in paths
        ]
        moved = ", ".join(f"{float(one.dependence.moved[0, 1]):.0%} at {one.to}" for one in paths)
        note = f"credit that lies elsewhere on the integrated path: {moved}"
        figures["paths"] = maps(photograph, rows, f"{paths[0].of} along three paths", note)
    return figures


def _pointer(
    model: Model, photograph: Any, found: SpatialAttribution, sure: Sure, seen: trust.Told | None
) -> Any:  # fmt: skip
    pointed = found.pointed
    shown: list[Shown | Bars] = []
    for name in found.layers:
        if name == pointed.layer:
            size = (found.norms[name].shape[0], found.norms[name].shape[1])
            shown.append(Shown(f"{name} at {pointed.position[0]}, {pointed.position[1]}", None, pointed.position, size))
        elif name in pointed.before or name in pointed.after:
            down = name in pointed.before
            one = (pointed.before if down else pointed.after)[name]
            end = f"colours end at {float(one.abs().max()):.2g}"
            pale = down and seen is not None and seen.fails
            words = ("influenced by " if down else "influences ") + name
            shown.append(Shown(words, one.numpy(), note=end, pale=pale))
    votes = [(one["label"].split(",")[0], one["effect"]) for one in _votes(model, found)]
    title = (
        f"{model.name}: what {pointed.layer} at {pointed.position[0]}, {pointed.position[1]} comes from and leads to"
    )
    likeliest = model.label(int(found.logits.argmax())).split(",")[0]
    note = (
        "activation x gradient of a position's norm (of a class: its logit); orange for, blue against.\n"
        f"To {likeliest} the position gives {sure.linear:+.2g} to first order, {sure.integrated:+.2g} integrated, "
        f"{sure.measured:+.2g} measured by taking it away."
    )
    if seen is not None:
        note += "\n" + fill(f"Influence on norms: not measured over photographs; {seen.text}.", 150)
    return maps(photograph, [[*shown, Bars(f"gives, of {len(found.classes)} likely classes, to", votes)]], title, note)


def _sprites(found: SpatialAttribution) -> dict[str, Tensor]:
    """For each pair of layers one picture: a tile for each later position, a pixel for each earlier one, over the
    largest magnitude; red for, blue against."""
    pictures = {}
    for (earlier, later), pair in found.pairs.items():
        scaled = pair.nan_to_num() / pair.nan_to_num().abs().max().clamp(min=1e-30)
        tiles = scaled.permute(0, 2, 1, 3).reshape(pair.shape[0] * pair.shape[2], -1)
        pictures[f"{earlier}-to-{later}"] = torch.stack([tiles.clamp(min=0), tiles * 0, (-tiles).clamp(min=0)])
    return pictures
