"""`hooke render`: draw whole layers into sprite sheets, or a sample of them to learn how long all would take."""

import statistics
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from hooke.cli.figures import make
from hooke.cli.measuring import Cheap, Data
from hooke.cli.options import Device, Folder, Json, Model, Precision, Seed, Steps, Trust
from hooke.cli.report import console, counting, emit, opening, row, say, table
from hooke.errors import HookeError

if TYPE_CHECKING:
    from hooke.models.model import Model as OpenModel
    from hooke.visualization.rendering import Sheet


ENDS = ("input", "logits")
FEW = 3
"""Fewer blocks than this are no way to see a model: all layers after a nonlinearity are taken."""


def render(
    model: Model,
    out: Folder,
    layers: Annotated[
        list[str] | None, Option("--layers", metavar="LAYER", help="A layer; may be repeated. All activations if not.")
    ] = None,
    units: Annotated[str | None, Option(metavar="0-31,40", help="These channels of each layer; all if not.")] = None,
    sample: Annotated[
        int | None,
        Option(min=1, help="Only so many units of each layer, evenly spaced; tells how long all would take."),
    ] = None,
    steps: Steps = None,
    size: Annotated[int | None, Option(min=16, help="Side of the canvas in pixels.")] = None,
    cell: Annotated[int, Option(min=8, help="Side of a cell of the sheets in pixels.")] = 128,
    workers: Annotated[int, Option(min=0, help="Worker processes; 0 draws in this one.")] = 0,
    measure: Annotated[
        bool, Option("--measure", help="Also measure how far to trust each picture, into PNGs and JSON.")
    ] = False,
    recording: Data = None,
    seed: Seed = 0,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Draw whole layers: a PNG for every unit, a sprite sheet with JSON for every layer. Continues what was begun."""
    make(out)
    with opening(model):
        from hooke.models.opening import open
        from hooke.storage.store import Store
        from hooke.visualization.memory import suited
        from hooke.visualization.rendering import render as rendered
        from hooke.visualization.usual import usual

        opened = open(model, device=device, precision=precision, trust=trust)
        method = usual(opened)
        method = replace(method, steps=steps or method.steps)
        if size is not None:
            method = replace(method, parametrization=method.parametrization.sized(size))
    channels = _channels(opened, layers, units, sample)
    method = suited(opened, [f"{layer}:{chosen[0]}" for layer, chosen in channels.items() if chosen], method)
    with counting("drawing") as progress:
        sheets = rendered(
            opened, channels, out, by=method, seed=seed, workers=workers, cell=cell, store=Store(),
            progress=progress, measure=Cheap(recording) if measure else None,
        )  # fmt: skip
    _report(opened, sheets, out, max(1, workers), as_json)


def _channels(
    model: "OpenModel", layers: list[str] | None, units: str | None, sample: int | None
) -> dict[str, list[int]]:
    """The channels to draw of each layer, in order."""
    names = layers or [one.name for one in model.layers.activations if one.channels is not None] or _blocks(model)
    found = {}
    for name in dict.fromkeys(names):
        count = model.layer(name).channels or 0
        every = [one for one in parse_units(units) if one < count] if units else list(range(count))
        few = min(sample or len(every), len(every))
        found[name] = [every[at * len(every) // few] for at in range(few)]
    return {name: chosen for name, chosen in found.items() if chosen}


def _blocks(model: "OpenModel") -> list[str]:
    """The layers of a model that calls its nonlinearities as functions: what its outermost blocks return after one."""
    rows = [one for one in model.layers.addressable if one.channels is not None and one.name not in ENDS]
    after = [one.name for one in rows if one.post_activation and one.height] or [one.name for one in rows]
    outermost = [name for name in after if not any(name.startswith(f"{other}.") for other in after)]
    found = outermost if len(outermost) >= FEW else after
    few = ", ".join(found[:4])
    say(f"{model.name} has no activations among its modules; drawn are {len(found)} blocks ({few}, ...)")
    say("--layers chooses others; `hooke layers MODEL --all` lists them")
    return found


def parse_units(text: str) -> list[int]:
    """The numbers that a text such as 0-31,40 stands for, each once, in order."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise HookeError(f"--units {text}", f"{part!r} is no channel and no range", next_step="write 0-31,40")
        found.update(range(int(first), int(last if dash else first) + 1))
    return sorted(found)


def _report(model: "OpenModel", sheets: "list[Sheet]", out: Path, workers: int, as_json: bool) -> None:
    rows = [_row(model, one, workers) for one in sheets]
    whole = sum(float(str(one["seconds_for_all"])) for one in rows)
    if as_json:
        emit({"folder": str(out), "layers": rows, "seconds_for_all": whole})
        return
    numbers = ("drawn", "channels", "s a unit", "h for all")
    shown = table("layer", *numbers, "sheet", right=numbers)
    for one in rows:
        hours = float(str(one["seconds_for_all"])) / 3600
        row(shown, one["layer"], one["drawn"], one["channels"], f"{one['seconds']:.2f}", f"{hours:.2f}", one["image"])
    console().print(shown)
    say(f"all channels of these layers take about {whole / 3600:.1f} hours here")


def _row(model: "OpenModel", sheet: "Sheet", workers: int) -> dict[str, object]:
    seconds = statistics.median(one["seconds"] for one in sheet.units)
    channels = model.layer(sheet.layer).channels or 0
    return {
        "layer": sheet.layer, "image": sheet.image, "drawn": len(sheet.units), "channels": channels,
        "seconds": seconds, "seconds_for_all": seconds * channels / workers,
        "response": statistics.median(one["response"] for one in sheet.units),
        "notes": sum(bool(one["note"]) for one in sheet.units),
    }  # fmt: skip
