"""The activation atlas: what a layer can see, as a map: vectors from many photographs, near ones averaged and drawn.

Carter, Armstrong, Schubert, Johnson, Olah, "Activation Atlas", Distill 2019; layout by UMAP (McInnes, Healy, Melville
2018).
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hooke.attribution.targets import Asked, target
from hooke.displayed import Displayed
from hooke.errors import HookeError, NumericsError
from hooke.modalities.samples import Samples
from hooke.models.model import Model
from hooke.models.suffix import suffix_of
from hooke.numeric.ranks import midranks
from hooke.numeric.seeds import stream
from hooke.shapes import Canvas
from hooke.studies.activation_grid import Agreement, agreement, middles, put
from hooke.studies.inversion import Inversion, inverted, levels, spot
from hooke.studies.registry import Watch, silent
from hooke.studies.semantic_dictionary import by_position, spatial_layer
from hooke.visualization.objectives.directions import whitened

Points = Float[Tensor, "point 2"]

DRAWING = Inversion(rate=0.25, steps=60)
"""Whitened directions want more and larger steps than the vectors of an activation grid."""


@runtime_checkable
class Layout(Protocol):
    """Puts vectors on a plane, or, with one axis, on a line."""

    def __call__(self, vectors: Float[Tensor, "point unit"], axes: int, seed: int) -> Float[Tensor, "point axis"]:
        """Where each is."""


@dataclass(frozen=True)
class UMAP:
    """Neighbours stay neighbours; of the cosine distance. Needs `pip install "hooke[atlas]"`."""

    neighbours: int = 20
    distance: float = 0.05

    def __call__(self, vectors: Float[Tensor, "point unit"], axes: int, seed: int) -> Float[Tensor, "point axis"]:
        try:
            from umap import UMAP as Reducer
        except ImportError as missing:
            step = 'pip install "hooke[atlas]", or use the layout Principal()'
            raise HookeError("a layout by UMAP", "umap-learn is not installed", next_step=step) from missing
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of numba, and that a seed makes it use one thread
            reducer = Reducer(
                n_components=axes, n_neighbors=min(self.neighbours, len(vectors) - 1), min_dist=self.distance,
                metric="cosine", random_state=seed,
            )  # fmt: skip
            found: Tensor = torch.from_numpy(reducer.fit_transform(vectors.numpy())).float()
        return found


@dataclass(frozen=True)
class Principal:
    """Along the directions in which the vectors differ most: quick, and the same on every machine."""

    def __call__(self, vectors: Float[Tensor, "point unit"], axes: int, seed: int) -> Float[Tensor, "point axis"]:
        apart = (vectors - vectors.mean(0)).double()
        _, _, directions = torch.linalg.svd(apart, full_matrices=False)
        found: Tensor = (apart @ directions[:axes].T).float()
        return found


def usual_layout() -> Layout:
    """UMAP where umap-learn is installed, else along the principal directions."""
    return UMAP() if find_spec("umap") else Principal()


@dataclass(frozen=True, eq=False)
class Vectors:
    """Vectors of a layer from many photographs, and where each is from: [photograph, row, column].

    `slopes`: the gradient of each target at each vector.
    """

    layer: str
    values: Float[Tensor, "point unit"]
    places: Int[Tensor, "point 3"]
    targets: tuple[str, ...]
    slopes: Float[Tensor, "target point unit"]

    @cached_property
    def credits(self) -> Float[Tensor, "target point"]:
        """By how much each speaks for each target: gradient x what it has more than the mean vector, in logits.

        Against the mean, and not against nothing: vectors of a layer share so much that the sign of plain activation x
        gradient can be the wrong one (experiments/atlas).
        """
        return torch.einsum("tpu,pu->tp", self.slopes, self.values - self.values.mean(0))

    def of(self, targets: Sequence[int]) -> "Vectors":
        """The same vectors with some of their targets."""
        names = tuple(self.targets[at] for at in targets)
        return replace(self, targets=names, slopes=self.slopes[list(targets)])


@dataclass(frozen=True, eq=False)
class Atlas(Displayed):
    """The map as it stands: which cells are there, how many vectors each is the mean of, and their pictures.

    `cells` of those that are there, row by row, as `means`, the vectors that they stand for. `homes`: in which cell of
    the finest grid each vector of all is, counted row by row; -1: in none that is there. `of` says what the vectors
    were chosen by, or "". At the end `agreement` of the pictures with the means is known.
    """

    layer: str
    of: str
    there: Bool[Tensor, "row column"]
    counts: Int[Tensor, "row column"]
    cells: Float[Tensor, "cell channel height width"]
    means: Float[Tensor, "cell unit"]
    homes: Int[Tensor, "point"]
    seen: int
    agreement: Agreement | None
    level: int
    step: int
    passes: int
    done: bool


def gathered(
    model: Model, samples: Samples, layer: str, of: Sequence[Asked] = (), *, each: int = 16, seed: int = 0,
    watch: Watch = silent,
) -> Vectors:  # fmt: skip
    """`each` vectors at random positions of every photograph, with what they speak for.

    One pass a photograph, and one from the layer on and back for each target. Errors: AddressError for a layer without
    height and width, or a target that is none.
    """
    found: list[Vectors] = []
    canvases = (samples.read(number, model.modality) for number in range(len(samples)))
    for some in gathering(model, canvases, layer, of, each=each, seed=seed):
        watch("photographs", len(found), len(samples))
        found.append(some)
    return together(found)


def gathering(
    model: Model, canvases: Iterable[Canvas], layer: str, of: Sequence[Asked] = (), *, each: int = 16, seed: int = 0
) -> Iterator[Vectors]:
    """The vectors of one photograph after the other, as `gathered` has them."""
    row, wanted = spatial_layer(model, layer), [target(model, one) for one in of]
    suffix, read = suffix_of(model, layer), sorted({name for one in wanted for name in one.layers})
    for number, canvas in enumerate(canvases):
        batch = model.modality.normalize(canvas[None]).to(model.device, model.dtype)
        prefix = suffix.prepare(batch)
        maps = by_position(prefix.values, row)
        chosen = torch.randperm(maps.shape[0] * maps.shape[1], generator=stream(seed, "atlas", str(number)))[:each]
        spots = torch.stack([chosen // maps.shape[1], chosen % maps.shape[1]], 1)
        slopes = torch.zeros(len(wanted), len(spots), maps.shape[2])
        leaf = prefix.values.detach().requires_grad_(bool(wanted))
        with torch.enable_grad():
            values = suffix.run(prefix, leaf, read) if wanted else {}
        for at, one in enumerate(wanted):
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad(one.read(values).sum(), leaf, retain_graph=True)
            slopes[at] = by_position(gradient, row)[spots[:, 0], spots[:, 1]]
        places = torch.cat([torch.full((len(spots), 1), number), spots], 1)
        yield Vectors(layer, maps[spots[:, 0], spots[:, 1]], places, tuple(one.name for one in wanted), slopes)


def together(some: Sequence[Vectors]) -> Vectors:
    """The vectors of several photographs as one."""
    return Vectors(
        some[0].layer, torch.cat([one.values for one in some]), torch.cat([one.places for one in some]),
        some[0].targets, torch.cat([one.slopes for one in some], 1),
    )  # fmt: skip


def activation_atlas(
    model: Model, vectors: Vectors, *, side: int = 20, least: int = 3, share: float = 0.1, layout: Layout = UMAP(),
    by: Inversion = DRAWING, seed: int = 0, every: int = 8,
) -> Iterator[Atlas]:  # fmt: skip
    """Lays the vectors out, averages those of each cell of a grid of `side` x `side`, and draws the averages.

    Cells of fewer than `least` vectors stay empty. Each average is drawn whitened: by the inverse of the second moment
    of all vectors, so that what all have in common does not count. With one target, of the vectors only the `share`
    that speaks most for it; with two, of either that share, and from left to right by how much they speak for the first
    rather than the second. Errors: NumericsError for too few vectors, and NaN.
    """
    chosen, across = _chosen(vectors, share)
    values = vectors.values[chosen]
    if len(values) < max(4, least):
        step = "give more photographs, or a larger share"
        raise NumericsError(f"an atlas of {len(values)} vectors", "these are too few", next_step=step)
    if across is None:
        points = layout(values, 2, seed)
    else:
        points = torch.stack([across[chosen], layout(values, 1, seed)[:, 0]], 1)
    means, there, counts, cells = averaged(values, points, side, least)
    moment = (vectors.values.T @ vectors.values) / len(vectors.values)
    whole = levels(means, there)
    toward = [whitened(level.vectors, moment, 1e-2) for level in whole]
    seen = spot(model, vectors.layer).seen
    homes = torch.full((len(vectors.values),), -1)
    homes[chosen] = cells
    for one in inverted(model, vectors.layer, whole, by=by, toward=toward, seed=seed, every=every):
        own = whole[one.level]
        last = one.level == len(whole) - 1
        found = None if one.reached is None or not last else agreement(one.reached, own.vectors, seed)
        some = counts if last else own.there.long()
        yield Atlas(
            vectors.layer, " rather than ".join(vectors.targets), own.there, some, one.canvases, own.vectors, homes,
            seen, found, one.level, one.step, one.passes, one.done and last,
        )  # fmt: skip


def averaged(
    values: Float[Tensor, "point unit"], points: Points, side: int, least: int
) -> tuple[
    Float[Tensor, "row column unit"], Bool[Tensor, "row column"], Int[Tensor, "row column"], Int[Tensor, "point"]
]:  # fmt: skip
    """The mean vector of each cell of a grid over the points, whether it is there, and of how many it is the mean;
    last, in which of those that are there, row by row, each point is, or -1.

    Each row and each column holds as many points as any other, so that a few that lie far off leave no empty map.
    """
    cell = _cell(points, side)
    counts = torch.bincount(cell, minlength=side**2)
    sums = torch.zeros(side**2, values.shape[1]).index_add_(0, cell, values)
    means = sums / counts.clamp(min=1)[:, None]
    there = (counts >= least) & (means.norm(dim=1) > 0)
    if not bool(there.any()):
        step = "take fewer cells, more photographs, or a smaller least number"
        raise NumericsError(f"an atlas of {side} x {side} cells", f"none has {least} vectors", next_step=step)
    numbers = torch.where(there, there.long().cumsum(0) - 1, -1)
    return means.view(side, side, -1), there.view(side, side), counts.view(side, side), numbers[cell]


def atlas_picture(atlas: Atlas, cell: int = 40) -> Canvas:
    """The map, four channels, opacity last: each cell's side grows with the root of its number of vectors."""
    rows, columns = atlas.there.shape
    shown = middles(atlas.cells, atlas.seen)
    whole = torch.zeros(4, rows * cell, columns * cell)
    whole[:3] = 1
    most = float(atlas.counts[atlas.there].double().quantile(0.9))
    for at, (row, column) in enumerate(atlas.there.nonzero().tolist()):
        part = max(4, round(cell * min(1.0, 0.45 + 0.55 * (float(atlas.counts[row, column]) / most) ** 0.5)))
        put(whole[:, row * cell : (row + 1) * cell, column * cell : (column + 1) * cell], shown[at], part)
    return whole


def _chosen(vectors: Vectors, share: float) -> tuple[Int[Tensor, "chosen"], Tensor | None]:
    """Which vectors are in the atlas, and what it goes from left to right by."""
    count = len(vectors.values)
    if not vectors.targets:
        return torch.arange(count), None
    if len(vectors.targets) > 2:
        step = "give one target, or two that are compared"
        raise NumericsError(f"an atlas of {len(vectors.targets)} targets", "it is of two at most", next_step=step)
    most = max(1, round(share * count))
    if len(vectors.targets) == 1:
        found = vectors.credits[0].topk(most).indices
        return found[vectors.credits[0][found] > 0].sort().values, None
    across = vectors.credits[0] - vectors.credits[1]
    return torch.unique(torch.cat([across.topk(most).indices, (-across).topk(most).indices])), across


def _cell(points: Points, side: int) -> Int[Tensor, "point"]:
    """In which of all cells of the grid each point is, row by row: by the ranks of its coordinates."""
    ranks = midranks(points)
    first, last = ranks.aminmax(dim=0)
    across, up = ((ranks - first) / (last - first).clamp(min=1) * side).long().clamp(max=side - 1).T
    found: Tensor = up * side + across
    return found
