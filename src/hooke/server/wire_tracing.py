"""The types of the wire that spatial and channel attribution are made of."""

from pydantic import BaseModel

from hooke.server.wire import EffectView


class PackedView(BaseModel):
    """Maps as a byte a value: value = byte x the scale of its map."""

    count: int
    height: int
    width: int
    scales: list[float]
    """One for each map: a 127th of its largest magnitude."""
    data: str
    """Base64 of signed bytes, map by map, row by row."""


class TracedLayerView(BaseModel):
    """One layer of a chain; `votes` hold a map for each of the classes, `tints` one for each factor."""

    name: str
    channels: int
    height: int
    width: int
    norms: PackedView
    votes: PackedView
    tints: PackedView


class VotedView(BaseModel):
    """One of the likeliest labels."""

    label: str
    index: int
    logit: float
    probability: float


class WeighedView(BaseModel):
    """One label of a factor, with its weight (0 to 1)."""

    label: str
    index: int
    weight: float


class SpatialView(BaseModel):
    """What the positions of a few layers vote for: maps of the likeliest labels, and what most of these are made of."""

    layers: list[TracedLayerView]
    """In the order of the model."""
    classes: list[VotedView]
    """Likeliest first; the maps of `votes` are in this order."""
    factors: list[list[WeighedView]]
    """For each factor the labels that it stands for, those with most weight first."""
    explained: float
    """The share of the squares of all maps that the factors explain."""
    fillable: bool
    """All pairs of positions can be asked for at once: they are few enough."""


class NamedMapView(BaseModel):
    """Maps of one layer."""

    layer: str
    maps: PackedView


class VotesView(BaseModel):
    """What every position gives to the logit of one label: one map for each layer."""

    label: int
    maps: list[NamedMapView]


class PointedView(BaseModel):
    """What one position came from, and what it leads to: one map for each other layer, in the later layer's units."""

    layer: str
    row: int
    column: int
    strength: float
    """The norm of the position's vector."""
    maps: list[NamedMapView]


class PairView(BaseModel):
    """All influences of one layer on a later one: a map over the earlier for each position of the later, row by row."""

    earlier: str
    later: str
    maps: PackedView


class PairsView(BaseModel):
    """Every pair of layers of a chain."""

    pairs: list[PairView]


class TermView(BaseModel):
    """A label that is asked about, with its logit; `weight` -1: the one that the other is preferred to."""

    label: str
    index: int
    weight: float
    logit: float


class ArguingView(BaseModel):
    """By how much one unit argues; `parts`: for each term alone."""

    channel: int
    evidence: float
    parts: list[float]


class ArguedLayerView(BaseModel):
    """The units of one layer that argue most, strongest first.

    `total` sums over all channels; the maps of `responses` are what the units respond at each position, supporting
    first (None where the layer has no positions).
    """

    name: str
    channels: int
    total: float
    supporting: list[ArguingView]
    opposing: list[ArguingView]
    responses: PackedView | None


class ChannelsView(BaseModel):
    """Which units argue for a label, or for one rather than another, in logits."""

    terms: list[TermView]
    score: float
    """The logit, or the difference of the two."""
    layers: list[ArguedLayerView]


class DrilledView(BaseModel):
    """One unit: what supports it in the layers before, what it supports in those after, and in the labels (logits).

    Effects in other layers are in the units of the later layer's sums over positions.
    """

    layer: str
    channel: int
    strength: float
    """The sum of its responses over positions."""
    responses: PackedView | None
    layers: list[ArguedLayerView]
    supports: list[EffectView]
    opposes: list[EffectView]
