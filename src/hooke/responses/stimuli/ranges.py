"""Ranges: which values a stimulus' parameter takes, in which unit, and how to step through and draw from them."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.errors import StimulusError

Numbers = Float[Tensor, "value"]


class Range(ABC):
    """The values of one parameter. `unit` is what it is measured in, `period` where it comes round again (or None)."""

    unit: str

    @property
    def period(self) -> float | None:
        """Where the values begin again, for circular ranges."""
        return None

    @property
    def varies(self) -> bool:
        """Whether there is more than one value."""
        return True

    @property
    def width_unit(self) -> str:
        """What differences of `coordinates` are measured in."""
        return self.unit

    @abstractmethod
    def at(self, share: Numbers) -> Numbers:
        """The values at these shares (0 to below 1) of the range."""

    @abstractmethod
    def grid(self, steps: int) -> Numbers:
        """At most `steps` values, evenly spaced over the range."""

    def coordinates(self, values: Numbers) -> Numbers:
        """The values on the scale on which the grid is even."""
        return values

    def text(self, value: float) -> str:
        """One value as words."""
        return f"{value:.3g}{self.unit if self.unit == '°' else ' ' * bool(self.unit) + self.unit}"


@dataclass(frozen=True)
class Circular(Range):
    """Every value from 0 to below `turn`, after which it begins again: degrees as a rule."""

    turn: float
    unit: str = "°"

    def __post_init__(self) -> None:
        if not 0 < self.turn < math.inf:
            raise StimulusError(f"{self}", "a circular range needs a turn above 0")

    @property
    def period(self) -> float | None:
        return self.turn

    def at(self, share: Numbers) -> Numbers:
        return share * self.turn

    def grid(self, steps: int) -> Numbers:
        return torch.arange(steps) / steps * self.turn


@dataclass(frozen=True)
class Linear(Range):
    """Every value from `low` to `high`."""

    low: float
    high: float
    unit: str = ""

    def __post_init__(self) -> None:
        if not -math.inf < self.low < self.high < math.inf:
            raise StimulusError(f"{self}", "low must be below high", next_step="Fixed(value) is a single value")

    def at(self, share: Numbers) -> Numbers:
        return self.low + share * (self.high - self.low)

    def grid(self, steps: int) -> Numbers:
        return torch.linspace(self.low, self.high, steps)


@dataclass(frozen=True)
class Logarithmic(Range):
    """Every value from `low` to `high`, even in ratios; differences are octaves."""

    low: float
    high: float
    unit: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high < math.inf:
            raise StimulusError(f"{self}", "it takes 0 < low < high", next_step="Fixed(value) is a single value")

    @property
    def width_unit(self) -> str:
        return "octaves"

    def at(self, share: Numbers) -> Numbers:
        return self.low * (self.high / self.low) ** share

    def grid(self, steps: int) -> Numbers:
        return self.at(torch.linspace(0, 1, steps))

    def coordinates(self, values: Numbers) -> Numbers:
        return values.log2()


@dataclass(frozen=True)
class Choice(Range):
    """One of several names; its values are their indices."""

    names: tuple[str, ...]
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.names:
            raise StimulusError("Choice(())", "it needs a name to choose")

    @property
    def varies(self) -> bool:
        return len(self.names) > 1

    def at(self, share: Numbers) -> Numbers:
        return (share * len(self.names)).floor()

    def grid(self, steps: int) -> Numbers:
        """All of them, whatever `steps`: names have no order that could be thinned."""
        return torch.arange(len(self.names)).float()

    def text(self, value: float) -> str:
        return self.names[int(value)]


@dataclass(frozen=True)
class Fixed(Range):
    """One value that never varies."""

    value: float
    unit: str = ""

    @property
    def varies(self) -> bool:
        return False

    def at(self, share: Numbers) -> Numbers:
        return torch.full_like(share, self.value)

    def grid(self, steps: int) -> Numbers:
        return torch.tensor([float(self.value)])
