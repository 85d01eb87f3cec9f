"""Controls of an edit: the same made on other units, drawn at random or among those that are as active."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.addresses import Place, Sum, weighted
from hooke.models.editing.edit import Edit
from hooke.models.editing.kinds import ProjectOut, Steer, Within
from hooke.models.editing.placing import direction
from hooke.models.editing.splice import Splice
from hooke.models.model import Model

NEAREST = 10
"""An activation-matched unit is drawn among so many whose mean activations are nearest."""

Activity = Mapping[str, Float[Tensor, "channel"]]


def channels_of(model: Model, edits: Sequence[Edit]) -> dict[str, tuple[int, ...]]:
    """The channels that edits name, for each layer; empty where one of them has no such control.

    A layer or position as a whole, a group, a splice, or a direction over all channels of a layer has none.
    """
    found: dict[str, dict[int, None]] = {}
    for edit in edits:
        inner = edit.edit if isinstance(edit, Within) else edit
        address = model.resolve(edit.address)
        if isinstance(inner, Splice) or not isinstance(address, Place | Sum):
            return {}
        if isinstance(inner, Steer | ProjectOut):
            assert isinstance(address, Place)
            weights = direction(model, inner.direction, address.layer)
            terms = [Place(address.layer, at) for at in weights.nonzero().flatten().tolist()]
            if 2 * len(terms) > len(weights):
                return {}
        else:
            terms = [place for _, place in address.terms] if isinstance(address, Sum) else [address]
        for place in terms:
            if not isinstance(place.channel, int):
                return {}
            found.setdefault(place.layer, {})[place.channel] = None
    return {layer: tuple(channels) for layer, channels in found.items()}


def drawn(model: Model, edits: Sequence[Edit], dice: torch.Generator, activity: Activity | None = None) -> list[Edit]:
    """The edits with other units in place of theirs: each unit by one that is not edited, none twice.

    With `activity` (each channel's mean) a unit is drawn among the `NEAREST` whose activity is nearest.
    """
    maps: dict[str, dict[int, int]] = {}
    for layer, channels in channels_of(model, edits).items():
        count = model.layer(layer).channels or 0
        order = [channels[at] for at in torch.randperm(len(channels), generator=dice).tolist()]
        maps[layer] = _others(order, count, dice, None if activity is None else activity[layer])

    def other(place: Place) -> Place:
        assert isinstance(place.channel, int)
        return dataclasses.replace(place, channel=maps[place.layer][place.channel])

    def turned(layer: str, weights: Tensor) -> Tensor:
        moved = torch.zeros_like(weights)
        for channel in weights.nonzero().flatten().tolist():
            moved[maps[layer][channel]] = weights[channel]
        return moved

    return [elsewhere(model, edit, other, turned) for edit in edits]


def elsewhere(
    model: Model, edit: Edit, other: Callable[[Place], Place], turned: Callable[[str, Tensor], Tensor]
) -> Edit:
    """The edit made at other places; where it is along a direction of a layer, along that turned."""
    if isinstance(edit, Within):
        return dataclasses.replace(edit, edit=elsewhere(model, edit.edit, other, turned))
    address = model.resolve(edit.address)
    if isinstance(edit, Steer | ProjectOut):
        assert isinstance(address, Place)
        weights = direction(model, edit.direction, address.layer)
        return dataclasses.replace(edit, direction=turned(address.layer, weights))
    assert isinstance(address, Place | Sum)
    terms = address.terms if isinstance(address, Sum) else ((1.0, address),)
    return dataclasses.replace(edit, address=weighted((weight, other(place)) for weight, place in terms))  # type: ignore[type-var]


def others(
    channels: Sequence[int], count: int, dice: torch.Generator, activity: Float[Tensor, "channel"] | None = None
) -> list[int]:
    """As many other channels of `count`; matched in activity where it is given."""
    return list(_others(list(channels), count, dice, activity).values())


def _others(
    order: Sequence[int], count: int, dice: torch.Generator, activity: Float[Tensor, "channel"] | None
) -> dict[int, int]:
    free = torch.ones(count, dtype=torch.bool)
    free[list(order)] = False
    if int(free.sum()) < len(order):
        free[:] = True  # most are edited: units are exchanged
    found: dict[int, int] = {}
    for channel in order:
        pool = free.nonzero().flatten()
        if activity is not None:
            near = (activity[pool] - activity[channel]).abs().argsort()[:NEAREST]
            pool = pool[near]
        found[channel] = int(pool[torch.randint(len(pool), (1,), generator=dice)])
        free[found[channel]] = False
    return found
