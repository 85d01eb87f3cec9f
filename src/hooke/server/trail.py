"""What is kept of one photograph in a chain of layers, so that no pass is made twice: graph, maps, pairs."""

import base64
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.models.model import Model
from hooke.server.wire_tracing import PackedView
from hooke.shapes import Canvas
from hooke.studies.channel_attribution import ChannelAttribution, Drilled, Driller, drilled
from hooke.studies.layers import tracing_layers
from hooke.studies.spatial_attribution import CLASSES, Factors, Tracer, factorized

LAYERS = 4
MOST = 1 << 24
"""Pairs of positions that are filled at most."""


class Trail:
    """One photograph in a few layers (none given: four over the depth), for both studies: they share one graph.

    `map` in small steps; `fill` may run in another thread. Errors: AddressError as for the studies.
    """

    def __init__(self, model: Model, canvas: Canvas, layers: Sequence[str] = ()) -> None:
        self.tracer = Tracer(model, canvas, list(layers) or tracing_layers(model, LAYERS))
        self.found = self.tracer.first(self.tracer.layers[-1], (0, 0))
        self.factors: Factors | None = None

    @property
    def fillable(self) -> bool:
        """The pairs are few enough."""
        return sum(one.numel() for one in self.found.pairs.values()) <= MOST

    def map(self, count: int) -> bool:
        """The maps of that many more of the likeliest labels, then their factors; True once all are there."""
        most = min(CLASSES, len(self.found.logits))
        if len(self.found.classes) < most:
            self.found = self.tracer.mapped(self.found, min(most, len(self.found.classes) + count))
        elif self.factors is None:
            self.factors = factorized(self.found.class_maps)
        return self.factors is not None

    def fill(self, report: Callable[[int, int], None]) -> None:
        """All pairs of positions, row by row; those that are there are not made again."""
        rows = [(row.name, at) for row in self.tracer.rows[1:] for at in range(row.height or 0)]
        for done, (layer, at) in enumerate(rows):
            report(done, len(rows))
            first = self.found.pairs[self.tracer.layers[0], layer]
            if bool(first[at].isnan().any()):
                self.tracer.filled(self.found, layer, at)

    def evidence(self, of: str) -> ChannelAttribution:
        """What every channel gives to a target."""
        tracer = self.tracer
        return Driller(tracer.model, tracer.canvas, tracer.layers, of, tracer.chain).evidence()

    def drilled(self, layer: str, channel: int) -> Drilled:
        """One unit, from above and from below."""
        return drilled(self.tracer.chain, layer, channel)

    def responses(self, layer: str, channels: Sequence[int]) -> PackedView:
        """What units respond at each position."""
        return packed(self.tracer.chain.values(layer)[..., list(channels)].float().cpu().movedim(-1, 0))


def packed(maps: Float[Tensor, "map row column"]) -> PackedView:
    """Maps as signed bytes, each with a scale of its own; the error is at most half of it."""
    maps = maps.nan_to_num()
    count, height, width = maps.shape
    scales = maps.abs().amax((1, 2)).double() / 127 if maps.numel() else torch.zeros(count, dtype=torch.float64)
    levels = (maps.double() / scales.clamp(min=1e-300)[:, None, None]).round().to(torch.int8)
    data = base64.b64encode(levels.contiguous().numpy().tobytes()).decode()
    return PackedView(count=count, height=height, width=width, scales=scales.tolist(), data=data)
