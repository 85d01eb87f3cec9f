"""/api/layer/atlas: what a layer sees in the photographs at hand, as a map that is told while it sharpens."""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from threading import Thread
from typing import Literal

import torch
from fastapi import APIRouter
from starlette.responses import Response
from torch import Tensor

from hooke.addresses import Place
from hooke.errors import DataError, HookeError
from hooke.modalities.samples import Samples
from hooke.models.layers import LOGITS
from hooke.numeric.seeds import stream
from hooke.responses.examples import indices
from hooke.results import Prediction
from hooke.server.computed import LATER, answer, later, underway
from hooke.server.microscope import Here, Microscope
from hooke.server.recorded import recording
from hooke.server.refusals import Absent
from hooke.server.sheets import agreed
from hooke.server.sprites import picture_of, sheet
from hooke.server.standing import Grown
from hooke.server.wire_layer import AtlasCellView, AtlasView
from hooke.shapes import Canvas
from hooke.studies.activation_atlas import (
    DRAWING,
    Atlas,
    Layout,
    Vectors,
    activation_atlas,
    gathering,
    together,
    usual_layout,
)
from hooke.studies.activation_grid import middles
from hooke.studies.semantic_dictionary import is_spatial

router = APIRouter()

METHOD = replace(DRAWING, steps=24)
SIDE, LEAST = 8, 3
"""Cells a side, and the fewest vectors of a cell."""
EACH, PHOTOGRAPHS, LABELS = 48, 16, 8
"""Places of each photograph, and how many photographs and labels at most."""
RECORDED = (12, 12, 200)
"""Of recorded inputs: cells a side, places of each, and how many of them at most."""
EVERY, GREY = 4, 4
"""Steps from one half-drawn sheet to the next, and those after which there is something to see."""
CELL, UNITS = 72, 4
"""Pixels a side of a cell on the sheet, and how many of its strongest units are told."""
REST = 0.1
"""Seconds that a slice waits for the layout: between slices others draw."""
GATHERED, LAID = 0.45, 0.55
"""Shares of the work that are done once the vectors are gathered, and once they are laid out."""


@dataclass(frozen=True)
class Source:
    """What an atlas is of: canvases, read one by one, places of each, cells a side; labels that are asked about."""

    canvases: Callable[[], Iterator[Canvas]]
    count: int
    each: int
    side: int
    labels: Callable[[], list[int]]
    recorded: int | None = None


@router.get("/api/layer/atlas", response_model=AtlasView, responses=LATER)
async def get_atlas(here: Here, layer: str, of: Literal["here", "recorded"] = "here") -> Response:
    """The atlas of a layer with height and width: of the photographs that are there now, the latest where many are, or
    of some of what was recorded."""
    row = here.model.layer(layer)
    if not is_spatial(row):
        raise Absent(f"the atlas of {layer}", "this layer has no height and width, so no places to gather from")
    name, source = _recorded(here) if of == "recorded" else _at_hand(here, layer)
    name = f"atlas {row.name} {name}"
    if body := here.answers.get(name):
        return answer(body)
    growth = here.growths.get(name) or here.growths.put(
        name, underway(here, name, growing(here, source, row.name, name))
    )
    return later(here.queue.grow(name, growth))


def _at_hand(here: Microscope, layer: str) -> tuple[str, Source]:
    photographs = here.shelf.all()[-PHOTOGRAPHS:]
    if not photographs:
        raise Absent(f"the atlas of {layer}", "there are no photographs", next_step="drop some on the page")
    seen = hashlib.sha256(" ".join(one.id for one in photographs).encode()).hexdigest()[:16]
    canvases = [photograph.canvas for photograph in photographs]

    def labels() -> list[int]:
        return _likeliest(map(here.predictions, photographs))

    return seen, Source(lambda: iter(canvases), len(canvases), EACH, SIDE, labels)


def _recorded(here: Microscope) -> tuple[str, Source]:
    """Of inputs drawn at random; what cannot be read any more is passed over."""
    kept = recording(here)
    order = torch.randperm(len(kept.names), generator=stream(here.seed, "atlas of a recording")).tolist()
    side, each, most = RECORDED

    @cache
    def data() -> tuple[Samples, list[int]]:
        samples = kept.samples()
        return samples, indices(kept, samples)

    def canvases() -> Iterator[Canvas]:
        samples, places = data()
        for at in order[:most]:
            with suppress(HookeError):
                yield samples.read(places[at], here.model.modality)

    def labels() -> list[int]:
        return _likeliest(here.guesses(one) for one in islice(canvases(), LABELS))

    return "recorded", Source(canvases, min(most, len(order)), each, side, labels, len(order))


def growing(here: Microscope, source: Source, layer: str, name: str) -> Iterator[Grown]:
    """Gathers, lays out and draws in slices, and keeps the map when it is done."""
    layout = usual_layout()
    labels = source.labels()
    view = AtlasView(
        layer=layer, side=source.side, cells=[], sheet="", columns=source.side, agreement=None, photographs=0,
        vectors=0, labels=len(labels), layout=type(layout).__name__, steps=0, recorded=source.recorded, done=False,
    )  # fmt: skip
    some: list[Vectors] = []
    of = [Place(LOGITS, label) for label in labels]
    for one in gathering(here.model, source.canvases(), layer, of, each=source.each, seed=here.seed):
        some.append(one)
        view = view.model_copy(update={"vectors": view.vectors + len(one.values), "photographs": len(some)})
        yield Grown(GATHERED * len(some) / source.count, view)
    if not some:
        step = "put the data back where they were, or record again"
        raise DataError("the atlas of the recording", "none of its inputs can be read any more", next_step=step)
    vectors = together(some)
    laid = aside(lambda: layout(vectors.values, 2, here.seed))
    while wait([laid], REST).not_done:
        yield Grown(GATHERED, view)
    # What could not be laid out is tried where it is told why.
    for atlas in drawing(here, vectors, layout if laid.exception() else Laid(laid.result()), source.side):
        if atlas.level or atlas.step >= GREY:
            view = view.model_copy(update=shown(here, atlas, vectors, labels))
        if atlas.done:
            here.answers.put(name, view.model_dump_json().encode())
        yield Grown(LAID + (1 - LAID) * _drawn(atlas), view)


@dataclass(frozen=True, eq=False)
class Laid(Layout):
    """A layout that is there already."""

    points: Tensor

    def __call__(self, values: Tensor, dimensions: int, seed: int) -> Tensor:
        return self.points


def aside(work: Callable[[], Tensor]) -> "Future[Tensor]":
    """What is worked out in a thread of its own, which nobody waits for at the end."""
    found: Future[Tensor] = Future()

    def run() -> None:
        try:
            found.set_result(work())
        except Exception as reason:
            found.set_exception(reason)

    Thread(target=run, daemon=True, name="layout").start()
    return found


def drawing(here: Microscope, vectors: Vectors, layout: Layout, most: int) -> Iterator[Atlas]:
    """The atlas of all vectors, whatever they speak for; `most` cells a side."""
    whole = vectors.of(())
    side = max(2, min(most, math.isqrt(len(vectors.values) // LEAST)))
    return activation_atlas(
        here.model, whole, side=side, least=LEAST, layout=layout, by=METHOD, seed=here.seed, every=EVERY
    )


def shown(here: Microscope, atlas: Atlas, vectors: Vectors, labels: Sequence[int]) -> dict[str, object]:
    """What is told of the map as it stands: its cells and their sheet; at the end what each is about."""
    side = atlas.there.shape[0]
    counts = atlas.counts[atlas.there].tolist()
    cells = [
        AtlasCellView(row=row, column=column, count=count)
        for (row, column), count in zip(atlas.there.nonzero().tolist(), counts, strict=True)
    ]
    if atlas.agreement is not None:
        said = spoken(atlas.homes, vectors.credits, len(cells))
        strongest = atlas.means.topk(min(UNITS, atlas.means.shape[1]), 1)
        for at, cell in enumerate(cells):
            cosine = float(atlas.agreement.cosines[at])
            cell.cosine = None if math.isnan(cosine) else cosine
            kept = zip(strongest.indices[at].tolist(), strongest.values[at].tolist(), strict=True)
            cell.units = [unit for unit, value in kept if value > 0]
            if said is not None and float(said[at].max()) > 0:
                cell.credit = float(said[at].max())
                cell.label = here.model.label(labels[int(said[at].argmax())])
    pictures = [picture_of(one) for one in middles(atlas.cells, atlas.seen)]
    return {
        "side": side, "cells": cells, "columns": side, "sheet": sheet(pictures, CELL, side, quality=80),
        "agreement": agreed(atlas.agreement) if atlas.agreement else None, "steps": atlas.step, "done": atlas.done,
    }  # fmt: skip


def spoken(homes: Tensor, credits: Tensor, cells: int) -> Tensor | None:
    """By how much the vectors of each cell speak for each target, in the mean [cell, target]; None without targets."""
    if not len(credits):
        return None
    inside = homes >= 0
    sums = torch.zeros(cells, len(credits)).index_add_(0, homes[inside], credits.T[inside])
    return sums / homes[inside].bincount(minlength=cells).clamp(min=1)[:, None]


def _likeliest(guesses: Iterable[Sequence[Prediction]]) -> list[int]:
    """The likeliest label of each photograph, each once; none where the model is no classifier."""
    return list(dict.fromkeys(some[0].index for some in guesses if some))[-LABELS:]


def _drawn(atlas: Atlas) -> float:
    """About how much of the drawing is done, by the canvases that went through the network."""
    cells = int(atlas.homes.max()) + 1
    coarsest = METHOD.coarse * 4**2
    return 1.0 if atlas.done else min(0.99, atlas.passes / (coarsest + METHOD.last(cells) * cells))
