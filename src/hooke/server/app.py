"""The microscope's web application: every route behind one guard, over one opened model."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from operator import attrgetter
from pathlib import Path

import PIL.Image
from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import hooke
from hooke.modalities.pictures import BYTES
from hooke.models.model import Model
from hooke.responses.recording import Recording
from hooke.server import (
    alike,
    atlas,
    beside,
    channels,
    dictionary,
    drawings,
    faces,
    families,
    flow,
    grids,
    groups,
    images,
    layer,
    model,
    patch,
    progress,
    recorded,
    refusals,
    search,
    spatial,
    sure,
    unit,
    verdicts,
    whatif,
)
from hooke.server.microscope import Left, Microscope
from hooke.server.page import page
from hooke.server.security import Guard
from hooke.server.wire import ErrorView
from hooke.storage.store import Store
from hooke.visualization.ascent import Ascent

STATIC = Path(__file__).parent / "static"
PARTS = (
    model, images, dictionary, grids, spatial, channels, groups, flow, drawings, progress, faces, layer, families,
    atlas, unit, recorded, search, patch, alike, whatif, sure, verdicts, beside,
)  # fmt: skip
ROUTERS = tuple(part.router for part in PARTS)


def create_app(
    opened: Model, photographs: Sequence[tuple[str, PIL.Image.Image]], store: Store, *, static: Path | None = None,
    hosts: Sequence[str] = (), method: Ascent | None = None, seed: int = 0, recording: Recording | None = None,
    other: Model | None = None,
) -> FastAPI:  # fmt: skip
    """The application over an opened model; pictures are drawn with `method` and `seed` and kept in `store`.

    `recording`: what the model did over data. Errors: RecordingError where it is another model's. `other`: a second
    model, shown beside the first; ModelError where it takes other channels.

    It answers under the names of this machine and under `hosts` (what it listens on). `static` is the built page.
    """
    app = assemble(static or STATIC, hosts)
    first = Microscope(opened, photographs, store, method=method, seed=seed, recording=recording)
    app.state.microscope = first
    if other is not None:
        beside.check(opened, other)
        first.beside = Microscope(other, (), store, method=method, seed=seed, of=first)
        beside.mounted(app, _routes(first.beside))
    return app


def assemble(static: Path = STATIC, hosts: Sequence[str] = ()) -> FastAPI:
    """The application without a model: enough to describe its routes."""
    app = FastAPI(
        title="Hooke", version=hooke.__version__, lifespan=_lifespan, openapi_url="/api/openapi.json",
        docs_url=None, redoc_url=None, generate_unique_id_function=attrgetter("name"),
        responses={"4XX": {"model": ErrorView, "description": "refused"}},
    )  # fmt: skip
    _answer(app)
    app.include_router(page(static, [_route(route) for router in ROUTERS for route in router.routes]))
    app.add_middleware(Guard, hosts=hosts, limits={"/api/images": BYTES})
    return app


def _routes(here: Microscope) -> FastAPI:
    """The routes of a second model, without a page; the guard and the lifespan are those of the application above."""
    app = FastAPI(title="Hooke", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.microscope = here
    _answer(app)
    return app


def _answer(app: FastAPI) -> None:
    """Adds every route, and how each of them refuses."""
    for router in ROUTERS:
        app.include_router(router)
    refusals.install(app)
    app.add_exception_handler(Left, _left)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.microscope.prepare()
    yield
    app.state.microscope.close()


async def _left(request: Request, error: Exception) -> Response:
    return Response(status_code=499)


def _route(route: BaseRoute) -> str:
    return f"{'/'.join(sorted(route.methods or ()))} {route.path}" if isinstance(route, Route) else str(route)
