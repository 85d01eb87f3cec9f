"""Independent parts of one computation at the same time: one part on each of torch's threads."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Part = TypeVar("Part")
Found = TypeVar("Found")


class SideBySide:
    """Does parts of a computation at the same time, each with one thread of torch.

    Small passes gain little from a second thread inside each operation, and all of it from a pass of their own. What a
    part finds does not depend on how many threads there are.
    """

    def __init__(self, count: int | None = None) -> None:
        """`count` at the same time; by default as many as torch has threads here."""
        before = torch.get_num_threads()
        self.count = count or before
        self._pool = ThreadPoolExecutor(self.count, "part", initializer=_alone)
        started = threading.Barrier(self.count + 1)
        for _ in range(self.count):
            self._pool.submit(started.wait)
        started.wait()
        torch.set_num_threads(before)  # torch gives new threads what was last set in any

    def each(self, work: Callable[[Part], Found], parts: Iterable[Part]) -> list[Found]:
        """What `work` finds of each part, in their order. Errors: the first part's that has one."""
        return list(self._pool.map(work, parts))


def _alone() -> None:
    torch.get_num_threads()  # what a thread was not asked for before is set anew when it first is
    torch.set_num_threads(1)
