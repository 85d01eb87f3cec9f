"""What went wrong while drawing, in words: which layer, how large a canvas, what to try."""

from collections.abc import Sequence

import torch
from torch import Tensor

from hooke.errors import HookeError, NumericsError
from hooke.models.layers import INPUT
from hooke.models.model import Model
from hooke.models.taps import tapped
from hooke.shapes import Canvases
from hooke.visualization.questions import accepts


def not_finite(model: Model, request: str, canvases: Canvases) -> NumericsError:
    """The error for scores that are no numbers: it names the first layer that holds NaN or infinity."""
    if not bool(torch.isfinite(canvases).all()):
        return NumericsError(
            request, "the gradient was NaN or infinity, so the picture is no picture any more",
            next_step="try a smaller rate, or precision='float32'",
        )  # fmt: skip
    names = [layer.name for layer in model.layers.addressable]
    batch = model.modality.normalize(canvases.to(model.device, model.dtype))
    with torch.no_grad(), tapped(model, names) as taps:
        recorded = taps(batch)
    found = [name for name in names if not bool(torch.isfinite(recorded[name]).all())]
    if not found:
        return NumericsError(
            request, "the objective is NaN or infinity though every layer of the model is finite",
            next_step="look at the objective's own numbers",
        )  # fmt: skip
    return NumericsError(
        request, f"the model answers NaN or infinity to this picture; it first appears at the layer {found[0]}",
        next_step="look at that layer's weights, or try precision='float32'",
    )  # fmt: skip


def explained(
    model: Model, request: str, layers: Sequence[str], canvases: Canvases, error: Exception
) -> NumericsError | None:
    """What an exception of the model or of autograd means, where that is known."""
    if isinstance(error, HookeError):
        return None
    side = min(canvases.shape[2:])
    wanted = frozenset(layers)
    if not accepts(model, wanted, side):
        least = least_side(model, wanted)
        where = ", ".join(layers)
        return NumericsError(
            f"{request} on a canvas of {side} px",
            f"the model cannot take it as far as {where}"
            + (f"; the least size is {least} px" if least is not None else ""),
            next_step=f"use Fourier(size={least}) or larger" if least is not None else "try another size",
        )
    if isinstance(error, IndexError):
        return NumericsError(
            f"{request} on a canvas of {side} px", f"the layer has no such position there ({error})",
            next_step=f"use the model's own input size: Fourier(size={model.modality.height})",
        )  # fmt: skip
    if isinstance(error, RuntimeError) and any(text in str(error) for text in UNTRACKED):
        blocked = blocked_layer(model, layers, canvases)
        place = f"it ends at the layer {blocked}" if blocked else "it does not reach the picture"
        return NumericsError(
            request, f"no gradient comes back from the objective: {place}",
            next_step="draw an earlier layer, or replace that part by one that can be differentiated",
        )  # fmt: skip
    return None


UNTRACKED = ("does not require grad", "not have been used in the graph")
"""What autograd says where there is no way back to the picture."""


def least_side(model: Model, layers: frozenset[str]) -> int | None:
    """The smallest canvas that the model takes as far as `layers`, at most its own; None where it takes none."""
    low, high = 0, min(model.modality.height, model.modality.width)
    if not accepts(model, layers, high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if accepts(model, layers, middle) else (middle, high)
    return high


def blocked_layer(model: Model, layers: Sequence[str], canvases: Canvases) -> str | None:
    """The first layer, on the way to the deepest of `layers`, whose tensor has lost the way back to the picture."""
    order = [layer.name for layer in model.layers.addressable]
    deepest = max((order.index(name) for name in layers if name in order), default=len(order) - 1)
    names = order[: deepest + 1]
    batch: Tensor = model.modality.normalize(canvases.to(model.device, model.dtype)).detach().requires_grad_()
    with torch.enable_grad(), tapped(model, names) as taps:
        recorded = taps(batch)
    return next((name for name in names if name != INPUT and not recorded[name].requires_grad), None)
