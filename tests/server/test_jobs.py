"""The queue's own logic, on an easel whose strokes the test commands; the real drawing is in test_live.py."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager

import pytest
import torch

from hooke.errors import NumericsError
from hooke.provenance import Provenance
from hooke.results import Picture
from hooke.server.jobs import Queue
from hooke.server.pace import Pace
from hooke.server.progress import follow
from hooke.server.refusals import Absent
from hooke.server.standing import Grown
from hooke.server.wire import DrawingView, EndEvent

STEPS = 4


class Easel:
    """Draws one step for each `stroke`; notes the batches it was given and those it was made to abandon."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.abandoned: list[list[str]] = []
        self.strokes: queue.Queue[BaseException | None] = queue.Queue()
        self.begun = threading.Semaphore(0)

    def draw(self, addresses: Sequence[str]) -> Generator[list[Picture], None, None]:
        self.batches.append(list(addresses))
        self.begun.release()
        try:
            for step in range(1, STEPS + 1):
                mishap = self.strokes.get(timeout=10)
                if mishap is not None:
                    raise mishap
                yield [picture(address, step) for address in addresses]
        except GeneratorExit:
            self.abandoned.append(list(addresses))
            raise

    def stroke(self, count: int = 1) -> None:
        for _ in range(count):
            self.strokes.put(None)

    def wait(self) -> None:
        """Until one more batch has begun."""
        assert self.begun.acquire(timeout=10)


def picture(address: str, step: int) -> Picture:
    provenance = Provenance("model", address, {"steps": STEPS}, 1, 0, "float32")
    return Picture(address, torch.full((3, 4, 4), step / STEPS), 10.0 * step, 11.0 * step, step, 0.1, provenance)


@contextmanager
def running(easel: Easel, batch: int = 2, grace: float = 60.0) -> Iterator[tuple[Queue, list[str]]]:
    kept: list[str] = []
    queue = Queue(easel.draw, lambda one: kept.append(one.address), batch=batch, steps=STEPS, grace=grace)
    try:
        yield queue, kept
    finally:
        queue.stop()
        easel.stroke(100)
        queue.close()
        assert not [thread for thread in threading.enumerate() if thread is queue._thread]


def views(*addresses: str) -> list[DrawingView]:
    return [DrawingView(address=address, state="queued", guess_url="/guess") for address in addresses]


def states(queue: Queue, job: str) -> list[str]:
    return [stand.view.state for stand in queue.stands(job)[0]]


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(0.005)


def test_units_of_one_layer_are_drawn_together_in_the_order_asked() -> None:
    easel = Easel()
    with running(easel) as (queue, kept):
        job = queue.ask(views("a:1", "b:1", "a:2", "a:3"))
        easel.wait()
        assert easel.batches == [["a:1", "a:2"]]
        assert states(queue, job) == ["drawing", "queued", "drawing", "queued"]
        easel.stroke(3 * STEPS)
        until(lambda: queue.stands(job)[1])
        assert easel.batches == [["a:1", "a:2"], ["b:1"], ["a:3"]]
        assert kept == ["a:1", "a:2", "b:1", "a:3"]
        first = queue.stands(job)[0][0].view
        assert (first.state, first.response, first.peak, first.steps) == ("ready", 40.0, 44.0, STEPS)
        assert first.picture_url == f"/api/drawings/{picture('a:1', 1).provenance.key}.png"
        assert first.guess_url == "/guess"


def test_the_job_asked_for_last_comes_first_and_takes_others_of_its_layer_along() -> None:
    easel = Easel()
    with running(easel, batch=3) as (queue, _):
        queue.ask(views("z:0"))
        easel.wait()
        queue.ask(views("a:1", "b:1"))
        last = queue.ask(views("b:2", "b:3"))
        easel.stroke(3 * STEPS)
        until(lambda: len(easel.batches) == 3)
        assert easel.batches == [["z:0"], ["b:2", "b:3", "b:1"], ["a:1"]]
        until(lambda: queue.stands(last)[1])


def test_what_two_jobs_want_is_drawn_once_and_told_to_both() -> None:
    easel = Easel()
    with running(easel) as (queue, kept):
        one = queue.ask(views("a:1"))
        easel.wait()
        easel.stroke(2)
        other = queue.ask(views("a:1"))
        until(lambda: (stand := queue.stands(other)[0][0]).picture is not None and stand.picture.step == 2)
        queue.cancel(one)
        easel.stroke(STEPS)
        until(lambda: queue.stands(other)[1])
        assert easel.batches == [["a:1"]]
        assert kept == ["a:1"]
        assert easel.abandoned == []
        assert queue.stands(one)[1:] == (True, True)
        assert queue.stands(other)[1:] == (True, False)


def test_a_batch_that_nobody_wants_ends_at_the_next_moment() -> None:
    easel = Easel()
    with running(easel) as (queue, kept):
        job = queue.ask(views("a:1", "a:2", "c:1"))
        easel.wait()
        queue.cancel(job)
        easel.stroke()
        until(lambda: easel.abandoned == [["a:1", "a:2"]])
        again = queue.ask(views("a:2"))
        easel.stroke(STEPS)
        until(lambda: queue.stands(again)[1])
        assert easel.batches == [["a:1", "a:2"], ["a:2"]]
        assert kept == ["a:2"]


def test_what_is_asked_for_again_while_its_batch_is_abandoned_is_drawn() -> None:
    easel = Easel()
    with running(easel, batch=1) as (queue, kept):
        job = queue.ask(views("a:1"))
        easel.wait()
        queue.cancel(job)
        again = queue.ask(views("a:1"))  # before the batch saw that nobody wanted it
        easel.stroke(2 * STEPS)
        until(lambda: queue.stands(again)[1])
        assert kept == ["a:1"]
        assert states(queue, again) == ["ready"]


def test_a_job_whose_page_left_is_cancelled_after_the_grace() -> None:
    easel = Easel()
    with running(easel, grace=0.2) as (queue, _):
        job = queue.ask(views("a:1"))
        easel.wait()
        with queue.listening(job):
            time.sleep(0.3)
            easel.stroke()
            time.sleep(0.05)
            assert easel.abandoned == []
        time.sleep(0.05)
        with queue.listening(job):  # a page that was reloaded comes back in time
            time.sleep(0.3)
            easel.stroke()
            until(lambda: (found := queue.stands(job)[0][0].picture) is not None and found.step == 2)
        time.sleep(0.3)
        easel.stroke()
        until(lambda: easel.abandoned == [["a:1"]])
        assert queue.stands(job)[1:] == (True, True)


def test_a_unit_that_fails_says_why_and_spares_the_others() -> None:
    easel = Easel()
    with running(easel) as (queue, kept):
        job = queue.ask(views("a:1", "a:2"))
        easel.wait()
        easel.strokes.put(NumericsError("drawing a:1", "it is NaN", next_step="look at its weights"))
        easel.wait()
        assert easel.batches[1] == ["a:1"]
        easel.strokes.put(NumericsError("drawing a:1", "it is NaN", next_step="look at its weights"))
        easel.stroke(STEPS)
        until(lambda: queue.stands(job)[1])
        failed, fine = (stand.view for stand in queue.stands(job)[0])
        assert (failed.state, failed.note) == ("failed", "drawing a:1: it is NaN. look at its weights")
        assert fine.state == "ready"
        assert kept == ["a:2"]
        retry = queue.ask(views("a:1"))
        easel.stroke(STEPS)
        until(lambda: states(queue, retry) == ["ready"])


def test_a_mistake_is_logged_and_does_not_end_the_thread(caplog: pytest.LogCaptureFixture) -> None:
    easel = Easel()
    with running(easel) as (queue, _):
        job = queue.ask(views("a:1"))
        easel.strokes.put(ZeroDivisionError("secret"))
        until(lambda: queue.stands(job)[1])
        note = queue.stands(job)[0][0].view.note
        assert note == "it failed (ZeroDivisionError); the terminal says more"
        assert "secret" in caplog.text
        later = queue.ask(views("b:1"))
        easel.stroke(STEPS)
        until(lambda: states(queue, later) == ["ready"])


def test_stopping_ends_a_drawing_at_its_next_moment() -> None:
    easel = Easel()
    with running(easel) as (queue, _):
        queue.ask(views("a:1"))
        easel.wait()
        queue.stop()
        easel.stroke()
        queue.close()
        assert easel.abandoned == [["a:1"]]


def test_a_job_that_never_was_is_absent() -> None:
    queue = Queue(Easel().draw, lambda one: None, batch=1, steps=STEPS)
    with pytest.raises(Absent, match="ask for the drawings again"):
        queue.stands("nothing")


def test_jobs_that_are_over_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hooke.server.jobs.REMEMBERED", 2)
    easel = Easel()
    easel.stroke(100)
    with running(easel) as (queue, _):
        names = []
        for number in range(4):
            names.append(queue.ask(views(f"a:{number}")))
            until(lambda: queue.stands(names[-1])[1])
        assert [name in queue._jobs for name in names] == [False, True, True, True]


class Bed:
    """Something long that grows by one slice at each `rain`."""

    def __init__(self, slices: int, fails: bool = False) -> None:
        self.rains = threading.Semaphore(0)
        self.done = 0
        self._slices, self._fails = slices, fails

    def __iter__(self) -> Iterator[Grown]:
        return self

    def __next__(self) -> Grown:
        assert self.rains.acquire(timeout=10)
        if self._fails:
            raise NumericsError("the grids", "they are NaN", next_step="look at the weights")
        if self.done == self._slices:
            raise StopIteration
        self.done += 1
        return Grown(self.done / self._slices, EndEvent(job="", cancelled=False))

    def rain(self, count: int = 1) -> None:
        for _ in range(count):
            self.rains.release()


def test_what_grows_rests_for_what_is_wanted_and_goes_on_between_its_moments() -> None:
    easel, bed = Easel(), Bed(3)
    with running(easel) as (queue, _):
        long = queue.grow("grids", bed)
        bed.rain()
        until(lambda: queue.stands(long)[0][0].share == pytest.approx(1 / 3))
        job = queue.ask(views("a:1"))
        bed.rain()  # the slice that was begun before anything else was wanted
        easel.wait()
        assert bed.done == 2
        time.sleep(0.05)
        easel.stroke()  # one moment of the drawing: as long as a slice
        bed.rain()
        until(lambda: bed.done == 3)
        assert states(queue, job) == ["drawing"]
        easel.stroke(STEPS)
        bed.rain()
        until(lambda: queue.stands(job)[1] and queue.stands(long)[1])
        assert easel.batches == [["a:1"]]
        assert states(queue, long) == ["ready"]


def test_slices_take_no_more_than_half_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    easel, order = Easel(), []

    def growth() -> Iterator[Grown]:
        for at in range(30):
            time.sleep(0.04)
            order.append("slice")
            yield Grown(at / 30, EndEvent(job="", cancelled=False))

    def draw(addresses: Sequence[str]) -> Generator[list[Picture], None, None]:
        for step in range(1, STEPS + 1):
            time.sleep(0.02)
            order.append("moment")
            yield [picture(address, step) for address in addresses]

    monkeypatch.setattr(easel, "draw", draw)
    with running(easel, batch=1) as (queue, _):
        job = queue.ask(views("a:1", "a:2", "a:3"))
        long = queue.grow("grids", growth())
        until(lambda: queue.stands(job)[1])
        last = len(order) - order[::-1].index("moment")
        slices, moments = (order[:last].count(what) for what in ("slice", "moment"))
        assert moments == 3 * STEPS
        assert 3 <= slices <= moments / 2 + 1
        queue.cancel(long)


def test_what_grows_is_left_off_and_taken_up_again_and_several_take_turns() -> None:
    one, two = Bed(2), Bed(2)
    with running(Easel()) as (queue, _):
        job = queue.grow("one", one)
        one.rain()
        until(lambda: one.done == 1)
        queue.cancel(job)
        one.rain()  # the slice that was begun by then
        until(lambda: one.done == 2)
        assert queue.stands(job)[1:] == (True, True)
        other, again = queue.grow("two", two), queue.grow("one", one)
        assert queue.grow("two", Bed(0)) != other  # the same work
        two.rain()
        until(lambda: two.done == 1)
        one.rain()
        until(lambda: states(queue, again) == ["ready"])
        two.rain(2)
        until(lambda: states(queue, other) == ["ready"])


def test_what_grows_fails_alone_and_can_be_asked_for_again() -> None:
    bed, other = Bed(1, fails=True), Bed(1)
    with running(Easel()) as (queue, _):
        job = queue.grow("grids", bed)
        bed.rain()
        until(lambda: queue.stands(job)[1])
        assert queue.stands(job)[0][0].view.note == "the grids: they are NaN. look at the weights"
        again = queue.grow("grids", other)
        other.rain(2)
        until(lambda: states(queue, again) == ["ready"])


def test_the_pace_leaves_out_the_time_before_the_first_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([110.0, 112.0, 114.0, 120.0, 121.0])
    monkeypatch.setattr("hooke.server.jobs.time.monotonic", lambda: next(clock))
    pace = Pace(100)
    assert pace.left(9) is None
    assert pace.left(19) == pytest.approx(2 / 10 * 81)
    assert pace.left(29) == pytest.approx(4 / 20 * 71)
    assert pace.left(0) is None  # another batch begins
    assert pace.left(10) == pytest.approx(1 / 10 * 90)


def test_a_stream_tells_progress_then_the_end_and_again_to_who_comes_late() -> None:
    easel = Easel()
    told: list[str] = []

    async def listen(queue: Queue, job: str, parts: list[str]) -> None:
        async for part in follow(queue, [job]):
            parts.append(part.decode())

    async def draw(queue: Queue, job: str) -> list[str]:
        first = asyncio.create_task(listen(queue, job, told))
        easel.stroke()  # the first moment is noise, and not told
        for step in range(2, STEPS):
            easel.stroke()
            while sum(f'"step":{step},"steps":{STEPS}' in part for part in told) < 2:  # one for each unit
                await asyncio.sleep(0.01)
        easel.stroke()
        await first
        again: list[str] = []
        await listen(queue, job, again)
        return again

    with running(easel) as (queue, _):
        job = queue.ask(views("a:1", "a:2"))
        again = asyncio.run(asyncio.wait_for(draw(queue, job), 20))
    names = [part.partition("\n")[0].removeprefix("event: ") for part in told]
    assert names == ["retry: 1000", *["progress"] * 2 * (STEPS - 2), "finished", "finished", "end"]
    assert "data:image/webp;base64," in told[1]
    assert told[-1] == f'event: end\ndata: {{"job":"{job}","cancelled":false}}\n\n'
    assert again == [told[0], *told[-3:]]


def test_a_stream_ends_when_the_server_does() -> None:
    easel = Easel()

    async def listen(queue: Queue, job: str) -> list[bytes]:
        parts = []
        async for part in follow(queue, [job]):
            parts.append(part)
            queue.stop()
        return parts

    with running(easel) as (queue, _):
        job = queue.ask(views("a:1"))
        assert asyncio.run(asyncio.wait_for(listen(queue, job), 5)) == [b"retry: 1000\n\n"]


def test_one_stream_tells_of_many_jobs_each_by_its_name_and_holds_them() -> None:
    easel, held = Easel(), threading.Event()

    async def listen(queue: Queue, jobs: list[str]) -> list[str]:
        parts = []
        async for part in follow(queue, jobs):
            parts.append(part.decode())
            if len(parts) == 3:  # what is over is told at once, while the other one goes on
                easel.stroke(STEPS)
        return parts

    with running(easel, grace=0.2) as (queue, _):
        quick = queue.run("quick", lambda report: held.set())
        until(lambda: queue.stands(quick)[1])
        drawn = queue.ask(views("a:1"))
        told = asyncio.run(asyncio.wait_for(listen(queue, [quick, drawn, "none"]), 20))
    assert told[1] == 'event: lost\ndata: {"job":"none"}\n\n'
    names = {job: [part.split("\n")[0][7:] for part in told if f'"job":"{job}"' in part] for job in (quick, drawn)}
    assert names[quick] == ["finished", "end"]
    assert [name for name in names[drawn] if name != "progress"] == ["finished", "end"]
    assert told[-1] == f'event: end\ndata: {{"job":"{drawn}","cancelled":false}}\n\n'


def test_a_computation_does_not_wait_for_a_batch_of_drawings() -> None:
    easel, done = Easel(), threading.Event()
    with running(easel) as (queue, kept):
        queue.ask(views("a:1", "a:2"))
        easel.wait()
        job = queue.run("quick", lambda report: done.set())
        easel.stroke()
        assert done.wait(10)
        assert kept == []
        easel.stroke(STEPS - 1)
        until(lambda: len(kept) == 2)
        assert queue.stands(job)[1]
        assert easel.batches == [["a:1", "a:2"]]
