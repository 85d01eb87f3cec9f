"""The activation grids of a photograph: pictures, plain and scaled by magnitude, and how far to trust them."""

from typing import Any

from hooke.models.model import Model
from hooke.plots.grids import Shown, grids
from hooke.shapes import Canvas
from hooke.studies.activation_grid import Agreement, Grid, activation_grids, grid_layers, mosaic
from hooke.studies.inversion import Inversion
from hooke.studies.registry import Asked, Report, Watch


def report(model: Model, canvas: Canvas, asked: Asked, watch: Watch) -> Report:
    """The grids of `asked.layers` (by default four); `asked.steps` are those of the finest level."""
    names = list(asked.layers) or grid_layers(model)
    by = Inversion(steps=asked.steps or 0)
    finished: dict[str, Grid] = {}
    for grid in activation_grids(model, canvas, names, by=by, seed=asked.seed):
        watch(f"{grid.layer}, {grid.rows} x {grid.columns}", round(1000 * grid.progress), 1000)
        if grid.done:
            finished[grid.layer] = grid
    shown: list[Shown] = []
    pictures: dict[str, Canvas] = {}
    for name in names:
        whole = mosaic(finished[name])
        pictures |= {f"{name}.grid": whole, f"{name}.scaled": mosaic(finished[name], scaled=True)}
        shown.append(Shown(whole.permute(1, 2, 0).numpy(), _title(finished[name]), _told(finished[name])))
    facts = {"layers": [_facts(finished[name]) for name in names]}
    return Report(facts, {"activation_grid": grids(shown)}, pictures)


def figures(found: Agreement) -> dict[str, Any]:
    """The medians of what the cells agree by."""
    values = {"cosine": found.cosines, "shuffled": found.shuffled, "centred": found.centred}
    return {name: float(value.nanmedian()) for name, value in values.items()} | {"told": found.told}


def _facts(grid: Grid) -> dict[str, Any]:
    assert grid.agreement is not None
    return {
        "layer": grid.layer, "rows": grid.rows, "columns": grid.columns, "canvas_px": grid.cells.shape[-1],
        "shown_px": grid.seen, "passes": grid.passes, "photograph_passes": grid.passes * grid.share,
        **figures(grid.agreement), "cosines": grid.agreement.cosines.tolist(), "norms": grid.norms.tolist(),
    }  # fmt: skip


def _title(grid: Grid) -> str:
    return f"{grid.layer}: {grid.rows} x {grid.columns} positions"


def _told(grid: Grid) -> str:
    assert grid.agreement is not None
    found = figures(grid.agreement)
    return (
        f"cosine with its vector, median of {len(grid.cells)}: {found['cosine']:.2f}; "
        f"shuffled {found['shuffled']:.2f}\ntold among all: {found['told']:.0%}"
    )
