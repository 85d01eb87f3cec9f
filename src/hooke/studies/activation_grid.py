"""The activation grid: every position of a layer, drawn as the picture that the network takes for the same.

Olah, Satyanarayan, Johnson, Carter, Schubert, Ye, Mordvintsev, "The Building Blocks of Interpretability", Distill 2018.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from hooke.displayed import Displayed
from hooke.errors import NumericsError
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.numeric.seeds import stream
from hooke.numeric.similarity import cosines
from hooke.results import Layer
from hooke.shapes import Canvas
from hooke.studies.inversion import Inversion, Level, Spot, inverted, levels, spot
from hooke.studies.semantic_dictionary import by_position, spatial_layer, spatial_layers

SMALLEST, MOST = 5, 32
"""Positions a side of a map whose grid can be read."""
LEAST, SPAN = 0.24, 0.67
"""Sides of the cells scaled by magnitude, in parts of a cell's: of a vector of length 0, and what the longest has more.
Fitted to the published grids, whose sides are 10 + 32 (norm / largest norm)^2 of 46 px (R^2 .97 to .99 on 3 images)."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """What the network sees in the cells' pictures, beside the vectors that they stand for; one number a cell.

    `cosines` with their own vector, `shuffled` with the vector of another cell drawn at random; `centred` as
    `cosines`, after the mean vector of the grid is taken from both. `told`: the share of cells whose picture is nearer
    (centred) to their own vector than to that of any other cell. NaN where a vector is zero.
    """

    cosines: Float[Tensor, "cell"]
    shuffled: Float[Tensor, "cell"]
    centred: Float[Tensor, "cell"]
    told: float


@dataclass(frozen=True, eq=False)
class Grid(Displayed):
    """The grid of one layer as it stands: `cells`, row by row, each a canvas of which the middle `seen` px are shown.

    On the way it has fewer rows and columns than the layer; `agreement` is known at the end of each level of fineness.
    `norms`: of the vectors. `passes`: canvases that went through the network up to the layer and back, in all; `share`:
    one of these canvases' pixels in parts of a photograph's. `progress`: how much of the work on all layers' grids is
    done, 0 to 1, by these pixels.
    """

    layer: str
    rows: int
    columns: int
    cells: Float[Tensor, "cell channel height width"]
    norms: Float[Tensor, "cell"]
    agreement: Agreement | None
    seen: int
    level: int
    levels: int
    step: int
    passes: int
    share: float
    progress: float = 0.0

    @property
    def done(self) -> bool:
        """Whether this is the last there is of its layer."""
        return self.agreement is not None and self.level == self.levels - 1


def activation_grids(
    model: Model, canvas: Canvas, layers: Sequence[str] = (), *, by: Inversion = Inversion(), seed: int = 0,
    every: int = 8,
) -> Iterator[Grid]:  # fmt: skip
    """The grids of several layers of one photograph (by default four), coarse to fine: all layers' coarse ones first,
    then whichever has its next level soonest.

    Yields every `every` steps and after each level of fineness. Abandoning the iterator stops the work.
    Errors: AddressError for a layer without height and width; NumericsError for NaN and for a layer that is zero.
    """
    names = list(layers) or grid_layers(model)
    rows = [spatial_layer(model, name) for name in names]
    batch = model.modality.normalize(canvas[None]).to(model.device, model.dtype)
    held = activations(model, batch, names)
    plans = {row.name: _plan(model, row, by_position(held[row.name], row), by) for row in rows}
    growing = {name: _grid(model, plan, by, seed, every) for name, plan in plans.items()}
    level, done = dict.fromkeys(plans, 0), dict.fromkeys(plans, 0.0)
    total = sum(sum(plan.costs) for plan in plans.values())
    while growing:
        name = min(growing, key=lambda one: (level[one] > 0, plans[one].costs[level[one]]))
        for grid in growing[name]:
            done[name] = grid.passes * grid.share
            yield replace(grid, progress=sum(done.values()) / total)
            if grid.agreement is not None:
                break
        level[name] += 1
        if level[name] == len(plans[name].costs):
            del growing[name]


def grid_layers(model: Model, count: int = 4) -> list[str]:
    """`count` activation layers with maps of 5 to 32 positions a side, from every size of map at least one.

    Of these, those that see further than the one before; of each size the last, and where a size has several, evenly.
    Where too few have such maps, all with positions.
    """
    spatial, active, _ = spatial_layers(model)
    active = active or spatial
    fields = [0, *(row.receptive_field or 0 for row in active)]
    wider = [row for row, before in zip(active, fields, strict=False) if (row.receptive_field or before + 1) > before]
    handy = [row for row in wider if _handy(row)]
    rows = handy if len(handy) >= count else active
    sizes: dict[int | None, list[str]] = {}
    for row in rows:
        sizes.setdefault(row.height, []).append(row.name)
    kept = list(sizes.values())[-count:]
    shares = [1] * len(kept)
    while sum(shares) < min(count, sum(map(len, kept))):
        most = max(range(len(kept)), key=lambda at: len(kept[at]) / shares[at] if shares[at] < len(kept[at]) else 0)
        shares[most] += 1
    picked = zip(kept, shares, strict=True)
    return [names[(at + 1) * len(names) // share - 1] for names, share in picked for at in range(share)]


def readable(model: Model, layers: Sequence[str]) -> list[str]:
    """Those of some layers whose grid can be read: of 5 to 32 positions a side, or one of the usual ones."""
    usual = grid_layers(model)
    return [name for name in layers if name in usual or _handy(model.layer(name))]


def agreement(reached: Float[Tensor, "cell channel"], vectors: Float[Tensor, "cell channel"], seed: int) -> Agreement:
    """How the network sees the cells' pictures, beside their vectors."""
    order = torch.randperm(len(vectors), generator=stream(seed, "shuffled cells"))
    other = torch.empty_like(order)
    other[order] = order.roll(1)
    mean = vectors.mean(0)
    apart = cosines(reached - mean, vectors - mean)
    own = apart.diagonal()
    return Agreement(
        _cosines(reached, vectors),
        _cosines(reached, vectors[other]),
        own.float(),
        float((own >= apart.nan_to_num(-1.0).amax(1)).double().mean()),
    )


def mosaic(grid: Grid, side: int = 672, *, scaled: bool = False) -> Canvas:
    """The grid as one picture of about `side` pixels, its cells side by side.

    `scaled`: each cell on white, transparent around it, its side growing with the square of its vector's length
    (`LEAST`, `SPAN`); four channels then, opacity last.
    """
    cell = max(4, side // max(grid.rows, grid.columns))
    shown = middles(grid.cells, grid.seen)
    if not scaled:
        return _laid(resized(shown, cell), grid)
    sides = LEAST + SPAN * (grid.norms / grid.norms.max().clamp(min=1e-9)).square()
    pieces = shown.new_zeros(len(shown), 4, cell, cell)
    for at, part in enumerate((cell * sides).round().int().tolist()):
        put(pieces[at], shown[at], part)
    return _laid(pieces, grid)


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is to be drawn of one layer; `costs`: the canvases of each level and step, in whole photographs' pixels."""

    layer: str
    levels: list[Level]
    place: Spot
    share: float
    costs: list[float]


def _handy(row: Layer) -> bool:
    return all(SMALLEST <= (side or 0) <= MOST for side in (row.height, row.width))


def _plan(model: Model, row: Layer, vectors: Float[Tensor, "row column channel"], by: Inversion) -> _Plan:
    if not bool(vectors.abs().sum() > 0):
        step = "choose another layer or photograph"
        raise NumericsError(f"the activation grid of {row.name}", "all its activations are zero", next_step=step)
    whole, place = levels(vectors, torch.ones(vectors.shape[:2], dtype=torch.bool)), spot(model, row.name)
    share = place.side**2 / (model.modality.height * model.modality.width)
    steps = [by.coarse] * (len(whole) - 1) + [by.last(len(whole[-1].vectors))]
    costs = [share * count * len(level.vectors) for count, level in zip(steps, whole, strict=True)]
    return _Plan(row.name, whole, place, share, costs)


def _grid(model: Model, plan: _Plan, by: Inversion, seed: int, every: int) -> Iterator[Grid]:
    for one in inverted(model, plan.layer, plan.levels, by=by, seed=seed, every=every):
        level = plan.levels[one.level]
        found = None if one.reached is None else agreement(one.reached, level.vectors, seed)
        tall, wide = level.there.shape
        yield Grid(
            plan.layer, tall, wide, one.canvases, level.vectors.norm(dim=1), found, plan.place.seen, one.level,
            len(plan.levels), one.step, one.passes, plan.share,
        )  # fmt: skip


def _cosines(reached: Tensor, vectors: Tensor) -> Float[Tensor, "cell"]:
    found = functional.cosine_similarity(reached, vectors, dim=1)
    return found.where(vectors.norm(dim=1) > 0, torch.nan)


def middles(cells: Float[Tensor, "cell channel height width"], seen: int) -> Float[Tensor, "cell 3 seen seen"]:
    """What of the cells' canvases is shown, in three colours."""
    cut = (cells.shape[-1] - seen) // 2
    shown = cells[..., cut : cut + seen, cut : cut + seen]
    return shown.expand(-1, 3, -1, -1) if shown.shape[1] == 1 else shown[:, :3]


def put(whole: Float[Tensor, "4 side side"], shown: Float[Tensor, "3 seen seen"], part: int) -> None:
    """Write a picture, `part` pixels large and opaque, into the middle of a square."""
    first = (whole.shape[-1] - part) // 2
    square = whole[:, first : first + part, first : first + part]
    square[:3], square[3] = resized(shown[None], part)[0], 1


def resized(canvases: Tensor, side: int) -> Tensor:
    """Canvases of `side` pixels; bicubic, smoothed where they become smaller."""
    if canvases.shape[-1] == side:
        return canvases
    smaller = side < canvases.shape[-1]
    found: Tensor = functional.interpolate(
        canvases, (side, side), mode="bicubic", align_corners=False, antialias=smaller
    ).clamp(0, 1)
    return found


def _laid(cells: Float[Tensor, "cell colour tall wide"], grid: Grid) -> Canvas:
    channels, side = cells.shape[1], cells.shape[2]
    laid = cells.reshape(grid.rows, grid.columns, channels, side, side).permute(2, 0, 3, 1, 4)
    return laid.reshape(channels, grid.rows * side, grid.columns * side).contiguous()
