"""What the pass takes of each layer while its values go by: means, peaks and a few sampled positions of each input."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from hooke.errors import AddressError
from hooke.models.model import Model
from hooke.models.taps import passing
from hooke.responses.forms import clamp_of
from hooke.results import Layer


@dataclass(frozen=True)
class Target:
    """One layer to be recorded. `clamp`: floor and ceiling of a nonlinearity that only clamps."""

    layer: Layer
    channels: int
    height: int
    width: int
    clamp: tuple[float, float] | None = None

    @property
    def positions(self) -> int:
        """Of one input."""
        return self.height * self.width

    @property
    def twice(self) -> bool:
        """Whether values before and after must both be looked at: a nonlinearity that does more than clamp."""
        return self.layer.activation and self.clamp is None


@dataclass(frozen=True, eq=False)
class Gathered:
    """Of some inputs: each channel's mean, largest value (and where), and values at sampled positions.

    `peaks`, `samples`: entering the nonlinearity, where the layer is one; `after_*` what leaves it, where that is not
    these values clamped.
    """

    means: Float[Tensor, "input channel"]
    peaks: Float[Tensor, "input channel"]
    places: Int[Tensor, "input channel"]
    samples: Float[Tensor, "input sample channel"]
    after_peaks: Float[Tensor, "input channel"] | None = None
    after_samples: Float[Tensor, "input sample channel"] | None = None
    whole: Float[Tensor, "input channel height width"] | None = None

    def finite(self) -> Bool[Tensor, "input"]:
        """Which inputs gave numbers."""
        return (self.means.isfinite() & self.peaks.isfinite()).all(1)

    def only(self, chosen: Bool[Tensor, "input"]) -> "Gathered":
        """Some of the inputs."""
        return replace(self, **{name: part[chosen] for name, part in vars(self).items() if part is not None})


def target(model: Model, name: str) -> Target:
    """A layer as it is recorded. AddressError where it has no channels, or no address."""
    layer = model.layer(name)
    if layer.channels is None or layer.axes[0] != "batch":
        reason = f"its axes are {', '.join(layer.axes)}: there are no channels to record"
        raise AddressError(f"recording {name}", reason, next_step="choose layers with `hooke layers MODEL`")
    sides = [size for axis, size in zip(layer.axes, layer.shape, strict=True) if axis not in ("batch", "channel")]
    height = sides[0] if sides else 1
    width = 1
    for side in sides[1:]:
        width *= side
    site = model.layers.site(name)
    clamp = clamp_of(model.module.get_submodule(site.module)) if layer.activation else None
    return Target(layer, layer.channels, height, width, clamp)


def sampled(target: Target, chance: Float[Tensor, "input draw"]) -> Int[Tensor, "input sample"]:
    """The positions that are looked at in each input: one in each of as many equal stretches of the map, or all."""
    count = min(chance.shape[1], target.positions)
    if count == target.positions:
        return torch.arange(count).expand(len(chance), -1)
    starts = torch.arange(count, dtype=torch.float64)
    return ((starts + chance[:, :count]) * (target.positions / count)).long().clamp(max=target.positions - 1)


@dataclass(eq=False)
class Gatherer:
    """Looks at every layer of a pass; `take` hands over what was gathered since."""

    model: Model
    targets: Sequence[Target]
    whole: frozenset[str]
    positions: int
    _chance: Tensor = field(default_factory=lambda: torch.zeros(0, 0))
    _parts: dict[str, dict[str, list[Tensor]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._named = {target.layer.name: target for target in self.targets}

    def run(self, batches: Iterable[tuple[Tensor, Float[Tensor, "input draw"]]]) -> None:
        """Run normalized batches, each with the random numbers of its inputs."""
        with passing(self.model, list(self._named), self._entering, self._leaving) as run:
            for batch, self._chance in batches:
                run(batch)

    def take(self) -> dict[str, Gathered]:
        """What was gathered, by layer; gathering begins anew."""
        parts, self._parts = self._parts, {}
        return {
            layer: Gathered(**{name: torch.cat(tensors) for name, tensors in found.items()})
            for layer, found in parts.items()
        }

    def _entering(self, name: str, tensor: Tensor) -> None:
        self._look(self._named[name], tensor, "")

    def _leaving(self, name: str, tensor: Tensor) -> None:
        target = self._named[name]
        if not target.layer.activation:
            self._look(target, tensor, "")
        elif target.twice:
            self._look(target, tensor, "after_")
        planes = _planes(target, tensor)
        self._keep(name, "means", _means(planes))
        if name in self.whole:
            self._keep(name, "whole", planes.contiguous().half())

    def _look(self, target: Target, tensor: Tensor, when: str) -> None:
        planes, name = _planes(target, tensor), target.layer.name
        peaks, places = functional.max_pool2d(planes, planes.shape[2:], return_indices=True)
        self._keep(name, f"{when}peaks", peaks.flatten(1).float())
        if not when:
            self._keep(name, "places", places.flatten(1).int())
        at = sampled(target, self._chance).to(planes.device)
        self._keep(name, f"{when}samples", _picked(planes, at).float())

    def _keep(self, layer: str, name: str, tensor: Tensor) -> None:
        self._parts.setdefault(layer, {}).setdefault(name, []).append(tensor.cpu())


def _planes(target: Target, tensor: Tensor) -> Float[Tensor, "input channel height width"]:
    """The layer's tensor as maps, without moving it in memory."""
    axes = target.layer.axes
    first = (axes.index("batch"), axes.index("channel"))
    order = (*first, *(axis for axis in range(len(axes)) if axis not in first))
    turned = tensor.permute(order)
    return turned if turned.ndim == 4 else turned.reshape(len(turned), target.channels, target.height, target.width)


def _picked(planes: Tensor, at: Int[Tensor, "input sample"]) -> Float[Tensor, "input sample channel"]:
    """All channels at some positions of each input."""
    count, channels, height, width = planes.shape
    inputs = torch.arange(count, device=planes.device)[:, None]
    if not planes.is_contiguous(memory_format=torch.channels_last):
        return planes[inputs, :, at // width, at % width]
    cells = planes.permute(0, 2, 3, 1).reshape(-1, channels)
    return cells.index_select(0, (at + inputs * (height * width)).flatten()).view(count, -1, channels)


def _means(planes: Tensor) -> Float[Tensor, "input channel"]:
    """Each map's mean: rows in the layer's own precision, their sum in float64."""
    rows = functional.avg_pool2d(planes, (1, planes.shape[3])) if planes.shape[3] > 1 else planes
    return rows.flatten(2).mean(2, dtype=torch.float64).float()
