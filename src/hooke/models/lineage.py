"""What is known of a tensor from how it was made: the roles of its axes, and which input pixels a position sees."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

SPATIAL = ("time", "height", "width")


@dataclass(frozen=True)
class Span:
    """The input pixels that positions along one axis see: position i sees `first + step*i` to `last + step*i`.

    The arithmetic of receptive fields: Araujo, Norris & Sim, "Computing receptive fields of convolutional neural
    networks" (Distill, 2019); where branches meet, the union.
    """

    step: float = 1.0
    first: float = 0.0
    last: float = 0.0

    @property
    def size(self) -> float:
        """How many input pixels one position sees (infinite: all of them)."""
        return self.last - self.first + 1

    def window(self, kernel: float, stride: float = 1.0, offset: float = 0.0) -> "Span":
        """New positions, `stride` of these apart; each sees `kernel` of these, position 0 from `offset` on."""
        first = self.first + self.step * offset
        return Span(self.step * stride, first, self.last + self.step * (offset + kernel - 1))

    def joined(self, other: "Span") -> "Span":
        """Positions that see what either sees."""
        return Span(max(self.step, other.step), min(self.first, other.first), max(self.last, other.last))

    def region(self, position: int) -> tuple[int, int]:
        """The pixels that a position sees: the first, and one past the last (not clipped to the input)."""
        return math.floor(self.first + self.step * position), math.ceil(self.last + self.step * position) + 1


@dataclass(frozen=True)
class Factor:
    """An axis of one role, or a part that a reshape split off: its steps are `inner` elements of `total` apart."""

    role: str
    size: int
    inner: int = 1
    total: int = 0

    @classmethod
    def whole(cls, role: str, size: int) -> "Factor":
        """The whole axis of a role ("" where the role is unknown)."""
        return cls(role, size, 1, size)

    def split(self, outer: int) -> "tuple[Factor, Factor]":
        """The outer part, of the given size, and the inner one."""
        rest = self.size // outer
        return replace(self, size=outer, inner=self.inner * rest), replace(self, size=rest)


Axis = tuple[Factor, ...]


@dataclass(frozen=True)
class Lineage:
    """The axes of a tensor (each a product of factors; none: one element), what its positions see of the input,
    and whether its values come straight from a nonlinearity."""

    axes: tuple[Axis, ...]
    spans: Mapping[str, Span] = field(default_factory=dict)
    activated: bool = False

    @classmethod
    def of_input(cls, shape: Sequence[int], roles: Sequence[str]) -> "Lineage":
        """The lineage of the model's input."""
        axes = tuple((Factor.whole(role, size),) for role, size in zip(roles, shape, strict=True))
        return cls(axes, {role: Span() for role in roles if role in SPATIAL})

    @property
    def roles(self) -> tuple[str, ...]:
        """One name for each axis: batch, channel, height, width, time, token, head; "folded" or "" where none fits."""
        return tuple(_role(axis) for axis in self.axes)

    def along(self, role: str) -> Span:
        """What the positions of the axis of this role see."""
        inner = [
            part.inner for axis in self.axes if _role(axis) in (role, "token") for part in axis if part.role == role
        ]
        return self.spans[role].window(max(inner, default=1), max(inner, default=1))

    def everywhere(self) -> "Lineage":
        """The same axes, each position seeing the whole input."""
        spans = {role: Span(span.step, -math.inf, math.inf) for role, span in self.spans.items()}
        return replace(self, spans=spans, activated=False)

    def unknown(self, shape: Sequence[int]) -> "Lineage":
        """A tensor of this shape that came from this one by unknown ways."""
        return replace(self.everywhere(), axes=tuple((Factor.whole("", size),) for size in shape))

    def joined(self, others: "Iterable[Lineage]") -> "Lineage":
        """The same axes, each position seeing what it sees here or in one of the others."""
        spans = dict(self.spans)
        for other in others:
            for role, span in other.spans.items():
                spans[role] = spans[role].joined(span) if role in spans else span
        return replace(self, spans=spans, activated=False)

    def with_axis(self, at: int, size: int, role: str, span: Span | None = None) -> "Lineage":
        """One axis replaced by a whole one, of another size or role; `span` is what its positions see."""
        settled = {part.role: self.along(part.role) for part in self.axes[at] if part.role in self.spans}
        spans = {**self.spans, **settled, **({role: span} if span else {})}
        axes = [*self.axes]
        axes[at] = (Factor.whole(role, size),)
        return replace(self, axes=tuple(axes), spans=spans, activated=False)

    def permuted(self, order: Sequence[int]) -> "Lineage":
        """The axes in another order."""
        return replace(self, axes=tuple(self.axes[at] for at in order))

    def reshaped(self, shape: Sequence[int]) -> "Lineage":
        """The same elements in another shape: factors split and merge; unknown axes where they do not fit."""
        rest = [part for axis in self.axes for part in axis]
        axes: list[Axis] = []
        for size in shape:
            taken: list[Factor] = []
            if size == 1 and rest and rest[0].size == 1:
                taken.append(rest.pop(0))
            while math.prod(part.size for part in taken) < size and rest:
                part, wanted = rest.pop(0), size // math.prod(part.size for part in taken)
                if part.size > wanted and part.size % wanted == 0:
                    part, inner = part.split(wanted)
                    rest.insert(0, inner)
                if part.size > 1:
                    taken.append(part)
            if math.prod(part.size for part in taken) != size:
                return self.unknown(shape)
            axes.append(_merged(taken))
        return replace(self, axes=tuple(axes))

    def mixes(self, axes: Iterable[int]) -> bool:
        """Whether an operation over these axes mixes positions."""
        return any(part.role not in ("batch", "channel") and part.size > 1 for at in axes for part in self.axes[at])


def broadcast(lineages: Sequence[Lineage], shape: Sequence[int]) -> Lineage:
    """The lineage of an elementwise operation: axes aligned from the right, spans joined."""
    axes: list[Axis] = []
    for back in range(len(shape), 0, -1):
        fitting = [
            lineage.axes[-back]
            for lineage in lineages
            if back <= len(lineage.axes) and math.prod(part.size for part in lineage.axes[-back]) == shape[-back]
        ]
        known = [axis for axis in fitting if _role(axis)] + fitting
        axes.append(known[0] if known else (Factor.whole("", shape[-back]),))
    return replace(lineages[0], axes=tuple(axes)).joined(lineages[1:])


def _merged(parts: Sequence[Factor]) -> Axis:
    """Neighbours that were split from one another become one again."""
    merged: list[Factor] = []
    for part in parts:
        last = merged[-1] if merged else None
        if last and last.role == part.role and last.total == part.total and last.inner == part.inner * part.size:
            merged[-1] = replace(part, size=last.size * part.size)
        else:
            merged.append(part)
    return tuple(merged)


def _role(axis: Axis) -> str:
    roles = {part.role for part in axis}
    if not roles or "" in roles:
        return ""
    if "batch" in roles:
        return "batch" if roles == {"batch"} and _complete(axis) else "folded"
    if "channel" in roles:
        return "channel" if len(roles) > 1 or any(part.inner == 1 for part in axis) else "head"
    if not _complete(axis):
        return ""
    return roles.pop() if len(roles) == 1 else "token"


def _complete(axis: Axis) -> bool:
    """Whether the axis runs over all positions of its roles (perhaps in steps of patches)."""
    for role in {part.role for part in axis}:
        parts = [part for part in axis if part.role == role]
        if math.prod(part.size for part in parts) * min(part.inner for part in parts) != parts[0].total:
            return False
    return True
