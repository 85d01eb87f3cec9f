"""One run over a plan: what is asked of the microscope, what is there already, and what is known from it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hooke.addresses import Place
from hooke.errors import PublishError
from hooke.publish import figures
from hooke.publish.answers import only_layers, publish_answer
from hooke.publish.asking import Desk
from hooke.publish.effects import packed_effects
from hooke.publish.figures import At, Figure
from hooke.publish.folder import Folder
from hooke.publish.ledger import Ledger

EFFECTS = "what units speak for"
REFUSED = "$refused"


@dataclass(frozen=True)
class Plan:
    """What is published: all photographs of the microscope in these layers, and the whole evidence of some units:
    of the `units` of each layer that lead at most places, and of those `named`."""

    layers: tuple[str, ...]
    units: int = 2
    named: tuple[tuple[str, int], ...] = ()


class Work:
    """Asks for what is missing of a plan, and reads what is there."""

    def __init__(self, desk: Desk, plan: Plan, folder: Folder, ledger: Ledger) -> None:
        self.desk, self.plan, self.folder, self.ledger = desk, plan, folder, ledger
        self.images: list[str] = []
        self._labels: dict[str, tuple[int, ...]] = {}
        self._recorded: dict[str, Any] = {}
        self.failures: dict[str, str] = {}
        """Requests that the server made a mistake over, with what it was; they are asked again by the next run."""

    def learn(self) -> None:
        """What the model and the photographs are."""
        model = self.folder.answer("/api/model")
        self.folder.keep("/api/model", only_layers(model, self.plan.layers))
        self._recorded = model["recording"] or {}
        for one in self.folder.answer("/api/images"):
            self.images.append(one["id"])
            self._labels[one["id"]] = tuple(each["index"] for each in one["predictions"])

    def of_images(self) -> list[At]:
        """Every photograph."""
        labelled = self._recorded.get("labels", 0) > 1
        return [At(one, layers=self.plan.layers, labels=self._labels[one], labelled=labelled) for one in self.images]

    def of_layers(self) -> list[At]:
        """Every layer."""
        return [At(layer=layer, recorded=self._has(layer)) for layer in self.plan.layers]

    def of_both(self) -> list[At]:
        """Every photograph in every layer."""
        return [replace(at, layer=layer) for at in self.of_images() for layer in self.plan.layers]

    def of_units(self) -> list[At]:
        """The units whose whole evidence is published."""
        found = list(self.plan.named)
        for layer in self.plan.layers:
            leading: Counter[int] = Counter()
            for image in self.images:
                known = self.dictionary(image, layer)
                leading.update(known.get("channels", [])[:: known.get("count", 1)])
            ranked = sorted(leading, key=lambda channel: (-leading[channel], channel))
            found += [(layer, channel) for channel in ranked[: self.plan.units]]
        return [At(layer=one, channel=channel, recorded=self._has(one)) for one, channel in dict.fromkeys(found)]

    def argued(self, places: Sequence[At]) -> list[At]:
        """The photographs with the units that argue most for their likeliest label."""
        found = []
        for at in places:
            first = next(iter(figures.ARGUMENTS.requests(at)), None)
            known = self.folder.answer(first) if first and self.folder.answered(first) else {}
            found.append(replace(at, arguing=tuple(figures.arguing(known))))
        return found

    def fired(self, places: Sequence[At]) -> list[At]:
        """The photographs and layers with the place where the layer fires most."""
        found = []
        for at in places:
            known = self.dictionary(at.image, at.layer)
            norms = known.get("norms", [])
            most = max(range(len(norms)), key=norms.__getitem__) if norms else None
            busiest = None if most is None else divmod(most, known["width"])
            found.append(replace(at, busiest=busiest))
        return found

    def expect(self, lines: Sequence[Figure], where: Sequence[At]) -> None:
        """The ledger hears of what will be asked."""
        for line in lines:
            self.ledger.expect(line.name, len(self._missing(line, where)), line.seconds)

    async def ask(self, lines: Sequence[Figure], where: Sequence[At]) -> None:
        """Asks for what is missing of some figures; the ledger expects it."""
        for line in lines:
            for request in self._missing(line, where):
                with self.ledger.doing(line.name):
                    try:
                        await publish_answer(self.desk, self.folder, request, line.slim)
                    except PublishError as error:
                        self.failures[request] = error.reason

    def expect_effects(self, every: Sequence[At]) -> None:
        """The ledger hears of the effects of every dictionary."""
        self.ledger.expect(EFFECTS, len(self._unspoken(every)), 20)

    def effects(self, every: Sequence[At]) -> None:
        """What the units of every dictionary speak for."""
        here = self.desk.here
        for at in self._unspoken(every):
            with self.ledger.doing(EFFECTS):
                canvas = here.shelf.get(at.image).canvas
                self.folder.keep(spoken(at), packed_effects(here.model, canvas, at.layer, figures.COUNT))

    def drawn(self) -> list[str]:
        """The addresses of the units of all dictionaries, as a reader comes on them: each layer's photograph by
        photograph, from where the layer fires most. So those that are seen together are on one sheet."""
        found: dict[str, None] = {}
        for layer in self.plan.layers:
            for image in self.images:
                known = self.dictionary(image, layer)
                norms, channels, count = known.get("norms", []), known.get("channels", []), known.get("count", 0)
                for place in sorted(range(len(norms)), key=norms.__getitem__, reverse=True):
                    some = channels[place * count : (place + 1) * count]
                    found.update(dict.fromkeys(str(Place(layer, channel)) for channel in some))
        return list(found)

    def mentions(self, lines: Sequence[Figure], where: Sequence[At]) -> set[str]:
        """The units that the answers of some figures name, as far as their pictures are published with them."""
        found: set[str] = set()
        for line in lines:
            for request in requests([line], where):
                if not self.folder.answered(request):
                    continue
                known = self.folder.answer(request)
                found.update(() if REFUSED in known else line.drawn(known))
        return found

    def dictionary(self, image: str, layer: str) -> dict[str, Any]:
        """The dictionary that is there; empty where it was refused."""
        (request,) = requests(figures.DICTIONARIES, [At(image, layer)])
        if not self.folder.answered(request):
            return {}
        known: dict[str, Any] = self.folder.answer(request)
        return {} if REFUSED in known else known

    def index(self) -> list[dict[str, Any]]:
        """The units of all dictionaries, each with the label that it speaks for most anywhere."""
        best: dict[tuple[int, int], tuple[float, str]] = {}
        for at in self.of_both():
            known = self.dictionary(at.image, at.layer)
            told = self.folder.answer(spoken(at)) if known else {}
            for rank, channel in enumerate(known.get("channels", [])):
                first = rank * told["each"]
                label, gain = told["supports"][first : first + 1], told["gains"][first : first + 1]
                words = told["labels"][label[0]]["label"].split(",")[0] if label and label[0] >= 0 else ""
                key = (self.plan.layers.index(at.layer), channel)
                best[key] = max(best.get(key, (-1.0, "")), (gain[0] if gain else 0.0, words))
        return [
            {"layer": self.plan.layers[number], "channel": channel, "words": best[number, channel][1]}
            for number, channel in sorted(best)
        ]

    def _has(self, layer: str) -> bool:
        return layer in self._recorded.get("layers", [])

    def _unspoken(self, every: Sequence[At]) -> list[At]:
        known = [at for at in every if self.dictionary(at.image, at.layer)]
        return [at for at in known if not self.folder.answered(spoken(at))]

    def _missing(self, line: Figure, where: Sequence[At]) -> list[str]:
        return [request for request in requests([line], where) if not self.folder.answered(request)]


def requests(lines: Iterable[Figure], where: Iterable[At]) -> list[str]:
    """The requests of some figures, each once."""
    places = list(where)
    return list(dict.fromkeys(request for line in lines for at in places for request in line.requests(at)))


def spoken(at: At) -> str:
    """The name of the effects of a dictionary."""
    return f"/effects?image={at.image}&layer={at.layer}"
