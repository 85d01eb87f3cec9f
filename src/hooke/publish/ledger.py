"""How much of the work is done, in seconds: what was measured of a kind of work says how long its rest will take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

Report = Callable[[float, float, str], None]
"""Hears the seconds that are done, those of the whole, and what is being done."""


@dataclass
class _Kind:
    guess: float
    waiting: int = 0
    done: int = 0
    spent: float = 0.0

    @property
    def each(self) -> float:
        return self.spent / self.done if self.done else self.guess


class Ledger:
    """The work that is known of, by kind; `report` hears of every step."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._kinds: dict[str, _Kind] = {}

    def expect(self, kind: str, count: int, seconds: float) -> None:
        """So many more pieces of a kind, each of about so many seconds."""
        self._kinds.setdefault(kind, _Kind(seconds)).waiting += count

    @contextmanager
    def doing(self, kind: str, count: int = 1) -> Iterator[None]:
        """Some pieces of a kind are done meanwhile."""
        known = self._kinds[kind]
        self._tell(kind)
        begun = time.monotonic()
        yield
        known.spent += time.monotonic() - begun
        known.done += count
        known.waiting -= count
        self._tell(kind)

    @property
    def left(self) -> float:
        """Seconds that the rest will take."""
        return sum(kind.waiting * kind.each for kind in self._kinds.values())

    @property
    def pieces(self) -> int:
        """Pieces that wait."""
        return sum(kind.waiting for kind in self._kinds.values())

    @property
    def spent(self) -> dict[str, float]:
        """Seconds that were spent on each kind of work."""
        return {name: kind.spent for name, kind in self._kinds.items() if kind.done}

    def _tell(self, what: str) -> None:
        spent = sum(kind.spent for kind in self._kinds.values())
        self._report(spent, spent + self.left, what)
