"""`hooke quality`: how far to trust the pictures of units."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from hooke.cli.figures import Figures, make, plain, write_figure, write_json
from hooke.cli.measuring import Data, Seeds, qualities, recorded
from hooke.cli.options import Device, Json, Model, Precision, Seed, Steps, Trust
from hooke.cli.report import console, emit, opening, progress, row, say, table
from hooke.cli.visualize import drawn
from hooke.errors import HookeError

if TYPE_CHECKING:
    from hooke.models.model import Model as OpenModel
    from hooke.responses.recording import Recording
    from hooke.results import Picture
    from hooke.validation.pictures import Quality
    from hooke.validation.travel import Journey

NATURAL = 6
"""Natural top examples of a unit, and random images, that its picture travels beside."""


def quality(
    model: Model,
    addresses: Annotated[list[str], Argument(metavar="ADDRESS", help="LAYER:CHANNEL, 'logits:\"tabby\"', ...")],
    recording: Data = None,
    seeds: Seeds = 1,
    travel: Annotated[
        bool, Option("--travel", help="Compare the way through the network with natural examples of the recording.")
    ] = False,
    out: Figures = None,
    steps: Steps = None,
    size: Annotated[int | None, Option(min=16, help="Side of the canvas in pixels.")] = None,
    seed: Seed = 0,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Draw units and measure how far to trust the pictures: beside data, over seeds, on their way through the model."""
    if travel and recording is None:
        step = "record the model (`hooke record`) and give --recording"
        raise HookeError("--travel", "natural examples come from a recording", next_step=step)
    if out is not None:
        make(out)
    with opening(model):
        from hooke.models.opening import open
        from hooke.visualization.usual import usual

        opened = open(model, device=device, precision=precision, trust=trust)
        by = usual(opened)
        by = replace(by, steps=steps or by.steps)
        if size is not None:
            by = replace(by, parametrization=by.parametrization.sized(size))
        names = list(dict.fromkeys(str(opened.resolve(address)) for address in addresses))
        found_recording = recorded(recording)
    pictures, _ = drawn(opened, list(names), by, seed, None)
    found = qualities(opened, pictures, by, seed, seeds, recording)
    ways = _journeys(opened, pictures, found_recording) if travel and found_recording else {}
    facts = {
        "pictures": [{"address": name, **one.facts} for name, one in found.items()],
        "travel": [asdict(way) for way in ways.values()],
    }
    if out is not None:
        write_json(facts, out / "quality.json")
        if ways:
            from hooke.plots.quality import journeys

            shown = {layer: way["steps"] for layer, way in zip(ways, facts["travel"], strict=True)}
            write_figure(journeys(shown, note=_counted(ways)), out / "travel.png")
    if as_json:
        emit(plain(facts))
        return
    _report(found, ways)


def _journeys(model: "OpenModel", pictures: "Mapping[str, Picture]", recording: "Recording") -> "dict[str, Journey]":
    """For each layer, the way of its units' pictures beside natural top examples and random inputs."""
    from hooke.validation.sights import vector
    from hooke.validation.travel import travel, travellers, upto

    layers: dict[str, list[str]] = {}
    for name in pictures:
        layers.setdefault(vector(model, name)[0], []).append(name)
    found = {}
    each = travellers(model, {one: pictures[one].image for part in layers.values() for one in part}, recording, NATURAL)
    with progress() as bar:
        task = bar.add_task("travelling", total=len(pictures))
        for layer, names in layers.items():
            going = []
            for one in islice(each, len(names)):
                going.append(one)
                bar.advance(task)
            found[layer] = travel(model, going, upto(model, layer))
    return found


def _counted(ways: "Mapping[str, Journey]") -> str:
    return "; ".join(
        f"{layer}: {len(way.addresses)} units, {way.examples} top examples, {way.randoms} random images each"
        for layer, way in ways.items()
    )


def _report(found: "Mapping[str, Quality]", ways: "Mapping[str, Journey]") -> None:
    numbers = ("response", "x data", "scrambled", "no colour", "centre", "spread", "alike", "others")
    sheet = table("address", *numbers, right=numbers)
    for name, one in found.items():
        data, kept, stable = one.data, one.kept, one.stability
        against = (data.before or data.peak).times if data else None
        seeds: tuple[Any, ...] = (stable.spread, stable.alike, stable.control) if stable else (None, None, None)
        cells = (against, kept.scrambled, kept.colourless, kept.central, *seeds)
        row(sheet, name, f"{one.response:#.3g}", *(None if cell is None else f"{cell:.2f}" for cell in cells))
    console().print(sheet)
    if any(one.data for one in found.values()):
        say("x data: the largest value entering the nonlinearity, over the largest for data")
    say("scrambled, no colour, centre: how much of the response stays (the central half is a quarter of the area)")
    for layer, way in ways.items():
        last = way.steps[-1]
        say(
            f"{layer}: similarity to natural top examples {last.picture.value:.2f}, of these to one another "
            f"{last.natural.value:.2f}, of random images to them {last.random.value:.2f}"
        )
