"""/api/standing: how far a method of attribution can be trusted on this model, and a small measurement of it."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from hooke.errors import DataError, NumericsError, nearest
from hooke.modalities.image import Image
from hooke.modalities.samples import Samples
from hooke.server.computed import LATER, Report, answer, later
from hooke.server.microscope import Here, Microscope
from hooke.server.wire_verdicts import BesideView, MethodStandingView
from hooke.shapes import Canvas
from hooke.validation.explainers import explainers
from hooke.validation.faithfulness import Deletion, FaithfulnessCorrelation, Insertion
from hooke.validation.parts import validate_parts
from hooke.validation.shipped import shipped
from hooke.validation.sources import LAST, Explained, named_maps
from hooke.validation.standing import Standing, Use, verdict
from hooke.validation.validate import GROUP, cells, validate

router = APIRouter()

MOST, FEWEST = 16, 8
"""Images of a small measurement: on sixteen a tie says something, on fewer than eight there is no verdict."""
STEPS, SUBSETS = 7, 60
"""Of its curves, and of its correlations."""
BATCHES = 25
"""Of one method and group of images, about: how far it is in it is told by this."""
LISTED = 6

Method = Annotated[str, Query(max_length=60, description="As `hooke validate` calls it: activation x gradient.")]
Layer = Annotated[str | None, Query(max_length=300, description="Whose credit; none: the method's own.")]


@router.get("/api/standing")
async def get_standing(
    here: Here, request: Request, method: Method, layer: Layer = None, use: Use = "maps"
) -> MethodStandingView:
    """What was measured of a method on this model, or that nothing was, and what measures it."""
    return await here.ask(request, here.background, lambda: _view(here, _source(here, method, layer), use))


@router.get("/api/standing/measured", response_model=MethodStandingView, responses=LATER)
async def measure_standing(
    here: Here, request: Request, method: Method, layer: Layer = None, use: Use = "maps"
) -> Response:
    """The same, measured now on a small sample where nothing is known; kept as `hooke validate` keeps it."""
    source = await here.ask(request, here.background, lambda: _source(here, method, layer))
    view = await here.ask(request, here.background, lambda: _view(here, source, use))
    if view.state != "unmeasured":
        return answer(view.model_dump_json())
    name = f"standing {source.name} of {use} of {source.to}"
    return later(here.queue.run(name, lambda report: _measure(here, source, use, report)))


class Looked(Samples):
    """Canvases that are there already, under their names; `what` they are."""

    def __init__(self, what: str, canvases: Sequence[Canvas], names: Sequence[str]) -> None:
        self.what, self.canvases, self.names = what, list(canvases), tuple(names)
        self.labels = self.groups = (None,) * len(self.names)

    @property
    def key(self) -> str:
        """Nobody asks for it."""
        return ""

    @property
    def place(self) -> str:
        """What they are."""
        return self.what

    def picture(self, index: int) -> "object":  # type: ignore[override]
        """There is none: the canvas is all that is known."""
        raise DataError(self.names[index], "only its canvas is here")

    def read(self, index: int, modality: Image) -> Canvas:
        """The canvas."""
        return self.canvases[self._check(index)]


def _source(here: Microscope, method: str, layer: str | None) -> Explained:
    """The method as it is validated, of this layer. Errors: NumericsError, AddressError."""
    key = ("explainers", here.model.fingerprint)
    if key not in here.model.memo:
        here.model.memo[key] = {one.name: one for one in explainers(here.model)}
    known: dict[str, Explained] = here.model.memo[key]
    if method not in known:
        raise NumericsError(f"the method {method}", "there is no such method", choices=nearest(method, known, 20))
    found = known[method]
    place = named_maps(here.model, found.to if layer is None or found.to == LAST else layer)
    return replace(found, to=here.model.layer(place).name)


def _view(here: Microscope, source: Explained, use: Use) -> MethodStandingView:
    found = verdict(
        here.model, source.by, source.to, reading=source.reading if use == "maps" else "sum", use=use,
        name=source.name, store=here.store,
    )  # fmt: skip
    known = {(metric, control): text for metric, control, text in found.cells}
    controls = dict.fromkeys(control for _, control, _ in found.cells)
    rows = [
        BesideView(control=control, verdicts=[known.get((metric, control), "") for metric in found.metrics])
        for control in controls
    ]
    return MethodStandingView(
        method=source.name, layer=source.to, use=use, state=found.state, text=_sentence(found), fails=found.fails,
        images=found.images, data=found.data, sample=list(found.sample[:LISTED]), metrics=list(found.metrics),
        rows=rows, command=_command(here, source, use), offer=_offer(here),
    )  # fmt: skip


def _sentence(found: Standing) -> str:
    """Without what only a terminal can do; the command stands by itself."""
    return found.text.partition("; `")[0]


def _command(here: Microscope, source: Explained, use: Use) -> str:
    data = here.recording.data if here.recording and here.recording.data else ""
    words = ["hooke validate", here.model.name, data, f'--methods "{source.name}"']
    words += [f"--use {use}"] if use != "maps" else []
    words += [f"--to {source.to}"] if use != "maps" or source.to != "input" else []
    return " ".join(filter(None, words))


def _offer(here: Microscope) -> str:
    if here.recording is not None and here.recording.data:
        return f"{min(MOST, len(here.recording.names))} inputs of what was recorded"
    return f"{min(MOST, max(FEWEST, len(here.shelf.shown)))} photographs"


def _sample(here: Microscope) -> Looked:
    """Inputs spread over what was recorded, or else the photographs shown, filled up with those that ship."""
    if here.recording is not None:
        try:
            samples = here.recording.samples()
            count = min(MOST, len(samples))
            chosen = [at * len(samples) // count for at in range(count)]
            canvases = [samples.read(at, here.model.modality) for at in chosen]
            return Looked("what was recorded", canvases, [samples.names[at] for at in chosen])
        except DataError:
            pass
    shown = here.shelf.shown[:MOST]
    canvases, names = [one.canvas for one in shown], [one.name for one in shown]
    more = list(shipped(here.model, "standing"))[: max(0, FEWEST - len(shown))]
    return Looked("photographs", canvases + more, names + [f"shipped {at}" for at in range(len(more))])


def _measure(here: Microscope, source: Explained, use: Use, report: Report) -> None:
    """Measure it and keep it. Errors: NumericsError where it could not be asked."""
    sample = _sample(here)
    at = {"done": 0, "total": 1, "batches": 0}

    def watch(name: str, done: int, total: int) -> None:
        at.update(done=done, total=total, batches=0)
        report(1000 * done, 1000 * total)

    def passed(rows: int) -> None:
        at["batches"] += 1
        within = 1 - math.exp(-at["batches"] / BATCHES)
        report(round(1000 * (at["done"] + within)), 1000 * at["total"])

    report(0, 1000)
    if use == "maps":
        at["total"] = 2 * -(-len(sample) // GROUP)
        size = cells(here.model.modality.height, here.model.modality.width)
        metrics = (Deletion(steps=STEPS, cell=size), Insertion(steps=STEPS, cell=size),
                   FaithfulnessCorrelation(cell=size, count=SUBSETS))  # fmt: skip
        found = validate(here.model, source, sample, metrics, store=here.store, watch=watch, passed=passed)
    else:
        methods = {source.name: source.by}
        found = validate_parts(
            here.model, sample, to=source.to, use=use, methods=methods, store=here.store, watch=watch
        )
    if source.name not in found.scores:
        raise NumericsError(source.name, "; ".join(found.remarks) or "no image has a score")
