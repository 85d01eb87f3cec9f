"""All statistics of one layer together: they take in what was gathered, merge, and become a layer's recording."""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from jaxtyping import Int
from torch import Tensor

from hooke.numeric.streaming.bins import Bins
from hooke.numeric.streaming.extremes import Largest
from hooke.numeric.streaming.grouped import Grouped
from hooke.numeric.streaming.moments import Moments
from hooke.numeric.streaming.products import Products
from hooke.numeric.streaming.reservoir import Reservoir
from hooke.responses.gathering import Gathered, Target, sampled


@dataclass(frozen=True)
class Extent:
    """What statistics are kept: for how many labels and groups, and which of the matrices."""

    labels: int
    groups: int
    pooled: bool
    spatial: bool


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of the inputs at hand: their indices, labels, groups (-1: none) and random numbers."""

    inputs: Int[Tensor, "input"]
    labels: Int[Tensor, "input"]
    groups: Int[Tensor, "input"]
    chance: Tensor
    priorities: Int[Tensor, "input draw"]


class Part(Protocol):
    """One statistic."""

    def merge(self, other: Any) -> None: ...
    def state(self) -> dict[str, Tensor]: ...


class LayerStatistics:
    """The statistics of one layer, by name; `parts` says which there are."""

    def __init__(self, target: Target, extent: Extent) -> None:
        channels = target.channels
        self.target = target
        self.parts: dict[str, Part] = {
            "means": Moments(channels),
            "peaks": Moments(channels),
            "values": Moments(channels),
            "top": Largest(channels),
            "bottom": Largest(channels),
            "before": Bins(channels),
            "reservoir": Reservoir(channels),
            "label_means": Grouped(extent.labels, channels),
            "label_peaks": Grouped(extent.labels, channels),
            "group_means": Grouped(extent.groups, channels),
            "group_peaks": Grouped(extent.groups, channels),
        }
        if target.twice:
            self.parts["after"] = Bins(channels)
        if extent.pooled:
            self.parts |= {"products": Products(channels), "together": Products(channels)}
        if extent.spatial:
            self.parts["spatial"] = Products(channels)

    def add(self, gathered: Gathered, facts: Facts) -> None:
        """Take in what was gathered of some inputs."""
        parts: dict[str, Any] = self.parts
        after, peaks = self.after(gathered)
        rows = after.flatten(0, 1)
        parts["means"].add(gathered.means)
        parts["peaks"].add(peaks)
        parts["values"].add(rows)
        parts["top"].add(gathered.peaks, facts.inputs, gathered.places)
        at = sampled(self.target, facts.chance)
        low = gathered.samples.min(1)
        parts["bottom"].add(-low.values, facts.inputs, at.gather(1, low.indices))
        parts["before"].add(gathered.samples.flatten(0, 1))
        if "after" in parts:
            parts["after"].add(rows)
        one = facts.priorities[:, : at.shape[1]].min(1, keepdim=True)  # one position of each input, any
        some = gathered.samples.gather(1, one.indices[:, :, None].expand(-1, -1, self.target.channels))[:, 0]
        parts["reservoir"].add(some, facts.inputs, at.gather(1, one.indices)[:, 0], one.values[:, 0])
        for name, groups in (("label", facts.labels), ("group", facts.groups)):
            parts[f"{name}_means"].add(gathered.means, groups)
            parts[f"{name}_peaks"].add(peaks, groups)
        if "products" in parts:
            parts["products"].add(gathered.means)
            parts["together"].add(peaks)
        if "spatial" in parts:
            parts["spatial"].add(rows)

    def merge(self, other: "LayerStatistics") -> None:
        """Take in what another has seen."""
        for name, part in self.parts.items():
            part.merge(other.parts[name])

    def renumber(self, number: Int[Tensor, "input"]) -> None:
        """Give the inputs new numbers: `number[old]`."""
        parts: dict[str, Any] = self.parts
        for name in ("top", "bottom", "reservoir"):
            old = parts[name].inputs
            parts[name].inputs = torch.where(old >= 0, number[old.long().clamp(min=0)], -1).to(old.dtype)

    def state(self) -> dict[str, Tensor]:
        """All of it, as tensors: `part/tensor`."""
        return {f"{name}/{key}": value for name, part in self.parts.items() for key, value in part.state().items()}

    @classmethod
    def from_state(cls, target: Target, state: dict[str, Tensor]) -> "LayerStatistics":
        """What `state` said."""
        made = cls(target, Extent(0, 0, False, False))
        by_part: dict[str, dict[str, Tensor]] = {}
        for name, tensor in state.items():
            part, _, key = name.partition("/")
            by_part.setdefault(part, {})[key] = tensor
        kinds: dict[str, Any] = {name: type(part) for name, part in made.parts.items()} | dict.fromkeys(
            ("products", "together", "spatial"), Products
        )
        made.parts = {name: kinds[name].from_state(tensors) for name, tensors in by_part.items()}
        return made

    def after(self, gathered: Gathered) -> tuple[Tensor, Tensor]:
        """Sampled values and peaks as they leave the layer."""
        if gathered.after_samples is not None and gathered.after_peaks is not None:
            return gathered.after_samples, gathered.after_peaks
        if self.target.clamp is not None:
            return gathered.samples.clamp(*self.target.clamp), gathered.peaks.clamp(*self.target.clamp)
        return gathered.samples, gathered.peaks
