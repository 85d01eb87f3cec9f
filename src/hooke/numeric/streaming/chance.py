"""Random numbers that belong to an input: the same whoever draws them, and in whatever order."""

import numpy
import numpy.typing
import torch
from jaxtyping import Float, Int
from torch import Tensor

_MASK = (1 << 64) - 1


def draws(seed: int, inputs: Int[Tensor, "row"], count: int) -> Float[Tensor, "row draw"]:
    """For each input `count` numbers, 0 to below 1 (float64), from its index and the seed alone.

    Source: SplitMix64; Steele, Lea & Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014).
    """
    with numpy.errstate(over="ignore"):
        start = _mixed(numpy.array([seed & _MASK], dtype=numpy.uint64))
        own = _mixed(inputs.numpy().astype(numpy.uint64) + start)
        steps = numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        bits = _mixed(own[:, None] + steps)
    return torch.from_numpy((bits >> numpy.uint64(11)).astype(numpy.float64) * 2.0**-53)


def _mixed(words: numpy.typing.NDArray[numpy.uint64]) -> numpy.typing.NDArray[numpy.uint64]:
    words = (words ^ (words >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return words ^ (words >> numpy.uint64(31))
