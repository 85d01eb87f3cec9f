"""The only queue: what is wanted from the drawing thread, by whom, and how far it is.

A *unit* is one address that is wanted; a *job* is what one page asked for at once. The same address asked for by
several jobs is one unit: drawn once, told to all. Everything is state, not messages: whoever listens, late or again,
reads where each unit stands now.
"""

import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

from pydantic import BaseModel

from hooke.addresses import parse, places
from hooke.errors import HookeError
from hooke.results import Picture
from hooke.server.pace import Pace
from hooke.server.refusals import Absent
from hooke.server.standing import Growth, Job, Stand, Unit, Unwanted, Work, ready
from hooke.server.wanted import text_of
from hooke.server.wire import DrawingView

logger = logging.getLogger(__name__)

Draw = Callable[[Sequence[str]], Generator[list[Picture], None, None]]
"""Draws addresses of the same layers together; yields lists of their pictures, final where `step` is the last."""

REMEMBERED = 256
"""Jobs that are over and still answer a page that reconnects."""

TURN = 2.0
"""Seconds at most that slices of long computations make up for while something else waits."""


class Queue:
    """One drawing thread and all that is wanted of it; every method may be called from any thread.

    Units are drawn in batches of at most `batch` of the same layers: those of the job asked for last first, each
    job's in the order asked. Long computations grow in slices, of several the one that had none for longest; where
    something else is wanted they come between its moments, for half of the time.
    `steps` is the number of the last step. `keep` is given each finished picture before anyone hears of it. A job that
    nobody has listened to for `grace` seconds is cancelled; a batch of which no unit is wanted any more ends at the
    next moment that `draw` yields.
    """

    def __init__(
        self, draw: Draw, keep: Callable[[Picture], None], *, batch: int, steps: int, grace: float = 5.0
    ) -> None:
        self._draw, self._keep = draw, keep
        self.steps = steps
        self._batch, self._grace = batch, grace
        self._units: dict[str, Unit] = {}
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._version = 0
        self._stopping = False
        self._lead = 0.0
        """Seconds that slices had beyond half of the time."""
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="drawing", daemon=True)

    @property
    def stopping(self) -> bool:
        """The server is about to end: nothing more will come."""
        return self._stopping

    def ask(self, views: Sequence[DrawingView]) -> str:
        """A job for units that have no picture yet, most wanted first; what is being drawn for others is shared."""
        with self._changed:
            return self._asked([self._unit(view) for view in {view.address: view for view in views}.values()])

    def run(self, name: str, work: Work) -> str:
        """A job for one computation, done alone; what is asked for twice under one name is done once."""
        with self._changed:
            return self._asked([self._computation(name, work=work)])

    def grow(self, name: str, growth: Growth) -> str:
        """A job for one long computation, done in slices; what is asked for twice under one name is done once."""
        with self._changed:
            return self._asked([self._computation(name, growth=growth)])

    def stands(self, job: str) -> tuple[list[Stand], bool, bool]:
        """Where the units of a job stand, in the order asked; whether it is over; whether it was cancelled."""
        with self._changed:
            found = self._job(job)
            return [unit.stand for unit in found.units], found.over, found.cancelled

    @contextmanager
    def listening(self, job: str) -> Iterator[None]:
        """Somebody waits for the job until the `with` ends."""
        with self._changed:
            found = self._job(job)
            found.listeners += 1
        try:
            yield
        finally:
            with self._changed:
                found.listeners -= 1
                found.left = time.monotonic()

    def cancel(self, job: str) -> None:
        """Nobody wants this job any more; what other jobs want of it goes on."""
        with self._changed:
            self._cancel(job, self._job(job))

    def stop(self) -> None:
        """Ends the drawing thread at its next moment; returns at once."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def close(self, timeout: float = 20.0) -> None:
        """Stops, and waits until the drawing thread is gone."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join(timeout)

    # What follows, up to `_work`, is called with the lock held.

    def _asked(self, units: list[Unit]) -> str:
        if self._thread.ident is None and not self._stopping:
            self._thread.start()
        name = secrets.token_urlsafe(12)
        self._jobs[name] = Job(units)
        for unit in units:
            unit.jobs.add(name)
        self._forget()
        self._changed.notify_all()
        return name

    def _job(self, name: str) -> Job:
        if name not in self._jobs:
            reason = "there is no such job, or it ended long ago, or the server was restarted"
            raise Absent(f"job {name}", reason, next_step="ask for the drawings again")
        return self._jobs[name]

    def _unit(self, view: DrawingView) -> Unit:
        if view.address not in self._units:
            layers = frozenset(place.layer for place in places(parse(text_of(view.address))))
            stand = Stand(view.model_copy(update={"state": "queued"}), self._next())
            self._units[view.address] = Unit(view.address, layers, stand)
        return self._units[view.address]

    def _computation(self, name: str, work: Work | None = None, growth: Growth | None = None) -> Unit:
        if name not in self._units:
            stand = Stand(DrawingView(address=name, state="queued"), self._next(), share=0.0)
            self._units[name] = Unit(name, frozenset(), stand, work=work, growth=growth)
        return self._units[name]

    def _next(self) -> int:
        self._version += 1
        return self._version

    def _cancel(self, name: str, job: Job) -> None:
        if job.over:
            return
        job.cancelled = True
        for unit in job.units:
            unit.jobs.discard(name)
            self._drop(unit)

    def _drop(self, unit: Unit) -> None:
        """Forgets a unit that waits and that nobody wants."""
        if not unit.jobs and unit.stand.view.state == "queued":
            self._units.pop(unit.address, None)

    def _forget(self) -> None:
        over = [name for name, job in self._jobs.items() if job.over]
        for name in over[: max(0, len(over) - REMEMBERED)]:
            del self._jobs[name]

    def _reap(self) -> None:
        """Cancels the jobs whose pages left and did not come back."""
        now = time.monotonic()
        for name, job in self._jobs.items():
            if not job.over and not job.listeners and now - job.left > self._grace:
                self._cancel(name, job)

    def _waiting(self) -> list[Unit]:
        """What is wanted and not being done, most wanted first."""
        self._reap()
        wanted = dict.fromkeys(unit for job in reversed(self._jobs.values()) if not job.cancelled for unit in job.units)
        return [unit for unit in wanted if unit.stand.view.state == "queued"]

    def _choose(self) -> list[Unit]:
        """The next batch, now being drawn, computations first; empty where nothing waits but what grows."""
        wanted = sorted((unit for unit in self._waiting() if not unit.growth), key=lambda unit: not unit.work)
        first = next(iter(wanted), None)
        if first is None:
            return []
        together = [unit for unit in wanted if unit.layers == first.layers and not (unit.alone or unit.work)]
        batch = [first] if first.alone or first.work else together[: self._batch]
        for unit in batch:
            self._move(unit, unit.view("drawing"))
        return batch

    def _choose_growth(self) -> list[Unit]:
        """The long computation that had no slice for longest, now having one; empty where none waits."""
        found = sorted((unit for unit in self._waiting() if unit.growth), key=lambda unit: unit.stand.version)[:1]
        for unit in found:
            unit.stand = replace(unit.stand, view=unit.view("drawing"))
        return found

    def _move(
        self, unit: Unit, view: DrawingView, picture: Picture | None = None, seconds_left: float | None = None,
        share: float = 0.0, so_far: BaseModel | None = None,
    ) -> None:  # fmt: skip
        known = share if unit.work or unit.growth else None
        unit.stand = Stand(view, self._next(), picture, seconds_left, known, so_far)
        if unit.stand.over:
            self._units.pop(unit.address, None)

    # What follows runs in the drawing thread and takes the lock where it needs it.

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._stopping and not (batch := self._choose() or self._choose_growth()):
                    self._changed.wait()
                if self._stopping:
                    return
            begun = time.monotonic()
            if batch[0].growth:
                self._lead = 0.0
                self._slice(batch[0], batch[0].growth)
            elif batch[0].work:
                self._compute(batch[0], batch[0].work)
                self._aside(begun)
            else:
                self._draw_batch({unit.address: unit for unit in batch})

    def _aside(self, begun: float) -> float:
        """What grows has its turn, if it had less time than what was done, last since `begun`; when the turn ends."""
        now = time.monotonic()
        self._lead = max(self._lead - (now - begun), -TURN)
        while self._lead < 0 and not self._stopping:
            with self._changed:
                found = self._choose_growth()
            if not found:
                self._lead = 0.0
            for unit in found:
                assert unit.growth
                self._slice(unit, unit.growth)
            begun, now = now, time.monotonic()
            self._lead += now - begun
        return now

    def _between(self) -> None:
        """Computations, which take seconds, do not wait until a batch of drawings is done: they have their turn now."""
        while not self._stopping:
            with self._changed:
                found = next((unit for unit in self._waiting() if unit.work), None)
                if found is None:
                    return
                self._move(found, found.view("drawing"))
            assert found.work
            self._compute(found, found.work)

    def _slice(self, unit: Unit, growth: Growth) -> None:
        begun = time.monotonic()
        try:
            grown = next(growth, None)
        except Exception as error:
            self._settle({unit.address: unit}, _told(error, unit.address))
            return
        with self._changed:
            if grown is None:
                self._move(unit, unit.view("ready"))
                return
            unit.spent += time.monotonic() - begun
            left = unit.pace.left(grown.share, unit.spent)
            self._move(unit, unit.view("queued"), None, left, grown.share, grown.so_far)
            self._drop(unit)

    def _compute(self, unit: Unit, work: Work) -> None:
        pace = Pace(1)

        def report(done: int, total: int) -> None:
            share = done / max(total, 1)
            with self._changed:
                self._reap()
                if self._stopping or not unit.jobs:
                    raise Unwanted
                self._move(unit, unit.view("drawing"), seconds_left=pace.left(share), share=share)

        reason: str | None = None
        try:
            work(report)
            with self._changed:
                self._move(unit, unit.view("ready"))
        except Unwanted:
            pass
        except Exception as error:
            reason = _told(error, unit.address)
        self._settle({unit.address: unit}, reason)

    def _draw_batch(self, batch: dict[str, Unit]) -> None:
        reason: str | None = "no picture came of it"
        try:
            with closing(self._draw(list(batch))) as moments:
                pace, begun = Pace(self.steps), time.monotonic()
                for pictures in moments:
                    self._tell(batch, pictures, pace)
                    if self._unwanted(batch):
                        reason = None
                        break
                    self._between()
                    begun = self._aside(begun)
        except Exception as error:
            reason = _told(error, ", ".join(batch))
        self._settle(batch, reason)

    def _tell(self, batch: dict[str, Unit], pictures: list[Picture], pace: Pace) -> None:
        final = [picture for picture in pictures if picture.step >= self.steps]
        for picture in final:
            self._keep(picture)
        sketches = [picture for picture in pictures if picture.step < self.steps]
        seconds_left = pace.left(sketches[0].step) if sketches else None
        with self._changed:
            if seconds_left is not None:  # what there is at the first moment is noise
                for picture in sketches:
                    unit = batch[picture.address]
                    self._move(unit, unit.view("drawing"), picture, seconds_left)
            for picture in final:
                unit = batch[picture.address]
                self._move(unit, ready(unit.stand.view, picture))

    def _unwanted(self, batch: dict[str, Unit]) -> bool:
        with self._changed:
            self._reap()
            left = [unit for unit in batch.values() if not unit.stand.over]
            return bool(left) and (self._stopping or not any(unit.jobs for unit in left))

    def _settle(self, batch: dict[str, Unit], reason: str | None) -> None:
        """What failed alone has failed, for this reason; what failed among others is tried alone, if still wanted.

        Without a reason the batch was abandoned: what is wanted again by now waits again.
        """
        with self._changed:
            for unit in batch.values():
                if unit.stand.over:
                    continue
                if reason is not None and len(batch) == 1:
                    self._move(unit, unit.view("failed", reason))
                else:
                    unit.alone = reason is not None
                    self._move(unit, unit.view("queued"))
                    self._drop(unit)


def _told(error: Exception, what: str) -> str:
    """Why it failed, in words; a mistake of our own goes to the terminal."""
    if isinstance(error, HookeError):
        return ". ".join(filter(None, (f"{error.request}: {error.reason}", error.next_step)))
    logger.error("%s", what, exc_info=error)
    return f"it failed ({type(error).__name__}); the terminal says more"
