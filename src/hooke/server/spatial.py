"""/api/images/{image}/spatial: which positions of a few layers came from which, and what they vote for."""

import torch
from fastapi import APIRouter, Request
from starlette.responses import Response

from hooke.errors import AddressError
from hooke.models.model import Model
from hooke.server.computed import LATER, Report, answer, asked, computed
from hooke.server.microscope import Here
from hooke.server.tracing import Layers, name_of, trail
from hooke.server.trail import Trail, packed
from hooke.server.wire_tracing import (
    NamedMapView,
    PairsView,
    PairView,
    PointedView,
    SpatialView,
    TracedLayerView,
    VotedView,
    VotesView,
    WeighedView,
)

router = APIRouter(prefix="/api/images/{image}/spatial")

STEP = 5
"""Maps that are made before another question is listened to."""
LISTED = 5
"""Labels of a factor."""


@router.get("", response_model=SpatialView)
async def get_spatial(here: Here, request: Request, image: str, layers: Layers) -> Response:
    """What positions vote for: the maps of the likeliest labels, and two factors of them."""
    photograph = here.shelf.get(image)
    name = name_of("spatial", image, layers)
    if known := here.answers.get(name):
        return answer(known)
    kept = await here.ask(request, here.foreground, lambda: trail(here, photograph, layers))
    while not await here.ask(request, here.foreground, lambda: kept.map(STEP)):
        pass
    return await asked(here, request, name, lambda: _view(here.model, kept))


@router.get("/at", response_model=PointedView)
async def get_pointed(
    here: Here, request: Request, image: str, layer: str, row: int, column: int, layers: Layers
) -> Response:  # fmt: skip
    """One position: what it came from and what it leads to; a pass backward and one forward."""
    photograph = here.shelf.get(image)
    return await asked(
        here, request, name_of("pointed", image, layers, layer, row, column),
        lambda: _pointed(trail(here, photograph, layers), layer, (row, column)),
    )  # fmt: skip


@router.get("/votes", response_model=VotesView)
async def get_votes(here: Here, request: Request, image: str, label: int, layers: Layers) -> Response:
    """What every position gives to the logit of one label that is not among the likeliest; a pass backward."""
    photograph = here.shelf.get(image)
    return await asked(
        here, request, name_of("votes", image, layers, label), lambda: _votes(trail(here, photograph, layers), label)
    )


@router.get("/pairs", response_model=PairsView, responses=LATER)
async def get_pairs(here: Here, image: str, layers: Layers) -> Response:
    """All influences between positions, at native resolution; then pointing needs no more questions."""
    photograph = here.shelf.get(image)
    return computed(
        here, name_of("pairs", image, layers), lambda report: _pairs(trail(here, photograph, layers), report)
    )


def _view(model: Model, kept: Trail) -> SpatialView:
    found, factors = kept.found, kept.factors
    assert factors is not None
    chances = found.logits.double().softmax(0)
    return SpatialView(
        layers=[
            TracedLayerView(
                name=row.name, channels=row.channels or 0, height=row.height or 0, width=row.width or 0,
                norms=packed(found.norms[row.name][None]), votes=packed(found.class_maps[row.name]),
                tints=packed(factors.tints[row.name]),
            )
            for row in kept.tracer.rows
        ],
        classes=[
            VotedView(label=model.label(at), index=at, logit=float(found.logits[at]), probability=float(chances[at]))
            for at in found.classes
        ],
        factors=[_weighed(model, found.classes, weights) for weights in factors.weights],
        explained=factors.explained,
        fillable=kept.fillable,
    )  # fmt: skip


def _weighed(model: Model, classes: tuple[int, ...], weights: torch.Tensor) -> list[WeighedView]:
    strongest = weights.argsort(descending=True, stable=True)[:LISTED].tolist()
    return [
        WeighedView(label=model.label(classes[at]), index=classes[at], weight=float(weights[at])) for at in strongest
    ]


def _pointed(found: Trail, layer: str, position: tuple[int, int]) -> PointedView:
    pointed = found.tracer.pointed(layer, position)
    maps = {**pointed.before, **pointed.after}
    return PointedView(
        layer=layer, row=position[0], column=position[1], strength=pointed.strength,
        maps=[NamedMapView(layer=name, maps=packed(one[None])) for name, one in maps.items()],
    )  # fmt: skip


def _votes(found: Trail, label: int) -> VotesView:
    votes = found.tracer.votes(label)
    return VotesView(
        label=label, maps=[NamedMapView(layer=name, maps=packed(one[None])) for name, one in votes.items()]
    )


def _pairs(found: Trail, report: Report) -> PairsView:
    if not found.fillable:
        reason = "they are too many to be kept at once"
        raise AddressError("all pairs of positions", reason, next_step="point at one position after another")
    found.fill(report)
    return PairsView(
        pairs=[
            PairView(earlier=earlier, later=later, maps=packed(one.flatten(0, 1)))
            for (earlier, later), one in found.found.pairs.items()
        ]
    )
