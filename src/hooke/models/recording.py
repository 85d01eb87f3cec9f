"""What layers hold for a batch: one pass, no gradients."""

from collections.abc import Sequence

import torch
from torch import Tensor

from hooke.models.layers import Specimen
from hooke.models.taps import tapped


def activations(model: Specimen, batch: Tensor, at: Sequence[str]) -> dict[str, Tensor]:
    """The tensors of the layers `at` for a normalised batch, from one pass that ends at the deepest of them.

    Axes are as the layer table names them. AddressError where a layer has no address.
    """
    with torch.no_grad(), tapped(model, at) as taps:
        return taps(batch)
