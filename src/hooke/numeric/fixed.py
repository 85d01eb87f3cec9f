"""Tensors as fields of frozen dataclasses: compared, hashed and described by their contents."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Fixed:
    """A tensor that is part of a method: a photograph, a mask, a matrix, recorded statistics.

    Kept as a copy on the CPU, in float32; equal where its values are. Its provenance is its SHA-256.
    """

    tensor: Tensor

    def __post_init__(self) -> None:
        copy = self.tensor.detach().to("cpu", torch.float32, copy=True).contiguous()
        object.__setattr__(self, "tensor", copy)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the shape and the values."""
        text = str(tuple(self.tensor.shape)).encode()
        return hashlib.sha256(text + self.tensor.numpy().tobytes()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fixed) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Fixed({'x'.join(map(str, self.tensor.shape))} {self.digest[:8]})"
