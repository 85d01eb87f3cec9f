"""The types of the wire that say how a method of attribution stands against its controls."""

from pydantic import BaseModel


class BesideView(BaseModel):
    """One control, and what came out beside it by each metric, in the order of the metrics."""

    control: str
    verdicts: list[str]
    """better than | indistinguishable from | worse than | too few images to tell from; empty where nobody asked."""


class MethodStandingView(BaseModel):
    """What is known of a method on this model."""

    method: str
    layer: str
    """Whose credit: the input or a layer."""
    use: str
    """maps | channels | units | positions | groups: what credits are read as."""
    state: str
    """better | part | same | worse | undecided | unmeasured"""
    text: str
    """The verdict as a sentence."""
    fails: bool
    """What it gives is shown greyed."""
    images: int
    data: str
    sample: list[str]
    """The names of some of what it was measured on."""
    metrics: list[str]
    rows: list[BesideView]
    command: str
    """What measures it, more thoroughly, on the command line."""
    offer: str
    """What a measurement from here is made on."""
