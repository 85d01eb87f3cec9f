"""/api/layer: all units of a layer, one number each, to sort and filter them by."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from hooke.errors import AddressError, HookeError
from hooke.models.kernels import kernels
from hooke.responses.selectivity import class_selectivity
from hooke.server.computed import known
from hooke.server.microscope import Here, Microscope
from hooke.server.recorded import by_groups
from hooke.server.wire_units import SheetView

router = APIRouter()


@router.get("/api/layer", response_model=SheetView)
async def get_layer(here: Here, layer: str) -> Response:
    """Weight norms, and of a recorded layer how often and over which label each unit fires."""
    return await known(here, f"layer {layer}", lambda: _sheet(here, layer))


def _sheet(here: Microscope, name: str) -> SheetView:
    row = here.model.layer(name)
    if row.channels is None:
        raise AddressError(f"the units of {name}", "this layer has no channels")
    norms, why = _norms(here, row.name)
    return SheetView(layer=row.name, channels=row.channels, norms=norms, why=why, **_recorded(here, row.name))


def _norms(here: Microscope, layer: str) -> tuple[list[float] | None, str]:
    try:
        found = kernels(here.model, layer).weights.flatten(1).norm(dim=1)
    except HookeError as error:
        return None, error.reason
    return found.tolist(), ""


def _recorded(here: Microscope, layer: str) -> dict[str, Any]:
    recording = here.recorded(layer)
    if recording is None:
        return {}
    kept = recording.layer(layer)
    found: dict[str, Any] = {"active": kept.active.tolist(), "inputs": len(recording.names)}
    told = kept.groups if by_groups(recording) else kept.labels
    if len(told.names) < 2:
        return found
    means = told.means.double()
    return found | {
        "selectivity": class_selectivity(means).tolist(), "labels": means.argmax(0).tolist(), "names": list(told.names)
    }  # fmt: skip
