"""Groups of an edited model: the same directions found again in what a layer holds then, and what each does then.

With A' the layer's activations after edits and D the directions of the groups of the unedited model, the amounts of a
group are S' >= 0 with the least |A' - S' D|: each position is read by the groups' own reader, as A was (non-negative
least squares for the factorizations of this package's NMF). Directions never move, so before and after compare.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.addresses import Place
from hooke.factorization.method import share
from hooke.factorization.rows import maps_of, rows_of, scores_of, tensor_of
from hooke.models.editing.edit import Edit
from hooke.models.groups import Groups
from hooke.models.layers import LOGITS
from hooke.models.model import Model
from hooke.shapes import Canvas
from hooke.studies.semantic_dictionary import has_logits
from hooke.studies.what_if import Variants, variants


@dataclass(frozen=True, eq=False)
class EditedGroups:
    """The amounts of groups [group, down, across] before and after edits; `explained`: the share of the squares.

    `random` [draw, group]: the mean amount over positions after each of the random others, which `beside` tells of.
    `logits` after the edits, and `lost` [part, label]: by how much each falls without one group, and last without the
    rest, in the edited model (None: no classifier).
    """

    before: Float[Tensor, "group down across"]
    after: Float[Tensor, "group down across"]
    explained: tuple[float, float]
    random: Float[Tensor, "draw group"]
    logits: Float[Tensor, "label"] | None
    lost: Float[Tensor, "part label"] | None
    beside: str


@dataclass(frozen=True, eq=False)
class _Less(Edit):
    """Takes away what something adds to a layer."""

    address: Place
    part: Tensor

    def change(self, values: Tensor, channel: int | None) -> Tensor:
        return values - self.part.to(values)


def edited_groups(
    model: Model, canvas: Canvas, groups: Groups, edits: Sequence[Edit], controls: int = 0, seed: int = 0
) -> EditedGroups:
    """The groups of a layer before and after edits, beside at most `controls` times the same made elsewhere.

    Edits after the layer leave the amounts as they are, but not what the groups do to the labels.
    Errors: those of `what_if`.
    """
    layer = groups.layer
    tried = variants(model, canvas, edits, [layer], controls, seed)
    held = maps_of(tried.values([(), *tried.made], [layer])[layer].float().cpu(), model.layer(layer).axes)
    rows = rows_of(held)
    amounts = scores_of(groups.reader.amounts(rows, groups.directions), held)
    explained = [
        share(rows_of(one), groups.mean + rows_of(scores) @ groups.directions, groups.mean)
        for one, scores in zip(torch.split(held[:2], 1), torch.split(amounts[:2], 1), strict=True)
    ]
    logits, lost = _lost(tried, groups, held[1:2], amounts[1:2]) if has_logits(model) else (None, None)
    random = amounts[2:].flatten(2).mean(2)
    return EditedGroups(amounts[0], amounts[1], (explained[0], explained[1]), random, logits, lost, tried.beside)


def _lost(
    tried: Variants, groups: Groups, held: Tensor, amounts: Tensor
) -> tuple[Float[Tensor, "label"], Float[Tensor, "part label"]]:
    """The logits of the edited model, and by how much each falls without each group and without the rest."""
    row = tried.model.layer(groups.layer)
    parts = groups.contributions(amounts)
    parts = torch.cat([parts, (held - parts.sum(0))[None]])
    edits = tried.made[0]
    without = [[*edits, _Less(Place(row.name), tensor_of(part, row.axes, row.shape))] for part in parts]
    logits = tried.values([edits, *without], [LOGITS])[LOGITS].float().cpu()
    return logits[0], logits[0] - logits[1:]
