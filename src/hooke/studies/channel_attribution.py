"""Channel attribution: the units of each layer that argue for a class, or for one rather than another, and against.

Olah, Satyanarayan, Johnson, Carter, Schubert, Ye, Mordvintsev, "The Building Blocks of Interpretability", Distill 2018:
the effect of a channel is activation x gradient, summed over positions; one click on a unit asks the same of the unit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.addresses import Place
from hooke.attribution.chain import Chain
from hooke.attribution.targets import Asked, Target, target
from hooke.displayed import Displayed
from hooke.errors import AddressError
from hooke.models.model import Model
from hooke.shapes import Canvas

Evidence = Float[Tensor, "_channel"]

SHOWN = 3
"""Units for and units against of each layer."""


@dataclass(frozen=True, eq=False)
class Drilled:
    """One unit, its responses summed over positions: which channels before it support it, and what it supports.

    `before[layer]` and `after[layer]` [channel] are in the units of the later layer's sums, `classes` in logits.
    """

    layer: str
    channel: int
    strength: float
    before: Mapping[str, Evidence]
    after: Mapping[str, Evidence]
    classes: Float[Tensor, "label"]

    @property
    def address(self) -> str:
        """Of the unit."""
        return str(Place(self.layer, self.channel))


@dataclass(frozen=True, eq=False)
class ChannelAttribution(Displayed):
    """For a target, the evidence of each channel of some layers, signed, in the target's units.

    `evidence[layer]` [channel] is the net; `parts[term][layer]` that for each term of the target alone, such as each of
    two classes, so that net = sum of weight x part. `drilled` holds the units that were asked about, by address.
    """

    of: str
    score: float
    layers: tuple[str, ...]
    evidence: Mapping[str, Evidence]
    weights: Mapping[str, float]
    parts: Mapping[str, Mapping[str, Evidence]]
    drilled: Mapping[str, Drilled]
    passes: int

    def strongest(self, layer: str, count: int = SHOWN) -> tuple[list[int], list[int]]:
        """The channels that speak most for the target, and most against it: the strongest first, none that do not."""
        return extremes(self.evidence[layer], count)


def channel_attribution(
    model: Model, canvas: Canvas, layers: Sequence[str], of: Asked, count: int = SHOWN,
    driller: "Driller | None" = None,
) -> Iterator[ChannelAttribution]:  # fmt: skip
    """Channel attribution over some layers (in the model's order) for a class, "one rather than another", or any sum.

    Yields first the evidence of every channel (a pass forward, one backward for each term of the target), then, one
    more each time, the `count` units for and against of each layer, drilled (two passes each), last layers first.
    `driller`: one that has asked this already.
    Errors: AddressError for layers without channels or in another order, and a target that does not come after them.
    """
    driller = driller or Driller(model, canvas, layers, of)
    yield (found := driller.evidence())
    for layer in reversed(found.layers):
        for unit in [one for side in found.strongest(layer, count) for one in side]:
            drilled = driller.drill(layer, unit)
            found = replace(found, drilled={**found.drilled, drilled.address: drilled}, passes=driller.chain.passes)
            yield found


class Driller:
    """A chain of layers with channels, and a target; `chain`: one of these layers of this photograph that is there."""

    def __init__(
        self, model: Model, canvas: Canvas, layers: Sequence[str], of: Asked, chain: Chain | None = None
    ) -> None:  # fmt: skip
        self.of = target(model, of)
        self.chain = chain or Chain(model, canvas, layers)
        late = [name for name in layers if name in self.of.layers]
        if late:
            step = "leave it out, or ask for the unit itself"
            raise AddressError(f"{self.of.name} by {late[0]}", "the target is in this layer", next_step=step)

    def evidence(self) -> ChannelAttribution:
        """What every channel of every layer gives to the target."""
        weights, parts, score = {}, {}, 0.0
        for weight, reading in self.of.terms:
            one = Target(str(reading.place), ((1.0, reading),))
            number = self.chain.read(one)
            score += weight * float(number.detach())
            weights[one.name] = weight
            down = self.chain.down(number, self.chain.layers)
            parts[one.name] = {name: _summed(down[name]) for name in self.chain.layers if name in down}
        layers = [name for name in self.chain.layers if all(name in part for part in parts.values())]
        net = {name: torch.stack([weights[one] * part[name] for one, part in parts.items()]).sum(0) for name in layers}
        return ChannelAttribution(self.of.name, score, tuple(layers), net, weights, parts, {}, self.chain.passes)

    def drill(self, layer: str, channel: int) -> Drilled:
        """One unit: a backward pass to the layers before it, a pass with tangents to those after it."""
        return drilled(self.chain, layer, channel)

    def map(self, layer: str, channel: int) -> Float[Tensor, "row column"]:
        """What the unit responds at each position, to be laid over the photograph."""
        return self.chain.values(layer)[..., channel].float().cpu()


def drilled(chain: Chain, layer: str, channel: int) -> Drilled:
    """One unit: a backward pass to the layers before it, a pass with tangents to those after it."""
    if layer not in chain.layers:
        raise AddressError(f"layer {layer}", "it is not among those of the study", choices=list(chain.layers))
    values = chain.values(layer)
    if not 0 <= channel < values.shape[-1]:
        reason = f"channels go from 0 to {values.shape[-1] - 1}"
        raise AddressError(f"channel {channel} of {layer}", reason)
    number = chain.sums(layer)[channel]
    down, up, votes = chain.through(layer, number, (..., channel))
    before, after = ({name: _summed(one) for name, one in side.items()} for side in (down, up))
    return Drilled(layer, channel, float(number.detach()), before, after, votes.float().cpu())


def extremes(values: Float[Tensor, "channel"], count: int) -> tuple[list[int], list[int]]:
    """The indices of the largest positive values, and of the largest negative ones, at most `count` of each."""
    order = values.argsort(descending=True, stable=True).tolist()
    positive = [at for at in order[:count] if values[at] > 0]
    negative = [at for at in order[::-1][:count] if values[at] < 0]
    return positive, negative


def _summed(credit: Tensor) -> Evidence:
    """Summed over positions."""
    return credit.flatten(0, -2).sum(0).float().cpu() if credit.ndim > 1 else credit.float().cpu()
