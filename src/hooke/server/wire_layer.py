"""The types of the wire that a layer's families and its atlas are made of."""

from pydantic import BaseModel

from hooke.server.wire_grids import AgreementView


class TwinsView(BaseModel):
    """One family (or one pair of mirror images): its channels, and the place of each, in their order.

    `places` in the unit of their kind: where each answers most; of a logarithmic parameter, octaves from the first.
    """

    channels: list[int]
    places: list[float]
    likeness: float
    """Mean correlation of all pairs, once moved (and reversed, of mirror images)."""


class KindView(BaseModel):
    """All families of one kind, largest first, and how many its control has: each unit's values in random order."""

    kind: str
    """rotation, reflection, scale or hue."""
    unit: str
    """Degrees or octaves."""
    families: list[TwinsView]
    shuffled: int
    shuffled_units: int


class FamiliesView(BaseModel):
    """Units of a layer whose tunings are the same but for a turn, a reflection, a change of scale or of hue."""

    layer: str
    kinds: list[KindView]
    threshold: float
    """The correlation from which two tunings count as the same."""
    smallest: int
    stimuli: int
    """Synthetic pictures that were shown."""
    field: float
    """What one place sees, in pixels."""


class AtlasCellView(BaseModel):
    """One cell: where it is, and of how many vectors it is the mean; the rest once it is drawn."""

    row: int
    column: int
    count: int
    cosine: float | None = None
    """Of what the network sees in its picture with its vector."""
    label: str | None = None
    """The label that its vectors speak for most, of those that were asked about; None: they speak for none."""
    credit: float | None = None
    """By how much, in logits, each of its places in the mean: gradient x what it has more than the mean of all."""
    units: list[int] = []
    """Its strongest units, strongest first."""


class AtlasView(BaseModel):
    """The map of a layer as it stands; `cells` in the order of their pictures on the sheet, row by row."""

    layer: str
    side: int
    """Cells a side of the map as it stands."""
    cells: list[AtlasCellView]
    sheet: str
    """A data: URL (WebP), `columns` cells to a row; empty: there is nothing to see yet."""
    columns: int
    agreement: AgreementView | None
    photographs: int
    vectors: int
    labels: int
    """How many labels were asked about: the likeliest of each photograph, or of eight that were recorded."""
    layout: str
    steps: int
    recorded: int | None = None
    """How many inputs were recorded, where these are some of them."""
    done: bool
