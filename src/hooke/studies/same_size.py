"""Others of the same kind and size: the places of a layer that an edited, or a judged, place is compared with."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from hooke.addresses import Place
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.shapes import Canvas

NEAREST = 40
"""Others are drawn among so many of which there is about as much."""

Held = Mapping[str, Tensor]
"""What layers hold for one input, batch axis first."""


def alike(model: Model, place: Place, held: Held, dice: torch.Generator, taken: Sequence[Place] = ()) -> list[Place]:
    """Other places of the same kind, in random order: of the `NEAREST` in size, and none of those `taken`.

    For a unit other units (at its position, where it has one), for a position other positions, for a group other groups
    of its factorization; none for a whole layer. The size is the L2 norm of what is there.
    """
    found, sizes = _sizes(model, place, held[place.layer])
    if place not in found:
        return []
    away = (sizes - sizes[found.index(place)]).abs()
    free = [at for at in away.argsort(stable=True).tolist() if found[at] != place and found[at] not in taken][:NEAREST]
    return [found[free[at]] for at in torch.randperm(len(free), generator=dice).tolist()]


def exchanges(model: Model, places: Sequence[Place], held: Held, count: int, seed: int) -> list[dict[Place, Place]]:
    """At most `count` draws, each an other place for every place, none twice in a draw; none where a place has none."""
    dice = torch.Generator().manual_seed(seed)
    pools = {place: alike(model, place, held, dice, places) for place in dict.fromkeys(places)}
    most = min(count, max(map(len, pools.values()), default=0))
    draws: list[dict[Place, Place]] = []
    for number in range(most):
        chosen: dict[Place, Place] = {}
        for place, pool in pools.items():
            turned = [pool[(number + at) % len(pool)] for at in range(len(pool))]
            free = [other for other in turned if other not in chosen.values()]
            if not free:
                return []
            chosen[place] = free[0]
        draws.append(chosen)
    return draws


def of_the_same_size(model: Model, canvas: Canvas, places: Sequence[Place], count: int, seed: int) -> list[Place]:
    """Random others to judge places by: at most `count` of each kind and layer, of sizes as the places have."""
    batch = model.modality.normalize(canvas[None]).to(model.device, model.dtype)
    held = activations(model, batch, list(dict.fromkeys(place.layer for place in places)))
    dice = torch.Generator().manual_seed(seed)
    kinds: dict[tuple[str, str], list[Place]] = {}
    for place in places:
        kinds.setdefault((place.layer, kind(place)), []).append(place)
    found: list[Place] = []
    for same in kinds.values():
        pools = [alike(model, place, held, dice, places) for place in same]
        in_turn = (one for row in itertools.zip_longest(*pools) for one in row if one is not None)
        found += list(dict.fromkeys(in_turn))[:count]
    return found


def kind(place: Place) -> str:
    """What a place is one of: group, unit (everywhere), unit here, place or layer."""
    if place.component is not None:
        return "group"
    if place.channel is not None:
        return "unit" if place.position is None else "unit here"
    return "layer" if place.position is None else "place"


def _sizes(model: Model, place: Place, values: Tensor) -> tuple[list[Place], Tensor]:
    """All places of that kind, and how much there is of each."""
    row = model.layer(place.layer)
    if "channel" not in row.axes or row.axes[0] != "batch":
        return [], torch.zeros(0)
    channel = row.axes.index("channel")
    if place.component is not None:
        values = model.grouped(place)[0].amounts(values, channel)
    held = values[0].movedim(channel - 1, 0).float().cpu()
    if place.component is None and place.channel is None:
        if place.position is None:
            return [], torch.zeros(0)
        norms = held.norm(dim=0)
        return [replace(place, position=at) for at in itertools.product(*map(range, norms.shape))], norms.flatten()
    for at in place.position or ():
        held = held[:, int(at)]
    sizes = held.reshape(len(held), -1).norm(dim=1)
    if place.component is not None:
        key = place.component[0]
        return [replace(place, component=(key, number)) for number in range(len(sizes))], sizes
    return [replace(place, channel=number) for number in range(len(sizes))], sizes
