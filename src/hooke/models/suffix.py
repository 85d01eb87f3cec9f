"""Running a model from a layer on: what comes before is computed once, and serves many changes of the layer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx

from hooke.addresses import Place
from hooke.errors import AddressError, ModelError, NumericsError
from hooke.models.agreement import apart, random_batch
from hooke.models.editing.edit import Edit, edited_by
from hooke.models.editing.kinds import Replace
from hooke.models.editing.placing import by_layer
from hooke.models.graph import Graph, Untraceable, graph
from hooke.models.layers import LOGITS
from hooke.models.model import Model
from hooke.models.taps import leaves, replaced, tapped, version
from hooke.results import Layer

TOLERANCE = 1e-5
"""Largest difference to the whole pass, relative to its largest value, that still counts as equal."""


@dataclass(frozen=True, eq=False)
class Prefix:
    """What a batch comes to up to a layer: the layer's tensor, and everything that what follows reads besides.

    `edits` were made on the way.
    """

    batch: Tensor
    values: Tensor
    crossing: dict[fx.Node, Any]
    edits: tuple[Edit, ...] = ()


class Suffix:
    """A model from one layer on.

    `prepare(batch)` runs the model up to the layer, once; `run(prefix, values, at)` runs only what comes after it.
    `shared` is False where the model's operations cannot be followed (`reason` says why): then every run is a whole
    pass with the values put in place of the layer's, with the same results.
    `operations`: the model's, some of them replaced by others that come to the same.
    AddressError for an unknown layer.
    """

    def __init__(self, model: Model, layer: str, operations: Graph | None = None) -> None:
        self.model, self.layer = model, model.layers.find(layer)
        self.shared, self.reason = True, ""
        self._scaling: dict[fx.Node, Any] | None = {}
        self._written: set[fx.Node] = set()
        self._copied: set[str] = set()
        try:
            self._graph = operations or graph(model)
            self._cut, self._leaf = self._graph.mark(model.layers.site(layer))
            self._probe()
        except Untraceable as reason:
            self.shared, self.reason = False, str(reason)

    @property
    def together(self) -> bool:
        """Whether several copies of a batch are run in one pass, sample by sample in their order."""
        return not self.shared or self._scaling is not None

    def prepare(self, batch: Tensor, edits: Sequence[Edit] = ()) -> Prefix:
        """Run up to the layer; without gradients. `batch`: normalised inputs; `edits`: of what comes up to the layer.

        Errors: AddressError for an edit of a layer that comes after it.
        """
        if not self.shared:
            with torch.no_grad(), tapped(self.model, [self.layer.name], edits) as taps:
                return Prefix(batch, taps(batch)[self.layer.name], {}, tuple(edits))
        nodes, cut = self._graph.nodes, self._graph.order[self._cut]
        placed, ports = self._before(edits)
        known: dict[fx.Node, Any] = {}
        with torch.no_grad():
            for at, node in enumerate(nodes[: cut + 1]):
                own = batch.clone() if self.model.layers.site("input").overwritten else batch
                known[node] = own if node is self._graph.first else self._graph.run(node, known)
                for name in ports.get(node, ()):
                    known[node] = self._passed(name, known[node], False, placed[name], {}, {})
                for used in node.all_input_nodes:
                    if all(self._graph.order[user] <= at for user in used.users):
                        del known[used]
        values = dict(leaves(known[self._cut]))[self._leaf]
        return Prefix(batch, values, known, tuple(edits))

    def run(
        self, prefix: Prefix, values: Tensor, at: Sequence[str] = (LOGITS,), edits: Sequence[Edit] = ()
    ) -> dict[str, Tensor]:
        """What the layers `at` hold when the layer holds `values`; gradients flow to `values`.

        `values` are one or several copies of `prefix.values`, each changed as one likes, one after another: sample i
        belongs to sample `i % len(prefix.batch)` of the batch. `edits` are made of the layer and of what comes after.
        Errors: NumericsError where `values` do not fit; AddressError for a layer that does not come after this one.
        """
        copies, rest = divmod(len(values), len(prefix.values))
        if rest or values.shape[1:] != prefix.values.shape[1:] or not copies:
            reason = f"{self.layer.name} of the batch is {tuple(prefix.values.shape)}, the values {tuple(values.shape)}"
            raise NumericsError("values in the middle of a model", reason, next_step="give one or more whole copies")
        placed = by_layer(self.model, edits)
        if not self.shared:
            return self._whole(prefix, values, at, edits, copies)
        if copies > 1 and self._scaling is None:
            parts = [self.run(prefix, part, at, edits) for part in torch.split(values, len(prefix.values))]
            return {name: torch.cat([part[name] for part in parts]) for name in at}
        while True:
            found = self._forward(prefix, values, at, placed, copies)
            stale = {name for name, (tensor, seen) in found.items() if version(tensor) != seen}
            if not stale:
                return {name: found[name][0] for name in at}
            self._copied |= stale

    def _forward(
        self, prefix: Prefix, values: Tensor, at: Sequence[str],
        placed: dict[str, list[tuple[Place, Edit]]], copies: int,
    ) -> dict[str, tuple[Tensor, int]]:  # fmt: skip
        known = {
            node: _fresh(_many(value, self._scaling[node] if self._scaling else None, copies), node in self._written)
            for node, value in prefix.crossing.items()
        }
        values = values.clone() if self._cut in self._written else values
        known[self._cut] = replaced(known[self._cut], self._leaf, lambda _: values)
        found: dict[str, tuple[Tensor, int]] = {}
        given = {name: torch.empty(0) for name in self._reads(placed)}
        ports = self._ports(dict.fromkeys([*at, *placed, *self._reads(placed)]))
        last = max([self._graph.order[node] for node, names in ports.items() if set(names) & set(at)], default=0)
        for position in range(self._graph.order[self._cut], last + 1):
            node = self._graph.nodes[position]
            value = known[node] if node is self._cut else self._graph.run(node, known)
            for name in ports.get(node, ()):
                value = self._passed(name, value, name in at, placed.get(name, ()), found, given)
            known[node] = value
            for used in node.all_input_nodes:
                if all(self._graph.order[user] <= position for user in used.users):
                    known.pop(used, None)
        return found

    def _passed(
        self, name: str, value: Any, wanted: bool, edits: Iterable[tuple[Place, Edit]],
        found: dict[str, tuple[Tensor, int]], given: dict[str, Tensor],
    ) -> Any:  # fmt: skip
        row, site = self.model.layers.find(name), self.model.layers.site(name)
        _, leaf = self._graph.mark(site)

        def passed(tensor: Tensor) -> Tensor:
            tensor = edited_by(tensor, row, [(place, edit.fed(given)) for place, edit in edits])
            if name in given:
                given[name] = tensor.clone() if site.overwritten else tensor
            if not wanted:
                return tensor
            kept = tensor.clone() if name in self._copied else tensor
            found[name] = kept, version(kept)
            return kept.clone() if site.overwritten or name in self._copied else kept

        return replaced(value, leaf, passed)

    def _before(self, edits: Sequence[Edit]) -> tuple[dict[str, list[tuple[Place, Edit]]], dict[fx.Node, list[str]]]:
        """Edits by layer, and the layers by where they are passed on the way to this one."""
        placed = by_layer(self.model, edits)
        ports: dict[fx.Node, list[str]] = {}
        for name in sorted(placed, key=lambda name: self.model.layers.site(name).order):
            node, _ = self._graph.mark(self.model.layers.site(name))
            if self._graph.order[node] > self._graph.order[self._cut]:
                raise AddressError(f"an edit of {name}", f"it comes after {self.layer.name}")
            ports.setdefault(node, []).append(name)
        return placed, ports

    @staticmethod
    def _reads(placed: dict[str, list[tuple[Place, Edit]]]) -> list[str]:
        return [name for pairs in placed.values() for _, edit in pairs for name in edit.reads]

    def _ports(self, names: Iterable[str]) -> dict[fx.Node, list[str]]:
        """The layers of each mark, in the order in which they are passed."""
        found: dict[fx.Node, list[str]] = {}
        for name in sorted(names, key=lambda name: self.model.layers.site(name).order):
            try:
                node, _ = self._graph.mark(self.model.layers.site(name))
            except Untraceable as reason:
                raise ModelError(f"the layer {name} from {self.layer.name} on", str(reason)) from reason
            if self._graph.order[node] < self._graph.order[self._cut]:
                raise AddressError(f"layer {name}", f"it does not come after {self.layer.name}")
            found.setdefault(node, []).append(name)
        return found

    def _whole(
        self, prefix: Prefix, values: Tensor, at: Sequence[str], edits: Sequence[Edit], copies: int
    ) -> dict[str, Tensor]:
        order = {name: self.model.layers.site(name).order for name in at}
        order |= {name: self.model.layers.site(name).order for edit in edits for name in edit.reads}
        if early := [name for name in order if order[name] < self.model.layers.site(self.layer.name).order]:
            raise AddressError(f"layer {early[0]}", f"it does not come after {self.layer.name}")
        batch = prefix.batch.repeat(copies, *[1] * (prefix.batch.ndim - 1))
        own = by_layer(self.model, edits).get(self.layer.name, [])
        before, rest = (
            [edit for edit in edits if self.layer.name not in by_layer(self.model, [edit])]
            for edits in (prefix.edits, edits)
        )
        values = edited_by(values, self.layer, own)
        with tapped(self.model, at, [*before, Replace(Place(self.layer.name), values), *rest]) as taps:
            return taps(batch)

    def _probe(self) -> None:
        """Compare with the whole pass, and see what is written into and how everything grows with the batch."""
        two, three = (random_batch(self.model, count, seed=count) for count in (2, 3))
        prefix = self.prepare(two)
        seen = {node: [version(one) for _, one in leaves(value)] for node, value in prefix.crossing.items()}
        ends = [row.name for row in self.model.layers.addressable if self._after(row)][-1:]
        self._scaling = dict.fromkeys(prefix.crossing)
        with torch.no_grad(), tapped(self.model, ends) as taps:
            ours, theirs = self.run(prefix, prefix.values, ends), taps(two)
        for name in ends:
            if not apart(ours[name], theirs[name]) <= TOLERANCE:
                raise Untraceable(f"what can be followed of it gives another result at {name}")
        after = {node: [version(one) for _, one in leaves(value)] for node, value in prefix.crossing.items()}
        self._written = {node for node in seen if seen[node] != after[node]}
        try:
            crossing = self.prepare(three).crossing
            self._scaling = {node: _growth(value, crossing[node]) for node, value in prefix.crossing.items()}
        except Untraceable:
            self._scaling = None

    def _after(self, row: Layer) -> bool:
        try:
            node, _ = self._graph.mark(self.model.layers.site(row.name))
        except Untraceable:
            return False
        return self._graph.order[node] >= self._graph.order[self._cut]


def suffix_of(model: Model, layer: str) -> Suffix:
    """The model from a layer on; made once a model, since making it takes some passes."""
    key = ("suffix", layer)
    if key not in model.memo:  # made twice at worst
        model.memo[key] = Suffix(model, layer)
    suffix: Suffix = model.memo[key]
    return suffix


def _growth(two: Any, three: Any) -> Any:
    """How a value grows with the batch: an axis of a tensor, "times" for a number, parts of a tuple; None: not at all.

    `two` and `three` are the value for batches of two and of three.
    """
    if isinstance(two, Tensor):
        axes = [at for at, (a, b) in enumerate(zip(two.shape, three.shape, strict=True)) if a != b]
        if not axes:
            return None
        if len(axes) > 1 or two.shape[axes[0]] * 3 != three.shape[axes[0]] * 2:
            raise Untraceable("a tensor grows with the batch in an unknown way")
        return axes[0]
    if isinstance(two, int) and not isinstance(two, bool) and two != three:
        if two * 3 != three * 2:
            raise Untraceable("a number grows with the batch in an unknown way")
        return "times"
    if isinstance(two, tuple | list):
        return [_growth(a, b) for a, b in zip(two, three, strict=True)]
    return None


def _many(value: Any, growth: Any, copies: int) -> Any:
    """A value as it is for a batch that consists of several copies of its own."""
    if copies == 1 or growth is None:
        return value
    if isinstance(value, Tensor):
        return torch.cat([value] * copies, growth)
    if growth == "times":
        return value * copies
    parts = [_many(part, way, copies) for part, way in zip(value, growth, strict=True)]
    return torch.Size(parts) if isinstance(value, torch.Size) else type(value)(parts)


def _fresh(value: Any, written: bool) -> Any:
    return value.clone() if written and isinstance(value, Tensor) else value
