"""/api/layer/families: units of a layer that are the same but for a turn, a reflection, a scale or a hue."""

from collections.abc import Callable, Sequence

from fastapi import APIRouter
from starlette.responses import Response

from hooke.addresses import Place, parse
from hooke.errors import AddressError
from hooke.responses.families import Family, Likeness, families, reflections, shuffled
from hooke.responses.stimuli import Gratings, Patches, Stimulus
from hooke.responses.tuning import Sweep, Tuning, tune
from hooke.server.computed import LATER, Report, computed
from hooke.server.microscope import Here, Microscope
from hooke.server.wire_layer import FamiliesView, KindView, TwinsView

router = APIRouter()

Find = Callable[[Tuning, str], list[Family]]

STRIPES: tuple[Stimulus, tuple[str, str], Sweep] = (Gratings(), ("orientation", "frequency"), Sweep((16, 6), 8))
DISCS: tuple[Stimulus, tuple[str, str], Sweep] = (Patches(), ("hue", "size"), Sweep((16, 3), 6))
"""Stimulus, what is swept, and how: as in experiments/tuning, so that their numbers can be compared."""


@router.get("/api/layer/families", response_model=FamiliesView, responses=LATER)
async def get_families(here: Here, layer: str) -> Response:
    """The families of a layer under rotation, reflection, scale and hue, each beside its shuffled control."""
    row = here.model.layer(layer)
    if row.channels is None:
        raise AddressError(f"the families of {layer}", "this layer has no channels")
    return computed(here, f"families {row.name}", lambda report: _families(here, row.name, report))


def _families(here: Microscope, layer: str, report: Report) -> FamiliesView:
    total = _pictures(STRIPES) + _pictures(DISCS)
    report(0, total)
    stripes = _tuned(here, layer, STRIPES, lambda done: report(done, total))
    discs = _tuned(here, layer, DISCS, lambda done: report(_pictures(STRIPES) + done, total))
    kinds = [
        _kind(stripes, "orientation", "rotation", families, here.seed),
        _kind(stripes, "orientation", "reflection", reflections, here.seed),
        _kind(stripes, "frequency", "scale", families, here.seed),
        _kind(discs, "hue", "hue", families, here.seed),
    ]
    by = Likeness()
    return FamiliesView(
        layer=layer, kinds=kinds, threshold=by.threshold, smallest=by.smallest, stimuli=total,
        field=float(stripes.frame.field),
    )  # fmt: skip


def _pictures(asked: tuple[Stimulus, tuple[str, str], Sweep]) -> int:
    _, _, by = asked
    assert isinstance(by.steps, tuple)
    return by.steps[0] * by.steps[1] * by.samples


def _tuned(
    here: Microscope, layer: str, asked: tuple[Stimulus, tuple[str, str], Sweep], report: Callable[[int], None]
) -> Tuning:
    stimulus, over, by = asked
    return tune(here.model, layer, stimulus, over=over, by=by, seed=here.seed, progress=lambda done, _: report(done))


def _kind(tuning: Tuning, parameter: str, kind: str, find: Find, seed: int) -> KindView:
    found, control = find(tuning, parameter), find(shuffled(tuning, parameter, seed=seed), parameter)
    period = tuning.axes[tuning.axis(parameter)].range.period
    return KindView(
        kind=kind, unit="octaves" if period is None else "degrees",
        families=[_twins(tuning, parameter, one, period, turned=kind != "reflection") for one in found],
        shuffled=len(control), shuffled_units=sum(len(one.units) for one in control),
    )  # fmt: skip


def _twins(tuning: Tuning, parameter: str, family: Family, period: float | None, *, turned: bool) -> TwinsView:
    """In the order of their places: around the circle, from where the first unit answers most."""
    best = [tuning.best(unit)[parameter] for unit in family.units]
    places = list(family.shifts)
    if period is not None:
        places = [(best[0] + shift) % period for shift in family.shifts] if turned else best
    order = sorted(range(len(places)), key=lambda at: places[at])
    return TwinsView(
        channels=_channels([family.units[at] for at in order]), places=[places[at] for at in order],
        likeness=family.likeness,
    )  # fmt: skip


def _channels(units: Sequence[str]) -> list[int]:
    found = [parse(unit) for unit in units]
    return [one.channel for one in found if isinstance(one, Place) and isinstance(one.channel, int)]
