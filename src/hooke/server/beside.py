"""/api/beside and /api/images/{image}/beside, /changes: a second model before the same photographs."""

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response
from starlette.routing import Mount

from hooke.errors import ModelError
from hooke.models.model import Model
from hooke.server.computed import asked
from hooke.server.microscope import Here, Microscope
from hooke.server.refusals import Absent
from hooke.server.security import BESIDE
from hooke.server.wire_beside import (
    AlikeView,
    ChangesView,
    ComparedView,
    MatchedView,
    OpinionView,
    SecondView,
)
from hooke.studies.beside import CONTROLS, Both, changes, comparable, likeness, matched, opinions

router = APIRouter()


@router.get("/api/beside")
async def get_beside(here: Here) -> SecondView:
    """The second model, and which of its layers belong to the first's; Absent where only one is opened."""
    other = second(here)
    layers = [
        MatchedView(layer=one, other=two, comparable=comparable(here.model.layer(one), other.model.layer(two)))
        for one, two in matched(here.model, other.model).items()
    ]
    return SecondView(name=other.model.name, fingerprint=other.model.fingerprint, layers=layers)


@router.get("/api/images/{image}/beside", response_model=ComparedView)
async def get_compared(here: Here, request: Request, image: str) -> Response:
    """What the two models say of a photograph, and how alike their layers see it."""
    other, canvases = second(here), both(here, image)
    return await asked(here, request, f"beside {image}", lambda: compared(here, other, canvases))


@router.get("/api/images/{image}/changes", response_model=ChangesView)
async def get_changes(here: Here, request: Request, image: str, layer: str) -> Response:
    """The units of a layer that differ most at every position; both models need the layer."""
    other, canvases = second(here), both(here, image)
    return await asked(here, request, f"changes {image} {layer}", lambda: changed(here, other, canvases, layer))


def check(first: Model, other: Model) -> None:
    """ModelError where two models do not take the same photographs."""
    ours, theirs = first.modality.shape[0], other.modality.shape[0]
    if ours != theirs:
        reason = f"one takes inputs of {ours} channels, the other of {theirs}"
        raise ModelError(
            f"{other.name} beside {first.name}", reason, next_step="choose two that take the same photographs"
        )


def mounted(app: FastAPI, below: FastAPI) -> None:
    """The routes of a second model below those of the first; what is mounted later would come after the page."""
    app.router.routes.insert(0, Mount(BESIDE, below))


def second(here: Microscope) -> Microscope:
    """The microscope of the second model; Absent where only one is opened."""
    if here.beside is None:
        step = "start with `hooke explore MODEL --beside MODEL2`"
        raise Absent(f"a model beside {here.model.name}", "only one model is opened", next_step=step)
    return here.beside


def both(here: Microscope, image: str) -> Both:
    """A photograph as each of the two models sees it."""
    return here.shelf.get(image).canvas, second(here).shelf.get(image).canvas


def compared(here: Microscope, other: Microscope, canvases: Both) -> ComparedView:
    """The labels that either gives, and the curve over the tower."""
    said = opinions(here.model, other.model, canvases)
    seen = likeness(here.model, other.model, canvases, seed=here.seed)
    return ComparedView(
        opinions=[
            OpinionView(
                label=one.label, indices=list(one.indices), probabilities=list(one.probabilities), ranks=list(one.ranks)
            )
            for one in said
        ],
        layers=[
            AlikeView(
                layer=one.layer, other=one.other, positions=one.positions, cka=one.cka, shuffled=one.shuffled,
                moved=one.moved,
            )
            for one in seen
        ],
        controls=CONTROLS,
    )  # fmt: skip


def changed(here: Microscope, other: Microscope, canvases: Both, layer: str) -> ChangesView:
    """What differs at every position of a layer."""
    found = changes(here.model, other.model, canvases, layer)
    height, width, count = found.channels.shape
    return ChangesView(
        layer=layer, height=height, width=width, count=count, channels=found.channels.flatten().tolist(),
        first=found.first.flatten().tolist(), second=found.second.flatten().tolist(),
        median=found.median.flatten().tolist(), far=found.far.flatten().tolist(),
    )  # fmt: skip
