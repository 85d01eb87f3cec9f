"""Whether two forms of a model come to the same: on random inputs, relative to the largest value."""

import torch
from torch import Tensor

from hooke.models.model import Model

_SHARES = {torch.float64: 1e-4, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}
_TF32 = 1e-2
"""Accelerators multiply float32 with 10 bits of mantissa (TensorFloat-32, torch's default for convolutions)."""


def rounding(model: Model) -> float:
    """How far two ways to compute the same tensor may come out, as a share of its largest value, for rounding alone."""
    share = _SHARES.get(model.dtype, max(_SHARES.values()))
    return share if model.device.type == "cpu" else max(share, _TF32)


def random_batch(model: Model, count: int = 2, seed: int = 0) -> Tensor:
    """Normalised canvases of random pixels, where the model is."""
    canvases = torch.rand(count, *model.modality.shape, generator=torch.Generator().manual_seed(seed))
    return model.modality.normalize(canvases).to(model.device, model.dtype)


def apart(found: Tensor, wanted: Tensor) -> float:
    """The largest difference as a share of the largest wanted value; infinite between tensors of two shapes."""
    if found.shape != wanted.shape:
        return float("inf")
    return float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1e-6))
