"""Burning edits into weights: each edit as a linear map of channels, put into what makes a layer or what reads it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, fx, nn

from hooke.addresses import Place
from hooke.errors import EditError
from hooke.models.editing.edit import Edit, edited_by
from hooke.models.editing.kinds import AblateToMean, Drawn, Patch, Resample, Within
from hooke.models.editing.splice import Splice
from hooke.models.graph import Graph, returned
from hooke.models.model import Model
from hooke.results import Layer

_THROUGH = {"flatten", "mean", "dropout", "adaptive_avg_pool2d", "avg_pool2d", "contiguous", "returned", "identity"}
"""Functions that an average over positions, or nothing at all, happens in: a map of channels passes through them."""
_THROUGH_MODULES = (nn.Identity, nn.Dropout, nn.Dropout2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.Flatten)
PROBES = 16
"""Random activations on which a change is found to be linear: the amounts of groups are, on some of them."""
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@dataclass(frozen=True, eq=False)
class Affine:
    """What edits do to the channels at every position: x becomes matrix x + shift."""

    matrix: Float[Tensor, "channel channel"]
    shift: Float[Tensor, "channel"]

    @property
    def diagonal(self) -> Float[Tensor, "channel"] | None:
        """The gains, where no channel comes to another."""
        gains = self.matrix.diagonal()
        return gains if torch.equal(self.matrix, torch.diag(gains)) else None


@dataclass(eq=False)
class Weights:
    """The weights of a model as they are changed: read from `module`, written to `changed` (float64, on the CPU)."""

    module: nn.Module
    changed: dict[str, Tensor] = field(default_factory=dict)

    def get(self, name: str) -> Tensor:
        """A weight as it is now."""
        if name in self.changed:
            return self.changed[name]
        found = attrgetter(name)(self.module)
        assert isinstance(found, Tensor)
        return found.detach().cpu().double()

    def has(self, name: str) -> bool:
        """Whether its module has such a weight, and not None in its place."""
        return isinstance(attrgetter(name)(self.module), Tensor)


class Refused(Exception):
    """Why one way of burning in does not work."""


def affine(edits: Sequence[tuple[Place, Edit]], layer: Layer) -> Affine:
    """The edits of one layer, in their order, as one map. EditError where they are none (positions, masks, data)."""
    for place, edit in edits:
        if reason := unburnable(place, edit):
            raise refusal(edit, reason)
    count, axis = layer.channels or 0, layer.axes.index("channel")
    probes = torch.randn(PROBES, count, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    rows = torch.cat([torch.zeros(1, count), torch.eye(count), probes]).double()
    shape = [len(rows), *[1] * (len(layer.axes) - 1)]
    shape[axis] = count
    made = edited_by(rows.reshape(shape), layer, edits).reshape(rows.shape)
    shift, matrix = made[0], (made[1 : count + 1] - made[0]).T
    if not torch.allclose(probes @ matrix.T + shift, made[count + 1 :], atol=1e-8):
        raise refusal(edits[-1][1], "what it changes does not depend linearly on the channels")
    return Affine(matrix, shift)


def burn(model: Model, graph: Graph, layer: str, change: Affine, weights: Weights) -> None:
    """Change the weights before or after a layer so that it holds (or is read as if it held) the changed channels.

    EditError, with every reason, where neither can be done.
    """
    node, leaf = graph.mark(model.layers.site(layer))
    ways = [_into_producer, _into_readers] if change.diagonal is not None else [_into_readers, _into_producer]
    reasons = []
    for way in ways:
        try:
            if leaf:
                raise Refused("it is one of several tensors that a module returns")
            way(graph, node, change, weights)
            return
        except Refused as reason:
            reasons.append(str(reason))
    step = "edit it while the model runs (hooke.tapped, hooke.effect), or edit a neighbouring layer"
    raise EditError(f"burning an edit of {layer} into the weights", "; ".join(reasons), next_step=step)


def _into_producer(graph: Graph, node: fx.Node, change: Affine, weights: Weights) -> None:
    """Into what makes the layer's tensor: convolution, linear layer or batch norm, maybe before a nonlinearity."""
    activation, maker = None, _source(graph, node)
    module = graph.module(maker)
    if module is not None and not isinstance(module, (*_CONVOLUTIONS, nn.Linear, *_NORMS)):
        if next(module.parameters(), None) is not None or not maker.all_input_nodes:
            raise Refused(f"what makes it, {type(module).__name__}, is no convolution, linear layer or batch norm")
        activation, maker = module, _source(graph, maker)
    names = _names(graph, maker)
    if names is None:
        raise Refused("it is made by no convolution, linear layer or batch norm alone")
    _check_single(graph, maker, names)
    weight, bias, is_norm = names
    if activation is not None:
        change = _before(activation, change)
    gains = change.diagonal
    if is_norm and gains is None:
        raise Refused("a batch norm cannot mix channels")
    if gains is None and getattr(graph.module(maker), "groups", 1) > 1:
        raise Refused(f"{weight} is grouped: it cannot mix channels")
    has_bias = bias is not None and weights.has(bias)
    if not has_bias and bool(change.shift.any()):
        raise Refused(f"{weight} has no bias beside it")
    old = weights.get(weight)
    if gains is not None:
        weights.changed[weight] = old * gains.reshape(-1, *[1] * (old.ndim - 1))
    else:
        weights.changed[weight] = torch.tensordot(change.matrix, old, 1)
    if has_bias and bias is not None:
        weights.changed[bias] = change.matrix @ weights.get(bias) + change.shift


def _into_readers(graph: Graph, node: fx.Node, change: Affine, weights: Weights) -> None:
    """Into every convolution and linear layer that reads the layer's tensor, through averages over positions."""
    readers = _readers(graph, node)
    if not readers:
        raise Refused("nothing with weights reads it")
    for reader in readers:
        names, module = _names(graph, reader), graph.module(reader)
        if names is None or not isinstance(module, (*_CONVOLUTIONS, nn.Linear)):
            what = type(module).__name__ if module is not None else str(reader.target)
            raise Refused(f"{what} reads it, whose weights are not those of a convolution or linear layer")
        _check_single(graph, reader, names)
        weight, bias, _ = names
        old, groups = weights.get(weight), getattr(module, "groups", 1)
        if old.shape[1] * groups != len(change.shift):
            raise Refused(f"{weight} reads {old.shape[1] * groups} numbers, not one for each channel")
        padded = isinstance(module, _CONVOLUTIONS) and max(module.kernel_size) > 1
        if bool(change.shift.any()) and (padded or bias is None or not weights.has(bias)):
            raise Refused(f"{weight} would need a bias that holds at the border, too")
        if groups > 1:
            gains = change.diagonal
            if gains is None or old.shape[1] != 1 or old.shape[0] != groups:
                raise Refused(f"{weight} is grouped: it cannot mix channels")
            weights.changed[weight] = old * gains.reshape(-1, *[1] * (old.ndim - 1))
            continue
        weights.changed[weight] = torch.einsum("oi...,ij->oj...", old, change.matrix)
        if bool(change.shift.any()) and bias is not None:
            weights.changed[bias] = weights.get(bias) + old.reshape(*old.shape[:2], -1).sum(2) @ change.shift


def _before(activation: nn.Module, change: Affine) -> Affine:
    """The change of what enters a nonlinearity that has the same outcome: constants, and gains of a ReLU."""
    gains, shift = change.diagonal, change.shift
    if gains is None:
        raise Refused("the nonlinearity that makes it is in the way")
    entering = torch.zeros_like(shift)
    for at in (gains != 1).logical_or(shift != 0).nonzero().flatten().tolist():
        if gains[at] == 0:
            entering[at] = _solved(activation, float(shift[at]))
        elif not (isinstance(activation, nn.ReLU) and gains[at] > 0 and shift[at] == 0):
            raise Refused(f"{type(activation).__name__} makes it, which does not scale with what enters it")
    return Affine(torch.diag(gains), entering)


def _solved(activation: nn.Module, value: float) -> float:
    """What must enter a nonlinearity so that it gives a value."""
    if value == 0 and float(activation(torch.zeros(1))) == 0:
        return 0.0
    best, step = 0.0, 40.0
    for _ in range(6):
        grid = torch.linspace(best - step, best + step, 8001, dtype=torch.float64)
        best, step = float(grid[(activation(grid.clone()) - value).abs().argmin()]), step / 2000
    if abs(float(activation(torch.tensor([best], dtype=torch.float64))) - value) > 1e-7:
        raise Refused(f"{type(activation).__name__} never gives {value:.4g}")
    return best


def _source(graph: Graph, node: fx.Node) -> fx.Node:
    """What makes the tensor that a node reads, past what only hands it on; Refused where something else reads it."""
    while True:
        given = [one for one in node.all_input_nodes if one.op != "get_attr"]
        if len(given) != 1:
            raise Refused("several tensors make it")
        node = given[0]
        if len(node.users) > 1:
            raise Refused("what makes it is read elsewhere, too")
        if node.target is not returned and not isinstance(graph.module(node), nn.Identity | nn.Dropout):
            return node


def _names(graph: Graph, node: fx.Node) -> tuple[str, str | None, bool] | None:
    """Weight and bias of a convolution, linear layer or batch norm, and whether it is the latter."""
    module = graph.module(node)
    if isinstance(module, (*_CONVOLUTIONS, nn.Linear)):
        return f"{node.target}.weight", f"{node.target}.bias", False
    if isinstance(module, _NORMS) and module.affine:
        return f"{node.target}.weight", f"{node.target}.bias", True
    if node.op == "call_function" and getattr(node.target, "__name__", "") == "batch_norm":
        given: dict[str, Any] = dict(
            zip(("input", "running_mean", "running_var", "weight", "bias"), node.args, strict=False)
        )
        pair = [{**given, **node.kwargs}.get(name) for name in ("weight", "bias")]
        if all(isinstance(one, fx.Node) and one.op == "get_attr" for one in pair):
            return str(pair[0].target), str(pair[1].target), True  # type: ignore[union-attr]
    return None


def _check_single(graph: Graph, node: fx.Node, names: tuple[str, str | None, bool]) -> None:
    """Refused where the weights serve elsewhere as well (a module that is called twice)."""
    module = names[0].rpartition(".")[0]
    uses = [
        other for other in graph.nodes
        if (other.op == "call_module" and str(other.target) == module)
        or (other.op == "call_function" and any(
            one.op == "get_attr" and str(one.target) == names[0] for one in other.all_input_nodes))
    ]  # fmt: skip
    if len(uses) > 1:
        raise Refused(f"{names[0]} is used {len(uses)} times in a pass")


def _readers(graph: Graph, node: fx.Node) -> list[fx.Node]:
    """What reads a tensor, through averages over positions. Refused where the model's answer does."""
    found: list[fx.Node] = []
    for user in node.users:
        if user.op == "output":
            raise Refused("the model's answer reads it")
        module = graph.module(user)
        name = user.target if user.op == "call_method" else getattr(user.target, "__name__", "")
        if isinstance(module, _THROUGH_MODULES) or (module is None and name in _THROUGH):
            found += _readers(graph, user)
        else:
            found.append(user)
    return found


def unburnable(place: Place, edit: Edit) -> str:
    """Why an edit cannot be written into weights; "" where it may."""
    if isinstance(edit, Within):
        return "weights are the same at every position, a mask is not"
    if place.position is not None:
        return "weights are the same at every position, the edit is of one"
    if isinstance(edit, Resample | Drawn | Patch):
        return "its values are another input's: they change with the input"
    if isinstance(edit, AblateToMean):
        return "its mean is not known: no data are given to take it of"
    return "another function cannot be written into these weights" if isinstance(edit, Splice) else ""


def refusal(edit: Edit, reason: str) -> EditError:
    """What to say of an edit that cannot be written into weights."""
    step = "edit it while the model runs: hooke.tapped, or hooke.effect"
    if isinstance(edit, AblateToMean):
        step = "give pictures: hooke surgery --data, or operate(means=...)"
    return EditError(f"burning {type(edit).__name__}({edit.address}) into the weights", reason, next_step=step)
