"""The types of the wire that the figures of groups and of their flow are made of."""

from pydantic import BaseModel

from hooke.server.wire_whatif import SpreadView


class GroupView(BaseModel):
    """One group of a layer in a photograph."""

    index: int
    """In its factorization: the last number of its address."""
    address: str
    colour: int
    """A number that stays the group's own while others come and go."""
    share: float
    """Of the squares of the layer's activations: what is lost without it."""
    row: int
    column: int
    """Where it is strongest."""
    levels: list[int]
    """Its amounts, row by row, in thousandths of `peak` of all groups."""
    units: list[int]
    """The channels that are strongest in it."""


class RankView(BaseModel):
    """The groups at one number of groups, from left to right."""

    rank: int
    explained: float
    """The share of the squares of the layer's activations; what is left is the rest's."""
    peak: float
    groups: list[GroupView]


class GroupsView(BaseModel):
    """The groups of a layer in a photograph, for each number of groups on the slider."""

    layer: str
    height: int
    width: int
    ranks: list[RankView]


class RankedView(BaseModel):
    """How well some number of groups does: the share that is explained, beside random directions, and how alike the
    groups of random halves of the places are."""

    rank: int
    explained: float
    random: float
    stability: float


class CurveView(BaseModel):
    """How well each number of groups does, and which is advised."""

    ranks: list[RankedView]
    chosen: int
    reason: str


class GroupEffectsRow(BaseModel):
    """What each group (by its index), and last the rest, does to one label."""

    label: str
    index: int
    logit: float
    effects: list[float]
    """To first order: by how much (logits) it speaks for the label."""
    measured: list[float]
    """By how much the logit falls without it."""


class GroupEffectsView(BaseModel):
    """What the groups of a layer do to the likeliest labels, and to those that are asked about."""

    rank: int
    rows: list[GroupEffectsRow]


class EditedGroupView(BaseModel):
    """A group before and after edits: its mean amount over the places, and `random`: that after random others."""

    index: int
    before: float
    after: float
    levels: list[int]
    """Its amounts after the edits, row by row, in thousandths of the peak of all groups before them."""
    random: SpreadView | None


class EditedLabelView(BaseModel):
    """A label in the edited model; `measured`: by how much its logit falls there without each group, and the rest."""

    index: int
    logit: float
    measured: list[float]


class EditedGroupsView(BaseModel):
    """The groups of a layer (by their index) found again after edits, beside `draws` random others (`beside`)."""

    groups: list[EditedGroupView]
    explained_before: float
    explained_after: float
    labels: list[EditedLabelView]
    draws: int
    beside: str
    seconds: float


class FlowGroupView(BaseModel):
    """A group in a flow: what it gives to what is asked about, and by how much that falls without it.

    `group` is None for the rest of the layer.
    """

    group: GroupView | None
    gives: float
    measured: float


class FlowLayerView(BaseModel):
    """A layer of a flow: its groups, the rest last."""

    layer: str
    height: int
    width: int
    peak: float
    explained: float
    rest: float
    """The rest's share of all that flows through the layer, by size."""
    agreement: float | None
    """The rank correlation of what the groups give with what is lost without them."""
    groups: list[FlowGroupView]


class FlowView(BaseModel):
    """What the groups of several layers give to each other, and to what is asked about (logits).

    `edges[l]` [later, group]; `around[l]`: what the groups of layer l give past the next layer; `constants[l]`: what
    the groups of layer l + 1 get from no group.
    """

    of: str
    score: float
    constant: float
    """What no group of the last layer accounts for."""
    layers: list[FlowLayerView]
    edges: list[list[list[float]]]
    around: list[list[float]]
    constants: list[list[float]]
    edge_agreement: list[float | None]
    imbalance: float


class FlowControlView(BaseModel):
    """How well the flow of shuffled groups agrees with what is lost without them: of each layer, of each pair."""

    agreement: list[float | None]
    edge_agreement: list[float | None]


class EditedFlowView(BaseModel):
    """The flow of the same groups in the edited model; numbers as those of the flow, nothing taken away to measure."""

    score: float
    constant: float
    gives: list[list[float]]
    """Of each layer, what its groups (the rest last) give."""
    rest: list[float]
    edges: list[list[list[float]]]
    around: list[list[float]]
    constants: list[list[float]]
    imbalance: float
    seconds: float


class FlowElsewhereView(BaseModel):
    """What the groups of a flow (of each layer, the rest last) give after the same edits made elsewhere (`beside`): of
    `draws` times that there are, the first `measured`."""

    random: list[list[SpreadView | None]]
    measured: int
    draws: int
    beside: str
    seconds: float
