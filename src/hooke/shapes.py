"""The tensor shapes that signatures speak of; jaxtyping checks them in the tests."""

from typing import TypeAlias

from jaxtyping import Float
from torch import Tensor

Canvas: TypeAlias = Float[Tensor, "channel height width"]
"""One input image, values 0 to 1, before the model's normalization."""

Canvases: TypeAlias = Float[Tensor, "batch channel height width"]
"""A batch of input images, values 0 to 1, before the model's normalization."""

Scores: TypeAlias = Float[Tensor, "batch"]
"""One number per sample."""
