"""/api/images/{image}/grids: every position of four layers as a picture, told while they sharpen, and drawn once."""

import asyncio
import time
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from hooke.provenance import Provenance, describe, versions
from hooke.server.answers import FOREVER, WebP
from hooke.server.computed import LATER, answer, later, underway
from hooke.server.microscope import Here, Microscope
from hooke.server.refusals import Absent
from hooke.server.shelf import Photograph
from hooke.server.standing import Grown
from hooke.server.wire_grids import GridsView
from hooke.studies.activation_grid import activation_grids
from hooke.studies.inversion import Inversion

router = APIRouter()

METHOD = Inversion()
REVISION = 1
"""Of how the grids are drawn: grids of another are drawn again."""
REST = 1.0
"""Seconds, at least, from one half-drawn sheet of a layer to its next."""
GREY = 8
"""Steps after which there is something to see."""

Name = Annotated[str, Path(pattern=r"^[0-9a-f]{64}(-\d{1,6}-\d{1,6})?$")]


@router.get("/api/images/{image}/grids", response_model=GridsView, responses=LATER)
async def get_grids(here: Here, image: str) -> Response:
    """The activation grids of a photograph, coarse to fine: the job's stream tells what there is of them so far."""
    photograph = here.shelf.get(image)
    asked = questions(here, photograph)
    if not asked:
        raise Absent(f"the grids of {here.model.name}", "none of its layers has height and width")
    kept = await asyncio.to_thread(lambda: {layer: here.grids.get(one.key) for layer, one in asked.items()})
    sheets = [sheet for sheet in kept.values() if sheet]
    if len(sheets) == len(asked):
        return answer(GridsView(layers=[sheet.view for sheet in sheets]).model_dump_json())
    name = f"grids {photograph.id}"
    growth = here.growths.get(name) or here.growths.put(name, growing(here, photograph, name))
    return later(here.queue.grow(name, growth))


@router.get("/api/grids/{name}.webp", response_class=WebP)
async def get_grid_sheet(here: Here, name: Name) -> Response:
    """All cells of one layer's grid; `name` is its key, while it is drawn with the level and the step."""
    sheet = await asyncio.to_thread(here.grids.get, name)
    if sheet is None:
        raise Absent(f"grid {name[:12]}…", "it is no longer kept", next_step="ask for the photograph's grids again")
    return WebP(sheet.picture, headers=FOREVER)


def questions(here: Microscope, photograph: Photograph) -> dict[str, Provenance]:
    """What the grids of a photograph are asked as, by layer."""
    model, seed = here.model, here.seed
    dtype, own = str(model.dtype).removeprefix("torch."), describe(METHOD)
    return {
        layer: Provenance(model.fingerprint, layer, own, REVISION, seed, dtype, photograph.id, versions())
        for layer in here.grid_layers()
    }


def growing(here: Microscope, photograph: Photograph, name: str) -> Iterator[Grown]:
    """Draws those grids that are not kept, step by step, and keeps each when it is done."""
    return underway(here, name, _drawn(here, photograph))


def _drawn(here: Microscope, photograph: Photograph) -> Iterator[Grown]:
    asked = questions(here, photograph)
    found = {layer: sheet.view for layer, one in asked.items() if (sheet := here.grids.get(one.key))}
    told = dict.fromkeys(asked, 0.0)
    missing = [layer for layer in asked if layer not in found]
    so_far = GridsView(layers=[])
    moments = activation_grids(here.model, photograph.canvas, missing, by=METHOD, seed=here.seed, every=1)
    for grid in moments if missing else ():
        rested = time.monotonic() - told[grid.layer] > REST
        if grid.agreement is not None or (rested and (grid.level or grid.step >= GREY)):
            told[grid.layer], found[grid.layer] = time.monotonic(), here.grids.keep(grid, asked[grid.layer]).view
            so_far = GridsView(layers=[found[layer] for layer in asked if layer in found])
        yield Grown(grid.progress, so_far)
