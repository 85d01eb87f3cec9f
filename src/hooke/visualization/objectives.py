"""What a picture is to raise: values with + - * that turn recorded activations into one score a sample."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.addresses import Address, Edge, Place, Sum
from hooke.errors import AddressError
from hooke.models.model import Model


class Objective(ABC):
    """Something to be raised, never lowered; immutable, so arithmetic gives new objectives."""

    @abstractmethod
    def layers(self) -> frozenset[str]:
        """The layers whose activations `responses` reads."""

    @abstractmethod
    def responses(self, recorded: Mapping[str, Tensor]) -> Float[Tensor, "*places"]:
        """The responses at all places that count, in one sample's activations (layer name to tensor without batch)."""

    def score(self, recorded: Mapping[str, Tensor]) -> Float[Tensor, ""]:
        """The mean response: what is raised."""
        return self.responses(recorded).mean()

    def peak(self, recorded: Mapping[str, Tensor]) -> Float[Tensor, ""]:
        """The largest single response."""
        return self.responses(recorded).amax()

    def __add__(self, other: "Objective") -> "Objective":
        return Weighted(_terms(self) + _terms(other))

    def __mul__(self, factor: float) -> "Objective":
        return Weighted(tuple((weight * factor, part) for weight, part in _terms(self)))

    __rmul__ = __mul__

    def __neg__(self) -> "Objective":
        return self * -1.0

    def __sub__(self, other: "Objective") -> "Objective":
        return self + -other


@dataclass(frozen=True)
class Response(Objective):
    """The response of a channel at all its positions, or of a neuron at its own.

    `index` selects within one sample's activation: one entry an axis, None for all along it.
    """

    layer: str
    index: tuple[int | None, ...]

    def layers(self) -> frozenset[str]:
        return frozenset({self.layer})

    def responses(self, recorded: Mapping[str, Tensor]) -> Float[Tensor, "*places"]:
        activation = recorded[self.layer]
        return activation[tuple(slice(None) if at is None else at for at in self.index)]


@dataclass(frozen=True)
class Energy(Objective):
    """The mean square over a whole layer, or over all channels at a position (DeepDream, Mordvintsev et al. 2015)."""

    part: Response

    def layers(self) -> frozenset[str]:
        return self.part.layers()

    def responses(self, recorded: Mapping[str, Tensor]) -> Float[Tensor, "*places"]:
        return self.part.responses(recorded) ** 2


@dataclass(frozen=True)
class Weighted(Objective):
    """A weighted sum of objectives; the score is the weighted sum of the parts' scores."""

    terms: tuple[tuple[float, Objective], ...]

    def layers(self) -> frozenset[str]:
        return frozenset().union(*(part.layers() for _, part in self.terms))

    def responses(self, recorded: Mapping[str, Tensor]) -> Float[Tensor, "*places"]:
        maps = [weight * part.responses(recorded) for weight, part in self.terms]
        if all(m.shape == maps[0].shape for m in maps):
            return torch.stack(maps).sum(dim=0)
        return torch.stack([m.mean() for m in maps]).sum()


def objective(model: Model, address: Address) -> Objective:
    """The objective of a resolved address: the mean response of a channel or neuron, a layer's energy, or their sum.

    Errors: AddressError for edges and components, which have no single response to raise.
    """
    match address:
        case Sum(terms):
            return Weighted(tuple((weight, objective(model, place)) for weight, place in terms))
        case Place(component=None):
            part = _response(model, address)
            return part if address.channel is not None else Energy(part)
        case _:
            kind = "an edge" if isinstance(address, Edge) else "a component"
            raise AddressError(
                str(address),
                f"{kind} has no response of its own to raise",
                next_step="draw a layer, a channel, a neuron, a logit or a weighted sum of them",
            )


def _response(model: Model, place: Place) -> Response:
    axes = model.layer(place.layer).axes[1:]
    position = place.position if isinstance(place.position, tuple) else (() if place.position is None else (0,))
    spots = iter(position)
    index: list[int | None] = []
    for axis in axes:
        if axis == "channel":
            index.append(place.channel if isinstance(place.channel, int) else None)
        else:
            index.append(next(spots, None))
    return Response(place.layer, tuple(index))


def _terms(part: Objective) -> tuple[tuple[float, Objective], ...]:
    return part.terms if isinstance(part, Weighted) else ((1.0, part),)
