"""The semantic dictionary of one position, as numbers and as a figure."""

from dataclasses import asdict
from typing import Any

import torch

from hooke.addresses import Place
from hooke.models.model import Model
from hooke.plots.dictionary import Entry, dictionary
from hooke.shapes import Canvas
from hooke.studies.how_sure import how_sure
from hooke.studies.registry import Asked, Report, Watch
from hooke.studies.reports import trust
from hooke.studies.reports.how_sure import told
from hooke.studies.reports.targets import likeliest, named
from hooke.studies.semantic_dictionary import default_layer, layer_dictionary, semantic_dictionary

UNITS = 6


def report(model: Model, canvas: Canvas, asked: Asked, watch: Watch) -> Report:
    """The strongest units of one layer at one position; by default where one unit is strongest of all."""
    layer = asked.layers[0] if asked.layers else default_layer(model)
    watch("layer", 0, 2)
    whole = layer_dictionary(model, canvas, layer, count=1)
    strongest = divmod(int(torch.argmax(whole.magnitudes[..., 0])), whole.width)
    position = asked.position or strongest
    watch("units", 1, 2)
    entries = semantic_dictionary(model, canvas, layer, position, asked.count or UNITS)
    facts: dict[str, Any] = {
        "layer": layer, "rows": whole.height, "columns": whole.width, "position": list(position),
        "norm": float(whole.norms[position]), "peak": whole.peak, "entries": [asdict(entry) for entry in entries],
    }  # fmt: skip
    pale = False
    if any(entry.supports or entry.opposes for entry in entries):
        of = likeliest(model, canvas)
        here = [Place(layer, entry.channel, position) for entry in entries]
        sure = how_sure(model, canvas, here, of)
        facts["sure"] = {"of": of, "label": named(model, of), "entries": told(sure)}
        known, seen = trust.known(model, layer, "units"), trust.sure_here(sure, "units at the position", layer)
        facts |= trust.facts(known, seen)
        pale = trust.fails(known, seen)
    shown = [
        Entry(
            entry.address.rpartition(":")[2],
            entry.magnitude,
            ", ".join(effect.label.split(",")[0] for effect in entry.supports[:2]),
            ", ".join(effect.label.split(",")[0] for effect in entry.opposes[:2]),
        )
        for entry in entries
    ]
    note = str(facts.get("validated", ""))
    grid = (whole.height, whole.width)
    figure = dictionary(canvas.permute(1, 2, 0).numpy(), layer, position, grid, shown, whole.peak, note, pale)
    return Report(facts, {"semantic_dictionary": figure})
