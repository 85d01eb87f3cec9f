"""What Hooke answers with: frozen values without behaviour, each able to say how it was made."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from hooke.displayed import Displayed
from hooke.provenance import Provenance
from hooke.shapes import Canvas, Scores


@dataclass(frozen=True)
class Layer(Displayed):
    """One row of the layer table: a tensor that a module returns, or the reason why it has no address.

    `receptive_field` and `stride` are in input pixels (None: the whole input, or not spatial).
    `axes` name the axes in order: batch, channel, height, width, time, token, head.
    """

    name: str
    kind: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    channels: int | None
    height: int | None
    width: int | None
    stride: int | None
    receptive_field: int | None
    parameters: int
    activation: bool
    """The module is itself a nonlinearity (ReLU6, GELU, ...)."""
    post_activation: bool
    """Its values come straight from a nonlinearity."""
    addressable: bool
    reason: str = ""
    """Why it is not addressable."""


@dataclass(frozen=True)
class Prediction(Displayed):
    """One label that the model gives to an input, with its softmax probability (0 to 1)."""

    label: str
    index: int
    probability: float


@dataclass(frozen=True)
class Effect(Displayed):
    """Activation x gradient: by how much (in logits, to first order) a unit speaks for one label."""

    label: str
    index: int
    effect: float


@dataclass(frozen=True)
class Picture(Displayed):
    """An image optimized for one address, with the number that says how well it does.

    `response` is the objective on the clean picture, `peak` the unit's largest single response in it. `stopped`: the
    step at which it was done before its time (None: at the last).
    """

    address: str
    image: Canvas
    response: float
    peak: float
    step: int
    seconds: float
    provenance: Provenance
    note: str = ""
    stopped: int | None = None


@dataclass(frozen=True)
class DictionaryEntry(Displayed):
    """One unit that fires at a position: its magnitude there and the labels it speaks for and against."""

    address: str
    channel: int
    magnitude: float
    supports: tuple[Effect, ...] = ()
    opposes: tuple[Effect, ...] = ()


@dataclass(frozen=True, eq=False)
class Attribution(Displayed):
    """How much each part of the place `to` speaks for `of`, for a batch of inputs: signed, in the units of `of`.

    `values` has the axes of the place, named in `axes`, batch first; `score` is what the target is for each input.
    Methods that promise that their values add up say to what (`explained`: the score minus that of the baseline), and
    `completeness` is the largest difference from it, signed: the sum of the values minus what they explain.
    """

    values: Float[Tensor, "batch ..."]
    axes: tuple[str, ...]
    of: str
    to: str
    by: object
    score: Scores
    explained: Scores | None
    completeness: float | None
    provenance: Provenance
