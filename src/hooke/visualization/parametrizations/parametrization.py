"""How a picture is made from the numbers that are optimized."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from hooke.errors import NumericsError
from hooke.numeric.spectra import colour_matrix
from hooke.shapes import Canvases

Parameters = Float[Tensor, "batch *parameters"]
Wider = Float[Tensor, "batch *wider"]
"""The parameters of larger canvases."""

Kind = TypeVar("Kind", bound="Parametrization")

Mixing = Float[Tensor, "channel channel"]


class Parametrization(ABC):
    """How a picture is made from the numbers that are optimized."""

    @property
    def size(self) -> int | None:
        """Side of the square canvas in pixels; None: chosen for the model and the unit."""
        return next((part.size for part in self.within() if part.size is not None), None)

    @property
    def steps(self) -> int:
        """How many steps of the optimization it wants."""
        return max((part.steps for part in self.within()), default=128)

    @property
    def coupled(self) -> bool:
        """Whether a picture depends on the others of its batch."""
        return any(part.coupled for part in self.within())

    @property
    def transparent(self) -> bool:
        """Whether the canvases have, after their colours, a channel that says how opaque each pixel is."""
        return False

    @property
    def grows(self) -> bool:
        """Whether a picture can begin on a smaller canvas, and be `grown`."""
        return False

    def grown(self, parameters: Parameters, start: Wider) -> Wider:
        """Those of the same pictures in the middle of a larger canvas; what is around them is of its `start`.

        NumericsError where it does not grow.
        """
        name = type(self).__name__
        raise NumericsError(
            f"a larger canvas for {name}", "it has no way to grow", next_step=f"{name}.grown says how, or coarse=0"
        )

    def sized(self: Kind, side: int) -> Kind:
        """The same for canvases of `side` pixels, and so all that is within it."""
        whole: Any = self
        changes: dict[str, Any] = {}
        for entry in fields(whole):
            value = getattr(whole, entry.name)
            if entry.name == "size":
                changes["size"] = side
            elif isinstance(value, Parametrization):
                changes[entry.name] = value.sized(side)
            elif isinstance(value, tuple):
                changes[entry.name] = tuple(part.sized(side) for part in value)
        return replace(whole, **changes)  # type: ignore[no-any-return]

    def within(self) -> "tuple[Parametrization, ...]":
        """The parametrizations that this one is made of."""
        whole: Any = self
        values = [getattr(whole, entry.name) for entry in fields(whole)]
        found = [part for value in values for part in (value if isinstance(value, tuple) else (value,))]
        return tuple(part for part in found if isinstance(part, Parametrization))

    @abstractmethod
    def start(self, side: int, channels: int, streams: Sequence[Generator]) -> Parameters:
        """The first parameters, each sample drawn from its own stream."""

    @abstractmethod
    def render(self, parameters: Parameters) -> Canvases:
        """The pictures that the parameters stand for, values 0 to 1; differentiable."""


class Unbounded(Parametrization):
    """A parametrization whose pictures are any real numbers, of independent colours, before they are squashed."""

    @abstractmethod
    def values(self, parameters: Parameters, mixing: Mixing) -> Canvases:
        """The pictures before the sigmoid, their independent colours mixed by `mixing`; differentiable."""

    def channels(self, parameters: Parameters) -> int:
        """How many channels the pictures of these parameters have."""
        return parameters.shape[1]

    def render(self, parameters: Parameters) -> Canvases:
        return torch.sigmoid(self.values(parameters, usual_colours(self.channels(parameters)).to(parameters)))


@dataclass(frozen=True)
class Recoloured(Unbounded):
    """Another parametrization in other colours: the numbers are those of `part`, and so is how they grow."""

    part: Unbounded

    def channels(self, parameters: Parameters) -> int:
        return self.part.channels(parameters)

    @property
    def grows(self) -> bool:
        return self.part.grows

    def grown(self, parameters: Parameters, start: Wider) -> Wider:
        return self.part.grown(parameters, start)

    def start(self, side: int, channels: int, streams: Sequence[Generator]) -> Parameters:
        return self.part.start(side, channels, streams)


class Planes(Unbounded):
    """An unbounded parametrization of one array of numbers for each channel, which start as normal noise."""

    contrast: float

    @abstractmethod
    def shape(self, side: int) -> tuple[int, ...]:
        """The shape of one channel's parameters."""

    def start(self, side: int, channels: int, streams: Sequence[Generator]) -> Parameters:
        shape = (channels, *self.shape(side))
        return self.contrast * torch.stack([torch.randn(shape, generator=stream) for stream in streams])


def usual_colours(channels: int) -> Mixing:
    """The colours of photographs for three channels, which are taken for RGB; any other number is left uncorrelated."""
    return colour_matrix() if channels == 3 else torch.eye(channels)


def around(pictures: Float[Tensor, "batch channel own own"], side: int) -> Float[Tensor, "batch channel side side"]:
    """Pictures in the middle of canvases of `side` pixels, a multiple of theirs, and again and again around it."""
    own = pictures.shape[2]
    times, first = side // own, (side - own) // 2
    return pictures.repeat(1, 1, times, times).roll((first, first), (2, 3))
