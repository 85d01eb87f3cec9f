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
        (prefix,) = self._walked(batch, {}, [self], edits)
        return prefix

    def onward(
        self, prefix: Prefix, later: Sequence["Suffix"], edits: Sequence[Edit] = (), copies: int = 1
    ) -> list[Prefix]:
        """The prefixes of later layers, from what is known up to this one, in one pass; without gradients.

        Of `copies` copies of the batch, one after another. `edits` are made of this layer and of what comes after it;
        each prefix has those up to its own layer. Errors: AddressError for a layer or an edit before this one.
        """
        batch = prefix.batch.repeat(copies, *[1] * (prefix.batch.ndim - 1))
        one_way = self.shared and all(one.shared and one._graph is self._graph for one in later)
        if not one_way or (copies > 1 and self._scaling is None):
            return [one.prepare(batch, [*prefix.edits, *self._until(one, edits)]) for one in later]
        last = max(later, key=lambda one: self.model.layers.site(one.layer.name).order)
        return self._walked(batch, self._multiplied(prefix, copies), later, self._until(last, edits), prefix.edits)

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
        known = self._multiplied(prefix, copies)
        values = values.clone() if self._cut in self._written else values
        known[self._cut] = replaced(known[self._cut], self._leaf, lambda _: values)
        found: dict[str, tuple[Tensor, int]] = {}
        given = {name: torch.empty(0) for name in self._reads(placed)}
        ports = self._ports(dict.fromkeys([*at, *placed, *self._reads(placed)]), self._graph.order[self._cut])
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

    def _multiplied(self, prefix: Prefix, copies: int) -> dict[fx.Node, Any]:
        """What is known, of some copies of the batch; what will be written into is copied."""
        growth = self._scaling or {}
        return {
            node: _fresh(_many(value, growth.get(node), copies), node in self._written)
            for node, value in prefix.crossing.items()
        }

    def _walked(
        self, batch: Tensor, known: dict[fx.Node, Any], ends: Sequence["Suffix"], edits: Sequence[Edit],
        made: tuple[Edit, ...] = (),
    ) -> list[Prefix]:  # fmt: skip
        """The prefixes of some layers: everything from the start, or from this layer where something is known."""
        placed, marks = by_layer(self.model, edits), {end.layer.name: end for end in ends}
        order, nodes = self._graph.order, self._graph.nodes
        first, last = order[self._cut] if known else 0, max(order[end._cut] for end in ends)
        ports = self._ports(dict.fromkeys([*placed, *marks]), first)
        if late := [name for node, names in ports.items() for name in names if order[node] > last]:
            raise AddressError(f"an edit of {late[0]}", f"it comes after {ends[-1].layer.name}")
        found: dict[str, Prefix] = {}
        with torch.no_grad():
            for at in range(first, last + 1):
                node, here = nodes[at], {}
                if node is self._graph.first:
                    known[node] = batch.clone() if self.model.layers.site("input").overwritten else batch
                elif node not in known:
                    known[node] = self._graph.run(node, known)
                for name in ports.get(node, ()):
                    if name in placed:
                        known[node] = self._passed(name, known[node], False, placed[name], {}, {})
                    if name in marks:
                        here[name] = known[node]
                for used in node.all_input_nodes:
                    if all(order[user] <= at for user in used.users):
                        known.pop(used, None)
                for name, value in here.items():
                    till = (*made, *self._until(marks[name], edits))
                    found[name] = marks[name]._kept(batch, {**known, node: value}, at < last, till)
        return [found[end.layer.name] for end in ends]

    def _kept(self, batch: Tensor, known: dict[fx.Node, Any], gone_on: bool, edits: tuple[Edit, ...]) -> Prefix:
        """The prefix of what is known when the layer is there; copied, what a pass that goes on writes into."""
        crossing = {node: _fresh(value, gone_on and node in self._written) for node, value in known.items()}
        return Prefix(batch, dict(leaves(crossing[self._cut]))[self._leaf], crossing, edits)

    def _until(self, end: "Suffix", edits: Sequence[Edit]) -> list[Edit]:
        """The edits up to a layer, those of it among them."""
        order = self.model.layers.site
        last = order(end.layer.name).order
        return [edit for edit in edits if all(order(name).order <= last for name in by_layer(self.model, [edit]))]

    @staticmethod
    def _reads(placed: dict[str, list[tuple[Place, Edit]]]) -> list[str]:
        return [name for pairs in placed.values() for _, edit in pairs for name in edit.reads]

    def _ports(self, names: Iterable[str], first: int) -> dict[fx.Node, list[str]]:
        """The layers of each mark, in the order in which they are passed; none before the `first` operation."""
        found: dict[fx.Node, list[str]] = {}
        for name in sorted(names, key=lambda name: self.model.layers.site(name).order):
            try:
                node, _ = self._graph.mark(self.model.layers.site(name))
            except Untraceable as reason:
                raise ModelError(f"the layer {name} from {self.layer.name} on", str(reason)) from reason
            if self._graph.order[node] < first:
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
