"""Sheets of activation grids: how one is painted, and where it is kept."""

import math
from dataclasses import dataclass

import numpy
import torch

from hooke.provenance import Provenance
from hooke.server.recent import Recent
from hooke.server.sprites import picture_of, webp
from hooke.server.wire_grids import AgreementView, GridView
from hooke.storage.store import Store
from hooke.studies.activation_grid import Agreement, Grid, mosaic

LARGEST, CELL = 1024, 96
"""Pixels a side, at most, of a sheet and of a cell on it."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """One layer's grid as the page gets it: what is told of it, and its cells as a WebP."""

    view: GridView
    picture: bytes


class Sheets:
    """Sheets by name: the last in memory, and those of finished grids in the store too."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: Recent[str, Sheet] = Recent(128)

    def get(self, name: str) -> Sheet | None:
        """The sheet of that name, or None; of a finished grid it is the key of its question."""
        known = self._recent.get(name)
        entry = None if known or "-" in name else self._store.get(name)
        if entry is None or "sheet" not in entry.tensors:
            return known
        view = GridView.model_validate(entry.facts["view"])
        return self._recent.put(name, Sheet(view, entry.tensors["sheet"].numpy().tobytes()))

    def keep(self, grid: Grid, question: Provenance) -> Sheet:
        """The sheet of a grid as it stands, kept."""
        name = question.key if grid.done else f"{question.key}-{grid.level}-{grid.step}"
        sheet = self._recent.put(name, painted(grid, name))
        if grid.done:
            pixels = torch.from_numpy(numpy.frombuffer(sheet.picture, dtype=numpy.uint8).copy())
            facts = {"view": sheet.view.model_dump(), "provenance": question.to_json()}
            self._store.put(name, {"sheet": pixels}, facts)
        return sheet


def painted(grid: Grid, name: str) -> Sheet:
    """One layer's grid as it stands, its cells as large as they were drawn where the sheet has room for that."""
    most = max(grid.rows, grid.columns)
    side = most * min(grid.seen, CELL, LARGEST // most)
    view = GridView(
        layer=grid.layer, rows=grid.rows, columns=grid.columns, sheet_url=f"/api/grids/{name}.webp",
        norms=grid.norms.tolist(), agreement=agreed(grid.agreement) if grid.agreement else None, level=grid.level,
        levels=grid.levels, step=grid.step, canvases=grid.passes, photographs=grid.passes * grid.share, done=grid.done,
    )  # fmt: skip
    return Sheet(view, webp(picture_of(mosaic(grid, side)), quality=82, method=2))


def agreed(found: Agreement) -> AgreementView:
    """The medians of an agreement, as they are told; None where there is none."""
    cosine, shuffled, centred = (
        None if math.isnan(value) else value
        for value in (float(each.nanmedian()) for each in (found.cosines, found.shuffled, found.centred))
    )
    return AgreementView(cosine=cosine, shuffled=shuffled, centred=centred, told=found.told)
