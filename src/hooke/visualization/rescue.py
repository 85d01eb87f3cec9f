"""Gradients for units that do not fire yet: a nonlinearity that blocks nearly all of a sample's gradient helps it."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from hooke.models.swapping import swapped

BLOCKED = 0.98
"""A sample is rescued at a nonlinearity that blocks more than this share of its squared gradient."""

GELU_DIP, SILU_DIP = -0.7518, -1.2785
"""Where they are lowest."""

LOOKED_AT = 16
"""Rows and columns of a map, at least, by which that share is judged: every one of a small map, some of a large."""


class _Redirected(torch.autograd.Function):
    """Clamps as ReLU and ReLU6 do; backwards, a sample that is nearly blocked gets the gradient that reopens it.

    The redirected gradient of Lucid (Olah et al. 2017): pass what moves the value towards the open range.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, low: float, high: float) -> Tensor:
        clamped = functional.hardtanh(values, low, high)
        ctx.save_for_backward(clamped)
        ctx.low, ctx.high = low, high
        return clamped

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (clamped,) = ctx.saved_tensors
        plain: Tensor = torch.ops.aten.hardtanh_backward(gradients[0], clamped, ctx.low, ctx.high)
        return _reopened(plain, gradients[0], clamped, ctx.low, ctx.high), None, None


class _Lifted(torch.autograd.Function):
    """GELU or SiLU; backwards, a nearly blocked sample gets the gradient that brings it out of the dip.

    Left of the dip at `low` both rise again towards zero, so that the plain gradient leads away from firing.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, function: Callable[[Tensor], Tensor], low: float) -> Tensor:
        ctx.save_for_backward(values)
        ctx.function, ctx.low = function, low
        return function(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (values,) = ctx.saved_tensors
        with torch.enable_grad():
            leaf = values.detach().requires_grad_()
            (plain,) = torch.autograd.grad(ctx.function(leaf), leaf, gradients[0])
        return _reopened(plain, gradients[0], values, ctx.low), None, None


def _reopened(plain: Tensor, asked: Tensor, values: Tensor, low: float, high: float = math.inf) -> Tensor:
    """`plain`, changed in place: a sample that lets nearly nothing of what is `asked` through gets all of it that
    does not lead further out of the range."""
    blocked = _energy(plain) < (1 - BLOCKED) * _energy(asked)
    for sample in blocked.nonzero().flatten().tolist():
        gradient, value = asked[sample], values[sample]
        wrong = ((value <= low) & (gradient > 0)) | ((value >= high) & (gradient < 0))
        plain[sample] = gradient.masked_fill(wrong, 0.0)
    return plain


def _energy(gradient: Tensor) -> Tensor:
    """The sum of squares of each sample, by the same sums wherever it stands in the batch."""
    if gradient.ndim == 4:
        down, across = (max(1, side // LOOKED_AT) for side in gradient.shape[2:])
        gradient = gradient[:, :, ::down, ::across]
    return gradient.square().sum(dim=tuple(range(1, gradient.ndim)))


def _relu(values: Tensor, inplace: bool = False) -> Tensor:
    return _redirect(values, 0.0, float("inf"))


def _relu_in_place(values: Tensor) -> Tensor:
    return values.copy_(_redirect(values, 0.0, float("inf")))


def _relu6(values: Tensor, inplace: bool = False) -> Tensor:
    return _redirect(values, 0.0, 6.0)


def _hardtanh(values: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    return _redirect(values, min_val, max_val)


def _gelu(values: Tensor, approximate: str = "none") -> Tensor:
    result: Tensor = _Lifted.apply(values, partial(functional.gelu, approximate=approximate), GELU_DIP)
    return result


def _silu(values: Tensor, inplace: bool = False) -> Tensor:
    result: Tensor = _Lifted.apply(values, functional.silu, SILU_DIP)
    return result


def _redirect(values: Tensor, low: float, high: float) -> Tensor:
    result: Tensor = _Redirected.apply(values, low, high)
    return result


_REDIRECTED: Mapping[Callable[..., Any], Callable[..., Tensor]] = {
    torch.relu: _relu,
    torch.relu_: _relu_in_place,
    Tensor.relu: _relu,
    Tensor.relu_: _relu_in_place,
    functional.relu: _relu,
    functional.relu6: _relu6,
    functional.hardtanh: _hardtanh,
    functional.gelu: _gelu,
    functional.silu: _silu,
}


def rescued() -> swapped:
    """Within it, ReLU, ReLU6, hard tanh, GELU and SiLU redirect the gradient of blocked samples.

    As modules or as functions; a loss is minimized: a negative gradient at a value means that raising it helps.
    """
    return swapped(_REDIRECTED)
