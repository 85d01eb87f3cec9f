"""How sure: what a selection is said to give to a target, to first order and integrated, beside what its ablation does.

Three numbers that should agree: activation x gradient; the same with the gradient averaged from nothing to all of the
layer (Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", 2017); and by how much the target falls,
measured, when the selection is set to zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hooke.addresses import Place
from hooke.attribution.targets import Asked, Target, target
from hooke.attribution.way import check_order
from hooke.displayed import Displayed
from hooke.errors import AddressError
from hooke.models.layers import index
from hooke.models.model import Model
from hooke.models.suffix import Prefix, Suffix, suffix_of
from hooke.shapes import Canvas
from hooke.validation.parts import lost

STEPS = 16
"""Points of the path."""


@dataclass(frozen=True)
class Sure(Displayed):
    """What one selection gives to the target, told in three ways, in the target's units.

    `disagreement` is the distance of the smallest to the largest over the largest magnitude: 0 where all say the same,
    1 where one says nothing, up to 2 where they contradict each other.
    """

    address: str
    linear: float
    integrated: float
    measured: float

    @property
    def disagreement(self) -> float:
        told = (self.linear, self.integrated, self.measured)
        largest = max(abs(one) for one in told)
        return (max(told) - min(told)) / largest if largest else 0.0


def how_sure(
    model: Model, canvas: Canvas, selections: Sequence[str | Place], of: Asked, steps: int = STEPS
) -> list[Sure]:
    """What each selection (a channel, neuron, position, group or whole layer) gives to `of`, told in three ways.

    Two passes of a batch for each layer that is in the selections, however many there are of it.
    Errors: AddressError for what the model does not have, weighted sums, and layers that the target does not follow.
    """
    asked = target(model, of)
    places = [_place(model, one) for one in selections]
    batch = model.modality.normalize(canvas[None]).to(model.device, model.dtype)
    found: dict[int, Sure] = {}
    for layer in dict.fromkeys(place.layer for place in places):
        check_order(model, Place(layer), [asked])
        suffix = suffix_of(model, layer)
        prefix = suffix.prepare(batch)
        mine = [at for at, place in enumerate(places) if place.layer == layer]
        parts = torch.cat([part_of(model, places[at], prefix.values) for at in mine])
        linear, integrated = _gradients(suffix, prefix, asked, steps)
        for at, part, fall in zip(mine, parts, lost(suffix, prefix, asked, parts).tolist(), strict=True):
            credits = [float((part.double() * one.double()).sum()) for one in (linear, integrated)]
            found[at] = Sure(str(places[at]), credits[0], credits[1], fall)
    return [found[at] for at in range(len(places))]


def part_of(model: Model, place: Place, values: Tensor) -> Tensor:
    """What a place adds to a layer's values, shaped like them: the values there, or what a group adds; 0 elsewhere."""
    row = model.layer(place.layer)
    at = index(row, Place(place.layer, place.channel, place.position))
    source = values
    if place.component is not None:
        groups, number = model.grouped(place)
        channel = row.axes.index("channel")
        amounts = groups.amounts(values.movedim(channel, -1), -1)[..., number, None]
        source = (amounts * groups.directions[number].to(values)).movedim(-1, channel)
    part = torch.zeros_like(values)
    part[at] = source[at]
    return part


def _place(model: Model, selection: str | Place) -> Place:
    found = model.resolve(selection)
    if not isinstance(found, Place):
        raise AddressError(str(selection), "a selection is one place", next_step="give its places one by one")
    return found


def _gradients(suffix: Suffix, prefix: Prefix, of: Target, steps: int) -> tuple[Tensor, Tensor]:
    """The gradient at the layer's values, and its mean from 0 to them (midpoints of equal steps)."""
    shares = torch.cat([torch.ones(1), (torch.arange(steps) + 0.5) / steps]).to(prefix.values)
    with torch.enable_grad():
        values = (shares.view(-1, *[1] * (prefix.values.ndim - 1)) * prefix.values.detach()).requires_grad_()
        scores = of.read(suffix.run(prefix, values, sorted(of.layers)))
        (gradients,) = torch.autograd.grad(scores.sum(), values)
    return gradients[0], gradients[1:].mean(0)
