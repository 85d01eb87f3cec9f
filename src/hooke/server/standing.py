"""Where each thing that is wanted of the drawing thread stands: a drawing, a computation, or what grows in slices."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pydantic import BaseModel

from hooke.results import Picture
from hooke.server.pace import Pace
from hooke.server.wire import DrawingView

Work = Callable[[Callable[[int, int], None]], None]
"""One computation; what it is given hears how much of all is done, and ends it (Unwanted) when nobody waits."""


class Unwanted(Exception):
    """Nobody waits for this computation any more."""


@dataclass(frozen=True, eq=False)
class Grown:
    """What one slice of a long computation leaves: the share that is done, and what there is to see so far."""

    share: float
    so_far: BaseModel


Growth = Iterator[Grown]
"""One long computation in slices of a few seconds at most; whoever made it may keep it, and have it gone on with."""


@dataclass(frozen=True, eq=False)
class Stand:
    """Where a unit stands: its view, and while it is being drawn the latest picture and an estimate in seconds; of a
    computation the share that is done (None: it is a drawing), and what there is of it so far."""

    view: DrawingView
    version: int
    picture: Picture | None = None
    seconds_left: float | None = None
    share: float | None = None
    so_far: BaseModel | None = None

    @property
    def over(self) -> bool:
        """There is nothing more to come."""
        return self.view.state in ("ready", "failed")


@dataclass(eq=False)
class Unit:
    """One thing that is wanted, by whom, and where it stands."""

    address: str
    layers: frozenset[str]
    stand: Stand
    jobs: set[str] = field(default_factory=set)
    alone: bool = False
    """It was in a batch that failed: the next try is without the others."""
    work: Work | None = None
    """A computation, and no drawing."""
    growth: Growth | None = None
    """A long computation in slices."""
    pace: Pace = field(default_factory=lambda: Pace(1))
    spent: float = 0.0
    """Seconds in its slices: by this clock they have their pace, whatever else is done between them."""

    def view(self, state: str, note: str = "") -> DrawingView:
        """How it is told where it stands so."""
        return self.stand.view.model_copy(update={"state": state, "note": note})


@dataclass(eq=False)
class Job:
    """What one page asked for at once, and whether anybody listens."""

    units: list[Unit]
    listeners: int = 0
    left: float = field(default_factory=time.monotonic)
    """When the last listener left, or the job was asked for."""
    cancelled: bool = False

    @property
    def over(self) -> bool:
        """There is nothing more to come."""
        return self.cancelled or all(unit.stand.over for unit in self.units)


def ready(view: DrawingView, picture: Picture) -> DrawingView:
    """The view of a unit whose picture is finished."""
    found = {
        "state": "ready", "picture_url": f"/api/drawings/{picture.provenance.key}.png", "response": picture.response,
        "peak": picture.peak, "steps": picture.step, "seconds": picture.seconds, "note": picture.note,
    }  # fmt: skip
    return view.model_copy(update=found)
