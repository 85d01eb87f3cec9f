"""/api/images/{image}/groups: a layer in a few groups, how many are enough, and what each does to the labels."""

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from hooke.addresses import Place
from hooke.errors import AddressError
from hooke.factorization.factorization import Factorization
from hooke.models.layers import LOGITS
from hooke.server.computed import LATER, Label, Report, computed, known
from hooke.server.microscope import Here, Microscope
from hooke.server.shelf import Photograph
from hooke.server.whatif import Edits, given_edits, spread
from hooke.server.wire_groups import (
    CurveView,
    EditedGroupsView,
    EditedGroupView,
    EditedLabelView,
    GroupEffectsRow,
    GroupEffectsView,
    GroupsView,
    GroupView,
    RankedView,
    RankView,
)
from hooke.studies.edited_groups import edited_groups
from hooke.studies.groups import GroupStudy, fitting, group_study, layer_curve, slider
from hooke.studies.what_if import CONTROLS

router = APIRouter(prefix="/api/images/{image}/groups")

LABELS = 5
UNITS = 3
LEVELS = 1000
MOST = 16
"""Groups that can be asked about."""

Count = Annotated[int, Query(ge=1, le=MOST)]


@router.get("", response_model=GroupsView)
async def get_groups(here: Here, image: str, layer: str) -> Response:
    """The groups of a layer for every number of groups on the slider; the layer needs height and width."""
    photograph = here.shelf.get(image)
    return await known(here, f"groups {image} {layer}", lambda: _groups(here, photograph, layer))


@router.get("/curve", response_model=CurveView, responses=LATER)
async def get_curve(here: Here, image: str, layer: str) -> Response:
    """How much of the layer each number of groups explains, and how stable the groups are."""
    photograph = here.shelf.get(image)
    return computed(here, f"curve {image} {layer}", lambda report: _curve(here, photograph, layer, report))


@router.get("/effects", response_model=GroupEffectsView, responses=LATER)
async def get_group_effects(
    here: Here, image: str, layer: str, count: Count = 6, of: Label = None, rather: Label = None
) -> Response:
    """What the groups do to the likeliest labels (and to `of` and `rather`): to first order, and measured."""
    photograph = here.shelf.get(image)
    more = sorted({label for label in (of, rather) if label is not None})
    await asyncio.to_thread(lambda: [here.model.resolve(Place(LOGITS, label)) for label in more])
    name = f"group effects {image} {layer} {count} {more}"
    return computed(here, name, lambda report: _effects(here, photograph, layer, count, more, report))


@router.get("/what-if", response_model=EditedGroupsView)
async def get_edited_groups(
    here: Here, image: str, edits: Edits,
    group: Annotated[str, Query(description="The address of any of the groups.", max_length=200)],
    labels: Annotated[str, Query(pattern=r"^(\d{1,7}(,\d{1,7})*)?$", max_length=200)] = "",
    controls: Annotated[int, Query(ge=0, le=CONTROLS)] = CONTROLS,
) -> Response:  # fmt: skip
    """The same groups in the edited model: how strong, where, and what the labels lose without them."""
    photograph = here.shelf.get(image)
    name = f"edited groups {image} {group} {labels} {controls} {edits}"
    asked = [int(one) for one in labels.split(",") if one]
    return await known(here, name, lambda: _edited(here, photograph, group, edits, asked, controls))


def views(found: Factorization, colours: Sequence[int], order: Sequence[int]) -> tuple[float, list[GroupView]]:
    """The largest amount of all groups, and the groups in this order."""
    peak, peaks = float(found.scores.max()), found.peaks()
    levels = (found.scores[0].flatten(1) * (LEVELS / max(peak, 1e-30))).round().int()
    return peak, [
        GroupView(
            index=group, address=str(found.addresses[group]), colour=colours[group], share=float(found.shares[group]),
            row=peaks[group][1], column=peaks[group][2], levels=levels[group].tolist(),
            units=found.directions[group].topk(min(UNITS, found.directions.shape[1])).indices.tolist(),
        )
        for group in order
    ]  # fmt: skip


def _edited(
    here: Microscope, photograph: Photograph, group: str, edits: str, labels: Sequence[int], controls: int
) -> EditedGroupsView:
    begun = time.perf_counter()
    place = here.model.resolve(group)
    if not isinstance(place, Place) or place.component is None:
        raise AddressError(group, "it is no group", next_step="give the address of one: LAYER#KEY.NUMBER")
    for label in labels:
        here.model.resolve(Place(LOGITS, label))
    groups, _ = here.model.grouped(place)
    found = edited_groups(here.model, photograph.canvas, groups, given_edits(here, edits), controls, here.seed)
    before, after = found.before.flatten(1), found.after.flatten(1)
    levels = (after * (LEVELS / max(float(before.max()), 1e-30))).round().int()
    return EditedGroupsView(
        groups=[
            EditedGroupView(
                index=at, before=float(before[at].mean()), after=float(after[at].mean()), levels=levels[at].tolist(),
                random=spread(found.random[:, at]),
            )
            for at in range(len(groups))
        ],
        explained_before=found.explained[0], explained_after=found.explained[1],
        labels=[
            EditedLabelView(index=at, logit=float(found.logits[at]), measured=found.lost[:, at].tolist())
            for at in labels
            if found.logits is not None and found.lost is not None
        ],
        draws=len(found.random), beside=found.beside, seconds=time.perf_counter() - begun,
    )  # fmt: skip


def _groups(here: Microscope, photograph: Photograph, layer: str) -> GroupsView:
    ranks = fitting(here.model, layer)
    steps = [_rank(found) for found in slider(here.model, photograph.canvas, layer, ranks, seed=here.seed)]
    row = here.model.layer(layer)
    return GroupsView(layer=layer, height=row.height or 1, width=row.width or 1, ranks=steps)


def _rank(found: GroupStudy) -> RankView:
    peak, groups = views(found.factorization, found.colours, found.order)
    return RankView(rank=len(groups), explained=found.factorization.explained, peak=peak, groups=groups)


def _curve(here: Microscope, photograph: Photograph, layer: str, report: Report) -> CurveView:
    report(0, 1)
    found = layer_curve(here.model, photograph.canvas, layer, fitting(here.model, layer), report)
    return CurveView(ranks=[RankedView(**vars(one)) for one in found.ranks], chosen=found.chosen, reason=found.reason)


def _effects(
    here: Microscope, photograph: Photograph, layer: str, count: int, more: Sequence[int], report: Report
) -> GroupEffectsView:
    stages = group_study(here.model, photograph.canvas, layer, count, seed=here.seed)
    report(0, 2)
    next(stages)
    report(1, 2)
    found = next(stages)
    assert found.effects is not None
    assert found.measured is not None
    likely = found.logits.argsort(descending=True, stable=True)[:LABELS].tolist()
    rows = [
        GroupEffectsRow(
            label=here.model.label(at), index=at, logit=float(found.logits[at]), effects=found.effects[:, at].tolist(),
            measured=found.measured[:, at].tolist(),
        )
        for at in dict.fromkeys([*likely, *more])
    ]  # fmt: skip
    return GroupEffectsView(rank=count, rows=rows)
