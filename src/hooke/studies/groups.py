"""Groups of neurons over one photograph: a layer in a few maps, each with its effect on the classes and an address.

Olah, Satyanarayan, Johnson, Carter, Schubert, Ye, Mordvintsev, "The Building Blocks of Interpretability", Distill 2018:
non-negative factors of positions x channels, told from left to right by where each is strongest; a group's effect on a
class is what it adds to the layer x the gradient of the logit.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.attribution.chain import Chain
from hooke.displayed import Displayed
from hooke.factorization.factorization import Factorization
from hooke.factorization.factorize import factorize
from hooke.factorization.flows import parts_of
from hooke.factorization.method import Method
from hooke.factorization.nmf import nmf_of
from hooke.factorization.rank import RankCurve, rank_curve
from hooke.factorization.rows import recorded, rows_of
from hooke.models.layers import LOGITS
from hooke.models.model import Model
from hooke.models.suffix import suffix_of
from hooke.numeric.similarity import partners
from hooke.shapes import Canvas
from hooke.studies.semantic_dictionary import spatial_layer

Progress = Callable[[int, int], None]

RANKS = (2, 4, 6, 8, 10)
"""Of the slider."""

ALIKE = 0.5
"""The cosine from which a group goes on as that of the rank before."""


@dataclass(frozen=True, eq=False)
class GroupStudy(Displayed):
    """The groups of a layer for one photograph, as far as they are known; a study gives several, each with more.

    Group k is `factorization.addresses[k]`, whatever else is shown; `order` lists the groups from left to right by the
    column of their peak; `colours[k]` is a number that stays a group's own while others come and go (`slider`).
    `effects` [group, label]: to first order, what each group, and last the rest, gives to each logit; `measured`: by
    how much each logit falls without it. `curve`: reconstruction and stability at each rank.
    """

    factorization: Factorization
    order: tuple[int, ...]
    colours: tuple[int, ...]
    logits: Float[Tensor, "label"]
    effects: Float[Tensor, "group label"] | None = None
    measured: Float[Tensor, "group label"] | None = None
    curve: RankCurve | None = None


def group_study(
    model: Model, canvas: Canvas, layer: str, count: int = 6, ranks: Sequence[int] = RANKS, seed: int = 0
) -> Iterator[GroupStudy]:
    """The groups of a layer: first the maps, then the effects on all classes, last the curve for the slider.

    Errors: AddressError for a layer without height and width; NumericsError for more groups than positions or channels.
    """
    spatial_layer(model, layer)
    rows, logits = _seen(model, canvas, layer)
    by = nmf_of(rows, count)
    found = _study(model, canvas, layer, by, logits, seed)
    yield found
    found = with_effects(model, canvas, found)
    yield found
    yield replace(found, curve=rank_curve(rows, by, ranks=ranks))


def with_effects(model: Model, canvas: Canvas, found: GroupStudy) -> GroupStudy:
    """The same groups with their effects on all classes, to first order and measured."""
    layer = found.factorization.layer
    chain = Chain(model, canvas, [layer])
    values = chain.values(layer)
    parts = parts_of(values, found.factorization.groups, values.ndim - 1)
    effects = chain.up(layer, parts, [LOGITS])[LOGITS].float().cpu()
    return replace(found, effects=effects, measured=_lost(model, canvas, layer, parts))


def layer_curve(
    model: Model, canvas: Canvas, layer: str, ranks: Sequence[int] = RANKS, progress: Progress | None = None
) -> RankCurve:
    """The reconstruction and the stability at each rank, for the slider. Errors: as `group_study`."""
    spatial_layer(model, layer)
    rows = rows_of(recorded(model, canvas[None], layer))
    return rank_curve(rows, nmf_of(rows, ranks[0]), ranks=ranks, progress=progress)


def fitting(model: Model, layer: str, ranks: Sequence[int] = RANKS) -> tuple[int, ...]:
    """Those ranks that a layer has channels and positions enough for; at least 1.

    Errors: AddressError for a layer without height and width.
    """
    row = spatial_layer(model, layer)
    most = min(row.channels or 1, (row.height or 1) * (row.width or 1) // 2)
    return tuple(rank for rank in ranks if rank <= most) or (1,)


def slider(
    model: Model, canvas: Canvas, layer: str, ranks: Sequence[int] = RANKS, seed: int = 0
) -> Iterator[GroupStudy]:
    """The groups at each rank; a group that is like one of the rank before keeps its colour, others get new ones."""
    spatial_layer(model, layer)
    before: GroupStudy | None = None
    rows, logits = _seen(model, canvas, layer)
    for rank in ranks:
        found = _study(model, canvas, layer, nmf_of(rows, rank), logits, seed)
        if before is not None:
            one, other = before.factorization.directions, found.factorization.directions
            found = replace(found, colours=kept(one, before.colours, other))
        yield found
        before = found


def kept(
    before: Float[Tensor, "group channel"], colours: Sequence[int], now: Float[Tensor, "other channel"]
) -> tuple[int, ...]:
    """The colours of groups: that of the most alike group before, one to one; the smallest unused ones for the rest."""
    own = {new: colours[old] for old, new, alike in partners(before, now) if alike >= ALIKE}
    free = (number for number in range(len(colours) + len(now)) if number not in own.values())
    return tuple(own[new] if new in own else next(free) for new in range(len(now)))


def from_left(found: Factorization) -> tuple[int, ...]:
    """The groups by the column of their spatial peak, from the left; of one column, from the top."""
    peaks = found.peaks()
    return tuple(sorted(range(len(peaks)), key=lambda group: (peaks[group][2], peaks[group][1], group)))


def _seen(model: Model, canvas: Canvas, layer: str) -> tuple[Float[Tensor, "row unit"], Float[Tensor, "label"]]:
    """The layer's activations as rows, and the logits."""
    with torch.no_grad():
        logits = model(model.modality.normalize(canvas[None]))[0].float().cpu()
    return rows_of(recorded(model, canvas[None], layer)), logits


def _study(
    model: Model, canvas: Canvas, layer: str, by: Method, logits: Float[Tensor, "label"], seed: int
) -> GroupStudy:
    found = factorize(model, canvas, at=layer, by=by, seed=seed)
    return GroupStudy(found, from_left(found), tuple(range(by.rank)), logits)


def _lost(model: Model, canvas: Canvas, layer: str, parts: Tensor) -> Float[Tensor, "group label"]:
    """By how much each logit falls without each part."""
    suffix = suffix_of(model, layer)
    prefix = suffix.prepare(model.modality.normalize(canvas[None]).to(model.device, model.dtype))
    without = prefix.values - parts.movedim(-1, suffix.layer.axes.index("channel")).to(prefix.values)
    with torch.no_grad():
        logits = suffix.run(prefix, torch.cat([prefix.values, without]))[LOGITS]
    return (logits[0] - logits[1:]).float().cpu()
