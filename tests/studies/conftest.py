"""A small model whose two halves can be run apart, so that every number has a second way to it."""

from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn

from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open

LABELS = ("red", "green", "blue", "grey")


class Toy(nn.Module):
    """logits = W mean(tanh(K2 * relu(K1 * x))): spatial layers of 8 x 12, then a vector."""

    def __init__(self) -> None:
        super().__init__()
        self.eye = nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 5, 3, stride=2, padding=1), act=nn.ReLU()))
        self.mind = nn.Sequential(OrderedDict(conv=nn.Conv2d(5, 6, 3, padding=1), act=nn.Tanh()))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flat = nn.Flatten()
        self.head = nn.Linear(6, 4)

    def forward(self, batch: Tensor) -> Tensor:
        return self.tail(self.eye(batch))

    def tail(self, activation: Tensor) -> Tensor:
        logits: Tensor = self.head(self.flat(self.pool(self.mind(activation))))
        return logits


@pytest.fixture(scope="module")
def toy() -> Toy:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return Toy().double().eval()


@pytest.fixture(scope="module")
def model(toy: Toy) -> Model:
    image = Image(16, 24, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    return open(toy, modality=image, labels=LABELS, precision="float64")


@pytest.fixture(scope="module")
def canvases() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(3, 16, 24, generator=generator) for _ in range(4)]
