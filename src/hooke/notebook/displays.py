"""How results are displayed in notebooks: as HTML, a picture or a figure above the numbers; figures are drawn then."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from html import escape
from numbers import Number
from typing import Any

import torch
from torch import Tensor

MOST = 12
"""How many units, examples or rows are shown of many."""

Look = tuple[list[bytes], dict[str, Any]]
"""The PNGs of a result, and its numbers by their names."""


def html(result: object) -> str:
    """A result as HTML that needs nothing else; every text in it is escaped."""
    look = _LOOKS.get(f"{type(result).__module__}.{type(result).__qualname__}".removeprefix("hooke."), _plain)
    pictures, numbers = look(result)
    title = escape(type(result).__name__)
    shown = "".join(
        f'<img alt="{title}" src="data:image/png;base64,{base64.b64encode(one).decode()}" '
        'style="max-width:100%;margin:0 6px 6px 0;image-rendering:auto">'
        for one in pictures
    )
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left;font-weight:400;opacity:.75">{escape(name)}</th>'
        f'<td style="text-align:left">{escape(_said(value))}</td></tr>'
        for name, value in numbers.items()
        if value not in ("", None)
    )
    return f'<div class="hooke-result"><div><strong>{title}</strong></div>{shown}<table>{rows}</table></div>'


def _said(value: object) -> str:
    """A number in four digits, a text as it is."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _plain(result: object) -> Look:
    """What a result has that is short: texts and numbers; of tensors their shape, of collections their length."""
    held = {one.name: getattr(result, one.name) for one in fields(result)} if is_dataclass(result) else {}
    return [], {name.replace("_", " "): _short(value) for name, value in held.items() if name != "provenance"}


def _short(value: object) -> object:
    if isinstance(value, str | Number):
        return value
    if isinstance(value, Tensor):
        return float(value) if value.numel() == 1 else " x ".join(map(str, value.shape))
    if isinstance(value, tuple | list) and len(value) <= MOST and all(isinstance(one, str | Number) for one in value):
        return ", ".join(_said(one) for one in value)
    if isinstance(value, Mapping | Sequence):
        return f"{len(value)}"
    return ""


def _png(canvas: Tensor, side: int = 224) -> bytes:
    """A canvas, its pixels repeated where it is small."""
    from hooke.modalities.image import to_png

    times = max(1, side // max(canvas.shape[-2:]))
    return to_png(canvas[:3].repeat_interleave(times, -1).repeat_interleave(times, -2))


def _drawn(figure: Any) -> bytes:
    """A figure of matplotlib."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=130)
    return file.getvalue()


def _picture(found: Any) -> Look:
    numbers = {
        "address": found.address, "response": found.response, "peak": found.peak, "steps": found.step,
        "note": found.note, "made by": found.provenance.key[:12],
    }  # fmt: skip
    return [_png(found.image)], numbers


def _attribution(found: Any) -> Look:
    from hooke.attribution.reading import positions
    from hooke.plots.attribution import TWO_SIDED, scale

    pictures, word = [], ""
    if {"height", "width"} <= set(found.axes):
        for values in positions(found)[:MOST].cpu().numpy():
            end, word = scale(values)
            colours = torch.tensor(TWO_SIDED((values / end + 1) / 2)[..., :3], dtype=torch.float32)
            pictures.append(_png(colours.permute(2, 0, 1)))
    numbers = {
        "of": found.of, "to": found.to, "by": type(found.by).__name__,
        "score": ", ".join(f"{one:.4g}" for one in found.score.flatten()[:MOST].tolist()),
        "sum of the credit": ", ".join(f"{one:.4g}" for one in found.values.flatten(1).sum(1)[:MOST].tolist()),
        "missed by": found.completeness,
        "colours": f"orange for, blue against, white none; {word}" if pictures else "",
    }  # fmt: skip
    return pictures, numbers


def _entry(found: Any) -> Look:
    def spoken(effects: Any) -> str:
        return ", ".join(f"{one.label} {one.effect:+.3g}" for one in effects)

    return [], {
        "address": found.address, "magnitude": found.magnitude,
        "speaks for": spoken(found.supports), "speaks against": spoken(found.opposes),
    }  # fmt: skip


def _groups(found: Any) -> Look:
    import numpy

    from hooke.plots.groups import group_maps

    pictures, count = [], len(found.directions)
    if found.scores.shape[2] > 1 and count <= 2 * MOST:
        strongest = [direction.topk(min(4, len(direction))).indices.tolist() for direction in found.directions]
        units = ["channels " + ", ".join(map(str, one)) for one in strongest]
        names = [str(one).removeprefix(found.layer) for one in found.addresses]
        scores = found.scores[0].cpu().numpy()
        blank, title = numpy.ones((*scores.shape[1:], 3)), f"{found.layer}, the first input"
        pictures = [_drawn(group_maps(blank, scores, names, units, found.shares.tolist(), title))]
    return pictures, {
        "layer": found.layer, "groups": count, "explained": float(found.explained), "error": float(found.error),
        "key": found.key,
    }  # fmt: skip


def _effect(found: Any) -> Look:
    from hooke.plots.effects import effects

    rows = found.rows[:MOST]
    figure = effects(
        f"change of {found.on}", [f"{one.name} ({one.change.inputs})" for one in rows],
        [[float(each) for each in (one.change.mean, one.change.low, one.change.high)] for one in rows],
        [[] if one.random is None else one.random.draws.tolist() for one in rows],
        [[] if one.matched is None else one.matched.draws.tolist() for one in rows],
    )  # fmt: skip
    return [_drawn(figure)], {"on": found.on, "verdict": found.verdict, "note": found.note}


def _tuning(found: Any) -> Look:
    from hooke.responses.showing import figures

    drawn = [_drawn(figure) for _, figure in figures(found, 0)]
    return drawn, {"units": len(found.units), "shown": found.units[0], "stimulus": found.stimulus.name}


def _examples(found: Any) -> Look:
    crops = [one.crop for one in found.maxima[:MOST] if one.crop is not None]
    peak = found.maxima[0].value if found.maxima else None
    return [_png(crop, 96) for crop in crops], {
        "address": found.address, "shown": "what it responds to most", "largest response": peak,
        "resting": found.resting, "inputs": found.inputs,
    }  # fmt: skip


def _validation(found: Any) -> Look:
    from hooke.plots.validation import Cell, verdicts

    cells = [Cell(row.method, row.metric, row.control, row.verdict) for row in found.rows]
    drawn = verdicts(cells, f"{len(found.images)} images; {found.statistics}")
    return [_drawn(drawn)], {method: found.standing(method).text for method in found.scores}


def _weights(found: Any) -> Look:
    from hooke.plots.weights import Tiling, tiles

    names = found.strength.square().sum(1).argsort(descending=True)[:6].tolist()
    sources = sorted(found.strength[names].square().sum(0).argsort(descending=True)[:MOST].tolist())
    targets = [found.targets[at] for at in sorted(names)]
    some = found.among(targets, [found.sources[at] for at in sources])
    unit = "standard deviations a standard deviation" if found.normalized else "weight"
    tiling = Tiling(found.rows, found.columns, found.aligned, unit, found.statement)
    figure = tiles(
        some.values.cpu().numpy(), tiling, targets=some.targets, sources=some.sources,
        title=f"{found.source} to {found.target}, the strongest",
    )  # fmt: skip
    return [_drawn(figure)], {"targets": len(found.targets), "sources": len(found.sources), "trust": found.statement}


def _model(found: Any) -> Look:
    return [], {
        "name": found.name, "parameters": found.parameters, "layers": len(list(found.layers)),
        "labels": len(found.labels), "fingerprint": found.fingerprint[:12],
    }  # fmt: skip


def _study(found: Any) -> Look:
    pictures, numbers = _groups(found.factorization)
    return pictures, numbers | {"order from left to right": ", ".join(map(str, found.order))}


def _grid(found: Any) -> Look:
    from hooke.studies.activation_grid import mosaic

    return [_png(mosaic(found, 448))], _plain(found)[1]


def _caricature(found: Any) -> Look:
    return [_png(found.image)], _plain(found)[1]


_LOOKS: dict[str, Callable[[Any], Look]] = {
    "results.Picture": _picture,
    "results.Attribution": _attribution,
    "results.DictionaryEntry": _entry,
    "factorization.factorization.Factorization": _groups,
    "interventions.effect.EditEffect": _effect,
    "responses.tuning.Tuning": _tuning,
    "responses.examples.Examples": _examples,
    "validation.report.Report": _validation,
    "circuits.weights.Weights": _weights,
    "models.model.Model": _model,
    "studies.groups.GroupStudy": _study,
    "studies.activation_grid.Grid": _grid,
    "studies.caricature.Caricature": _caricature,
}
"""By the place of its type, so that nothing is imported for a result that nobody has."""
