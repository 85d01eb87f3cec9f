"""The fastest equal form of a model: a frozen copy, batch norm folded where nothing looks between, channels last."""

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from hooke.models.agreement import apart, random_batch
from hooke.models.model import Model
from hooke.models.taps import leaves, resting, same_randomness, tapped

TOLERANCE = 1e-3
"""Largest difference to the model itself, relative to its largest value, that still counts as equal."""

FORMS = 4
"""How many forms of one model are remembered: each is a copy of its weights."""

CHANNELS_LAST, CONTIGUOUS, BFLOAT16, COMPILED = "channels-last", "contiguous", "bfloat16", "compiled"
KINDS = (CHANNELS_LAST, CONTIGUOUS, BFLOAT16, COMPILED)
"""How a folded copy computes: with channels last in memory or as torch has them, in bfloat16, or by `torch.compile`."""


def fast_form(model: Model, keep: Sequence[str], kind: str = CHANNELS_LAST) -> Model:
    """A frozen copy of `model` that gives the same values at the layers in `keep`, faster; the model is not changed.

    Convolutions absorb the batch norm behind them unless their own output is kept. The copy is compared with the model
    once; where it differs by more than `TOLERANCE` (or cannot be folded), an unfolded frozen copy is returned.
    A kept ReLU6 (or hard tanh) lets gradients pass above its ceiling, so that a picture can improve beyond it.
    `kind` is one of `KINDS`: `calibration.py` measures which is fastest here, and how far it is from the first.
    """
    kept = frozenset(keep)
    key = ("fast", kept, kind)
    with model.lock:
        if key not in model.memo:
            folded = _frozen(model, _folded(model, kept), kept, kind != CONTIGUOUS)
            if not _equal(model, folded, sorted(kept)):
                folded = _frozen(model, copy.deepcopy(model.module), kept, kind != CONTIGUOUS)
            model.memo[key] = _as(folded, kind)
        fast: Model = model.memo.pop(key)
        model.memo[key] = fast  # the latest used is the last
        for old in [name for name in list(model.memo) if name[0] == "fast"][:-FORMS]:
            del model.memo[old]
        return fast


def twins(fast: Model, count: int) -> list[Model]:
    """A form and others of it, `count` in all, that share its weights: one runs while another does.

    A compiled form stays alone: what a copy computes uncompiled may differ in the last digit.
    """
    if fast.module._compiled_call_impl is not None:
        return [fast]
    held = [*fast.module.parameters(), *fast.module.buffers()]
    copies = [copy.deepcopy(fast.module, {id(tensor): tensor for tensor in held}) for _ in range(count - 1)]
    return [fast, *(fast.with_module(module) for module in copies)]


def _as(fast: Model, kind: str) -> Model:
    """The frozen copy itself, in bfloat16, or compiled when it first runs."""
    if kind == BFLOAT16:
        fast.module.to(torch.bfloat16)
        fast.dtype = torch.bfloat16
    if kind == COMPILED:
        fast.module.compile(dynamic=False)
    return fast


def _frozen(model: Model, module: nn.Module, kept: frozenset[str], last: bool) -> Model:
    for name, part in list(module.named_modules()):
        if name in kept and isinstance(part, nn.Hardtanh):
            _put(module, name, _OpenCeiling(part))
    module.eval().requires_grad_(False)
    if last and any(parameter.dim() == 4 for parameter in module.parameters()):
        module.to(memory_format=torch.channels_last)
    return model.with_module(module)


def _folded(model: Model, kept: frozenset[str]) -> nn.Module:
    pairs = folding_pairs(model)
    module = copy.deepcopy(model.module)
    for convolution, norm in pairs:
        if not any(layer == convolution or layer.startswith(f"{convolution}[") for layer in kept):
            _absorb(module, convolution, norm)
    for part in module.modules():
        if getattr(part, "inplace", False) is True:
            setattr(part, "inplace", False)  # noqa: B010 - in place, autograd would copy what is overwritten
    return module


def folding_pairs(model: Model) -> list[tuple[str, str]]:
    """Names of the convolutions whose output goes to one batch norm and nowhere else."""
    names = {id(module): name for name, module in model.module.named_modules()}
    owners = {
        id(parameter): module
        for module in model.module.modules()
        for parameter in (getattr(module, "weight", None), getattr(module, "running_mean", None))
        if parameter is not None
    }
    flow = _Flow()
    with model.lock, torch.no_grad(), resting(model.module), same_randomness(model.device), flow:
        model.module(model.modality.blank(1).to(model.device, model.dtype))
    found = []
    for weight, mean in flow.pairs():
        convolution, norm = owners.get(weight), owners.get(mean)
        if isinstance(convolution, _CONVOLUTION_MODULES) and isinstance(norm, nn.modules.batchnorm._NormBase):
            found.append((names[id(convolution)], names[id(norm)]))
    return found


class _Flow(TorchFunctionMode):
    """Watches one forward pass: which tensor a convolution made, who read it, and how often each weight was used."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[int, int] = {}
        self._readers: dict[int, list[int | None]] = {}
        self._uses: dict[int, int] = {}
        self._alive: list[Tensor] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        norm = id(args[1]) if func is functional.batch_norm and len(args) > 1 else None
        if any(leaves(result)):  # asking a tensor for its shape does not count
            for _, argument in leaves((args, tuple(kwargs.values()))):
                if id(argument) in self._made:
                    self._readers.setdefault(id(argument), []).append(norm if argument is args[0] else None)
        if func in _CONVOLUTIONS and len(args) > 1:
            self._made[id(result)] = id(args[1])
            self._alive.append(result)
            self._count(id(args[1]))
        if norm is not None:
            self._count(norm)
        return result

    def _count(self, parameter: int) -> None:
        self._uses[parameter] = self._uses.get(parameter, 0) + 1

    def pairs(self) -> list[tuple[int, int]]:
        """Identities of (convolution weight, batch-norm running mean), each used once, with nothing between."""
        found = []
        for tensor, weight in self._made.items():
            match self._readers.get(tensor, []):
                case [int(mean)] if self._uses[weight] == 1 and self._uses[mean] == 1:
                    found.append((weight, mean))
        return found


_CONVOLUTION_MODULES = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_CONVOLUTIONS = (torch.conv1d, torch.conv2d, torch.conv3d, functional.conv1d, functional.conv2d, functional.conv3d)


def _absorb(module: nn.Module, convolution: str, norm: str) -> None:
    """Moves an evaluating batch norm into the convolution before it; what the norm does besides (timm's) stays."""
    conv, bn = module.get_submodule(convolution), module.get_submodule(norm)
    weight, bias = conv.weight, conv.bias
    assert isinstance(weight, Tensor)
    gain, shift = gain_and_shift(bn)
    shift = shift + bias.double() * gain if isinstance(bias, Tensor) else shift
    with torch.no_grad():
        scaled = weight.double() * gain.reshape(-1, *[1] * (weight.dim() - 1))
        conv.weight = nn.Parameter(scaled.to(weight.dtype), requires_grad=False)
        conv.bias = nn.Parameter(shift.to(weight.dtype), requires_grad=False)
    _put(module, norm, _Absorbed(bn))


def gain_and_shift(norm: nn.Module) -> tuple[Float[Tensor, "channel"], Float[Tensor, "channel"]]:
    """What an evaluating batch norm multiplies each channel with, and what it adds then, in float64."""
    assert isinstance(norm.running_var, Tensor)
    assert isinstance(norm.running_mean, Tensor)
    gain = torch.rsqrt(norm.running_var.detach().double() + float(norm.eps))  # type: ignore[arg-type]
    gain = gain * norm.weight.detach().double() if isinstance(norm.weight, Tensor) else gain
    shift = -norm.running_mean.detach().double() * gain
    shift = shift + norm.bias.detach().double() if isinstance(norm.bias, Tensor) else shift
    return gain, shift


def _put(module: nn.Module, name: str, part: nn.Module) -> None:
    parent, _, leaf = name.rpartition(".")
    setattr(module.get_submodule(parent), leaf, part)


class _Absorbed(nn.Module):
    """Stands where a batch norm was: only its children (timm's dropout and activation) are left, under their names."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        for name, child in norm.named_children():
            self.add_module(name, child)

    def forward(self, values: Tensor) -> Tensor:
        for child in self.children():
            values = child(values)
        return values


class _OpenCeiling(nn.Module):
    """A ReLU6 or hard tanh whose gradient stops at the floor only."""

    def __init__(self, clamp: nn.Hardtanh) -> None:
        super().__init__()
        self.low, self.high = clamp.min_val, clamp.max_val

    def forward(self, values: Tensor) -> Tensor:
        open_above = functional.hardtanh(values, self.low, math.inf)
        return open_above + (open_above.clamp(max=self.high) - open_above).detach()


def _equal(model: Model, other: Model, layers: Sequence[str]) -> bool:
    batch = random_batch(model)
    try:
        with torch.no_grad(), tapped(model, layers) as taps, tapped(other, layers) as fast_taps:
            ours, theirs = taps(batch), fast_taps(batch)
    except (RuntimeError, TypeError, AttributeError):
        return False
    return all(apart(theirs[layer], ours[layer]) <= TOLERANCE for layer in layers)
