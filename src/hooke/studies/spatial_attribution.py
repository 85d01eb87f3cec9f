"""Spatial attribution: which positions of the layers before influenced a position, and what it does further on.

Olah, Satyanarayan, Johnson, Carter, Schubert, Ye, Mordvintsev, "The Building Blocks of Interpretability", Distill 2018:
the effect of a position on another is activation x the gradient of the other's norm; on a class, of its logit. Over a
chain of layers these are one tensor for each pair of layers, read in both directions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.addresses import Place
from hooke.attribution.chain import Chain, growth
from hooke.attribution.dependence import Dependence, path_dependence
from hooke.attribution.gradients import GradientTimesActivation
from hooke.attribution.paths import IntegratedGradients, StochasticPath
from hooke.attribution.reading import positions
from hooke.displayed import Displayed
from hooke.errors import AddressError
from hooke.factorization.method import share
from hooke.factorization.nmf import SignedNMF
from hooke.models.layers import LOGITS
from hooke.models.model import Model
from hooke.results import Layer
from hooke.shapes import Canvas
from hooke.studies.semantic_dictionary import check_position, spatial_layer

Map = Float[Tensor, "row column"]
Position = tuple[int, int]

CLASSES, FIRST, FACTORS = 50, 5, 2
"""Classes whose maps are factorized; those whose maps come first; factors."""

PATHS = (GradientTimesActivation(), IntegratedGradients(16), StochasticPath(4, 8))
"""The paths that stand side by side."""


@dataclass(frozen=True, eq=False)
class Pointed:
    """One position: which positions of the layers before influenced its norm, and what it gives further on.

    `before` and `after` hold a map for each other layer, in the units of the later layer's norms; `classes` is what it
    gives to each logit.
    """

    layer: str
    position: Position
    strength: float
    before: Mapping[str, Map]
    after: Mapping[str, Map]
    classes: Float[Tensor, "label"]


@dataclass(frozen=True, eq=False)
class Factors:
    """The maps of many classes as a few factors: what each position's vote over classes is made of.

    `weights` [factor, class] of length 1 say which classes a factor stands for, `tints[layer]` [factor, row, column]
    how much of it each position gives (signed); `explained` is the share of the maps' squares.
    """

    weights: Float[Tensor, "factor asked"]
    tints: Mapping[str, Float[Tensor, "factor row column"]]
    explained: float


@dataclass(frozen=True, eq=False)
class SpatialAttribution(Displayed):
    """What is known so far of the positions of a chain of layers; a study gives several, each with more.

    `pairs[earlier, later]` [*later, *earlier] is NaN where nobody has asked yet (it is filled in place);
    `class_maps[layer]` [class, row, column] are of `classes`, likeliest first. `done` of `total` passes were made.
    """

    layers: tuple[str, ...]
    norms: Mapping[str, Map]
    logits: Float[Tensor, "label"]
    pointed: Pointed
    classes: tuple[int, ...]
    class_maps: Mapping[str, Float[Tensor, "asked row column"]]
    pairs: Mapping[tuple[str, str], Float[Tensor, "lrow lcolumn erow ecolumn"]]
    factors: Factors | None
    done: int
    total: int

    def at(self, layer: str, position: Position) -> Pointed:
        """What `pairs` say of any position; complete once the study is done. `classes` only of the mapped ones."""
        before = {one: self.pairs[one, layer][position] for one in self.layers[: self.layers.index(layer)]}
        after = {
            one: self.pairs[layer, one][..., position[0], position[1]]
            for one in self.layers[self.layers.index(layer) + 1 :]
        }
        votes = torch.full_like(self.logits, torch.nan)
        votes[list(self.classes)] = self.class_maps[layer][:, position[0], position[1]]
        return Pointed(layer, position, float(self.norms[layer][position]), before, after, votes)


def spatial_attribution(
    model: Model, canvas: Canvas, layers: Sequence[str], pointer: tuple[str, Position], classes: int = CLASSES,
    tracer: "Tracer | None" = None,
) -> Iterator[SpatialAttribution]:  # fmt: skip
    """Spatial attribution over some layers (in the model's order), what the pointer is on first.

    Yields after: the pointer's position (two passes); the maps of the likeliest classes, and of `classes` of them with
    their factors; then all positions, layer by layer, those near the pointer first. Stop asking, and it stops.
    `tracer`: one that has looked at this photograph in these layers already.
    Errors: AddressError for layers without height and width, in another order, or a position outside them.
    """
    tracer = tracer or Tracer(model, canvas, layers)
    yield (found := tracer.first(*pointer, classes))
    for count in sorted({min(FIRST, classes), classes}):
        found = tracer.mapped(found, count)
        yield found
    found = replace(found, factors=factorized(found.class_maps))
    yield found
    for layer, rows in _order(tracer.rows, *pointer):
        for row in rows:
            found = tracer.filled(found, layer, row)
            yield found


@dataclass(eq=False)
class Tracer:
    """A chain of layers with positions; every method is some passes through it."""

    model: Model
    canvas: Canvas
    layers: Sequence[str]
    rows: list[Layer] = field(init=False)
    chain: Chain = field(init=False)

    def __post_init__(self) -> None:
        self.rows = [spatial_layer(self.model, name) for name in self.layers]
        self.chain = Chain(self.model, self.canvas, self.layers)

    def first(self, layer: str, position: Position, classes: int = CLASSES) -> SpatialAttribution:
        """One position, from two passes, and everything else still to come."""
        pointed = self.pointed(layer, position)
        sizes = {row.name: (row.height or 0, row.width or 0) for row in self.rows}
        names = list(self.layers)
        pairs = {
            (earlier, later): torch.full((*sizes[later], *sizes[earlier]), torch.nan)
            for at, later in enumerate(names)
            for earlier in names[:at]
        }
        total = self.chain.passes + classes + sum(height * width for height, width in list(sizes.values())[1:])
        norms = {name: self.chain.norms(name).detach().float().cpu() for name in names}
        logits = self.chain.held[LOGITS][0].detach().float().cpu()
        return SpatialAttribution(tuple(names), norms, logits, pointed, (), {}, pairs, None, self.chain.passes, total)

    def pointed(self, layer: str, position: Position) -> Pointed:
        """What one position gets and gives: a backward pass and a forward pass with tangents."""
        self._check(layer, position)
        chain = self.chain
        norm = chain.norms(layer)[position]
        down, up, votes = chain.through(layer, norm, position)
        return Pointed(
            layer,
            position,
            float(norm.detach()),
            {name: _map(credit) for name, credit in down.items()},
            {name: growth(chain.values(name), one).float().cpu() for name, one in up.items()},
            votes.float().cpu(),
        )

    def mapped(self, found: SpatialAttribution, count: int) -> SpatialAttribution:
        """With the maps of the `count` likeliest classes, one backward pass for each that is not there yet."""
        wanted = found.logits.argsort(descending=True, stable=True)[:count].tolist()
        new = [one for one in wanted if one not in found.classes]
        votes = [self.votes(one) for one in new]
        known = found.class_maps
        maps = {
            name: torch.cat([*([known[name]] if known else []), *(vote[name][None] for vote in votes)])
            for name in self.layers
        }
        return replace(found, classes=found.classes + tuple(new), class_maps=maps, done=self.chain.passes)

    def votes(self, label: int) -> dict[str, Map]:
        """What each position of each layer gives to the logit of a label: one backward pass."""
        logits = self.chain.held[LOGITS][0]
        if not 0 <= label < len(logits):
            raise AddressError(f"label {label}", f"labels go from 0 to {len(logits) - 1}")
        return {name: _map(credit) for name, credit in self.chain.down(logits[label], self.layers).items()}

    def filled(self, found: SpatialAttribution, layer: str, row: int) -> SpatialAttribution:
        """With all positions of a row of a layer, one backward pass for each."""
        before, norms = self.chain.before(layer), self.chain.norms(layer)[row]
        for column, norm in enumerate(norms):
            for name, credit in self.chain.down(norm, before).items():
                found.pairs[name, layer][row, column] = _map(credit)
        return replace(found, done=self.chain.passes)

    def _check(self, layer: str, position: Position) -> None:
        if layer not in self.layers:
            raise AddressError(f"layer {layer}", "it is not among those of the study", choices=list(self.layers))
        check_position(self.rows[list(self.layers).index(layer)], position)


@dataclass(frozen=True, eq=False)
class Paths:
    """One question along several paths: a map for each (linear, integrated, stochastic), and how far they differ."""

    of: str
    to: str
    maps: tuple[Map, ...]
    dependence: Dependence


def paths(model: Model, canvas: Canvas, of: str, to: str) -> Paths:
    """The map of a layer for any target along the paths `PATHS`, to be laid side by side."""
    found = path_dependence(model, canvas, of, to, PATHS)
    return Paths(of, to, tuple(positions(one)[0] for one in found.answers), found)


def paths_of(model: Model, canvas: Canvas, layers: Sequence[str], pointer: tuple[str, Position]) -> list[Paths]:
    """The paths of a pointer's position in each layer before it."""
    layer, position = pointer
    of = str(Place(layer, position=position))
    return [paths(model, canvas, of, one) for one in layers[: list(layers).index(layer)]]


def factorized(class_maps: Mapping[str, Float[Tensor, "asked row column"]], count: int = FACTORS) -> Factors:
    """The maps of all layers together as a few factors over classes; each layer counts as much as any other."""
    flat = {name: maps.flatten(1).T for name, maps in class_maps.items()}
    sizes = {name: float(rows.norm()) or 1.0 for name, rows in flat.items()}
    matrix = torch.cat([rows / sizes[name] for name, rows in flat.items()])
    fit = SignedNMF(min(count, *matrix.shape)).fit(matrix)
    parts = torch.split(fit.amounts, [len(rows) for rows in flat.values()])
    tints = {
        name: (part * sizes[name]).T.reshape(-1, *maps.shape[1:])
        for (name, maps), part in zip(class_maps.items(), parts, strict=True)
    }
    return Factors(fit.directions, tints, share(matrix, fit.reconstruction, fit.mean))


def _map(credit: Tensor) -> Map:
    return credit.sum(-1).float().cpu()


def _order(rows: Sequence[Layer], layer: str, position: Position) -> Iterator[tuple[str, list[int]]]:
    """The rows of every layer but the first, those at the pointer's height first; the pointer's own layer first."""
    heights = {row.name: row.height or 1 for row in rows}
    at = (position[0] + 0.5) / heights[layer]
    for row in sorted(rows[1:], key=lambda row: row.name != layer):
        size = row.height or 1
        yield row.name, sorted(range(size), key=lambda line: abs((line + 0.5) / size - at))
