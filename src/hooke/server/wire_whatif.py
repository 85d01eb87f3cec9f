"""The types of the wire that the panels What if and How sure are made of."""

from pydantic import BaseModel


class SpreadView(BaseModel):
    """What random others came to: their mean, the smallest and the largest."""

    mean: float
    low: float
    high: float


class ChangedLabelView(BaseModel):
    """A label's probability and logit before and after the edits; `random`: how random others change the logit."""

    index: int
    label: str
    before: float
    after: float
    logit_before: float
    logit_after: float
    random: SpreadView | None


class ChangedTargetView(BaseModel):
    """What is asked about, in logits, before and after; `random`: the change by random others.

    `p`: the share of others, with the edits themselves, that change it at least as much.
    """

    name: str
    before: float
    after: float
    random: SpreadView | None
    p: float | None


class ChangedUnitView(BaseModel):
    """A unit's magnitude at the place before and after."""

    channel: int
    before: float
    after: float


class ChangedTableView(BaseModel):
    """The units of a place that are strongest before or after; `moved`: how far the whole vector moved, in its length.

    `random`: the same by random others.
    """

    layer: str
    row: int
    column: int
    units: list[ChangedUnitView]
    moved: float
    random: SpreadView | None


class WhatIfView(BaseModel):
    """What edits change for one photograph, beside `draws` random others; `beside` says what these are."""

    edits: list[str]
    labels: list[ChangedLabelView]
    target: ChangedTargetView | None
    table: ChangedTableView | None
    draws: int
    beside: str
    seconds: float


class SureView(BaseModel):
    """What one selection gives to the target, in logits, told in three ways; see `hooke.studies.how_sure`."""

    address: str
    layer: str
    channel: int | None
    kind: str
    """unit | unit here | place | group | layer: what it is one of."""
    linear: float
    integrated: float
    measured: float
    disagreement: float
    beyond: bool | None
    """Its measured effect is larger than that of each random other of its kind; None where there are none."""


class SureControlView(BaseModel):
    """Random others of one kind and layer, about as strong: their measured effects, and the mean disagreement."""

    kind: str
    layer: str
    count: int
    measured: SpreadView
    disagreement: float


class HowSureView(BaseModel):
    """Selections and random others of the same size, for one target."""

    name: str
    rows: list[SureView]
    controls: list[SureControlView]
    steps: int
    seconds: float
