"""The flow: which groups of each layer gave what to which groups of the next, up to a target, and whether it is true.

Olah, Satyanarayan, Johnson, Carter, Schubert, Ye, Mordvintsev, "The Building Blocks of Interpretability", Distill 2018:
its group diagram, with what is left over drawn as a group of its own, and each flow held against an ablation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.addresses import Place
from hooke.attribution.targets import Asked, Target, target
from hooke.displayed import Displayed
from hooke.errors import AddressError
from hooke.factorization.alignment import Aligned
from hooke.factorization.controls import fixed, shuffled
from hooke.factorization.factorization import Factorization
from hooke.factorization.factorize import factorize
from hooke.factorization.flows import Flows, balanced, parts_of, split_gradient
from hooke.factorization.method import Method
from hooke.factorization.nmf import nmf_of
from hooke.factorization.rows import Maps, maps_of, rows_of, tensor_of
from hooke.models.editing.edit import Edit
from hooke.models.editing.placing import by_layer
from hooke.models.edits import Replace
from hooke.models.groups import Groups
from hooke.models.layers import LOGITS
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.models.suffix import suffix_of
from hooke.models.taps import tapped
from hooke.numeric.similarity import spearman
from hooke.shapes import Canvas
from hooke.studies.what_if import CONTROLS, Variants, each, variants

BATCH = 4
"""So many lists of edits have their gradients taken in one pass."""


@dataclass(frozen=True, eq=False)
class GroupFlow(Displayed):
    """The groups of several layers, first to last, and what flows between them to the target `of`.

    `effects[l]` [group]: by how much the target falls, measured, when each group of layer l (and last the rest) is
    taken away at all positions; `edge_effects[l]` (rows: groups of l + 1): by how much what these give falls.
    """

    of: str
    factorizations: tuple[Factorization, ...]
    flows: Flows
    effects: tuple[Tensor, ...]
    edge_effects: tuple[Tensor, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(one.layer for one in self.factorizations)

    @property
    def agreement(self) -> tuple[float, ...]:
        """For each layer, the rank correlation of what its groups (and the rest) give with what they were seen to."""
        return tuple(
            rank_correlation(node, effect) for node, effect in zip(self.flows.nodes, self.effects, strict=True)
        )

    @property
    def edge_agreement(self) -> tuple[float, ...]:
        """For each pair of layers, the same of all flows between them."""
        pairs = zip(self.flows.edges, self.edge_effects, strict=True)
        return tuple(rank_correlation(edge.flatten(), effect.flatten()) for edge, effect in pairs)


@dataclass(frozen=True, eq=False)
class Elsewhere:
    """What groups give after the same edits made elsewhere: of each layer [draw, group], the rest last.

    `nodes` has the draws so far, of `draws` in all; `beside` says where the edits were made.
    """

    nodes: tuple[Tensor, ...]
    draws: int
    beside: str


@dataclass(frozen=True)
class Way:
    """Where gradients are taken: at `steps` places evenly from `start` of the activations to all of them, and averaged.

    From 0 it is integrated gradients, with one step from 1 the plain gradient. Half the way, from 0.5, is what taking
    one group of a few away is most like: on ten photographs no other way foretold these effects better.
    """

    steps: int = 8
    start: float = 0.5

    @property
    def places(self) -> Float[Tensor, "step"]:
        """The shares of the activations."""
        return self.start + (1 - self.start) * (torch.arange(self.steps) + 0.5) / self.steps


def group_flow(
    model: Model, canvas: Canvas, of: Asked, *, at: Sequence[str], rank: int = 6, align: bool = True, way: Way = Way(),
    seed: int = 0,
) -> GroupFlow:  # fmt: skip
    """What flows to the target `of` through the groups of two to five layers `at`, in the order of the model.

    The last layer is factorized by NMF (one-sided where it has negative values); with `align`, each earlier one so
    that its groups speak for few later groups.
    Errors: AddressError for layers without channels or too many; NumericsError as `factorize`.
    """
    layers = _ordered(model, at)
    chain = _Chain(variants(model, canvas, (), layers), target(model, of), layers, way)
    found: list[Factorization] = []
    carried: list[Tensor] = []
    for level in reversed(range(len(chain.layers))):
        by = _method(chain.maps[level], rank, carried[0] if align and carried else None)
        found.insert(0, factorize(model, canvas, at=chain.layers[level], by=by, seed=seed))
        if level:
            carried.insert(0, chain.carried(level - 1, found[0].groups))
    return _measured(chain, found, [one.groups for one in found], carried)


def shuffled_flow(model: Model, canvas: Canvas, flow: GroupFlow, *, way: Way = Way(), seed: int = 0) -> GroupFlow:
    """The control: the same with each direction's entries moved to other channels, and the amounts fitted anew."""
    chain = _Chain(variants(model, canvas, (), flow.layers), target(model, flow.of), flow.layers, way)
    groups = []
    for one, maps in zip(flow.factorizations, chain.maps, strict=True):
        fit = fixed(rows_of(maps.detach().cpu()), shuffled(one.directions, seed))
        groups.append(Groups(one.key, one.layer, fit.directions, fit.reader, fit.mean))
    carried = [chain.carried(level, later) for level, later in enumerate(groups[1:])]
    return _measured(chain, flow.factorizations, groups, carried)


def edited_flow(model: Model, canvas: Canvas, flow: GroupFlow, edits: Sequence[Edit], *, way: Way = Way()) -> Flows:
    """The same groups' flow in the edited model: their directions stay, all else is read and derived anew.

    What an edit sets to given values depends on nothing before it, so what flows from there is a constant.
    Errors: those of `what_if`.
    """
    chain = _Chain(variants(model, canvas, edits, flow.layers), target(model, flow.of), flow.layers, way)
    groups = [one.groups for one in flow.factorizations]
    carried = [chain.carried(level, later) for level, later in enumerate(groups[1:])]
    return _balanced(chain, groups, carried)


def flows_elsewhere(
    model: Model, canvas: Canvas, flow: GroupFlow, edits: Sequence[Edit], *, way: Way = Way(), controls: int = CONTROLS,
    seed: int = 0,
) -> Iterator[Elsewhere]:  # fmt: skip
    """What the same groups give after the same edits made elsewhere: after each few of the random others, all so far.

    What comes before the first of the edited layers and of the flow's runs once for all; no gradient is split, since
    only nodes are compared. Errors: those of `what_if`.
    """
    tried = variants(model, canvas, edits, flow.layers, controls, seed)
    groups = [one.groups for one in flow.factorizations]
    found = Elsewhere(tuple(torch.zeros(0, len(own) + 1) for own in groups), len(tried.made) - 1, tried.beside)
    while True:
        yield found
        begun = 1 + len(found.nodes[0])
        some = tried.made[begun : begun + (BATCH if tried.suffix.together else 1)]
        if not some:
            return
        chain = _Chain(tried, target(model, flow.of), flow.layers, way, some)
        nodes = zip(found.nodes, chain.nodes(groups), strict=True)
        found = replace(found, nodes=tuple(torch.cat([one, more]) for one, more in nodes))


def rank_correlation(one: Float[Tensor, "item"], other: Float[Tensor, "item"]) -> float:
    """Spearman's rank correlation; ties share their middle rank, NaN where all are equal."""
    return float(spearman(one[None], other[None]))


def cuts(model: Model, canvas: Canvas, layers: Sequence[str]) -> list[str]:
    """Those layers that every way from the input to the logits leads through: no skip connection passes them by."""
    batch = model.modality.normalize(canvas[None]).to(model.device, model.dtype)
    held = activations(model, batch, layers)
    found = []
    for name in layers:
        here = batch.detach().requires_grad_()
        with torch.enable_grad(), tapped(model, [LOGITS], [Replace(Place(name), held[name])]) as taps:
            logits = taps(here)[LOGITS]
        if not logits.requires_grad:
            found.append(name)
    return found


class _Chain:
    """One photograph in some layers: what they hold, and gradients between them, with each of some lists of edits.

    Without `lists` it is with the edits that `tried` is about. All that is found has a sample for each list.
    """

    def __init__(
        self, tried: Variants, of: Target, layers: Sequence[str], way: Way,
        lists: Sequence[Sequence[Edit]] | None = None,
    ) -> None:  # fmt: skip
        self.model, self.of, self.layers, self.way = tried.model, of, tuple(layers), way
        self.lists = tried.made[:1] if lists is None else lists
        self.suffixes = [suffix_of(self.model, name) for name in layers]
        edits = each(self.model, self.lists)
        self.prefixes = tried.suffix.onward(tried.prefix, self.suffixes, edits, len(self.lists))
        self.later = [self._after(name) for name in layers]
        self.maps = [
            maps_of(prefix.values, suffix.layer.axes)
            for suffix, prefix in zip(self.suffixes, self.prefixes, strict=True)
        ]
        with torch.no_grad():
            self.scores = self.read(-1, self.maps[-1]).double().cpu()
        self.gradients = [self._gradient(level) for level in range(len(self.layers))]

    @property
    def score(self) -> float:
        """The target, where there is one list of edits."""
        return self.scores.item()

    def nodes(self, groups: Sequence[Groups]) -> list[Float[Tensor, "sample group"]]:
        """What the groups of each layer give to the target."""
        with torch.no_grad():
            parts = [parts_of(maps, own).double() for maps, own in zip(self.maps, groups, strict=True)]
            pairs = zip(parts, self.gradients, strict=True)
            return [torch.einsum("icyx,gicyx->ig", gradient.double(), part).cpu() for part, gradient in pairs]

    def read(self, level: int, maps: Maps) -> Float[Tensor, "sample"]:
        """The target where the layer holds each of these."""
        return self.of.read(self._run(level, maps, sorted(self.of.layers)))

    def onward(self, level: int, maps: Maps) -> Tensor:
        """What the next layer holds where this one holds each of these."""
        name = self.layers[level + 1]
        return maps_of(self._run(level, maps, [name])[name], self.suffixes[level + 1].layer.axes)

    def carried(self, level: int, later: Groups) -> Tensor:
        """The target's gradient at the next layer, split over its groups, and each part carried back to this one."""
        split = split_gradient(self.gradients[level + 1], self.maps[level + 1], later)
        with torch.enable_grad():
            values = self._along(level)
            reached = self.onward(level, values)
            found = [_back(reached, values, part.expand_as(reached)) for part in split]
        return torch.stack([self._mean(one) for one in found])

    def _gradient(self, level: int) -> Maps:
        with torch.enable_grad():
            values = self._along(level)
            return self._mean(_back(self.read(level, values).sum(), values))

    def _along(self, level: int) -> Maps:
        """The layer's maps at all places of the way, one after another."""
        shares = self.way.places.to(self.maps[level])[:, None, None, None, None]
        along = (shares * self.maps[level].detach()).flatten(0, 1)
        return along.contiguous(memory_format=torch.channels_last).requires_grad_()

    def _mean(self, values: Float[Tensor, "place unit down across"]) -> Maps:
        """Over the way, of each list's."""
        return values.reshape(self.way.steps, len(self.lists), *values.shape[1:]).mean(0)

    def _run(self, level: int, maps: Maps, at: Sequence[str]) -> dict[str, Tensor]:
        suffix = self.suffixes[level]
        values = tensor_of(maps, suffix.layer.axes, suffix.layer.shape)
        return suffix.run(self.prefixes[level], values, at, each(self.model, self.later[level]))

    def _after(self, layer: str) -> list[list[Edit]]:
        """Of each list the edits of what comes after a layer."""
        order = self.model.layers.site
        late = order(layer).order
        return [
            [edit for edit in edits if any(order(name).order > late for name in by_layer(self.model, [edit]))]
            for edits in self.lists
        ]


def _back(reached: Tensor, values: Tensor, along: Tensor | None = None) -> Tensor:
    """The gradient; 0 where nothing leads from the one to the other, since an edit sets all between them."""
    if not reached.requires_grad:
        return torch.zeros_like(values)
    return torch.autograd.grad(reached, values, along, retain_graph=True, materialize_grads=True)[0]


def _balanced(chain: _Chain, groups: Sequence[Groups], carried: Sequence[Tensor]) -> Flows:
    with torch.no_grad():
        parts = [parts_of(maps, own) for maps, own in zip(chain.maps, groups, strict=True)]
        return balanced(chain.layers, parts, chain.gradients, carried, chain.score)


def _measured(
    chain: _Chain, found: Sequence[Factorization], groups: Sequence[Groups], carried: Sequence[Tensor]
) -> GroupFlow:
    with torch.no_grad():
        parts = [parts_of(maps, own) for maps, own in zip(chain.maps, groups, strict=True)]
        effects, between = [], []
        for level, part in enumerate(parts):
            without = chain.maps[level] - part[:, 0]
            effects.append(chain.score - chain.read(level, without).double().cpu())
            if level + 1 < len(parts):
                later = chain.onward(level, without)
                between.append(_given(chain, level, later, groups[level + 1], chain.gradients[level + 1]))
    return GroupFlow(chain.of.name, tuple(found), _balanced(chain, groups, carried), tuple(effects), tuple(between))


def _given(chain: _Chain, level: int, later: Tensor, groups: Groups, gradient: Maps) -> Tensor:
    """By how much what each later group gives falls, for each way in which the later layer was changed."""
    now = torch.einsum("gicyx,icyx->gi", parts_of(later, groups), gradient.expand_as(later))
    before = torch.einsum("gicyx,icyx->gi", parts_of(chain.maps[level + 1], groups), gradient)
    return (before - now).double().cpu()


def _method(maps: Maps, rank: int, carried: Tensor | None) -> Method:
    if carried is None or bool((maps < 0).any()):
        return nmf_of(maps, rank)
    rows = rows_of(maps)
    targets = torch.stack([rows_of(part) * rows for part in carried[:-1]])
    return Aligned(targets.float().cpu(), rank)


def _ordered(model: Model, at: Sequence[str]) -> list[str]:
    order = [row.name for row in model.layers]
    if not 2 <= len(at) <= 5 or len(set(at)) < len(at):
        raise AddressError(f"a flow through {', '.join(at)}", "it goes through two to five different layers")
    for name in at:
        model.layer(name)
    found = sorted(at, key=order.index)
    if LOGITS in found:
        raise AddressError(LOGITS, "the logits are the target, not a layer of groups")
    return found
