"""The units before and after one unit, by the weights between them, with how far these can be trusted."""

import warnings
from collections.abc import Callable

import torch

from hooke.addresses import Place, parse
from hooke.circuits.trust import Check
from hooke.circuits.weights import Neighbour, Weights, weights
from hooke.errors import AddressError, LinearityWarning
from hooke.models.model import Model
from hooke.server.wire_units import NeighbourView, WeightsView

NEAR = 6
"""Layers on one side between which can be chosen."""
EACH = 6
LARGEST = 16
"""Sides of a tile at most; larger ones are averaged."""
BEFORE = Check(sources=32, targets=1, inputs=4, resamples=200)
AFTER = Check(sources=1, targets=64, inputs=4, resamples=200)


def neighbours(
    model: Model, place: Place, after: bool, other: str, report: Callable[[int, int], None]
) -> WeightsView:  # fmt: skip
    """The strongest neighbours in `other`, or in the nearest layer with more than one; AddressError where none is."""
    near = beside(model, place.layer, after)
    if not near:
        side = "after" if after else "before"
        raise AddressError(f"the units {side} {place}", "no layer with channels lies there")
    order = [other] if other else near
    best: Weights | None = None
    refusal: AddressError | None = None
    for at, name in enumerate(order):
        report(at, len(order) + 1)
        try:
            found = _read(model, place, name, after, None)
        except AddressError as error:
            refusal = error
            continue
        if best is None or connected(found) > connected(best):
            best = found
        if connected(best) > 1:
            break
    if best is None:
        assert refusal is not None
        raise refusal
    report(len(order), len(order) + 1)
    name = best.target if after else best.source
    return _view(_read(model, place, name, after, AFTER if after else BEFORE), near, after)


def beside(model: Model, layer: str, after: bool) -> list[str]:
    """The nearest nonlinearities on one side, nearest first; the input and the logits where there are few."""
    rows = [row for row in model.layers.addressable if row.channels is not None]
    at = next(number for number, row in enumerate(rows) if row.name == layer)
    side = rows[at + 1 :] if after else rows[:at][::-1]
    own = [row.name for row in side if row.activation][:NEAR]
    return own if len(own) == NEAR else list(dict.fromkeys([*own, *(row.name for row in side[-1:])]))


def connected(found: Weights) -> int:
    """How many neighbours have any weight at all."""
    return int((found.strength > 1e-9).sum())


def _read(model: Model, place: Place, name: str, after: bool, check: Check | None) -> Weights:
    ends = (str(place), name) if after else (name, str(place))
    with warnings.catch_warnings():  # the trust is shown beside the weights
        warnings.simplefilter("ignore", LinearityWarning)
        return weights(model, *ends, check=check)


def _view(found: Weights, near: list[str], after: bool) -> WeightsView:
    up, down = found.after(found.sources[0], EACH) if after else found.before(found.targets[0], EACH)
    excite, inhibit = ([_neighbour(found, one, after) for one in side] for side in (up, down))
    values = [abs(value) for one in (*excite, *inhibit) for value in one.tile]
    height, width = (min(side, LARGEST) for side in found.values.shape[2:])
    rated = found.trust
    told = None if rated is None or rated.correlation != rated.correlation else rated
    return WeightsView(
        layer=found.target if after else found.source, after=after, layers=near, height=height, width=width,
        peak=max(values, default=0.0), excite=excite, inhibit=inhibit, connected=connected(found),
        of=len(found.targets if after else found.sources), assumptions=found.assumptions,
        measured=told.measured if told else "",
        trust=told.correlation if told else None, low=told.low if told else None, high=told.high if told else None,
    )  # fmt: skip


def _neighbour(found: Weights, one: Neighbour, after: bool) -> NeighbourView:
    at = (found.targets.index(one.unit), 0) if after else (0, found.sources.index(one.unit))
    tile = found.values[at]
    if max(tile.shape) > LARGEST:
        height, width = (min(side, LARGEST) for side in tile.shape)
        tile = torch.nn.functional.adaptive_avg_pool2d(tile[None, None], (height, width))[0, 0]
    place = parse(one.unit)
    assert isinstance(place, Place)
    assert isinstance(place.channel, int)
    return NeighbourView(
        layer=place.layer, channel=place.channel, excitation=one.excitation, inhibition=one.inhibition,
        tile=tile.flatten().tolist(),
    )  # fmt: skip
