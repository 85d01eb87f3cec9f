"""/api/unit/density, /selectivity and /examples: what a recording knows of a unit."""

from collections.abc import Sequence

import numpy
import PIL.Image
from fastapi import APIRouter
from starlette.responses import Response

from hooke.addresses import Place
from hooke.responses.distributions import distribution
from hooke.responses.examples import Example, examples
from hooke.responses.recording import Recording
from hooke.responses.selectivity import CAVEAT, METHOD, selectivity
from hooke.server.computed import LATER, Report, Unit, computed, known
from hooke.server.microscope import Here, Microscope
from hooke.server.refusals import Absent
from hooke.server.sprites import picture_of, sheet
from hooke.server.wire_units import BinView, DensityView, ExamplesView, ExampleView, LabelView, SelectivityView

router = APIRouter(prefix="/api/unit")

ROWS = 8
SIDE = 72
COLUMNS = 12
EACH = 4
"""Examples of each bin."""


@router.get("/density", response_model=DensityView)
async def get_density(here: Here, place: Unit) -> Response:
    """How the values of a unit are distributed over the recorded data."""
    kept = recording(here)
    return await known(here, f"density {place}", lambda: _density(kept, place))


@router.get("/selectivity", response_model=SelectivityView)
async def get_selectivity(here: Here, place: Unit) -> Response:
    """Which labels a unit prefers, with intervals, beside shuffled labels."""
    kept = recording(here)
    return await known(here, f"selectivity {place}", lambda: _selectivity(kept, place))


@router.get("/examples", response_model=ExamplesView, responses=LATER)
async def get_examples(here: Here, place: Unit) -> Response:
    """Recorded inputs from each bin of a unit's activation, cut out where it had that value."""
    kept = recording(here)
    return computed(here, f"examples {place}", lambda report: _examples(here, kept, place, report))


def recording(here: Microscope) -> Recording:
    """What was recorded. Errors: Absent where nothing was."""
    if here.recording is None:
        step = "record the model with `hooke record`, and start with --recording FOLDER"
        raise Absent("what was recorded", "the microscope was opened without a recording", next_step=step)
    return here.recording


def by_groups(kept: Recording) -> bool:
    """Whether the inputs are better told apart by their groups: most labels have but one or two inputs."""
    labels, groups = (set(names) - {None} for names in (kept.labels, kept.groups))
    return len(groups) > 1 and len(kept.names) < 3 * len(labels)


def _density(kept: Recording, place: Place) -> DensityView:
    found = distribution(kept, place)
    before = found.before is not None and found.before_edges is not None
    edges, counts = (found.before_edges, found.before) if before else (found.edges, found.after)
    assert edges is not None
    assert counts is not None
    return DensityView(
        inputs=len(kept.names), edges=edges.tolist(), counts=counts.tolist(), before=before, mean=found.mean,
        deviation=found.deviation, minimum=found.minimum, maximum=found.maximum, active=found.active,
        median=float(found.quantiles[4]), skewness=found.skewness, bimodality=found.bimodality,
    )  # fmt: skip


def _selectivity(kept: Recording, place: Place) -> SelectivityView:
    groups = by_groups(kept)
    found = selectivity(kept, place, groups=groups)
    columns = (found.counts, found.auc, found.low, found.high, found.chance)
    table = zip(found.names[:ROWS], *(column[:ROWS].tolist() for column in columns), strict=True)
    rows = [
        LabelView(name=name, count=count, auc=auc, low=low, high=high, chance=chance)
        for name, count, auc, low, high, chance in table
    ]
    return SelectivityView(
        inputs=found.inputs, labels=len(found.names), groups=groups, rows=rows, index=found.index,
        shuffled_index=found.shuffled_index.tolist(), ambiguity=found.ambiguity,
        shuffled_ambiguity=found.shuffled_ambiguity.tolist(), p=found.p, method=METHOD, caveat=CAVEAT,
    )  # fmt: skip


def _examples(here: Microscope, kept: Recording, place: Place, report: Report) -> ExamplesView:
    report(0, 2)
    found = examples(kept, place, model=here.model, count=EACH)
    report(1, 2)
    shown = [one for one in found.all if one.crop is not None]
    places = {id(one): at for at, one in enumerate(shown)}

    def views(some: Sequence[Example]) -> list[ExampleView]:
        return [
            ExampleView(place=places[id(one)], input=one.input, label=one.label, value=one.value)
            for one in some
            if id(one) in places
        ]

    return ExamplesView(
        bins=[BinView(low=b.low, high=b.high, count=b.count, examples=views(b.examples)) for b in found.bins],
        maxima=views(found.maxima), minima=views(found.minima), inputs=found.inputs, field=found.field, side=SIDE,
        columns=COLUMNS, rows=max(1, -(-len(shown) // COLUMNS)),
        sheet=sheet([_crop(one) for one in shown], SIDE, COLUMNS),
        masked=sheet([_faded(one) for one in shown], SIDE, COLUMNS), failures=len(found.failures),
    )  # fmt: skip


def _crop(one: Example) -> PIL.Image.Image:
    assert one.crop is not None
    return picture_of(one.crop)


def _faded(one: Example) -> PIL.Image.Image:
    """The crop, nearly transparent where the unit does not respond."""
    picture = _crop(one)
    if one.mask is not None:
        levels = numpy.rint((0.08 + 0.92 * one.mask.numpy().clip(0, 1)) * 255).astype(numpy.uint8)
        picture.putalpha(PIL.Image.fromarray(levels))
    return picture
