"""Flows between the groups of successive layers: book-keeping that adds up, with the rest of each layer as a group.

The target's gradient at a layer is split over the layer's groups (as far as it runs along what each of them adds), each
part is carried back to the layer before, and read against what the groups there add. What the groups of a layer leave
of its activations is a group of its own, the rest. What a group gives to the target around the next layer (skip
connections, and the bend of the nonlinearities) flows around it; what a group gets that no activation of the layer
before accounts for (biases, skip connections, the bend) is a constant. So inflow = outflow at every node.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.factorization.rows import Maps
from hooke.models.groups import Groups


@dataclass(frozen=True, eq=False)
class Flows:
    """What flows from the groups of each layer to those of the next, and from the last layer's to the target.

    `nodes[l]` [group] is what each group of layer l, and last the rest, gives to the target; `edges[l]` are from groups
    of l (columns) to groups of l + 1 (rows); `around[l]` is what the groups of layer l give past the next layer;
    `constants[l]` what those of layer l + 1 get from no group. `score` is the target, `constant` what the last layer
    does not account for. In the target's units.
    """

    layers: tuple[str, ...]
    nodes: tuple[Tensor, ...]
    edges: tuple[Tensor, ...]
    around: tuple[Tensor, ...]
    constants: tuple[Tensor, ...]
    constant: float
    score: float

    @property
    def residuals(self) -> tuple[float, ...]:
        """The rest's share of all that flows through each layer, by absolute size."""
        return tuple(float(node[-1].abs() / node.abs().sum().clamp(min=1e-30)) for node in self.nodes)

    @property
    def through(self) -> tuple[float, ...]:
        """The share of all that flows out of each layer but the last that goes to groups of the next, by size."""
        pairs = zip(self.edges, self.around, strict=True)
        sizes = [(float(edge.abs().sum()), float(other.abs().sum())) for edge, other in pairs]
        return tuple(edge / max(edge + other, 1e-30) for edge, other in sizes)

    def imbalance(self) -> float:
        """The largest difference of inflow and outflow at a node, over the total that flows there by absolute size."""
        worst = abs(float(self.nodes[-1].sum()) + self.constant - self.score) / max(abs(self.score), 1e-30)
        for level, edges in enumerate(self.edges):
            scale = float(edges.abs().sum() + self.around[level].abs().sum() + self.constants[level].abs().sum())
            inflow = edges.sum(1) + self.constants[level] - self.nodes[level + 1]
            outflow = edges.sum(0) + self.around[level] - self.nodes[level]
            worst = max(worst, *(float(gap.abs().max()) / max(scale, 1e-30) for gap in (inflow, outflow)))
        return worst


def parts_of(values: Tensor, groups: Groups, axis: int = 1) -> Float[Tensor, "group ..."]:
    """What each group adds to the activations of a layer, and last the rest: they sum to the activations.

    `axis` is that of the channels.
    """
    parts = groups.contributions(groups.amounts(values, axis), axis)
    return torch.cat([parts, (values - parts.sum(0))[None]])


def split_gradient(gradient: Maps, maps: Maps, groups: Groups) -> Float[Tensor, "group input unit down across"]:
    """The gradient as the sum of one part for each group, and last one for the rest.

    The part of a group is the gradient of what it adds, read along `gradient`: while the same groups are present at a
    position, a group's amount is a linear function of the activation there (or differs from one by a constant), so
    part x activation is what the group gives.
    """
    with torch.enable_grad():
        values = maps.detach().requires_grad_()
        along = torch.einsum("gc,ichw->ighw", groups.directions.to(gradient), gradient)
        amounts = (groups.amounts(values) * along.detach()).sum((0, 2, 3))
        found = [torch.autograd.grad(amount, values, retain_graph=True)[0] for amount in amounts.unbind()]
    parts = torch.stack(found)
    return torch.cat([parts, (gradient - parts.sum(0))[None]])


def read_flows(
    parts: Float[Tensor, "group input unit down across"], gradients: Float[Tensor, "later input unit down across"]
) -> Float[Tensor, "later group"]:
    """What the groups of a layer give to each of several targets, whose gradients there are given; on the CPU."""
    return torch.einsum("ticyx,gicyx->tg", gradients.double(), parts.double()).cpu()


def balanced(
    layers: Sequence[str],
    parts: Sequence[Tensor],
    gradients: Sequence[Tensor],
    carried: Sequence[Tensor],
    score: float,
) -> Flows:
    """The flows from what each layer's groups add (`parts`), the target's gradient at each layer, and what the parts of
    the gradient of each later layer come to at the layer before (`carried`)."""
    nodes = [read_flows(part, gradient[None])[0] for part, gradient in zip(parts, gradients, strict=True)]
    edges = [read_flows(part, later) for part, later in zip(parts, carried, strict=False)]
    around = [nodes[level] - edge.sum(0) for level, edge in enumerate(edges)]
    constants = [nodes[level + 1] - edge.sum(1) for level, edge in enumerate(edges)]
    rest = score - float(nodes[-1].sum())
    return Flows(tuple(layers), tuple(nodes), tuple(edges), tuple(around), tuple(constants), rest, score)
