"""/api/images/{image}/channels: which units argue for a label (rather than another), and for one another."""

from collections.abc import Mapping
from typing import Annotated

import torch
from fastapi import APIRouter, Query, Request
from jaxtyping import Float
from starlette.responses import Response
from torch import Tensor

from hooke.models.layers import LOGITS
from hooke.models.model import Model
from hooke.server.computed import Label, asked
from hooke.server.microscope import Here
from hooke.server.tracing import Layers, name_of, trail
from hooke.server.trail import Trail
from hooke.server.wire import EffectView
from hooke.server.wire_tracing import ArguedLayerView, ArguingView, ChannelsView, DrilledView, TermView
from hooke.studies.channel_attribution import extremes

router = APIRouter(prefix="/api/images/{image}/channels")

LISTED = 24
"""Units for, and units against, of each layer."""
LABELS = 5


@router.get("", response_model=ChannelsView)
async def get_channels(
    here: Here, request: Request, image: str, layers: Layers, of: Annotated[int, Query(ge=0)], rather: Label = None
) -> Response:  # fmt: skip
    """By how much (logits, activation x gradient) units argue for a label, or for it rather than another."""
    photograph = here.shelf.get(image)
    return await asked(
        here, request, name_of("channels", image, layers, of, rather),
        lambda: _view(here.model, trail(here, photograph, layers), of, rather),
    )  # fmt: skip


@router.get("/unit", response_model=DrilledView)
async def get_drilled(
    here: Here, request: Request, image: str, layer: str, channel: Annotated[int, Query(ge=0)], layers: Layers
) -> Response:  # fmt: skip
    """What supports one unit in the layers before, and what it supports in those after; two passes."""
    photograph = here.shelf.get(image)
    return await asked(
        here, request, name_of("drilled", image, layers, layer, channel),
        lambda: _drilled(here.model, trail(here, photograph, layers), layer, channel),
    )  # fmt: skip


def _view(model: Model, kept: Trail, of: int, rather: int | None) -> ChannelsView:
    text = f"{LOGITS}:{of}" + ("" if rather is None else f" - {LOGITS}:{rather}")
    found = kept.evidence(text)
    indices = [of] if rather is None else [of, rather]
    parts = [found.parts[f"{LOGITS}:{index}"] for index in indices]
    return ChannelsView(
        terms=[
            TermView(label=model.label(at), index=at, weight=weight, logit=float(kept.found.logits[at]))
            for at, weight in zip(indices, (1.0, -1.0), strict=False)
        ],
        score=found.score,
        layers=[_argued(kept, name, found.evidence[name], [part[name] for part in parts]) for name in found.layers],
    )


def _drilled(model: Model, kept: Trail, layer: str, channel: int) -> DrilledView:
    found = kept.drilled(layer, channel)
    around: Mapping[str, Tensor] = {**found.before, **found.after}
    supports, opposes = ([_effect(model, found.classes, at) for at in side] for side in extremes(found.classes, LABELS))
    return DrilledView(
        layer=layer, channel=channel, strength=found.strength, responses=kept.responses(layer, [channel]),
        layers=[_argued(kept, name, values) for name, values in around.items()], supports=supports, opposes=opposes,
    )  # fmt: skip


def _argued(
    kept: Trail, name: str, values: Float[Tensor, "channel"], parts: list[Float[Tensor, "channel"]] | None = None
) -> ArguedLayerView:  # fmt: skip
    sides = extremes(values, LISTED)
    supporting, opposing = ([_arguing(values, parts or [], at) for at in side] for side in sides)
    return ArguedLayerView(
        name=name, channels=len(values), total=float(torch.sum(values)), supporting=supporting, opposing=opposing,
        responses=kept.responses(name, [*sides[0], *sides[1]]),
    )  # fmt: skip


def _arguing(values: Tensor, parts: list[Tensor], at: int) -> ArguingView:
    return ArguingView(channel=at, evidence=float(values[at]), parts=[float(part[at]) for part in parts])


def _effect(model: Model, effects: Tensor, at: int) -> EffectView:
    return EffectView(label=model.label(at), index=at, effect=float(effects[at]))
