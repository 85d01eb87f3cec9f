"""Objectives and penalties by name, for the command line: what each needs, and how it is made."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from hooke.addresses import Address, Place, places
from hooke.errors import HookeError, NumericsError
from hooke.models.model import Model
from hooke.numeric.fixed import Fixed
from hooke.shapes import Canvas
from hooke.visualization.objectives.batchnorm import batchnorm_prior
from hooke.visualization.objectives.directions import Direction
from hooke.visualization.objectives.distribution import matching, most_natural
from hooke.visualization.objectives.facets import facet
from hooke.visualization.objectives.groups import Alignment, Diversity, Interpolation
from hooke.visualization.objectives.matching import accentuation, caricature, channel_axis, inversion
from hooke.visualization.objectives.objective import Objective
from hooke.visualization.objectives.penalties import L1, L2, Blur, Boundary, Opacity, TotalVariation
from hooke.visualization.objectives.style import style
from hooke.visualization.objectives.units import objective


@dataclass(frozen=True, eq=False)
class Material:
    """What objectives may need besides an address: photographs and others to tell them from, layers to look at,
    another unit, a vector, how many pictures, and how much a second term counts."""

    photographs: Iterable[Canvas] = ()
    others: Iterable[Canvas] = ()
    layers: tuple[str, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    to: str | None = None
    vector: Tensor | None = None

    @property
    def count(self) -> int:
        return int(self.numbers.get("count", 4))

    def strength(self, usual: float) -> float:
        return self.numbers.get("strength", usual)


Maker = Callable[[Model, Address, Material], Objective]


def named(model: Model, name: str, address: str | Address, material: Material) -> Objective:
    """The objective of that name at an address. Errors: HookeError for an unknown name or missing material."""
    if name not in OBJECTIVES:
        raise HookeError(f"objective {name!r}", "there is none of this name", choices=list(OBJECTIVES))
    return OBJECTIVES[name](model, model.resolve(address), material)


def penalized(model: Model, unit: Objective, penalties: Mapping[str, float]) -> Objective:
    """An objective less weighted penalties. Errors: HookeError for an unknown penalty."""
    total = unit
    for name, weight in penalties.items():
        if name == "batchnorm":
            total = total - weight * batchnorm_prior(model, unit)
        elif name in PENALTIES:
            total = total - weight * PENALTIES[name]()
        else:
            raise HookeError(f"penalty {name!r}", "there is none of this name", choices=[*PENALTIES, "batchnorm"])
    return total


def _direction(model: Model, address: Address, material: Material) -> Objective:
    layer = _layer(address, "a direction")
    if material.vector is None:
        raise _lacking("direction", "a vector", "--vector FILE.npy")
    axis = channel_axis(model, layer) if material.vector.ndim == 1 else 0
    return Direction(layer, Fixed(material.vector), material.strength(2.0), axis)


def _diversity(model: Model, address: Address, material: Material) -> Objective:
    layer = material.layers[0] if material.layers else places(address)[0].layer
    axis = channel_axis(model, layer)
    return objective(model, address) + material.strength(4.0) * Diversity(layer, material.count, axis)


def _interpolation(model: Model, address: Address, material: Material) -> Objective:
    if material.to is None:
        raise _lacking("interpolation", "another unit", "--to ADDRESS")
    way = Interpolation(objective(model, address), objective(model, material.to), material.count)
    layer = material.layers[0] if material.layers else places(address)[0].layer
    return way + material.strength(1.0) * Alignment(layer, material.count)


def _accentuation(model: Model, address: Address, material: Material) -> Objective:
    layer = material.layers[0] if material.layers else places(address)[0].layer
    canvas = _photograph("accentuation", material)
    return accentuation(objective(model, address), model, layer, canvas, material.strength(10.0))


def _matching(model: Model, address: Address, material: Material) -> Objective:
    unit = objective(model, address)
    _photograph("matching", material)
    naturals = most_natural(unit, model, material.photographs, material.count)
    layers = material.layers or spread(model, unit)
    return unit + material.strength(20.0) * matching(model, layers, naturals)


def _facet(model: Model, address: Address, material: Material) -> Objective:
    _photograph("facet", material)
    others = list(material.others)
    if not others or not material.layers:
        raise _lacking("facet", "other photographs, and a layer", "--of THESE --against THOSE --at LAYER")
    these, those = torch.stack(list(material.photographs)), torch.stack(others)
    unit = objective(model, address)
    return facet(unit, model, material.layers[0], these, those, material.strength(1.0))


def _style(model: Model, address: Address, material: Material) -> Objective:
    layers = [place.layer for place in places(address)]
    return style(model, layers, _photograph("style", material))


def spread(model: Model, unit: Objective, count: int = 4) -> tuple[str, ...]:
    """Activation layers with positions, evenly spread over the depth before a unit."""
    order = [layer.name for layer in model.layers]
    deepest = max((order.index(layer) for layer in unit.layers()), default=len(order))
    found = [
        layer.name for layer in model.layers.activations
        if order.index(layer.name) <= deepest and layer.height is not None and layer.height > 1
    ]  # fmt: skip
    if not found:
        raise NumericsError(str(unit), "no activation layer with positions comes before it", next_step="name layers")
    count = min(count, len(found))
    return tuple(found[(place * 2 + 1) * len(found) // (2 * count)] for place in range(count))


def _photograph(name: str, material: Material) -> Canvas:
    first = next(iter(material.photographs), None)
    if first is None:
        raise _lacking(name, "a photograph", "--of FILE")
    return first


def _layer(address: Address, what: str) -> str:
    if not isinstance(address, Place) or address.channel is not None or address.position is not None:
        raise HookeError(f"{what} of {address}", "it is of a whole layer", next_step="give the layer's name only")
    return address.layer


def _lacking(name: str, what: str, option: str) -> HookeError:
    return HookeError(f"objective {name}", f"it needs {what}", next_step=f"give {option}")


def _of_photograph(make: Callable[[Model, str, Canvas], Objective], name: str) -> Maker:
    return lambda model, address, material: make(model, _layer(address, name), _photograph(name, material))


OBJECTIVES: Mapping[str, Maker] = {
    "response": lambda model, address, material: objective(model, address),
    "direction": _direction,
    "inversion": _of_photograph(inversion, "inversion"),
    "caricature": _of_photograph(caricature, "caricature"),
    "style": _style,
    "accentuation": _accentuation,
    "diversity": _diversity,
    "interpolation": _interpolation,
    "facet": _facet,
    "matching": _matching,
}
"""How each objective is made of an address and its material."""

PENALTIES: Mapping[str, Callable[[], Objective]] = {
    "l1": L1, "l2": L2, "tv": TotalVariation, "blur": Blur, "boundary": Boundary, "alpha": Opacity,
}  # fmt: skip
"""Penalties by name; `batchnorm`, which needs the model, besides."""
