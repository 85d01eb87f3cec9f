"""How sure as numbers and bars: the strongest units of a position, the position itself, and what is asked for."""

from dataclasses import asdict
from typing import Any

from hooke.addresses import Place
from hooke.models.model import Model
from hooke.plots.sure import Row
from hooke.plots.sure import how_sure as figure
from hooke.shapes import Canvas
from hooke.studies.how_sure import Sure, how_sure
from hooke.studies.registry import Asked, Report, Watch
from hooke.studies.reports import trust
from hooke.studies.reports.targets import likeliest, named
from hooke.studies.semantic_dictionary import default_layer, layer_dictionary

UNITS = 5


def report(model: Model, canvas: Canvas, asked: Asked, watch: Watch) -> Report:
    """At a position of a layer: its strongest units there and everywhere, and all of it, for the likeliest label.

    The first of `of` is the target, all others are selections in place of these.
    """
    of = asked.of[0] if asked.of else likeliest(model, canvas)
    selections = list(asked.of[1:]) or _selections(model, canvas, asked)
    watch("selections", 0, len(selections))
    found = how_sure(model, canvas, selections, of)
    panes: dict[tuple[bool, ...], list[Row]] = {}
    for one, place in zip(found, map(model.resolve, selections), strict=True):
        assert isinstance(place, Place)
        kind = (place.channel is None, place.position is None, place.component is None)
        row = (one.address, (one.linear, one.integrated, one.measured), one.disagreement)
        panes.setdefault(kind, []).append(row)
    title = f"{model.name}: how sure"
    lost = [one.measured for one in found]
    ways = (
        trust.here([one.linear for one in found], lost, "selections, by activation x gradient"),
        trust.here([one.integrated for one in found], lost, "selections, by integrated gradients"),
    )
    facts = {"of": of, "name": named(model, of), "selections": told(found), **trust.facts(*ways)}
    return Report(facts, {"how_sure": figure(list(panes.values()), title, named(model, of), trust.sentences(*ways))})


def told(found: list[Sure]) -> list[dict[str, Any]]:
    """As JSON data, with the disagreement."""
    return [{**asdict(one), "disagreement": one.disagreement} for one in found]


def _selections(model: Model, canvas: Canvas, asked: Asked) -> list[str]:
    layer = asked.layers[0] if asked.layers else default_layer(model)
    count = asked.count or UNITS
    whole = layer_dictionary(model, canvas, layer, count)
    position = asked.position or divmod(int(whole.magnitudes[..., 0].argmax()), whole.width)
    units = whole.channels[position].tolist()
    here = [Place(layer, unit, position) for unit in units]
    everywhere = [Place(layer, unit) for unit in units]
    return [str(place) for place in (*here, Place(layer, position=position), *everywhere, Place(layer))]
