"""The only source, with the other wire_*.py, of the types that travel between the server and the page."""

from typing import Any

from pydantic import BaseModel


class ErrorView(BaseModel):
    """A refused request: what was asked, why not, and what to do next."""

    request: str
    reason: str
    choices: list[str] = []
    next_step: str = ""


class PredictionView(BaseModel):
    """One label with its softmax probability."""

    label: str
    index: int
    probability: float


class LayerView(BaseModel):
    """One floor of the tower of layers."""

    name: str
    kind: str
    axes: list[str]
    channels: int
    height: int | None
    width: int | None
    stride: int | None
    receptive_field: int | None
    parameters: int
    activation: bool
    spatial: bool
    """It has a height and a width, so a semantic dictionary can be read from it."""


class RecordingView(BaseModel):
    """What was recorded: over which data, of how many inputs with how many labels, in which layers."""

    data: str
    inputs: int
    labels: int
    layers: list[str]


class ModelView(BaseModel):
    """The opened model."""

    name: str
    fingerprint: str
    parameters: int
    label_count: int
    input_height: int
    input_width: int
    layers: list[LayerView]
    """The addressable layers, from the input to the logits."""
    default_layer: str
    grid_layers: list[str]
    """Of which activation grids are drawn; none where no layer has height and width."""
    version: str
    """Of Hooke."""
    unique: int
    """Units that are learned: one for each channel of the layers between input and logits."""
    neurons: int
    """As many there would be to learn if positions did not share their weights."""
    recording: RecordingView | None
    record_command: str
    """What makes a recording of this model, and shows it."""
    beside: str | None = None
    """The name of the second model that is shown beside this one."""


class ImageView(BaseModel):
    """One photograph as the model sees it."""

    id: str
    name: str
    width: int
    height: int
    canvas_url: str
    """PNG of exactly what the model sees (resized and cropped)."""
    thumbnail_url: str
    """WebP of the same, for a list."""
    uploaded: bool
    predictions: list[PredictionView]
    """Top five; empty for a model that is no classifier."""


class DictionaryView(BaseModel):
    """The strongest units at every position of a layer, row by row.

    The entry of (row, column, rank) is at index (row * width + column) * count + rank.
    """

    layer: str
    height: int
    width: int
    count: int
    channels: list[int]
    magnitudes: list[float]
    peak: float
    """The largest magnitude in the whole map."""
    norms: list[float]
    """L2 norm of each position's activation vector, row by row."""


class EffectView(BaseModel):
    """By how much (logits, first order) a unit speaks for a label."""

    label: str
    index: int
    effect: float


class UnitEffectsView(BaseModel):
    """What one unit at one position speaks for and against: activation x gradient of the logits, over all labels."""

    channel: int
    magnitude: float
    supports: list[EffectView]
    opposes: list[EffectView]


class DrawingView(BaseModel):
    """The picture that a unit looks for, as far as it is known."""

    address: str
    state: str
    """ready | queued | drawing | failed"""
    picture_url: str | None = None
    """The finished picture (PNG); immutable."""
    guess_url: str | None = None
    """First guess: the crop of the shown photographs that drives the unit most (PNG)."""
    response: float | None = None
    """The objective on the clean picture: the mean response over all positions."""
    peak: float | None = None
    """The unit's largest response anywhere in the clean picture."""
    photographs_peak: float | None = None
    """The unit's largest response anywhere in the shown photographs: what `peak` is to be compared with."""
    steps: int | None = None
    seconds: float | None = None
    note: str = ""


class DrawingsRequest(BaseModel):
    """Addresses whose pictures are wanted, most wanted first."""

    addresses: list[str]


class DrawingsView(BaseModel):
    """What is there already, and the job that draws the rest (None where nothing is missing)."""

    job: str | None
    drawings: list[DrawingView]


class ProgressEvent(BaseModel):
    """Server-sent event `progress`: a half-finished picture."""

    job: str
    address: str
    step: int
    steps: int
    image: str
    """A data: URL (PNG or WebP)."""
    response: float
    seconds_left: float


class FinishedEvent(BaseModel):
    """Server-sent event `finished`: one drawing is ready, or failed with its reason in `note`."""

    job: str
    drawing: DrawingView


class EndEvent(BaseModel):
    """Server-sent event `end`: the job has nothing left to do."""

    job: str
    cancelled: bool


class LostEvent(BaseModel):
    """Server-sent event `lost`: there is no such job, or it ended long ago, or the server was restarted."""

    job: str


class WorkEvent(BaseModel):
    """Server-sent event `work`: how much of a computation is done (0 to 1)."""

    job: str
    share: float
    seconds_left: float | None
    so_far: Any = None
    """What there is already, of the form that the answer will have; left out where it is what was told last."""


class JobView(BaseModel):
    """What was asked for is being computed: the job to follow; then ask again."""

    job: str
