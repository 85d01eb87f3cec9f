"""How good are pictures of units? Against data, against controls, on their way through the network, told apart.

Run: HOOKE_SAMPLE=folder python experiments/pictures/findings.py --work FOLDER [--lucent FOLDER]
Pictures, responses and each layer's figures are kept in --work, so an interrupted run goes on where it was; layers or
families that are not done yet are left out of findings.json. `--lucent` holds pictures of others, LAYER:CHANNEL.png.
"""

import argparse
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

import hooke
from hooke.modalities.datasets import dataset
from hooke.models.model import Model
from hooke.models.randomized import randomized
from hooke.numeric.fixed import Fixed
from hooke.numeric.intervals import rate
from hooke.numeric.seeds import stream
from hooke.numeric.spectra import colour_matrix, power_law, synthesized
from hooke.provenance import versions
from hooke.responses.record import record
from hooke.results import Picture
from hooke.shapes import Canvas
from hooke.storage.store import Store
from hooke.validation.pictures import measure
from hooke.validation.sights import Sight, Sighted, channels, look
from hooke.validation.telling import (
    Examples,
    Seen,
    by_response,
    example_likeness,
    grouped,
    likeness,
    resemblance,
    told,
    witnessed,
)
from hooke.validation.travel import Traveller, anywhere, travel, upto
from hooke.visualization.ascent import REVISION
from hooke.visualization.drawing import visualize
from hooke.visualization.objectives import Direction

HERE = Path(__file__).parent
WANTED: dict[str, list[int]] = json.loads((HERE / "units.json").read_text())
"""Sixteen channels of each of six layers, drawn at random once."""
LAYERS = tuple(WANTED)
CONTROLLED = ("blocks.3.1.bn2.act", "blocks.1.1.bn2.act", "blocks.5.1.bn2.act")
"""The layers whose random directions and random weights are drawn, too; they are measured first."""
UNITS, SHOWN, HELD_OUT, TRAVELLED, SEEDS, SEEDED = 16, 6, 6, 4, 3, 4
CALIBRATION = 64
"""Photographs on which the batch norms of the network with random weights are measured."""


class Photographs(Sequence[Canvas]):
    """The sample as canvases, kept as bytes."""

    def __init__(self, model: Model, sample: Path, file: Path) -> None:
        if not file.exists():
            found = dataset(sample)
            levels = [found.read(at, model.modality).mul(255).round().to(torch.uint8) for at in range(len(found))]
            torch.save(torch.stack(levels), file)
        self.levels = torch.load(file)

    def __len__(self) -> int:
        return len(self.levels)

    def __getitem__(self, at: Any) -> Any:
        return self.levels[at].float() / 255


@dataclass(frozen=True, eq=False)
class Family:
    """Units (or directions) of one layer of one network, and their responses to the photographs."""

    model: Model
    layer: str
    vectors: Tensor
    wanted: Sequence[Any]
    """What is drawn, one for each vector."""
    sighted: Sighted


def once(file: Path, make: Callable[[], Any]) -> Any:
    """What was saved in a file, or made and saved now."""
    if not file.exists():
        made = make()
        torch.save(made, file.with_suffix(".part"))
        file.with_suffix(".part").rename(file)
    return torch.load(file, weights_only=False)


def families(model: Model, photographs: Photographs, work: Path) -> dict[tuple[str, str], Callable[[], Family]]:
    """By (layer, kind): each made when it is asked for."""
    trained = {layer: channels(model, layer, WANTED[layer]) for layer in LAYERS}
    turned = {_entering(layer): _directions(model, layer) for layer in CONTROLLED}

    def seen(kind: str, other: Callable[[], Model], units: dict[str, Tensor]) -> dict[str, Sighted]:
        return once(work / f"responses-{kind}.pt", lambda: look(other(), units, photographs))

    def untrained() -> Model:
        if "random" not in model.memo:
            calibration = torch.stack([photographs[at] for at in range(0, len(photographs), 8)][:CALIBRATION])
            model.memo["random"] = randomized(model, 0, calibration=calibration)
        return model.memo["random"]

    def units(layer: str) -> Family:
        wanted = [f"{layer}:{channel}" for channel in WANTED[layer]]
        return Family(model, layer, trained[layer], wanted, seen("units", lambda: model, trained)[layer])

    def directions(layer: str) -> Family:
        place = _entering(layer)
        wanted = [Direction(place, Fixed(one)) for one in turned[place]]
        return Family(model, place, turned[place], wanted, seen("directions", lambda: model, turned)[place])

    def random(layer: str) -> Family:
        own = {name: trained[name] for name in CONTROLLED}
        return Family(untrained(), layer, own[layer], units(layer).wanted, seen("random", untrained, own)[layer])

    def controls(layers: Sequence[str]) -> None:
        for layer in layers:
            made[layer, "random directions"] = partial(directions, layer)
            made[layer, "random weights"] = partial(random, layer)

    others = [layer for layer in LAYERS if layer not in CONTROLLED]
    made: dict[tuple[str, str], Callable[[], Family]] = {}
    made |= {(layer, "units"): partial(units, layer) for layer in CONTROLLED}
    controls(CONTROLLED[:1])
    made |= {(layer, "units"): partial(units, layer) for layer in others}
    controls(CONTROLLED[1:])
    return made


def _entering(layer: str) -> str:
    """The layer before the nonlinearity: directions are of what enters it, which has no ceiling."""
    return layer.removesuffix("act") + "drop"


def _directions(model: Model, layer: str) -> Tensor:
    count = model.layers.find(layer).channels or 0
    drawn = torch.randn(UNITS, count, generator=stream(0, "directions", layer))
    return drawn / drawn.norm(dim=1, keepdim=True)


def noise(side: int) -> list[Canvas]:
    """Sixteen canvases with the spectrum and colours of photographs, and nothing else of them."""
    dice = stream(0, "noise", str(side))
    spectra = torch.randn(UNITS, 3, side, side // 2 + 1, 2, generator=dice)
    return list((0.5 + 0.2 * synthesized(spectra, power_law(side, side, 1.0), colour_matrix(), side)).clamp(0, 1))


def middle(sight: Sight) -> Sight:
    """As large a box in the middle of the canvas."""
    (_, _, height, width), (tall, wide) = sight.box, sight.canvas.shape[1:]
    return Sight(sight.canvas, ((tall - height) // 2, (wide - width) // 2, height, width), sight.value)


def sights(family: Family, pictures: Sequence[Canvas]) -> tuple[list[Sight], Tensor]:
    """Where each unit responds most in its own picture, and the responses of all units to all pictures."""
    found = look(family.model, {family.layer: family.vectors}, pictures)[family.layer]
    return [found.sight(at, at, picture) for at, picture in enumerate(pictures)], found.means


def tell(family: Family, pictures: Sequence[Canvas], examples: Examples, witness: Model) -> dict[str, Any]:
    """Which pictures are told to be of their units, in both ways, and how alike they look."""
    seen_in, values = sights(family, pictures)
    seen = witnessed(witness, [one.crop for one in seen_in])
    return {"response": by_response(values, family.sighted.means).tolist(), **_told(seen, examples)}


def _told(seen: Seen, examples: Examples) -> dict[str, Any]:
    credits = told(resemblance(seen, examples)).tolist()
    level = {layer: values - values.mean(0) for layer, values in seen.items()}
    plain = {layer: values - values.mean((0, 1)) for layer, values in examples.items()}
    return {"witness": credits, "witness, style removed": told(resemblance(level, plain)).tolist(),
            "alike": asdict(likeness(seen, examples))}  # fmt: skip


def telling(family: Family, kind: str, pictures: Sequence[Picture], photographs: Photographs, witness: Model,
            lucent: Path | None) -> dict[str, Any]:  # fmt: skip
    """All that is told by the pictures of one family, and by what stands in their place."""
    top = [family.sighted.top(unit, SHOWN + HELD_OUT, photographs) for unit in range(UNITS)]
    examples = grouped(witnessed(witness, [one.crop for each in top for one in each[0::2]]), UNITS)
    kept = grouped(witnessed(witness, [one.crop for each in top for one in each[1::2]]), UNITS)
    found = {kind: tell(family, [one.image for one in pictures], examples, witness)}
    held = [_told({layer: values[:, at] for layer, values in kept.items()}, examples) for at in range(HELD_OUT)]
    name = "held-out examples" if kind == "units" else f"held-out examples of {kind}"
    found[name] = {way: [one for part in held for one in part[way]] for way in ("witness", "witness, style removed")}
    found[name]["alike"] = asdict(example_likeness(examples))
    if kind == "units":
        grain = noise(pictures[0].image.shape[1])
        found["noise, at its peak"] = tell(family, grain, examples, witness)
        centred = [middle(one) for one in sights(family, grain)[0]]
        found["noise"] = _told(witnessed(witness, [one.crop for one in centred]), examples)
        theirs = [lucent / f"{unit}.png" for unit in family.wanted] if lucent else []
        if theirs and all(file.exists() for file in theirs):
            found["torch-lucent"] = tell(family, [_read(file) for file in theirs], examples, witness)
    return found


def _read(file: Path) -> Canvas:
    pixels = torch.from_numpy(numpy.array(hooke.read_picture(file).convert("RGB")))
    return pixels.permute(2, 0, 1).float() / 255


def qualities(family: Family, pictures: Sequence[Picture], recording: Any, store: Store) -> dict[str, Any]:
    """What `hooke quality` measures of each unit; seeds for the first few."""
    few = range(SEEDED)
    more = [visualize(family.model, family.wanted[:SEEDED], seed=seed, store=store) for seed in range(1, SEEDS)]
    rows = []
    for at, picture in enumerate(pictures):
        again = [drawn[at] for drawn in more] if at in few else []
        others = [pictures[other] for other in few if other != at] if again else []
        found = measure(family.model, picture, recording=recording, again=again, others=others).facts
        rows.append({"address": picture.address, **{key: found[key] for key in found if key != "provenance"}})
    return {"units": rows}


def journey(family: Family, pictures: Sequence[Picture], photographs: Photographs) -> Any:
    """The way of the family's pictures through the network."""
    seen_in, _ = sights(family, [one.image for one in pictures])
    dice = stream(0, "random images", family.layer)
    travellers = [
        Traveller(f"{family.layer} {unit}", seen_in[unit], family.sighted.top(unit, TRAVELLED, photographs),
                  anywhere(family.sighted.field, photographs, TRAVELLED, dice))
        for unit in range(UNITS)
    ]  # fmt: skip
    return asdict(travel(family.model, travellers, upto(family.model, family.layer)))


def work_on(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Every layer and family, each figure kept as soon as it is there; what there is after each."""
    work: Path = args.work
    model, witness = hooke.open(), hooke.open("efficientnet-lite2")
    photographs = Photographs(model, Path(os.environ["HOOKE_SAMPLE"]), work / "photographs.pt")
    store = Store(work / "pictures")
    report: dict[str, Any] = {}
    facts = {"photographs": len(photographs), "revision": REVISION, "versions": versions(), "layers": report}
    made = families(model, photographs, work)
    for (layer, kind), make in made.items():
        family = make()
        pictures = visualize(family.model, family.wanted, store=store)
        file, lucent = work / f"{layer} {kind}.json", args.lucent if kind == "units" else None
        parts = measured(file, "told", partial(telling, family, kind, pictures, photographs, witness, lucent))
        parts = measured(file, "journey", partial(journey, family, pictures, photographs))
        report.setdefault(layer, {})[kind] = parts
        print(layer, kind, flush=True)
        yield facts
    recording = record(model, os.environ["HOOKE_SAMPLE"], at=LAYERS, out=work / "recording")
    for layer in report:
        family = made[layer, "units"]()
        pictures = visualize(family.model, family.wanted, store=store)
        file = work / f"{layer} units.json"
        report[layer]["units"] = measured(file, "quality", partial(qualities, family, pictures, recording, store))
        print(layer, "quality", flush=True)
        yield facts


def measured(file: Path, name: str, task: Callable[[], Any]) -> dict[str, Any]:
    """All that is in a file of figures, with those of this name, found out now where they are not there."""
    parts = json.loads(file.read_text()) if file.exists() else {}
    if name not in parts:
        parts[name] = task()
        file.write_text(json.dumps(parts))
    return parts


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """Rates with intervals, medians and ways, without what belongs to single units."""
    layers = {}
    for layer, kinds in sorted(found["layers"].items(), key=lambda entry: LAYERS.index(entry[0])):
        rows = {name: part for parts in kinds.values() for name, part in parts["told"].items()}
        told_by = {
            name: {
                way: asdict(rate(torch.tensor(credits), 1 / UNITS)) for way, credits in part.items() if way != "alike"
            }
            for name, part in rows.items()
        }
        alike = {name: part["alike"] for name, part in rows.items()}
        ways = {kind: parts["journey"]["steps"] for kind, parts in kinds.items()}
        layers[layer] = {
            "told": told_by,
            "alike": alike,
            "travel": ways,
            "quality": _medians(kinds["units"]["quality"]["units"]) if "quality" in kinds["units"] else None,
        }
    return {
        **{key: value for key, value in found.items() if key != "layers"},
        "layers": layers,
        "pooled": _pooled(found),
    }


def _pooled(found: dict[str, Any]) -> dict[str, Any]:
    """The rates over all layers that a family was measured in."""
    credits: dict[str, dict[str, list[float]]] = {}
    for kinds in found["layers"].values():
        for name, part in ((name, part) for parts in kinds.values() for name, part in parts["told"].items()):
            for way in part.keys() - {"alike"}:
                credits.setdefault(name, {}).setdefault(way, []).extend(part[way])
    return {name: {way: asdict(rate(torch.tensor(each), 1 / UNITS)) for way, each in ways.items()}
            for name, ways in credits.items()}  # fmt: skip


def _medians(units: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Median, quartiles and number of each figure over the units that have it."""
    figures: dict[str, Callable[[dict[str, Any]], float | None]] = {
        "peak, times the data's largest": lambda one: one["data"]["peak"]["times"],
        "peak before the nonlinearity, times the data's largest": lambda one: one["data"]["before"]["times"],
        "mean, times the data's largest mean": lambda one: one["data"]["mean"]["times"],
        "share of inputs with a lower mean": lambda one: one["data"]["mean"]["share"],
        "kept with random phases": lambda one: one["kept"]["scrambled"],
        "kept without colour": lambda one: one["kept"]["colourless"],
        "kept with the central half": lambda one: one["kept"]["central"],
        "spread over three seeds": lambda one: one["stability"] and one["stability"]["spread"],
        "alike over three seeds": lambda one: one["stability"] and one["stability"]["alike"],
        "alike, other units": lambda one: one["stability"] and one["stability"]["control"],
    }
    found = {}
    for name, figure in figures.items():
        values = torch.tensor([value for one in units if (value := figure(one)) is not None], dtype=torch.float64)
        if len(values):
            low, middle, high = values.quantile(values.new_tensor([0.25, 0.5, 0.75])).tolist()
            found[name] = {"median": middle, "quartiles": [low, high], "units": len(values)}
    return found


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(entry) for entry in value]
    if isinstance(value, float):
        return round(value, 4) if value == value else None
    return value


def main() -> None:
    """Measures what is missing, writes findings.json and the figures beside this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for pictures, responses and figures")
    parser.add_argument("--lucent", type=Path, help="folder of pictures LAYER:CHANNEL.png to tell apart, too")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    for found in work_on(args):
        report = _rounded(summary(found))
        (HERE / "findings.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    draw(report)


def draw(report: dict[str, Any]) -> None:
    """The figures of findings.json."""
    from hooke.plots.panels import save
    from hooke.plots.quality import journeys, tellings

    ways = ("response", "witness", "witness, style removed")
    save(tellings(report["pooled"], ways), HERE / "told.png")
    save(journeys({layer: one["travel"]["units"] for layer, one in report["layers"].items()}), HERE / "travel.png")


if __name__ == "__main__":
    main()
