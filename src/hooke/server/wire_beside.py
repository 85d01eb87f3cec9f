"""The types of what two models are compared by."""

from pydantic import BaseModel


class MatchedView(BaseModel):
    """A layer with places of the first model, and the second's that belongs to it."""

    layer: str
    other: str
    comparable: bool
    """Of one name, as many channels and places: units can be compared one by one."""


class SecondView(BaseModel):
    """The second model, and its layers that belong to the first's."""

    name: str
    fingerprint: str
    layers: list[MatchedView]


class OpinionView(BaseModel):
    """What the two models give one label; null where a model has no such label. Ranks begin at 0."""

    label: str
    indices: list[int | None]
    probabilities: list[float | None]
    ranks: list[int | None]


class AlikeView(BaseModel):
    """How alike two layers see the photograph: linear CKA over positions, and what 95 % of controls stay below."""

    layer: str
    other: str
    positions: int
    cka: float
    shuffled: float
    """Positions in any order."""
    moved: float
    """The map moved as a whole, so that neighbours stay neighbours."""


class ComparedView(BaseModel):
    """Two models before one photograph."""

    opinions: list[OpinionView]
    """The labels among the five likeliest of either."""
    layers: list[AlikeView]
    """From the first to the last activation layer of the first model."""
    controls: int


class ChangesView(BaseModel):
    """The units of a layer whose activations differ most, at every position, row by row.

    The entry of (row, column, rank) is at index (row * width + column) * count + rank.
    """

    layer: str
    height: int
    width: int
    count: int
    channels: list[int]
    first: list[float]
    second: list[float]
    median: list[float]
    """By position: half of all units differ less, without sign."""
    far: list[float]
    """By position: 5 % of all units differ more."""
