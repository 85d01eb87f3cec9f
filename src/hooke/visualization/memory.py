"""How many pictures fit into memory at once, measured on the model itself."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from hooke.models.fast import fast_form
from hooke.models.memory import SHARE, free_memory, kept
from hooke.models.model import Model
from hooke.models.taps import tapped
from hooke.visualization.ascent import Ascent
from hooke.visualization.questions import Wanted, asked
from hooke.visualization.usual import usual

LARGEST = 32
"""More pictures at once than this are no faster on a processor."""

ACCELERATED = 64
"""Pictures at once on an accelerator, where a pass of a few takes as long as one of many."""


def fitting_batch(
    model: Model, addresses: Sequence[Wanted], by: Ascent | None = None, free: int | None = None, most: int = LARGEST
) -> int:
    """How many pictures of any of `addresses` fit together into half the `free` bytes (None: those free now).

    At least 1 (or as many as an objective wants together) and at most `most`; use it as
    `replace(method, batch=fitting_batch(...))`. The batch is part of the question that a picture answers.
    """
    method = by or usual(model)
    room = SHARE * (free_memory(model.device) if free is None else free)
    questions = [asked(model, address, method, seed=0) for address in addresses]
    needed = {(one.layers, one.side): one for one in questions}.values()
    largest = max((step_bytes(model, one.layers, one.side) for one in needed), default=1)
    least = max((len(one.keys) for one in questions), default=1)
    return max(least, min(most, int(room // max(1, largest))))


def suited(model: Model, addresses: Sequence[Wanted], by: Ascent) -> Ascent:
    """The method with the batch that suits the model's device when many units are drawn: on a processor its own.

    On an accelerator `ACCELERATED`, or the largest power of two below that fits; a picture's last digits depend on it.
    """
    if model.device.type == "cpu":
        return by
    fits = min(ACCELERATED, fitting_batch(model, addresses, by, most=ACCELERATED))
    return replace(by, batch=max(by.batch, 2 ** (fits.bit_length() - 1)))


def step_bytes(model: Model, layers: Sequence[str], side: int) -> int:
    """The bytes that one more picture makes a step keep for its gradients, twice over: they are made, then undone."""
    fast = fast_form(model, list(layers))
    one, two = (_kept(fast, layers, side, count) for count in (1, 2))
    return 2 * max(two - one, one // 2)


def _kept(fast: Model, layers: Sequence[str], side: int, count: int) -> int:
    """The bytes of all that autograd keeps of one pass."""
    canvases = torch.full((count, fast.modality.channels, side, side), 0.5).to(fast.device, fast.dtype)
    with tapped(fast, list(layers)) as taps, kept(fast.module) as sizes:
        recorded = taps(fast.modality.normalize(canvases.requires_grad_()))
    for values in recorded.values():
        storage = values.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
    return sum(sizes.values())
