"""The types of the wire that the pages of layers and units are made of."""

from pydantic import BaseModel


class SheetView(BaseModel):
    """All units of a layer in order, one number each; None where it cannot be told, `why` says the reason."""

    layer: str
    channels: int
    norms: list[float] | None
    """L2 norm of each unit's own kernel, its batch norm folded in."""
    why: str = ""
    active: list[float] | None = None
    """Share of the recorded values above 0."""
    selectivity: list[float | None] | None = None
    """Class selectivity index, 0 to 1 (Morcos et al. 2018)."""
    labels: list[int] | None = None
    """For each unit, the label over whose inputs its mean is largest: its place in `names`."""
    names: list[str] = []
    inputs: int = 0


class DensityView(BaseModel):
    """How a unit's sampled values are distributed; `before`: those that enter its nonlinearity."""

    inputs: int
    edges: list[float]
    counts: list[int]
    before: bool
    """The bins are of values entering the nonlinearity."""
    mean: float
    deviation: float
    minimum: float
    maximum: float
    active: float
    median: float
    skewness: float | None
    bimodality: float | None


class LabelView(BaseModel):
    """How well a unit tells the inputs of one label from others: ROC-AUC with its 95% interval."""

    name: str
    count: int
    auc: float
    low: float
    high: float
    chance: float
    """What the best of shuffled labels stays below in 95% of shuffles."""


class SelectivityView(BaseModel):
    """What a unit prefers among labels, beside shuffled labels."""

    inputs: int
    labels: int
    groups: bool
    """The labels are groups of labels."""
    rows: list[LabelView]
    index: float | None
    shuffled_index: list[float | None]
    ambiguity: float | None
    shuffled_ambiguity: list[float | None]
    p: float
    method: str
    caveat: str


class ExampleView(BaseModel):
    """One recorded input where the unit had a value; `place` is that of its crop on the sheet."""

    place: int
    input: str
    label: str | None
    value: float


class BinView(BaseModel):
    """A range of activation, of how many inputs the value fell into it, and random ones of them."""

    low: float
    high: float
    count: int
    examples: list[ExampleView]


class ExamplesView(BaseModel):
    """Dataset examples over the whole range; crops lie on a sheet, `columns` to a row, `side` pixels each."""

    bins: list[BinView]
    maxima: list[ExampleView]
    minima: list[ExampleView]
    inputs: int
    field: int
    """Side of what one position sees, in pixels; 0: the whole input."""
    side: int
    columns: int
    rows: int
    sheet: str
    """A data: URL (WebP)."""
    masked: str
    """The same, faded where the unit does not respond as there."""
    failures: int


class StandingView(BaseModel):
    """Where a value lies among the unit's values for data: the share below it, and how many times the largest."""

    share: float
    times: float | None
    count: int


class QualityView(BaseModel):
    """How far to trust the picture of a unit."""

    response: float
    peak: float
    scrambled: float | None
    """How much of the response stays with random phases."""
    colourless: float | None
    central: float | None
    data: StandingView | None
    """Of what enters the nonlinearity where there is one, else of the peak."""
    pictures: int
    """From so many seeds."""
    alike: float | None
    """Mean cosine between them of what their layer holds."""
    control: float | None
    """The same with pictures of other units."""
    others: int


class TuningView(BaseModel):
    """A unit's mean response to a synthetic stimulus as one parameter changes, with a 95% interval."""

    stimulus: str
    parameter: str
    unit: str
    period: float | None
    """Where it goes round: after so much."""
    logarithmic: bool
    values: list[float]
    texts: list[str]
    mean: list[float]
    low: list[float]
    high: list[float]
    grey: float
    best: str
    settings: int
    data_mean: float | None
    data_maximum: float | None
    glyphs: str
    """The stimuli along the axis, side by side (data: URL)."""
    glyph_count: int


class NeighbourView(BaseModel):
    """A unit before or after another, and the tile of weights between them, row by row."""

    layer: str
    channel: int
    excitation: float
    inhibition: float
    tile: list[float]


class WeightsView(BaseModel):
    """The units of one other layer that excite and inhibit most, or are excited and inhibited most."""

    layer: str
    after: bool
    layers: list[str]
    """Between which it can be chosen."""
    height: int
    width: int
    peak: float
    """The largest weight shown, without its sign."""
    excite: list[NeighbourView]
    inhibit: list[NeighbourView]
    connected: int
    of: int
    trust: float | None
    """Rank correlation with measured ablations, and its 95% interval."""
    low: float | None
    high: float | None
    measured: str
    """On how much that was measured, in words."""
    assumptions: str
    """What the weights rest on, in words."""


class AblationRow(BaseModel):
    """One photograph: the probability of what the model said of it, before and after, and after control ablations."""

    name: str
    label: str
    before: float
    after: float
    random: list[float]
    """Mean, smallest and largest after the ablation of as many other units, drawn at random."""


class AblationView(BaseModel):
    """What breaks when a unit is set to zero, beside the same done to random units."""

    rows: list[AblationRow]
    change: float
    low: float | None
    high: float | None
    random_change: float | None
    controls: int
    p: float | None
    verdict: str
    note: str


class HitView(BaseModel):
    """A unit that was searched for, and why it is here."""

    layer: str
    channel: int
    why: str


class SearchView(BaseModel):
    """Units that were found, at most so many; `note` says what could not be searched."""

    hits: list[HitView]
    note: str = ""
