"""Exact derivatives of the logits along directions in a layer."""

import functools
import importlib
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel

from hooke.addresses import Address, Place
from hooke.errors import AddressError
from hooke.models.edits import Edit
from hooke.models.layers import LOGITS, Specimen, index
from hooke.models.taps import tapped
from hooke.results import Layer

_alone = threading.Lock()
"""torch has one level of forward derivatives for all threads of a process."""


def directional_effects(
    model: Specimen,
    batch: Float[Tensor, "1 ..."],
    layer: str,
    directions: Float[Tensor, "directions channel"],
    position: Sequence[int] | None = None,
) -> Float[Tensor, "directions classes"]:
    """How the logits of one input change with each direction at one position of a layer, to first order.

    `batch` holds one normalised input; `position` is (row, column), (token,) or (time,); without it a direction runs
    at all positions at once. The result is the exact Jacobian of the logits times each direction (logits per unit of
    activation), by forward-mode differentiation with the directions as a batch; where an operation of the model has
    no forward derivative, by differentiating the backward pass (Townsend, "A new trick for calculating
    Jacobian vector products", 2017).
    AddressError for a layer or position that is not there, or directions that do not fit its channels.
    """
    row = model.layers.find(layer)
    if directions.shape[1] != row.channels:
        reason = f"{layer} has {row.channels} channels, the directions have {directions.shape[1]}"
        raise AddressError(f"directions in {layer}", reason)
    at = index(row, Place(layer, position=tuple(position) if position else None))
    with model.lock, _alone, _plain_attention():
        try:
            return _forward(model, batch, row, directions, at)
        except NotImplementedError:  # an operation without a forward derivative
            return _twice_backward(model, batch, row, directions, at)


@dataclass(frozen=True, eq=False)
class _Push(Edit):
    """The layer's one sample as often as there are directions, with a direction as the tangent of each."""

    address: str | Address
    directions: Tensor
    at: tuple[slice | int, ...]

    def change(self, values: Tensor, channel: int | None) -> Tensor:
        values = values[:1].expand(len(self.directions), *values.shape[1:]).contiguous()
        tangents = _tangents(values, self.directions, self.at, channel)
        return torch.as_tensor(forward_ad.make_dual(values, tangents))  # type: ignore[no-untyped-call]


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Attention by its formula: torch's fused forms have neither forward nor second derivatives."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


@functools.cache
def _prepare() -> None:
    """What torch imports at its first forward derivative warns of torch's own use of TorchScript."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        importlib.import_module("torch._decomp.decompositions_for_jvp")


def _forward(model: Specimen, batch: Tensor, layer: Layer, directions: Tensor, at: tuple[slice | int, ...]) -> Tensor:
    """One forward pass that carries all tangents; up to the layer on one sample, where the model allows for that."""
    _prepare()
    push, many = _Push(Place(layer.name), directions, at), len(directions)
    with torch.no_grad(), forward_ad.dual_level(), tapped(model, [LOGITS], [push]) as taps:
        try:
            logits = taps(batch)[LOGITS]
        except NotImplementedError:
            raise
        except RuntimeError:  # shapes: a branch that joins further on still has one sample
            logits = None
        if logits is None or len(logits) != many:
            logits = taps(batch.expand(many, *batch.shape[1:]))[LOGITS]
        effects: Tensor | None = forward_ad.unpack_dual(logits).tangent  # type: ignore[no-untyped-call]
        return torch.zeros_like(logits) if effects is None else effects.clone()


def _twice_backward(
    model: Specimen, batch: Tensor, layer: Layer, directions: Tensor, at: tuple[slice | int, ...]
) -> Tensor:
    with torch.enable_grad(), tapped(model, [layer.name, LOGITS]) as taps:
        found = taps(batch.detach().requires_grad_())
        values, logits = found[layer.name], found[LOGITS]
        cotangent = torch.zeros_like(logits, requires_grad=True)
        (pulled,) = torch.autograd.grad(logits, values, cotangent, create_graph=True)
        tangents = _tangents(
            values.expand(len(directions), *values.shape[1:]), directions, at, layer.axes.index("channel")
        )
        rows = [torch.autograd.grad(pulled, cotangent, one[None], retain_graph=True)[0] for one in tangents]
    return torch.cat(rows).detach()


def _tangents(values: Tensor, directions: Tensor, at: tuple[slice | int, ...], channel: int | None) -> Tensor:
    """Zero but for the directions, one for each sample, at one position (or at all)."""
    tangents = torch.zeros_like(values)
    chosen = tangents[at]
    assert channel is not None
    axis = channel - sum(isinstance(entry, int) for entry in at[:channel])
    shape = [len(directions), *[1] * (chosen.ndim - 1)]
    shape[axis] = -1
    tangents[at] = directions.to(values).reshape(shape).expand_as(chosen)
    return tangents
