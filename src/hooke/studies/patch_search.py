"""Which units fire in one part of a photograph and not in another: a search over units by a patch of an image."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.errors import AddressError
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.shapes import Canvas
from hooke.studies.semantic_dictionary import by_position, spatial_layer

Part = tuple[float, float, float, float]
"""Left, top, right, bottom of a part of a photograph, each 0 to 1."""


@dataclass(frozen=True)
class Standout:
    """A unit that fires in one part and not in the other: its mean in both, and how far these are apart, in its
    standard deviations over the photograph's positions."""

    layer: str
    channel: int
    inside: float
    outside: float
    score: float


def patch_search(
    model: Model, canvas: Canvas, layers: Sequence[str], inside: Part, outside: Part | None = None, count: int = 12
) -> list[Standout]:
    """The `count` units of the layers that stand out most inside a part of the photograph, most first.

    `outside` None: all the rest. A position that lies in a part in part counts in part. Units that never change over
    the photograph, and those that fire no more inside, are left out. Errors: AddressError for layers without height
    and width, a part that is empty or beyond the photograph, or one that leaves no rest.
    """
    for part in (inside, *(() if outside is None else (outside,))):
        _check(part)
    rows = [spatial_layer(model, name) for name in layers]
    batch = model.modality.normalize(canvas[None]).to(model.device, model.dtype)
    held = activations(model, batch, [row.name for row in rows])
    found: list[Standout] = []
    for row in rows:
        values = by_position(held.pop(row.name), row)
        found += _standing_out(row.name, values, inside, outside, count)
    return sorted(found, key=lambda one: -one.score)[:count]


def overlap(part: Part, rows: int, columns: int) -> Float[Tensor, "row column"]:
    """How much of each position of a grid lies in a part of the photograph: 0 to 1."""
    left, top, right, bottom = part
    down, across = _shares(top, bottom, rows), _shares(left, right, columns)
    return down[:, None] * across


def _standing_out(
    layer: str, values: Float[Tensor, "row column unit"], inside: Part, outside: Part | None, count: int
) -> list[Standout]:
    rows, columns, units = values.shape
    here = overlap(inside, rows, columns)
    there = 1 - here if outside is None else overlap(outside, rows, columns)
    if float(there.sum()) < 1e-6:
        raise AddressError("the rest of the photograph", "the patch leaves none", next_step="draw a smaller patch")
    flat = values.reshape(-1, units).double()
    within, beyond = (_mean(flat, share.reshape(-1).double()) for share in (here, there))
    spread = flat.std(0, correction=0)
    score = ((within - beyond) / spread.clamp(min=1e-12)).where(spread > 1e-9, 0)
    best = torch.sort(score, descending=True, stable=True).indices[:count].tolist()
    return [Standout(layer, at, float(within[at]), float(beyond[at]), float(score[at])) for at in best if score[at] > 0]


def _mean(values: Float[Tensor, "place unit"], shares: Float[Tensor, "place"]) -> Float[Tensor, "unit"]:
    return (shares[:, None] * values).sum(0) / shares.sum()


def _shares(low: float, high: float, count: int) -> Float[Tensor, "place"]:
    edges = torch.arange(count + 1) / count
    return ((edges[1:].clamp(max=high) - edges[:-1].clamp(min=low)).clamp(min=0) * count).clamp(max=1)


def _check(part: Part) -> None:
    left, top, right, bottom = part
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        reason = "it is no part of the photograph: left, top, right, bottom go from 0 to 1"
        raise AddressError(f"the patch {', '.join(f'{side:g}' for side in part)}", reason)
