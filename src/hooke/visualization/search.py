"""What helps to find a good picture besides steps: several attempts, smooth pooling, and knowing when it is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hooke.errors import NumericsError
from hooke.shapes import Scores


@dataclass(frozen=True)
class Search:
    """`attempts` random starts, of which the one with the best response is kept; ends before the last step.

    A picture is done where its response on the clean canvas reaches `target`, or where the mean score of the last
    `patience` steps is above that of the `patience` before by less than the share `plateau` of it (0: never).
    `smooth_pooling` lets the gradient of max pooling flow to all that it looks at (`models/pooling.py`).
    """

    attempts: int = 1
    plateau: float = 0.0
    target: float | None = None
    patience: int = 16
    smooth_pooling: bool = False

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.patience < 1 or not 0 <= self.plateau < 1:
            raise NumericsError(
                f"Search(attempts={self.attempts}, plateau={self.plateau}, patience={self.patience})",
                "these settings cannot search",
                next_step="give attempts and patience of at least 1, and a plateau of at least 0 and below 1",
            )


class Ends:
    """Which of several objectives are done, each by its own scores only; what is done stays as it was then."""

    def __init__(self, search: Search, groups: Sequence[slice], known: dict[str, Any] | None = None) -> None:
        self._search, self._groups = search, groups
        self.wanted = search.plateau > 0 or search.target is not None
        self.stopped: list[int | None] = known["stopped"] if known else [None] * len(groups)
        self._history: list[list[float]] = known["history"] if known else [[] for _ in groups]
        self.held: Tensor | None = None

    @property
    def over(self) -> bool:
        """All are done."""
        return all(step is not None for step in self.stopped)

    def watch(self, step: int, parameters: Tensor, scores: Scores, clean: Callable[[], Scores]) -> None:
        """Sees one step's scores; `clean` gives those of the pictures unmoved, and is asked only where it matters."""
        values = scores.tolist()
        near = [False] * len(self._groups)
        for place, group in enumerate(self._groups):
            self._history[place].append(sum(values[group]) / len(values[group]))
            target = self._search.target
            near[place] = self.stopped[place] is None and target is not None and min(values[group]) >= target
        sure = clean().tolist() if any(near) else values
        for place, group in enumerate(self._groups):
            reached = near[place] and min(sure[group]) >= (self._search.target or 0.0)
            if self.stopped[place] is None and (reached or self._level(self._history[place])):
                self.stopped[place] = step
                self._keep(group, parameters)

    def restore(self, parameters: Tensor) -> None:
        """Puts back what is done."""
        for place, group in enumerate(self._groups):
            if self.stopped[place] is not None and self.held is not None:
                with torch.no_grad():
                    parameters[group] = self.held[group]

    def known(self) -> dict[str, Any]:
        """What a later `Ends` needs to go on, as JSON data."""
        return {"stopped": list(self.stopped), "history": [list(scores) for scores in self._history]}

    def _keep(self, group: slice, parameters: Tensor) -> None:
        if self.held is None:
            self.held = parameters.detach().clone()
        self.held[group] = parameters.detach()[group]

    def _level(self, scores: Sequence[float]) -> bool:
        span = self._search.patience
        if not self._search.plateau or len(scores) < 2 * span:
            return False
        late, early = sum(scores[-span:]) / span, sum(scores[-2 * span : -span]) / span
        return late - early < self._search.plateau * abs(early)
