"""Exact derivatives of later layers, and of the logits, along directions in a layer."""

import functools
import importlib
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
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
    channel = row.axes.index("channel")

    def along(values: Tensor) -> Tensor:
        return _tangents(values.expand(len(directions), *values.shape[1:]), directions, at, channel)

    return _pushed(model, batch, layer, along, (LOGITS,))[LOGITS]


def pushed(
    model: Specimen,
    batch: Float[Tensor, "1 ..."],
    layer: str,
    tangents: Float[Tensor, "tangents ..."],
    at: Sequence[str] = (LOGITS,),
) -> dict[str, Tensor]:
    """How what the layers `at` hold changes with each tangent of a layer, to first order: [tangent, ...] each.

    `batch` holds one normalised input; a tangent is shaped like what the layer holds for one input. One pass carries
    all tangents. Errors: AddressError for a layer that is not there, or tangents of another shape.
    """
    shape = model.layers.find(layer).shape[1:]
    if tangents.shape[1:] != shape:
        reason = f"for one input it holds {tuple(shape)}, a tangent {tuple(tangents.shape[1:])}"
        raise AddressError(f"tangents of {layer}", reason)
    return _pushed(model, batch, layer, lambda values: tangents.to(values), at)


def _pushed(
    model: Specimen, batch: Tensor, layer: str, tangents: Callable[[Tensor], Tensor], at: Sequence[str]
) -> dict[str, Tensor]:
    with model.lock, _alone, _plain_attention():
        try:
            return _forward(model, batch, layer, tangents, at)
        except NotImplementedError:  # an operation without a forward derivative
            return _twice_backward(model, batch, layer, tangents, at)


@dataclass(frozen=True, eq=False)
class _Push(Edit):
    """The layer's one sample as often as there are directions, with a direction as the tangent of each."""

    address: str | Address
    tangents: Callable[[Tensor], Tensor]

    def change(self, values: Tensor, channel: int | None) -> Tensor:
        tangents = self.tangents(values[:1])
        values = values[:1].expand(len(tangents), *values.shape[1:]).contiguous()
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
        for kind in (FutureWarning, DeprecationWarning):  # by the version of torch
            warnings.simplefilter("ignore", kind)
        importlib.import_module("torch._decomp.decompositions_for_jvp")


def _forward(
    model: Specimen, batch: Tensor, layer: str, tangents: Callable[[Tensor], Tensor], at: Sequence[str]
) -> dict[str, Tensor]:
    """One forward pass that carries all tangents; up to the layer on one sample, where the model allows for that."""
    _prepare()
    many: list[int] = []

    def counted(values: Tensor) -> Tensor:
        found = tangents(values)
        many[:] = [len(found)]
        return found

    push = _Push(Place(layer), counted)
    with torch.no_grad(), forward_ad.dual_level(), tapped(model, at, [push]) as taps:
        found: dict[str, Tensor] = {}
        try:
            found = taps(batch)
        except NotImplementedError:
            raise
        except RuntimeError:  # shapes: a branch that joins further on still has one sample
            if not many:
                raise
        if not found or any(len(one) != many[0] for one in found.values()):
            found = taps(batch.expand(many[0], *batch.shape[1:]))
        return {name: _tangent(one) for name, one in found.items()}


def _tangent(dual: Tensor) -> Tensor:
    tangent: Tensor | None = forward_ad.unpack_dual(dual).tangent  # type: ignore[no-untyped-call]
    return torch.zeros_like(dual) if tangent is None else tangent.clone()


def _twice_backward(
    model: Specimen, batch: Tensor, layer: str, tangents: Callable[[Tensor], Tensor], at: Sequence[str]
) -> dict[str, Tensor]:
    with torch.enable_grad(), tapped(model, [layer, *at]) as taps:
        held = taps(batch.detach().requires_grad_())
        values, found = held[layer], {}
        for name in at:
            cotangent = torch.zeros_like(held[name], requires_grad=True)
            (pulled,) = torch.autograd.grad(held[name], values, cotangent, create_graph=True)
            rows = [torch.autograd.grad(pulled, cotangent, one[None], retain_graph=True)[0] for one in tangents(values)]
            found[name] = torch.cat(rows).detach()
    return found


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
