"""Channel attribution as numbers, as maps of the units for and against, and as one unit drilled."""

import time
from dataclasses import replace
from textwrap import fill
from typing import Any

from hooke.addresses import Place
from hooke.models.model import Model
from hooke.plots.maps import Bars, Shown, maps
from hooke.shapes import Canvas
from hooke.studies.channel_attribution import SHOWN, ChannelAttribution, Drilled, Driller, channel_attribution, extremes
from hooke.studies.how_sure import how_sure
from hooke.studies.layers import tracing_layers
from hooke.studies.registry import Asked, Report, Watch
from hooke.studies.reports import trust
from hooke.studies.reports.targets import likeliest, named

LAYERS, LABELS = 5, 5


def report(model: Model, canvas: Canvas, asked: Asked, watch: Watch) -> Report:
    """Five layers, for the likeliest label; with two targets, for the first rather than the second."""
    layers = list(asked.layers) or tracing_layers(model, LAYERS)
    count = asked.count or SHOWN
    of = " - ".join(asked.of[:2]) or likeliest(model, canvas)
    begun = time.perf_counter()
    seconds: dict[str, float] = {}
    driller = Driller(model, canvas, layers, of)
    found = None
    for found in channel_attribution(model, canvas, layers, of, count, driller):
        seconds.setdefault("tables", time.perf_counter() - begun)
        watch("units", len(found.drilled), 2 * count * len(layers))
    assert found is not None
    seconds["all"] = time.perf_counter() - begun
    told = _trusted(model, canvas, found, count)
    facts = {**_facts(model, driller, found, count), **trust.facts(*told.values()), "timings": seconds}
    return Report(facts, _figures(model, canvas, driller, found, count, told))


def _trusted(model: Model, canvas: Canvas, found: ChannelAttribution, count: int) -> dict[str, trust.Told]:
    """What is known of the evidence of each layer's channels; under "" what this photograph shows of those shown."""
    shown = [
        Place(layer, channel) for layer in found.layers for side in found.strongest(layer, count) for channel in side
    ]
    seen = trust.sure_here(how_sure(model, canvas, shown, found.of), "channels")
    return {**{layer: trust.known(model, layer, "channels") for layer in found.layers}, "": seen}


def _facts(model: Model, driller: Driller, found: ChannelAttribution, count: int) -> dict[str, Any]:
    return {
        "of": found.of, "name": named(model, found.of), "score": found.score, "layers": found.layers,
        "terms": [{"of": name, "name": named(model, name), "weight": one} for name, one in found.weights.items()],
        "units": {
            layer: {
                side: [_unit(driller, found, layer, channel) for channel in channels]
                for side, channels in zip(("for", "against"), found.strongest(layer, count), strict=True)
            }
            for layer in found.layers
        },
        "totals": {layer: float(found.evidence[layer].sum()) for layer in found.layers},
        "drilled": {address: _drilled(model, one, count) for address, one in found.drilled.items()},
        "passes": found.passes,
    }  # fmt: skip


def _unit(driller: Driller, found: ChannelAttribution, layer: str, channel: int) -> dict[str, Any]:
    parts = {name: float(part[layer][channel]) for name, part in found.parts.items()}
    map = driller.map(layer, channel).tolist()
    return {"channel": channel, "evidence": float(found.evidence[layer][channel]), "parts": parts, "map": map}


def _drilled(model: Model, one: Drilled, count: int) -> dict[str, Any]:
    """The strongest supporters and opponents in every other layer, and the classes."""
    around = {**one.before, **one.after}
    listed = {
        name: [{"channel": at, "effect": float(values[at])} for side in extremes(values, count) for at in side]
        for name, values in around.items()
    }
    classes = [
        {"label": model.label(at), "index": at, "effect": float(one.classes[at])}
        for side in extremes(one.classes, LABELS)
        for at in side
    ]
    return {"strength": one.strength, "channels": listed, "classes": classes}


def _figures(
    model: Model, canvas: Canvas, driller: Driller, found: ChannelAttribution, count: int,
    told: dict[str, trust.Told],
) -> dict[str, Any]:  # fmt: skip
    photograph = canvas.permute(1, 2, 0).cpu().numpy()
    figures: dict[str, Any] = {}
    failing = [layer for layer in found.layers if trust.fails(told[layer], told[""])]
    for name, layers in (("units", [one for one in found.layers if one not in failing]), ("units_failing", failing)):
        if layers:
            rows = _rows(driller, found, layers, count, pale=name != "units")
            note = (
                f"activations of the {count} units most for (orange) and most against (blue), and what they give, in "
                f"logits.\n{fill(trust.sentences(*(told[one] for one in layers), told['']), 150)}"
            )
            figures[name] = maps(photograph, rows, f"{model.name}: {named(model, found.of)}", note)
    if found.drilled:
        middle = found.layers[len(found.layers) // 2]
        units = [one for one in found.drilled.values() if one.layer == middle] or list(found.drilled.values())
        one = max(units, key=lambda one: abs(float(found.evidence[one.layer][one.channel])))
        figures["drilled"] = _drill_figure(model, photograph, driller, one, count)
    return figures


def _rows(
    driller: Driller, found: ChannelAttribution, layers: list[str], count: int, pale: bool
) -> list[list[Shown | Bars]]:  # fmt: skip
    """The units for, the strongest first, and those against, the strongest last; a column for each layer."""
    rows: list[list[Shown | Bars]] = [[] for _ in range(2 * count)]
    for layer in layers:
        sides = found.strongest(layer, count)
        for at in range(count):
            for start, side, sign in ((0, sides[0], 1), (count, sides[1][::-1], -1)):
                none: Shown | Bars = Shown(f"{layer}: none", None)
                one = replace(_shown(driller, found, layer, side[at], sign), pale=pale) if at < len(side) else none
                rows[start + at].append(one)
    return rows


def _shown(driller: Driller, found: ChannelAttribution, layer: str, channel: int, sign: int) -> Shown:
    evidence = float(found.evidence[layer][channel])
    parts = " ".join(f"{float(part[layer][channel]):+.2g}" for part in found.parts.values())
    note = f"{evidence:+.2g}" + (f"  ({parts})" if len(found.parts) > 1 else "")
    return Shown(f"{layer}:{channel}", sign * driller.map(layer, channel).numpy(), note=note)


def _drill_figure(model: Model, photograph: Any, driller: Driller, one: Drilled, count: int) -> Any:
    panels: list[Shown | Bars] = []
    for name, values in one.before.items():
        panels.append(Bars(f"{name}\nsupports it", _bars(values, count)))
    panels.append(Shown(f"{one.address}\nits activations", driller.map(one.layer, one.channel).numpy()))
    for name, values in one.after.items():
        panels.append(Bars(f"{name}\nit supports", _bars(values, count)))
    likely = [(model.label(at).split(",")[0], float(one.classes[at])) for at in _both(one.classes, count)]
    panels.append(Bars("classes\nit supports", likely))
    note = "activation x gradient of a channel's sum over positions (of a class: its logit)"
    return maps(photograph, [panels], f"{model.name}: {one.address}, drilled", note)


def _bars(values: Any, count: int) -> list[tuple[str, float]]:
    return [(str(at), float(values[at])) for at in _both(values, count)] or [("none", 0.0)]


def _both(values: Any, count: int) -> list[int]:
    positive, negative = extremes(values, count)
    return positive + negative[::-1]
