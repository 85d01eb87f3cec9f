"""Small recordings and models with answers that can be worked out by hand."""

from dataclasses import dataclass

import torch
from torch import nn

from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.visualization.parametrizations import Parametrization

MAP = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[10.0, 0.0], [0.0, 0.0]]])
"""Two channels of 2 x 2."""

PLAIN = Image(16, 16, (0.0,) * 3, (1.0,) * 3)
"""Canvases go in as they are."""


def opened(*layers: nn.Module, modality: Image = PLAIN) -> Model:
    return open(nn.Sequential(*layers), modality=modality)


def turned(seed: int = 0) -> nn.Conv2d:
    """A 1 x 1 convolution from three channels to three that can be undone: an orthogonal matrix."""
    torch.manual_seed(seed)
    convolution = nn.Conv2d(3, 3, 1, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(torch.linalg.qr(torch.randn(3, 3)).Q[:, :, None, None])
    return convolution


@dataclass(frozen=True)
class Free(Parametrization):
    """Every pixel for itself, through a sigmoid, from grey: nothing hinders it from being the best."""

    size: int | None = None

    def start(self, side, channels, streams):
        return torch.zeros(len(streams), channels, side, side)

    def render(self, parameters):
        return torch.sigmoid(parameters)
