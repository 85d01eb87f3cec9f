"""What a recording holds of one layer: statistics of every unit, as plain tensors."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hooke.results import Layer

if TYPE_CHECKING:
    from hooke.storage.arrays import Rows


@dataclass(frozen=True)
class Failure:
    """One input that could not be read, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Extremes:
    """Per channel the inputs with the largest value (or the smallest sampled one), best first, each input once.

    `inputs` index into the recording's names; -1 where there were fewer inputs. `values` are those entering the
    nonlinearity where the layer is one, so that inputs stay apart beyond its ceiling; `rows`, `columns`: where.
    """

    values: Float[Tensor, "channel k"]
    inputs: Int[Tensor, "channel k"]
    rows: Int[Tensor, "channel k"]
    columns: Int[Tensor, "channel k"]


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often each channel's values fell into each bin: bin b holds edges[b] <= value < edges[b + 1].

    The first bin also holds everything below, the last everything above.
    """

    edges: Float[Tensor, "edge"]
    counts: Int[Tensor, "channel bin"]

    @property
    def density(self) -> Float[Tensor, "channel bin"]:
        """Share of values per unit of activation: counts over their sum and over each bin's width."""
        total = self.counts.sum(1, keepdim=True).clamp(min=1)
        return self.counts.double() / total / self.edges.diff()

    def quantile(self, shares: Float[Tensor, "share"]) -> Float[Tensor, "channel share"]:
        """The middle (harmonic mean of the edges) of the bin that holds each share; NaN where nothing was counted."""
        low, high = self.edges[:-1].double(), self.edges[1:].double()
        middle = torch.where(low * high > 0, 2 * low * high / (low + high), torch.zeros_like(low))
        upto = self.counts.cumsum(1).double()
        rank = (shares.double() * upto[:, -1:]).clamp(min=1).contiguous()
        at = torch.searchsorted(upto, rank).clamp(max=middle.numel() - 1)
        return middle[at].where(upto[:, -1:] > 0, torch.nan)


@dataclass(frozen=True, eq=False)
class Reservoir:
    """Per channel and bin of activation, a random choice of k of the values that fell into the bin, one of each input.

    `edges` divide the channel's own range, in values entering the nonlinearity where there is one;
    `inputs` index into the recording's names, -1 where fewer fell in; `counts`: of how many inputs the value did.
    """

    edges: Float[Tensor, "channel edge"]
    values: Float[Tensor, "channel bin k"]
    inputs: Int[Tensor, "channel bin k"]
    rows: Int[Tensor, "channel bin k"]
    columns: Int[Tensor, "channel bin k"]
    counts: Int[Tensor, "channel bin"]


@dataclass(frozen=True, eq=False)
class Groups:
    """Means over the inputs of each label (or group): of the mean over positions, and of the largest value."""

    names: tuple[str, ...]
    counts: Int[Tensor, "name"]
    means: Float[Tensor, "name channel"]
    peaks: Float[Tensor, "name channel"]


@dataclass(frozen=True, eq=False)
class LayerRecording:
    """All statistics of one layer; tensors on the CPU, one entry per channel, docs/recording.md defines each."""

    layer: Layer
    count: int
    """Values per channel that the moments saw: inputs x positions."""
    mean: Float[Tensor, "channel"]
    variance: Float[Tensor, "channel"]
    """Of the sampled values."""
    minimum: Float[Tensor, "channel"]
    """Of the sampled values."""
    maximum: Float[Tensor, "channel"]
    active: Float[Tensor, "channel"]
    """Share of the sampled values above 0."""
    top: Extremes
    bottom: Extremes
    after: Histogram
    """Of the layer's values, at the sampled positions."""
    before: Histogram | None
    """Of the values entering the nonlinearity; None where the layer is none."""
    reservoir: Reservoir
    labels: Groups
    groups: Groups
    second_moment: Float[Tensor, "channel channel"]
    """E[x x^T] over inputs, x the mean over positions."""
    coactivation: Float[Tensor, "channel channel"]
    """Correlation, over inputs, of the units' largest values; 0 where a unit never changes."""
    second_moment_positions: Float[Tensor, "channel channel"] | None = None
    """E[x x^T] over the sampled positions; None where it was not asked for."""
    pooled_mean: Float[Tensor, "input channel"] | None = None
    pooled_peak: Float[Tensor, "input channel"] | None = None
    whole: "Rows | None" = None
    """The layer's tensors [input, channel, height, width] in half precision, where they were kept."""
    quantile_error: float = 0.0
    """The relative error of a quantile, beyond that of the samples themselves."""

    @property
    def dead(self) -> Bool[Tensor, "channel"]:
        """Never above 0, at any input and position."""
        return self.maximum <= 0

    def histogram(self, before: bool = False) -> Histogram:
        """The layer's values, or with `before` those that enter its nonlinearity (the same where it has none)."""
        return self.before if before and self.before is not None else self.after

    def quantile(self, q: float | Tensor, before: bool = False) -> Tensor:
        """Per channel the value that a share `q` of the sampled values does not exceed: [channel] or [channel, q].

        At most `quantile_error` x |value| away from the samples' own quantile (and 2^-10 near zero).
        """
        shares = torch.as_tensor(q, dtype=torch.float64)
        found = self.histogram(before).quantile(shares.reshape(-1))
        return found[:, 0] if shares.ndim == 0 else found

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels, in order."""
        return self.labels.names

    @property
    def label_means(self) -> Float[Tensor, "label channel"]:
        """Means over the label's inputs of the mean over positions."""
        return self.labels.means

    @property
    def label_peaks(self) -> Float[Tensor, "label channel"]:
        """Means over the label's inputs of the largest value."""
        return self.labels.peaks

    @property
    def label_counts(self) -> Int[Tensor, "label"]:
        """How many inputs had the label."""
        return self.labels.counts

    @property
    def group_names(self) -> tuple[str, ...]:
        """The groups, in order."""
        return self.groups.names

    @property
    def group_means(self) -> Float[Tensor, "group channel"]:
        """Means over the group's inputs of the mean over positions."""
        return self.groups.means

    @property
    def group_peaks(self) -> Float[Tensor, "group channel"]:
        """Means over the group's inputs of the largest value."""
        return self.groups.peaks

    @property
    def group_counts(self) -> Int[Tensor, "group"]:
        """How many inputs the group had."""
        return self.groups.counts
