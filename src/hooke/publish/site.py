"""Publishing: every answer that the page of some photographs and layers asks for, each worked out once and kept."""

from fastapi import FastAPI

from hooke.addresses import Place
from hooke.errors import AddressError, PublishError
from hooke.models.model import Model
from hooke.publish import figures
from hooke.publish.asking import Desk
from hooke.publish.folder import Folder
from hooke.publish.ledger import Ledger
from hooke.publish.pictures import publish_pictures
from hooke.publish.trust import Trust
from hooke.publish.work import Plan, Work
from hooke.studies.activation_grid import grid_layers
from hooke.studies.layers import tracing_layers
from hooke.studies.semantic_dictionary import default_layer

DRAWING = 2.0
"""Seconds that a drawing takes, as long as none was measured."""


def usual_layers(model: Model, count: int = 4) -> tuple[str, ...]:
    """Where nobody said: the layers of the activation grids, which stand side by side; one, where none has places."""
    return tuple(grid_layers(model, count)) or (default_layer(model),)


async def publish_answers(app: FastAPI, plan: Plan, folder: Folder, ledger: Ledger) -> dict[str, str]:
    """Asks for everything that is not in the folder yet; the requests that failed, with the reasons."""
    work = Work(Desk(app), plan, folder, ledger)
    site = [figures.At(layers=_credited(app.state.microscope.model, plan))]
    work.expect(figures.SITE, site)
    await work.ask(figures.SITE, site)
    for request, reason in work.failures.items():
        raise PublishError(f"GET {request}", reason)
    work.learn()
    images, layers, both = work.of_images(), work.of_layers(), work.of_both()
    work.expect([*figures.DICTIONARIES], both)
    await work.ask(figures.DICTIONARIES, both)
    units, busy = work.of_units(), work.fired(both)
    work.expect([figures.ARGUMENTS], images)
    for lines, where in ((figures.LAYERS, layers), (figures.IMAGES_AND_LAYERS, busy), (figures.UNITS, units)):
        work.expect(lines, where)
    work.expect_effects(both)
    first = work.drawn()
    ledger.expect("drawing", len(first), DRAWING)
    await work.ask([figures.ARGUMENTS], images)
    argued = work.argued(images)
    work.expect(figures.IMAGES, argued)
    for lines, where in ((figures.LAYERS, layers), (figures.IMAGES, argued), (figures.IMAGES_AND_LAYERS, busy)):
        await work.ask(lines, where)
    work.effects(both)
    await work.ask(figures.UNITS, units)
    portraits = {text for at in units for text in _portraits(at.layer, at.channel)}
    named = work.mentions([figures.ARGUMENTS], images) | work.mentions(figures.IMAGES, argued)
    named |= work.mentions(figures.IMAGES_AND_LAYERS, busy)
    wanted = list(dict.fromkeys([*first, *sorted(portraits | named)]))
    ledger.expect("drawing", len(wanted) - len(first), DRAWING)
    beside = sorted(work.mentions(figures.UNITS, units).difference(wanted))
    trust = Trust(work.desk.here, folder, ledger, units)
    await publish_pictures(work.desk, folder, ledger, wanted, plan.layers, beside)
    trust.publish(wanted)
    folder.keep("/units", work.index())
    return work.failures | trust.failures


def _credited(model: Model, plan: Plan) -> tuple[str, ...]:
    """The layers whose credit is shown: those that are published, and those of the studies of a whole photograph."""
    try:
        return tuple(dict.fromkeys([*plan.layers, *tracing_layers(model, 4)]))
    except AddressError:
        return plan.layers


def _portraits(layer: str, channel: int) -> list[str]:
    """The pictures of a unit's own page: three seeds, and its opposite."""
    address = str(Place(layer, channel))
    return [address, f"{address} ~1", f"{address} ~2", f"-{address}"]
