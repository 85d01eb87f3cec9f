"""Publishing: every answer that the page of some photographs and layers asks for, each worked out once and kept."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from hooke.addresses import Place
from hooke.models.model import Model
from hooke.publish import figures
from hooke.publish.answers import mentioned, only_layers, publish_answer
from hooke.publish.asking import Desk
from hooke.publish.effects import packed_effects
from hooke.publish.figures import At, Figure
from hooke.publish.folder import Folder
from hooke.publish.ledger import Ledger
from hooke.publish.pictures import publish_pictures
from hooke.studies.semantic_dictionary import default_layer, spatial_layers

MOST_LAYERS = 4


@dataclass(frozen=True)
class Plan:
    """What is published: all photographs of the microscope in these layers, and the whole evidence of some units:
    of the `units` of each layer that lead at most places, and of those `named`."""

    layers: tuple[str, ...]
    units: int = 2
    named: tuple[tuple[str, int], ...] = ()


def usual_layers(model: Model, count: int = MOST_LAYERS) -> tuple[str, ...]:
    """Activation layers evenly from shallow to deep, fine enough to point at, the microscope's first one among them."""
    spatial, activations, handy = spatial_layers(model)
    rows = [row.name for row in handy or activations or spatial]
    chosen = {rows[(2 * at + 1) * len(rows) // (2 * count)] for at in range(count)} if rows else set()
    first = default_layer(model)
    if first in rows and first not in chosen:
        chosen.discard(min(chosen, key=lambda name: abs(rows.index(name) - rows.index(first))))
        chosen.add(first)
    return tuple(name for name in rows if name in chosen)


async def publish_answers(app: FastAPI, plan: Plan, folder: Folder, ledger: Ledger) -> None:
    """Asks for everything that is not in the folder yet; PublishError where an answer cannot be had."""
    work = _Work(Desk(app), plan, folder, ledger)
    await work.ask(figures.SITE, [At()])
    work.learn()
    every = [At(image, layer, layers=plan.layers) for image in work.images for layer in plan.layers]
    ledger.expect("what units speak for", len(every), 20)
    work.expect(figures.LAYERS, [At(layer=layer) for layer in plan.layers])
    await work.ask(figures.DICTIONARIES, every)
    units = work.units()
    places = [work.at(image, "") for image in work.images]
    both = [work.at(image, layer) for image in work.images for layer in plan.layers]
    chosen = [At(layer=layer, channel=channel, recorded=work.recorded(layer)) for layer, channel in units]
    for lines, where in ((figures.IMAGES, places), (figures.IMAGES_AND_LAYERS, both), (figures.UNITS, chosen)):
        work.expect(lines, where)
    ledger.expect("drawing", len(work.drawn()), 2)
    await work.effects(every)
    await work.ask(figures.LAYERS, [At(layer=layer) for layer in plan.layers], known=True)
    await work.ask(figures.IMAGES, places, known=True)
    await work.ask(figures.IMAGES_AND_LAYERS, both, known=True)
    await work.ask(figures.UNITS, chosen, known=True)
    mentions = [*work.drawn(), *(text for layer, channel in units for text in _portraits(layer, channel))]
    more = work.mentions(figures.IMAGES, places) | work.mentions(figures.IMAGES_AND_LAYERS, both)
    wanted = sorted({*mentions, *more})
    ledger.expect("drawing", len(wanted) - len(work.drawn()), 2)
    beside = work.mentions(figures.UNITS, chosen) - set(wanted)
    await publish_pictures(work.desk, folder, ledger, wanted, plan.layers, sorted(beside))
    folder.keep("/units", _index(folder, work.images, plan.layers))


class _Work:
    """One run over a plan."""

    def __init__(self, desk: Desk, plan: Plan, folder: Folder, ledger: Ledger) -> None:
        self.desk, self.plan, self.folder, self.ledger = desk, plan, folder, ledger
        self.images: list[str] = []
        self._labels: dict[str, tuple[int, ...]] = {}
        self._recorded: list[str] = []

    def learn(self) -> None:
        """What the model and the photographs are."""
        model = self.folder.answer("/api/model")
        self.folder.keep("/api/model", only_layers(model, self.plan.layers))
        self._recorded = (model["recording"] or {}).get("layers", [])
        for one in self.folder.answer("/api/images"):
            self.images.append(one["id"])
            self._labels[one["id"]] = tuple(each["index"] for each in one["predictions"])

    def at(self, image: str, layer: str) -> At:
        """A photograph, and a layer of it."""
        return At(image, layer, layers=self.plan.layers, labels=self._labels[image], recorded=self.recorded(layer))

    def recorded(self, layer: str) -> bool:
        """Whether a recording has the layer."""
        return layer in self._recorded

    def expect(self, lines: Sequence[Figure], where: Sequence[At]) -> None:
        """The ledger hears of what will be asked."""
        for line in lines:
            self.ledger.expect(line.name, len(self._missing(line, where)), line.seconds)

    async def ask(self, lines: Sequence[Figure], where: Sequence[At], known: bool = False) -> None:
        """Asks for what is missing of some figures; `known`: the ledger expects it."""
        if not known:
            self.expect(lines, where)
        for line in lines:
            for request in self._missing(line, where):
                with self.ledger.doing(line.name):
                    await publish_answer(self.desk, self.folder, request)

    async def effects(self, every: Sequence[At]) -> None:
        """What the units of every dictionary speak for."""
        here = self.desk.here
        for at in every:
            request = f"/effects?image={at.image}&layer={at.layer}"
            if self.folder.answered(request) or "$refused" in self._dictionary(at.image, at.layer):
                self.ledger.expect("what units speak for", -1, 20)
                continue
            with self.ledger.doing("what units speak for"):
                canvas = here.shelf.get(at.image).canvas
                self.folder.keep(request, packed_effects(here.model, canvas, at.layer, figures.COUNT))

    def units(self) -> list[tuple[str, int]]:
        """The units whose whole evidence is published."""
        found = list(self.plan.named)
        for layer in self.plan.layers:
            leading: Counter[int] = Counter()
            for image in self.images:
                known = self._dictionary(image, layer)
                leading.update(known.get("channels", [])[:: known.get("count", 1)])
            ranked = sorted(leading, key=lambda channel: (-leading[channel], channel))
            found += [(layer, channel) for channel in ranked[: self.plan.units]]
        return list(dict.fromkeys(found))

    def drawn(self) -> set[str]:
        """The addresses of the units of all dictionaries."""
        return {
            str(Place(layer, channel))
            for layer in self.plan.layers
            for image in self.images
            for channel in self._dictionary(image, layer).get("channels", [])
        }

    def mentions(self, lines: Sequence[Figure], where: Sequence[At]) -> set[str]:
        """The units that the answers of some figures name."""
        found: set[str] = set()
        for request in _requests(lines, where):
            if self.folder.answered(request):
                found.update(mentioned(self.folder.answer(request)))
        return found

    def _dictionary(self, image: str, layer: str) -> dict[str, Any]:
        (request,) = _requests(figures.DICTIONARIES, [At(image, layer)])
        known: dict[str, Any] = self.folder.answer(request)
        return known

    def _missing(self, line: Figure, where: Sequence[At]) -> list[str]:
        return [request for request in _requests([line], where) if not self.folder.answered(request)]


def _requests(lines: Iterable[Figure], where: Iterable[At]) -> list[str]:
    places = list(where)
    return list(dict.fromkeys(request for line in lines for at in places for request in line.requests(at)))


def _portraits(layer: str, channel: int) -> list[str]:
    """The pictures of a unit's own page: three seeds, and its opposite."""
    address = str(Place(layer, channel))
    return [address, f"{address} ~1", f"{address} ~2", f"-{address}"]


def _index(folder: Folder, images: Sequence[str], layers: Sequence[str]) -> list[dict[str, Any]]:
    """The units of all dictionaries, each with the label that it speaks for most anywhere."""
    best: dict[tuple[int, int], tuple[float, str]] = {}
    for image in images:
        for number, layer in enumerate(layers):
            (request,) = _requests(figures.DICTIONARIES, [At(image, layer)])
            effects = f"/effects?image={image}&layer={layer}"
            if not folder.answered(effects):
                continue
            known, spoken = folder.answer(request), folder.answer(effects)
            for at, channel in enumerate(known["channels"]):
                label, gain = spoken["supports"][at * spoken["each"]], spoken["gains"][at * spoken["each"]]
                words = spoken["labels"][label]["label"].split(",")[0] if label >= 0 else ""
                best[number, channel] = max(best.get((number, channel), (-1.0, "")), (gain, words))
    return [
        {"layer": layers[number], "channel": channel, "words": best[number, channel][1]}
        for number, channel in sorted(best)
    ]
