"""How a unit's values are distributed, before and after its nonlinearity: density, quantiles, shape."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hooke.addresses import Place
from hooke.responses.recording import Histogram, LayerRecording, Recording
from hooke.responses.units import name, unit

SHARES = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)


@dataclass(frozen=True, eq=False)
class Shape:
    """Skewness, excess kurtosis and bimodality of each unit's values, from its histogram; NaN where nothing varies.

    Bimodality is Sarle's coefficient (skewness^2 + 1) / kurtosis: 5/9 for uniform, 1 for two points, 1/3 for normal.
    """

    skewness: Float[Tensor, "channel"]
    kurtosis: Float[Tensor, "channel"]
    bimodality: Float[Tensor, "channel"]


@dataclass(frozen=True, eq=False)
class Distribution:
    """The sampled values of one unit: counts per bin after and before its nonlinearity, and what sums them up.

    `before` is None where the layer is no nonlinearity; `quantiles` are at `SHARES`, of the values before it.
    """

    address: str
    edges: Float[Tensor, "edge"]
    after: Int[Tensor, "bin"]
    before_edges: Float[Tensor, "before_edge"] | None
    before: Int[Tensor, "before_bin"] | None
    quantiles: Float[Tensor, "share"]
    mean: float
    deviation: float
    minimum: float
    maximum: float
    active: float
    skewness: float
    kurtosis: float
    bimodality: float


def distribution(recording: Recording, address: str | Place) -> Distribution:
    """How the values of one unit are distributed; AddressError where it was not recorded."""
    layer, channel = unit(recording, address)
    after, before = layer.histogram(), layer.before
    form = shape(_one(layer.histogram(before=True), channel))
    shares = torch.tensor(SHARES, dtype=torch.float64)
    return Distribution(
        name(layer, channel), after.edges, after.counts[channel],
        None if before is None else before.edges, None if before is None else before.counts[channel],
        layer.quantile(shares, before=True)[channel],
        float(layer.mean[channel]), float(layer.variance[channel].clamp(min=0).sqrt()),
        float(layer.minimum[channel]), float(layer.maximum[channel]), float(layer.active[channel]),
        float(form.skewness[0]), float(form.kurtosis[0]), float(form.bimodality[0]),
    )  # fmt: skip


def shape(histogram: Histogram) -> Shape:
    """The shape of each channel's values; every value counts as the middle of its bin."""
    weight = histogram.counts.double()
    weight = weight / weight.sum(1, keepdim=True)
    middle = ((histogram.edges[1:] + histogram.edges[:-1]) / 2).double()
    centred = middle - (weight @ middle)[:, None]
    second, third, fourth = ((weight * centred**power).sum(1) for power in (2, 3, 4))
    spread = second.where(second > 0, torch.nan)
    skewness, kurtosis = third / spread**1.5, fourth / spread**2
    return Shape(skewness, kurtosis - 3, (skewness.square() + 1) / kurtosis)


def oddness(layer: LayerRecording) -> Float[Tensor, "channel"]:
    """How far a unit's distribution lies from those of its layer: the largest of three robust z-scores.

    Of skewness, of log kurtosis and of bimodality of the values before the nonlinearity; z = 0.6745 (x - median) /
    (median absolute deviation). 0 for a unit that never varies.
    """
    form = shape(layer.histogram(before=True))
    traits = torch.stack([form.skewness, (form.kurtosis + 3).log(), form.bimodality])
    away = traits - traits.nanmedian(1, keepdim=True).values
    typical = away.abs().nanmedian(1, keepdim=True).values.clamp(min=1e-6)
    return (0.6745 * away / typical).abs().nan_to_num(0).amax(0)


def _one(histogram: Histogram, channel: int) -> Histogram:
    return Histogram(histogram.edges, histogram.counts[channel : channel + 1])
