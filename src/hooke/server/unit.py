"""/api/unit/quality, /tuning, /weights and /ablation: what is measured of one unit when somebody asks."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy
import PIL.Image
from fastapi import APIRouter
from numpy.typing import NDArray
from starlette.responses import Response

from hooke.addresses import Place
from hooke.errors import EditError
from hooke.interventions.effect import EditEffect, effect
from hooke.interventions.readouts import classes_of
from hooke.models.editing.kinds import Ablate
from hooke.responses.stimuli import stimulus
from hooke.responses.tuning import Sweep, Tuning, tune
from hooke.results import Picture
from hooke.server.computed import LATER, Report, Unit, computed
from hooke.server.microscope import Here, Microscope
from hooke.server.neighbours import neighbours
from hooke.server.refusals import Absent
from hooke.server.sprites import sheet
from hooke.server.wanted import wanted
from hooke.server.wire_units import AblationRow, AblationView, QualityView, StandingView, TuningView, WeightsView
from hooke.validation.pictures import measure

router = APIRouter(prefix="/api/unit")

Array: TypeAlias = NDArray[Any]

SEEDS = 3
CONTROLS = 19
PHOTOGRAPHS = 8
SWEEP = Sweep(steps=16, samples=6)
GLYPHS = 8
GLYPH = 40


@router.get("/quality", response_model=QualityView, responses=LATER)
async def get_quality(here: Here, place: Unit) -> Response:
    """How far to trust a unit's picture; the more of its seeds are drawn, the more is told."""
    drawn = await asyncio.to_thread(from_seeds, here, place)
    if not drawn:
        raise Absent(f"the quality of {place}", "it is not drawn yet", next_step="ask for its drawing first")
    others = here.others(place)[:SEEDS]
    name = " ".join(["quality", *(one.provenance.key[:16] for one in (*drawn, *others))])
    return computed(here, name, lambda report: quality(here, place, drawn, others))


@router.get("/tuning", response_model=TuningView, responses=LATER)
async def get_tuning(here: Here, place: Unit, kind: str, over: str) -> Response:
    """A unit's mean response to a synthetic stimulus as one of its parameters changes."""
    stimulus(kind).range(over)
    return computed(here, f"tuning {kind} {over} {place}", lambda report: _tuning(here, place, kind, over, report))


@router.get("/weights", response_model=WeightsView, responses=LATER)
async def get_weights(here: Here, place: Unit, after: bool = False, other: str = "") -> Response:
    """The units before (or after) a unit, by the weights between them; `other` chooses their layer."""
    name = f"weights {after} {other} {place}"
    return computed(here, name, lambda report: neighbours(here.model, place, after, other, report))


@router.get("/ablation", response_model=AblationView, responses=LATER)
async def get_ablation(here: Here, place: Unit) -> Response:
    """What becomes of the shown photographs when a unit is set to zero, and when random ones are."""
    return computed(here, f"ablation {place}", lambda report: _ablation(here, place, report))


def from_seeds(here: Microscope, place: Place) -> list[Picture]:
    """Its pictures from several seeds, as far as they were drawn."""
    return [found for again in range(SEEDS) if (found := here.picture(wanted(str(place), again)))]


def quality(here: Microscope, place: Place, drawn: list[Picture], others: list[Picture]) -> QualityView:
    """How far to trust a unit's picture: what is left of it changed, and how alike those of its seeds are, beside the
    pictures of other units."""
    kept = here.recorded(place.layer)
    found = measure(here.model, drawn[0], of=place, recording=kept, again=drawn[1:], others=others)
    data = (found.data.before or found.data.peak) if found.data else None
    stable = found.stability
    return QualityView(
        response=found.response, peak=found.peak, scrambled=found.kept.scrambled, colourless=found.kept.colourless,
        central=found.kept.central, pictures=len(drawn), others=stable.others if stable else 0,
        data=StandingView(share=data.share, times=data.times, count=data.count) if data else None,
        alike=stable.alike if stable else None, control=stable.control if stable else None,
    )  # fmt: skip


def _tuning(here: Microscope, place: Place, kind: str, over: str, report: Report) -> TuningView:
    from hooke.responses.showing import curve, scale

    kept = here.recorded(place.layer)
    report(0, 1)
    found = tune(
        here.model, str(place), stimulus(kind), over=over, by=SWEEP, seed=here.seed, recording=kept, progress=report
    )
    axis, shown, drawn = found.axes[0], scale(found, 0, 0, pictures=GLYPHS), curve(found, 0, 0)
    pictures = [PIL.Image.fromarray(numpy.rint(one * 255).astype(numpy.uint8)) for one in _rgb(shown.pictures)]
    data = found.data
    return TuningView(
        stimulus=kind, parameter=over, unit=axis.range.unit, period=axis.range.period, logarithmic=shown.logarithmic,
        values=axis.values.tolist(), texts=[axis.range.text(float(value)) for value in axis.values],
        mean=drawn.mean.tolist(), low=drawn.low.tolist(), high=drawn.high.tolist(), grey=float(found.grey[0]),
        best=_best(found), settings=found.responses.shape[1],
        data_mean=float(data.mean[0]) if data else None, data_maximum=float(data.maximum[0]) if data else None,
        glyphs=sheet(pictures, GLYPH, max(1, len(pictures))), glyph_count=len(pictures),
    )  # fmt: skip


def _best(found: Tuning) -> str:
    axis = found.axes[0]
    return axis.range.text(found.best(0)[axis.name])


def _rgb(pictures: Sequence[tuple[float, Array]]) -> list[Array]:
    """The stimuli as RGB arrays [row, column, 3], values 0 to 1."""
    return [numpy.broadcast_to(array.clip(0, 1), (*array.shape[:2], 3)) for _, array in pictures]


def _ablation(here: Microscope, place: Place, report: Report) -> AblationView:
    said = [
        (photograph, guesses[0].label) for photograph in here.shelf.shown if (guesses := here.predictions(photograph))
    ]
    classes = classes_of(here.model, [label for _, label in said])
    shown = [one for one, index in zip(said, classes.tolist(), strict=True) if index >= 0][:PHOTOGRAPHS]
    data = [(photograph.canvas, label) for photograph, label in shown]
    if not data:
        raise Absent(f"the effect of {place}", "it is told by labels, and the model gives none to what is shown")
    report(0, 1)
    nothing = AblationView(
        rows=[], change=0, low=None, high=None, random_change=None, controls=0, p=None, verdict="", note=""
    )
    try:
        found = effect(
            here.model, data, edit=Ablate(place), on="probability", controls=CONTROLS, seed=here.seed, progress=report
        )
    except EditError as error:
        return nothing.model_copy(update={"verdict": error.reason})
    return _told(found, [photograph.name for photograph, _ in shown], [label for _, label in shown])


def _told(found: EditEffect, names: list[str], labels: list[str]) -> AblationView:
    whole = found.rows[0]
    rows = []
    for at, (name, label) in enumerate(zip(names, labels, strict=True)):
        random = found.random[:, at]
        spread = [float(random.mean()), float(random.min()), float(random.max())] if len(random) else []
        before, after = float(found.before[at]), float(found.after[at])
        rows.append(AblationRow(name=name, label=label, before=before, after=after, random=spread))
    beside = whole.random
    return AblationView(
        rows=rows, change=float(whole.change.mean), low=float(whole.change.low), high=float(whole.change.high),
        random_change=float(beside.draws.mean()) if beside else None, controls=len(found.random),
        p=beside.p if beside else None, verdict=whole.verdict, note=found.note,
    )  # fmt: skip
