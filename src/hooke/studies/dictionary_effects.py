"""What all units of a semantic dictionary speak for, at all positions at once: a backward pass for each label."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hooke.models.layers import LOGITS
from hooke.models.model import Model
from hooke.models.suffix import suffix_of
from hooke.shapes import Canvas
from hooke.studies.semantic_dictionary import LayerDictionary, by_position, has_logits

TOGETHER = 32
"""Labels that one pass serves."""


@dataclass(frozen=True, eq=False)
class DictionaryEffects:
    """For each entry of a dictionary the labels that it speaks for and against most, strongest first; -1: none.

    `gains` and `losses` are activation x gradient, in logits; nothing of them is smaller than the next.
    """

    supports: Int[Tensor, "row column rank label"]
    gains: Float[Tensor, "row column rank label"]
    opposes: Int[Tensor, "row column rank label"]
    losses: Float[Tensor, "row column rank label"]


def dictionary_effects(
    model: Model, canvas: Canvas, found: LayerDictionary, labels: int = 3,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> DictionaryEffects:  # fmt: skip
    """What `unit_effects` tells of one position, for every entry of a dictionary of the same photograph.

    A backward pass gives the derivative of one logit by everything that a layer holds, a forward derivative that of all
    logits by one unit: for whole dictionaries the first is the cheaper. No label where the model has no logits.
    """
    if not has_logits(model):
        none = torch.full((*found.channels.shape, labels), -1)
        return DictionaryEffects(none, torch.zeros(none.shape), none, torch.zeros(none.shape))
    suffix = suffix_of(model, found.layer)
    prefix = suffix.prepare(model.modality.normalize(canvas[None]).to(model.device, model.dtype))
    row, classes = model.layer(found.layer), model.layer(LOGITS).channels or 0
    effects = torch.empty(classes, *found.channels.shape)
    for first in range(0, classes, TOGETHER):
        progress(first, classes)
        some = torch.arange(first, min(first + TOGETHER, classes))
        values = prefix.values.expand(len(some), *prefix.values.shape[1:]).clone().requires_grad_()
        with torch.enable_grad():
            said = suffix.run(prefix, values)[LOGITS]
            (gradient,) = torch.autograd.grad(said[torch.arange(len(some)), some].sum(), values)
        for one in range(len(some)):
            effects[first + one] = by_position(gradient[one : one + 1], row).gather(-1, found.channels)
    effects = (effects * found.magnitudes).permute(1, 2, 3, 0)
    count = min(labels, classes)
    gains, supports = effects.topk(count)
    losses, opposes = (-effects).topk(count)
    return DictionaryEffects(
        supports.masked_fill(gains <= 0, -1), gains, opposes.masked_fill(losses <= 0, -1), -losses
    )  # fmt: skip
