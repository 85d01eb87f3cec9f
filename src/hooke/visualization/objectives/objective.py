"""What a picture is to raise: values with + - * that turn recorded activations into one score a picture."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from numbers import Real
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.errors import NumericsError
from hooke.shapes import Scores

CANVAS = ""
"""The name under which a recording holds the picture itself (values 0 to 1, unmoved); no layer has an empty name."""

Recorded: TypeAlias = Mapping[str, Tensor]
"""One picture's activations: layer name to tensor without batch; and, under `CANVAS`, the picture."""

Score: TypeAlias = Float[Tensor, ""]


class Sample(dict[str, Tensor]):
    """One picture's part of what was recorded for a whole batch: the `index`-th of `whole`."""

    def __init__(self, parts: Recorded, whole: dict[str, Tensor], index: int) -> None:
        super().__init__(parts)
        self.whole, self.index = whole, index


def once(recorded: Recorded, name: str, make: Callable[[Recorded], Tensor]) -> Tensor:
    """One picture's entry of what `make` makes of a batch, which is made once for all pictures recorded together."""
    if not isinstance(recorded, Sample):
        return make({layer: activation[None] for layer, activation in recorded.items()})[0]
    if name not in recorded.whole:
        recorded.whole[name] = make(recorded.whole)
    return recorded.whole[name][recorded.index]


class Objective(ABC):
    """Something to be raised, never lowered; immutable, so arithmetic gives new objectives."""

    @property
    def pictures(self) -> int:
        """How many pictures are drawn together and scored as a group; a group never straddles batches."""
        return 1

    @property
    def placed(self) -> bool:
        """Whether it speaks of positions, so that a picture has to have the model's own input size."""
        return False

    @property
    def unit(self) -> bool:
        """Whether its responses are a unit's, so that they count for the peak; a penalty's are not."""
        return True

    @abstractmethod
    def layers(self) -> frozenset[str]:
        """The layers whose activations `responses` reads."""

    @abstractmethod
    def responses(self, recorded: Recorded) -> Float[Tensor, "*places"]:
        """The responses at all places that count, in one picture's activations."""

    def score(self, recorded: Recorded) -> Score:
        """The mean response: what is raised."""
        return self.responses(recorded).mean()

    def peak(self, recorded: Recorded) -> Score:
        """The largest single response."""
        return self.responses(recorded).amax()

    def scores(self, group: Sequence[Recorded]) -> Scores:
        """The score of each of the pictures that are drawn together; their sum is what is raised."""
        return torch.stack([self.score(recorded) for recorded in group])

    def __str__(self) -> str:
        values = (getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__.lower()}({', '.join(map(_text, values))})"

    def __add__(self, other: "Objective | float") -> "Objective":
        if isinstance(other, Objective):
            return Weighted(_terms(self) + _terms(other))
        return Weighted((*_terms(self), (1.0, Constant(float(other))))) if _real(other) else NotImplemented

    __radd__ = __add__

    def __mul__(self, factor: "Objective | float") -> "Objective":
        if isinstance(factor, Objective):
            return Product(self, factor)
        if not _real(factor):
            return NotImplemented
        return Weighted(tuple((weight * float(factor), part) for weight, part in _terms(self)))

    def __rmul__(self, factor: float) -> "Objective":
        return self * factor

    def __neg__(self) -> "Objective":
        return self * -1.0

    def __sub__(self, other: "Objective | float") -> "Objective":
        return self + -other

    def __rsub__(self, other: float) -> "Objective":
        return -self + other


@dataclass(frozen=True)
class Constant(Objective):
    """A number, for sums and products with others: `1 - Opacity()`."""

    value: float

    @property
    def unit(self) -> bool:
        return False

    def layers(self) -> frozenset[str]:
        return frozenset()

    def responses(self, recorded: Recorded) -> Float[Tensor, "*places"]:
        example = next(iter(recorded.values()), torch.zeros(()))
        return example.new_tensor(self.value)

    def __str__(self) -> str:
        return f"{self.value:g}"


@dataclass(frozen=True)
class LayerDistance(Objective):
    """How far one layer is from what it is wanted to hold: no unit's response, and something to subtract."""

    layer: str

    @property
    def unit(self) -> bool:
        return False

    def layers(self) -> frozenset[str]:
        return frozenset({self.layer})


@dataclass(frozen=True)
class Weighted(Objective):
    """A weighted sum of objectives; the score is the weighted sum of the parts' scores.

    Where a part wants several pictures, the other parts are of each of them.
    """

    terms: tuple[tuple[float, Objective], ...]

    def __post_init__(self) -> None:
        _pictures([part for _, part in self.terms])

    @property
    def pictures(self) -> int:
        return _pictures([part for _, part in self.terms])

    @property
    def placed(self) -> bool:
        return any(part.placed for _, part in self.terms)

    @property
    def unit(self) -> bool:
        return any(part.unit for _, part in self.terms)

    def layers(self) -> frozenset[str]:
        return frozenset().union(*(part.layers() for _, part in self.terms))

    def responses(self, recorded: Recorded) -> Float[Tensor, "*places"]:
        return _summed(self.terms, recorded)

    def peak(self, recorded: Recorded) -> Score:
        units = [(weight, part) for weight, part in self.terms if part.unit] or self.terms
        return _summed(units, recorded).amax()

    def scores(self, group: Sequence[Recorded]) -> Scores:
        if self.pictures == 1:
            return super().scores(group)
        return torch.stack([weight * part.scores(group) for weight, part in self.terms]).sum(dim=0)

    def __str__(self) -> str:
        text = ""
        for weight, part in self.terms:
            sign = "-" if weight < 0 else "+"
            text += f" {sign} " if text else sign.strip("+")
            text += str(part) if abs(weight) == 1 else f"{abs(weight):g}*{part}"
        return text


@dataclass(frozen=True)
class Product(Objective):
    """The product of two objectives' scores: a response that counts for less where a penalty is high."""

    first: Objective
    second: Objective

    def __post_init__(self) -> None:
        _pictures([self.first, self.second])

    @property
    def pictures(self) -> int:
        return _pictures([self.first, self.second])

    @property
    def placed(self) -> bool:
        return self.first.placed or self.second.placed

    @property
    def unit(self) -> bool:
        return self.first.unit or self.second.unit

    def layers(self) -> frozenset[str]:
        return self.first.layers() | self.second.layers()

    def responses(self, recorded: Recorded) -> Float[Tensor, "*places"]:
        return self.first.score(recorded) * self.second.score(recorded)

    def peak(self, recorded: Recorded) -> Score:
        units = [part for part in (self.first, self.second) if part.unit]
        return units[0].peak(recorded) if len(units) == 1 else self.responses(recorded)

    def scores(self, group: Sequence[Recorded]) -> Scores:
        return self.first.scores(group) * self.second.scores(group)

    def __str__(self) -> str:
        return f"({self.first}) * ({self.second})"


def group(parts: Sequence[Objective]) -> Objective:
    """The mean of several objectives: units that are to fire together."""
    if not parts:
        raise NumericsError("a group of objectives", "it is empty", next_step="give one objective at least")
    return sum(parts[1:], parts[0]) * (1 / len(parts))


def combinations(*lists: Sequence[Objective]) -> list[Objective]:
    """The sum of one objective from each list, for every way to choose them; the last list varies fastest."""
    return [sum(chosen[1:], chosen[0]) for chosen in product(*lists) if chosen]


def _summed(terms: Sequence[tuple[float, Objective]], recorded: Recorded) -> Float[Tensor, "*places"]:
    maps = [weight * part.responses(recorded) for weight, part in terms]
    if all(m.shape == maps[0].shape for m in maps):
        return torch.stack(maps).sum(dim=0)
    return torch.stack([m.mean() for m in maps]).sum()


def _pictures(parts: Sequence[Objective]) -> int:
    """How many pictures all the parts want; one is any number."""
    wanted = {part.pictures for part in parts} - {1}
    if len(wanted) > 1:
        numbers = " and ".join(map(str, sorted(wanted)))
        raise NumericsError(
            " and ".join(map(str, parts)), f"they are of {numbers} pictures", next_step="give all the same number"
        )
    return next(iter(wanted), 1)


def _terms(part: Objective) -> tuple[tuple[float, Objective], ...]:
    return part.terms if isinstance(part, Weighted) else ((1.0, part),)


def _real(value: object) -> bool:
    return isinstance(value, Real)


def _text(value: object) -> str:
    """A field as it is written in the text of an objective."""
    if isinstance(value, tuple):
        return ", ".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
