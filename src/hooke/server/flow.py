"""/api/images/{image}/flow: what groups give to each other, layer by layer, up to a label; and how true that is."""

import asyncio
import math
import time
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from hooke.addresses import Place
from hooke.models.editing.edit import Edit
from hooke.models.layers import LOGITS
from hooke.models.model import Model
from hooke.server.computed import LATER, Label, Report, answer, computed, later
from hooke.server.groups import Count, views
from hooke.server.microscope import Here, Microscope
from hooke.server.shelf import Photograph
from hooke.server.standing import Grown
from hooke.server.whatif import Edits, given_edits, spread
from hooke.server.wire_groups import (
    EditedFlowView,
    FlowControlView,
    FlowElsewhereView,
    FlowGroupView,
    FlowLayerView,
    FlowView,
)
from hooke.studies.flow import GroupFlow, edited_flow, flows_elsewhere, group_flow, shuffled_flow
from hooke.studies.groups import fitting, from_left
from hooke.studies.layers import tracing_layers
from hooke.studies.reports.targets import likeliest

router = APIRouter(prefix="/api/images/{image}/flow")

Depth = Annotated[int, Query(ge=2, le=5, description="How many layers.")]

Question = tuple[str, tuple[str, ...], int, str]
"""The photograph, through which layers, in how many groups each, to what."""


def question(
    here: Here, image: str, depth: Depth = 3, count: Count = 6, of: Label = None, rather: Label = None
) -> tuple[Photograph, Question]:
    """What a request asks. Errors: Absent for a photograph, AddressError for a label that is not there."""
    photograph = here.shelf.get(image)
    layers = tuple(tracing_layers(here.model, depth))
    most = min(fitting(here.model, layer, range(1, count + 1))[-1] for layer in layers)
    return photograph, (image, layers, most, _target(here.model, of, rather))


Asked = Annotated[tuple[Photograph, Question], Depends(question)]
"""Looked up in a thread, since a pass may hold the model."""


@router.get("", response_model=FlowView, responses=LATER)
async def get_flow(here: Here, asked: Asked) -> Response:
    """The flow through groups of two to five layers to a label (rather than another); by default the likeliest."""
    return computed(here, f"flow {asked[1]}", lambda report: _view(_flow(here, *asked, report)))


@router.get("/control", response_model=FlowControlView, responses=LATER)
async def get_flow_control(here: Here, asked: Asked) -> Response:
    """The same of shuffled groups: how true the flow would look if its groups were of nothing."""
    return computed(here, f"flow control {asked[1]}", lambda report: _control(here, *asked, report))


@router.get("/what-if", response_model=EditedFlowView, responses=LATER)
async def get_edited_flow(here: Here, asked: Asked, edits: Edits) -> Response:
    """The flow of the same groups in the edited model."""
    made = await asyncio.to_thread(given_edits, here, edits)
    return computed(here, f"edited flow {asked[1]} {edits}", lambda report: _edited(here, asked, made, report))


@router.get("/what-if/elsewhere", response_model=FlowElsewhereView, responses=LATER)
async def get_flow_elsewhere(here: Here, asked: Asked, edits: Edits) -> Response:
    """What the same groups give after the same edits made elsewhere: told while more and more are measured."""
    made = await asyncio.to_thread(given_edits, here, edits)
    name = f"flow elsewhere {asked[1]} {edits}"
    if body := here.answers.get(name):
        return answer(body)
    return later(here.queue.grow(name, _elsewhere(here, asked, made, name)))


def _target(model: Model, of: int | None, rather: int | None) -> str:
    """The address of what is asked about; empty: the likeliest label. Errors: AddressError for labels it has not."""
    texts = [str(model.resolve(Place(LOGITS, label))) for label in (of, rather) if label is not None]
    return " - ".join(texts) if of is not None else ""


def _flow(here: Microscope, photograph: Photograph, asked: Question, report: Report) -> GroupFlow:
    known = here.flows.get(asked)
    if known is not None:
        return known
    _, layers, count, of = asked
    report(0, 2)
    of = of or likeliest(here.model, photograph.canvas)
    found = group_flow(here.model, photograph.canvas, of, at=layers, rank=count, seed=here.seed)
    return here.flows.put(asked, found)


def _control(here: Microscope, photograph: Photograph, asked: Question, report: Report) -> FlowControlView:
    flow = _flow(here, photograph, asked, report)
    report(1, 2)
    found = shuffled_flow(here.model, photograph.canvas, flow, seed=here.seed)
    return FlowControlView(agreement=_told(found.agreement), edge_agreement=_told(found.edge_agreement))


def _edited(here: Microscope, asked: tuple[Photograph, Question], edits: list[Edit], report: Report) -> EditedFlowView:
    flow = _flow(here, *asked, report)
    report(1, 2)
    begun = time.perf_counter()
    found = edited_flow(here.model, asked[0].canvas, flow, edits)
    return EditedFlowView(
        score=found.score, constant=found.constant, gives=[one.tolist() for one in found.nodes],
        rest=list(found.residuals), edges=[edge.tolist() for edge in found.edges],
        around=[one.tolist() for one in found.around], constants=[one.tolist() for one in found.constants],
        imbalance=found.imbalance(), seconds=time.perf_counter() - begun,
    )  # fmt: skip


def _elsewhere(here: Microscope, asked: tuple[Photograph, Question], edits: list[Edit], name: str) -> Iterator[Grown]:
    """Measures random others in slices, and keeps what they came to when all are there."""
    flow = _flow(here, *asked, lambda done, of: None)
    begun = time.perf_counter()
    for found in flows_elsewhere(here.model, asked[0].canvas, flow, edits, seed=here.seed):
        measured = len(found.nodes[0])
        view = FlowElsewhereView(
            random=[[spread(group) for group in nodes.T] for nodes in found.nodes], measured=measured,
            draws=found.draws, beside=found.beside, seconds=time.perf_counter() - begun,
        )  # fmt: skip
        if measured == found.draws:
            here.answers.put(name, view.model_dump_json().encode())
        yield Grown(measured / max(found.draws, 1), view)


def _view(found: GroupFlow) -> FlowView:
    flows = found.flows
    return FlowView(
        of=found.of, score=flows.score, constant=flows.constant,
        layers=[_layer(found, level) for level in range(len(found.factorizations))],
        edges=[edge.tolist() for edge in flows.edges], around=[one.tolist() for one in flows.around],
        constants=[one.tolist() for one in flows.constants], edge_agreement=_told(found.edge_agreement),
        imbalance=flows.imbalance(),
    )  # fmt: skip


def _layer(found: GroupFlow, level: int) -> FlowLayerView:
    one = found.factorizations[level]
    order = from_left(one)
    colours = [order.index(group) for group in range(len(order))]
    peak, groups = views(one, colours, range(len(order)))
    numbers = zip([*groups, None], found.flows.nodes[level].tolist(), found.effects[level].tolist(), strict=True)
    _, _, height, width = one.scores.shape
    return FlowLayerView(
        layer=one.layer, height=height, width=width, peak=peak, explained=one.explained,
        rest=found.flows.residuals[level], agreement=_told(found.agreement)[level],
        groups=[FlowGroupView(group=group, gives=gives, measured=measured) for group, gives, measured in numbers],
    )  # fmt: skip


def _told(numbers: tuple[float, ...]) -> list[float | None]:
    """Numbers, and None for those that are none."""
    return [None if math.isnan(number) else number for number in numbers]
