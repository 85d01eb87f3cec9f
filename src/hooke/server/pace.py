"""How long a computation will still take, by its pace so far."""

import time


class Pace:
    """Seconds that are left, by the steps since the first moment that was seen (what came before it was setting up)."""

    def __init__(self, steps: float) -> None:
        self._steps = steps
        self._first: tuple[float, float] | None = None

    def left(self, step: float, now: float | None = None) -> float | None:
        """Seconds until the last step, as seen at `step`; None at the first moment. `now`: by another clock."""
        now = time.monotonic() if now is None else now
        if self._first is None or step <= self._first[0]:
            self._first = (step, now)
            return None
        done, since = step - self._first[0], now - self._first[1]
        return since / done * (self._steps - step)
