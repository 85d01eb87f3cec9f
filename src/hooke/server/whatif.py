"""/api/images/{image}/what-if: what edits change in the classes and at a place, beside random others."""

import re
import time
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response
from torch import Tensor

from hooke.addresses import Place, places
from hooke.errors import AddressError, EditError
from hooke.interventions.verdicts import as_large
from hooke.models.editing.edit import Edit
from hooke.models.editing.kinds import Patch, Within
from hooke.models.editing.texts import parse, spelled
from hooke.models.layers import LOGITS
from hooke.models.recording import activations
from hooke.server.computed import Label, known
from hooke.server.microscope import Here, Microscope
from hooke.server.shelf import Photograph
from hooke.server.wire_whatif import (
    ChangedLabelView,
    ChangedTableView,
    ChangedTargetView,
    ChangedUnitView,
    SpreadView,
    WhatIfView,
)
from hooke.studies.semantic_dictionary import check_position, spatial_layer
from hooke.studies.what_if import CONTROLS, Felt, Seen, Transplant, WhatIf, what_if

router = APIRouter()

LABELS = 5
UNITS = 8
LONGEST = 4000
"""Characters of the text of all edits."""

Edits = Annotated[str, Query(description="As text, one a line.", max_length=LONGEST)]

_EDGE = re.compile(r"(ablate|scale)\((.+?)\s*->\s*(.+?)(,\s+[-+0-9.eE]+|,\s+mean)?\)")


@router.get("/api/images/{image}/what-if", response_model=WhatIfView)
async def get_what_if(
    here: Here, image: str, edits: Edits,
    layer: str = "", row: int = 0, column: int = 0, of: Label = None, rather: Label = None,
    controls: Annotated[int, Query(ge=0, le=CONTROLS)] = CONTROLS,
) -> Response:  # fmt: skip
    """What edits (as text) change in the classes and at one place of a layer, beside random others of the same size."""
    photograph = here.shelf.get(image)
    name = " ".join(map(str, ("what-if", image, edits, layer, row, column, of, rather, controls)))

    def work() -> WhatIfView:
        begun = time.perf_counter()
        at = _at(here, layer, row, column) if layer else None
        found = what_if(here.model, photograph.canvas, given_edits(here, edits), at, controls, here.seed)
        return told(here, photograph, found, at, (of, rather), time.perf_counter() - begun)

    return await known(here, name, work)


def given_edits(here: Microscope, texts: str) -> list[Edit]:
    """All edits of a request. Errors: EditError for a line that is none."""
    return [edit for line in texts.splitlines() for edit in read(here, line)]


def read(here: Microscope, text: str) -> list[Edit]:
    """Edits from their text: as everywhere, and edges as `ablate(A -> B)` or `scale(A -> B, 2)`.

    Errors: EditError for a text that is none.
    """
    edge = _EDGE.fullmatch(text.strip())
    if edge is None:
        return [given(here, edit) for edit in parse(text)]
    kind, source, end, rest = edge.groups()
    at = here.model.resolve(end)
    if not isinstance(at, Place):
        raise EditError(text, "an edge leads to one place")
    order = here.model.layers.site
    (edit,) = parse(f"{kind}({source}{rest or ''})")
    if any(order(place.layer).order >= order(at.layer).order for place in places(here.model.resolve(edit.address))):
        raise EditError(text, f"{at} does not come after {source}", next_step="write ablate(SOURCE -> TARGET)")
    return [Felt(edit, at)]


def given(here: Microscope, edit: Edit) -> Edit:
    """An edit with what another photograph holds, where it takes that.

    A picture is one of the photographs: "ID", or "ID@ROW,COLUMN" for another place of it.
    Errors: Absent for a photograph that is not here; no file is read, whatever the text says.
    """
    if not isinstance(edit, Patch):
        inside = edit.edit if isinstance(edit, Within) else None
        if isinstance(inside, Patch):
            raise EditError(spelled(edit), "a transplant is made at a place, not within a mask")
        return edit
    identity, sign, spot = str(edit.source).partition("@")
    parts = spot.split(",")
    if sign and not all(part.isascii() and part.isdecimal() and len(part) < 7 for part in parts):
        raise AddressError(spelled(edit), f"{spot!r} is no position", next_step='write "PHOTOGRAPH@ROW,COLUMN"')
    canvas = here.shelf.get(identity).canvas
    place = here.model.resolve(edit.address)
    if not isinstance(place, Place) or place.component is not None:
        raise EditError(spelled(edit), "only layers, channels and positions take the values of another photograph")
    batch = here.model.modality.normalize(canvas[None]).to(here.model.device, here.model.dtype)
    held = activations(here.model, batch, [place.layer])[place.layer]
    return Transplant(place, held, tuple(map(int, parts)) if sign else None)


def _at(here: Microscope, layer: str, row: int, column: int) -> Place:
    check_position(spatial_layer(here.model, layer), (row, column))
    return Place(layer, position=(row, column))


def told(
    here: Microscope, photograph: Photograph, found: WhatIf, at: Place | None,
    asked: tuple[int | None, int | None], seconds: float,
) -> WhatIfView:  # fmt: skip
    """What was found, as the page shows it."""
    draws = max((len(one.random) for one in (found.logits, found.vector) if one), default=0)
    return WhatIfView(
        edits=[_text(edit) for edit in found.edits],
        labels=_labels(here, found.logits, asked) if found.logits else [],
        target=_target(here, found.logits, asked) if found.logits else None,
        table=_table(found.vector, at) if found.vector and at else None,
        draws=draws, beside=found.beside, seconds=seconds,
    )  # fmt: skip


def _text(edit: Edit) -> str:
    if isinstance(edit, Felt):
        return f"{spelled(edit.edit)} -> {edit.at}"
    return f"patch({edit.address})" if isinstance(edit, Transplant) else spelled(edit)


def _labels(here: Microscope, seen: Seen, asked: Sequence[int | None]) -> list[ChangedLabelView]:
    """The likeliest labels before and after, and those asked about; likeliest before first."""
    before, after = seen.before.softmax(-1), seen.after.softmax(-1)
    count = min(LABELS, len(before))
    chosen = [*before.topk(count).indices.tolist(), *after.topk(count).indices.tolist()]
    chosen += [one for one in asked if one is not None and one < len(before)]
    return [
        ChangedLabelView(
            index=at, label=here.model.label(at), before=float(before[at]), after=float(after[at]),
            logit_before=float(seen.before[at]), logit_after=float(seen.after[at]),
            random=spread(seen.random[:, at] - seen.before[at]),
        )
        for at in sorted(dict.fromkeys(chosen), key=lambda at: -float(before[at]))
    ]  # fmt: skip


def _target(here: Microscope, seen: Seen, asked: tuple[int | None, int | None]) -> ChangedTargetView:
    of, rather = asked
    of = int(seen.before.argmax()) if of is None else of
    for one in (of, rather):
        if one is not None and one >= len(seen.before):
            raise AddressError(str(Place(LOGITS, one)), f"labels go from 0 to {len(seen.before) - 1}")

    def read(rows: Tensor) -> Tensor:
        return rows[..., of] - (0 if rather is None else rows[..., rather])

    before, after, random = read(seen.before), read(seen.after), read(seen.random) - read(seen.before)
    name = here.model.label(of) + ("" if rather is None else f" rather than {here.model.label(rather)}")
    return ChangedTargetView(
        name=name, before=float(before), after=float(after), random=spread(random),
        p=as_large((after - before)[None], random) if len(random) else None,
    )  # fmt: skip


def _table(seen: Seen, at: Place) -> ChangedTableView:
    count = min(UNITS, len(seen.before))
    chosen = [*seen.before.topk(count).indices.tolist(), *seen.after.topk(count).indices.tolist()]
    chosen = [unit for unit in dict.fromkeys(chosen) if seen.before[unit] > 0 or seen.after[unit] > 0]
    assert isinstance(at.position, tuple)
    length = float(seen.before.norm()) or 1.0
    return ChangedTableView(
        layer=at.layer, row=int(at.position[0]), column=int(at.position[1]),
        units=[
            ChangedUnitView(channel=one, before=float(seen.before[one]), after=float(seen.after[one])) for one in chosen
        ],
        moved=float((seen.after - seen.before).norm()) / length,
        random=spread((seen.random - seen.before).norm(dim=1) / length),
    )  # fmt: skip


def spread(values: Tensor) -> SpreadView | None:
    """Mean, smallest and largest of what random others came to; None where there are none."""
    if not len(values):
        return None
    return SpreadView(mean=float(values.mean()), low=float(values.min()), high=float(values.max()))
