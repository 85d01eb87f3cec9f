"""The fingerprint of a model: equal for equal weights and configuration on every machine, different otherwise."""

import functools
import hashlib
import itertools
import json
import sys
import types
from typing import Any

import torch
from torch import Tensor, nn

from hooke.errors import ModelError

IRRELEVANT = frozenset({"training", "grad_checkpointing", "fused_attn"})
"""Attributes that say how to compute, not what."""


def fingerprint(module: nn.Module) -> str:
    """SHA-256 (hex) over names, types, shapes and bytes of all parameters and buffers and over each part's settings.

    Settings are a part's class name and its public attributes that are scalars, tuples, None or functions (by name).
    Never `repr`, versions, memory layout, device, training mode or which tensors share their memory.
    Errors: ModelError when a tensor has no values (the meta device).
    """
    digest = hashlib.sha256(b"hooke fingerprint 1\n")
    parameters = module.named_parameters(remove_duplicate=False)
    buffers = module.named_buffers(remove_duplicate=False)
    for name, tensor in sorted(itertools.chain(parameters, buffers), key=lambda named: named[0]):
        if tensor.is_meta or torch.nn.parameter.is_lazy(tensor):
            raise ModelError(f"the fingerprint of {type(module).__name__}", f"{name} has no values yet")
        _add(digest, ["tensor", name, str(tensor.dtype).removeprefix("torch."), list(tensor.shape)])
        digest.update(_little_endian(tensor))
    for name, part in sorted(module.named_modules(remove_duplicate=False), key=lambda named: named[0]):
        settings = {
            key: _plain(value)
            for key, value in vars(part).items()
            if not key.startswith("_") and key not in IRRELEVANT and _is_setting(value)
        }
        _add(digest, ["module", name, type(part).__name__, settings])
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", value: Any) -> None:
    digest.update(json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n")


def _little_endian(tensor: Tensor) -> memoryview:
    dense = tensor.detach().to_dense() if tensor.layout != torch.strided else tensor.detach()
    flat = dense.cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    numbers = torch.view_as_real(flat).reshape(-1) if flat.is_complex() else flat
    octets = numbers.view(torch.uint8)
    if sys.byteorder == "big":
        octets = octets.reshape(-1, numbers.element_size()).flip(1).reshape(-1)
    return octets.numpy().data


_SCALARS = (bool, int, float, str)
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, type, functools.partial)


def _is_setting(value: Any) -> bool:
    return value is None or isinstance(value, (*_SCALARS, tuple, *_FUNCTIONS))


def _plain(value: Any) -> Any:
    """A setting as JSON data; what is neither scalar, tuple nor function counts by its type's name."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return value.__class__.__mro__[-2](value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, functools.partial):
        fixed = {key: _plain(part) for key, part in value.keywords.items()}
        return [_plain(value.func), [_plain(part) for part in value.args], fixed]
    return getattr(value, "__name__", type(value).__name__)
