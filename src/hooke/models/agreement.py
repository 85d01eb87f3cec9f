"""Whether two forms of a model come to the same: on random inputs, relative to the largest value."""

import torch
from torch import Tensor

from hooke.models.model import Model


def random_batch(model: Model, count: int = 2, seed: int = 0) -> Tensor:
    """Normalised canvases of random pixels, where the model is."""
    canvases = torch.rand(count, *model.modality.shape, generator=torch.Generator().manual_seed(seed))
    return model.modality.normalize(canvases).to(model.device, model.dtype)


def apart(found: Tensor, wanted: Tensor) -> float:
    """The largest difference as a share of the largest wanted value; infinite between tensors of two shapes."""
    if found.shape != wanted.shape:
        return float("inf")
    return float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1e-6))
