"""The engine of this machine: in this process, or in a few worker processes."""

import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TypeVar

from hooke.errors import EngineError

Shard = TypeVar("Shard")
Result = TypeVar("Result")

AHEAD = 2
"""Shards for each worker that may be finished or under way before the one that is next."""


def map_shards(
    function: Callable[[Shard], Result], shards: Sequence[Shard], *, workers: int = 0
) -> Iterator[tuple[int, Result]]:
    """(index, result) for every shard, in order; with `workers` processes, or in this one where that is 0.

    A worker is a fresh Python process: it gets the function once, pickled, and then one shard after the other.
    Errors: EngineError that names the shard where the function raises (with that as its cause), where a worker dies
    (out of memory), and where function, shard or result cannot be pickled.
    """
    if workers < 0:
        raise EngineError(f"{workers} workers", "there are 0 (this process) or more")
    if workers == 0:
        return _here(function, shards)
    return _Pool(function, shards, min(workers, len(shards))).results()


def _here(function: Callable[[Shard], Result], shards: Sequence[Shard]) -> Iterator[tuple[int, Result]]:
    for index, shard in enumerate(shards):
        try:
            result = function(shard)
        except Exception as failure:
            raise _failed(index, len(shards), failure) from failure
        yield index, result


@dataclass(eq=False)
class _Worker:
    """A process, our end of its pipe, and the shards that it has not answered yet."""

    process: BaseProcess
    pipe: Connection
    pending: deque[int] = field(default_factory=deque)


class _Pool:
    """Worker processes; each has at most one shard in hand and one waiting, so none is idle and memory is bounded."""

    def __init__(self, function: Callable[[Shard], Result], shards: Sequence[Shard], workers: int) -> None:
        self.function, self.shards, self.count = function, shards, workers
        self.workers: list[_Worker] = []
        self.finished: dict[int, object] = {}
        self.sent = 0

    def results(self) -> Iterator[tuple[int, Result]]:
        try:
            self._start()
            for index in range(len(self.shards)):
                while index not in self.finished:
                    self._send(limit=index + self.count * AHEAD)
                    self._receive()
                yield index, self.finished.pop(index)  # type: ignore[misc]
        finally:
            self._stop()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        try:
            work = pickle.dumps(self.function)
        except Exception as failure:
            raise EngineError("the work", f"it cannot be pickled for the workers ({failure})") from failure
        for _ in range(self.count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, work), daemon=True)
            self.workers.append(_Worker(process, ours))
            process.start()
            theirs.close()

    def _send(self, limit: int) -> None:
        """Give the workers with the least to do the next shards, up to the shard `limit`."""
        while self.sent < min(limit, len(self.shards)):
            worker = min(self.workers, key=lambda one: len(one.pending))
            if len(worker.pending) >= AHEAD:
                return
            index = self.sent
            try:
                packed = pickle.dumps((index, self.shards[index]))
            except Exception as failure:
                raise _failed(index, len(self.shards), failure) from failure
            worker.pending.append(index)
            self.sent += 1
            with suppress(OSError):  # a dead worker is found by `_receive`
                worker.pipe.send_bytes(packed)

    def _receive(self) -> None:
        """Wait for at least one answer, or for a worker's death."""
        busy = [worker for worker in self.workers if worker.pending]
        ready = connection.wait([worker.pipe for worker in busy])
        for worker in busy:
            if worker.pipe not in ready:
                continue
            try:
                index, result, failure, trace = pickle.loads(worker.pipe.recv_bytes())
            except (EOFError, OSError):
                raise self._died(worker) from None
            if failure is not None:
                failure.add_note(trace)
                raise _failed(index, len(self.shards), failure) from failure
            worker.pending.remove(index)
            self.finished[index] = result

    def _died(self, worker: _Worker) -> EngineError:
        worker.process.join(5)
        code, index = worker.process.exitcode, worker.pending[0]
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
        return EngineError(
            f"shard {index} of {len(self.shards)}",
            f"the worker process that had it {how}",
            next_step="it may have been out of memory: take fewer workers or a smaller batch; in a script, start the "
            'work under `if __name__ == "__main__":`',
        )

    def _stop(self) -> None:
        for worker in self.workers:
            worker.pipe.close()
            if worker.process.pid is not None:
                worker.process.kill()
        for worker in self.workers:
            if worker.process.pid is not None:
                worker.process.join()
                worker.process.close()


def _serve(pipe: Connection, work: bytes) -> None:
    """A worker's life: answer each shard until the pipe closes; end at once when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_leave_with, args=(parent.sentinel,), daemon=True).start()
    function: Callable[[object], object] | None = None
    while True:
        try:
            packed = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        index = -1
        try:
            index, shard = pickle.loads(packed)
            function = function or pickle.loads(work)
            answer = pickle.dumps((index, function(shard), None, ""))
        except Exception as failure:
            answer = _refusal(index, failure)
        pipe.send_bytes(answer)


def _refusal(index: int, failure: Exception) -> bytes:
    """A failure as it can be sent: itself where that survives pickling, its text where not."""
    import traceback

    trace = "in the worker:\n" + "".join(traceback.format_exception(failure))
    try:
        packed = pickle.dumps((index, None, failure, trace))
        pickle.loads(packed)
        return packed
    except Exception:
        return pickle.dumps((index, None, RuntimeError(f"{type(failure).__name__}: {failure}"), trace))


def _leave_with(parent: int) -> None:
    connection.wait([parent])
    os._exit(1)


def _failed(index: int, count: int, failure: Exception) -> EngineError:
    return EngineError(f"shard {index} of {count}", f"it failed: {type(failure).__name__}: {failure}")
