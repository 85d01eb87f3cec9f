"""How the random numbers of a transform are spread."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from hooke.errors import NumericsError


class Spread(ABC):
    """Random numbers, one kind of them."""

    @abstractmethod
    def sample(self, shape: tuple[int, ...], stream: Generator) -> Tensor:
        """Numbers of this shape."""


@dataclass(frozen=True)
class Uniform(Spread):
    """Any number from `low` to `high`, all alike."""

    low: float
    high: float

    def sample(self, shape: tuple[int, ...], stream: Generator) -> Tensor:
        return self.low + (self.high - self.low) * torch.rand(shape, generator=stream)


@dataclass(frozen=True)
class Choice(Spread):
    """One of `values`; what stands there twice is drawn twice as often.

    Errors: NumericsError where there is none.
    """

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise NumericsError("Choice(())", "there is nothing to choose from", next_step="give at least one value")

    def sample(self, shape: tuple[int, ...], stream: Generator) -> Tensor:
        return torch.tensor(self.values)[torch.randint(len(self.values), shape, generator=stream)]


@dataclass(frozen=True)
class Normal(Spread):
    """Gaussian around zero."""

    deviation: float

    def sample(self, shape: tuple[int, ...], stream: Generator) -> Tensor:
        return self.deviation * torch.randn(shape, generator=stream)
