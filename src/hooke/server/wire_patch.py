"""The types of the wire of the search by a patch, and of where the model is wrong alike."""

from pydantic import BaseModel


class StandoutView(BaseModel):
    """A unit that fires inside a patch and not outside: its means there, and how far apart these are."""

    layer: str
    channel: int
    inside: float
    outside: float
    score: float
    """The difference of the means, in the unit's standard deviations over the photograph."""


class PatchView(BaseModel):
    """The units that stand out most inside a patch: of the chosen layer, and of any nonlinearity."""

    layer: str
    own: list[StandoutView]
    every: list[StandoutView]
    layers: int
    """How many layers, and units in them, the second search looked at."""
    units: int


class PairView(BaseModel):
    """A photograph with the probabilities of two labels."""

    image: str
    first: float
    second: float


class DifferingView(BaseModel):
    """A unit, and by how much it is larger when the model is wrong, in standard deviations."""

    layer: str
    channel: int
    difference: float


class ConfusionView(BaseModel):
    """Inputs of one label that the model takes for another."""

    truth: str
    said: str
    wrong: int
    right: int
    """Of the same label, called right."""
    inputs: list[str]
    sheet: str
    """Some of those that are wrong, side by side (data: URL)."""
    shown: int
    units: list[DifferingView]
    chance: float | None
    """What the largest difference stays below in 95% of shuffles; None where there are too few to tell."""


class DoubtView(BaseModel):
    """The two likeliest labels of a photograph, and the others for which both are among the likeliest, too."""

    first: str
    second: str
    own: PairView | None
    same: list[PairView]
    looked: int
    """How many other photographs there are."""


class ConfusionsView(BaseModel):
    """The labels of the recorded data that the model takes for one another, most often first."""

    confusions: list[ConfusionView]
    inputs: int
    """Labelled inputs that were looked at, of so many that were recorded."""
    recorded: int
    wrong: int
    units: int
    """Among which the differing ones were looked for."""
    missing: str
    """Why there is nothing to tell from."""
