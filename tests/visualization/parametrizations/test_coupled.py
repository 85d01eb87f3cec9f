"""Sums, shared pictures and interpolation, by hand."""

import pytest
import torch

from hooke.errors import NumericsError
from hooke.numeric.fixed import Fixed
from hooke.numeric.seeds import stream
from hooke.visualization.parametrizations import (
    Coloured,
    Fourier,
    Interpolated,
    LowResolution,
    Masked,
    Pixels,
    Shared,
    Superposition,
    aligned,
    fitted_colours,
)  # fmt: skip

STREAMS = "abcd"


def parameters(method, side=16):
    return method.start(side, 3, [stream(0, name) for name in STREAMS])


def values(method, numbers):
    return torch.logit(method.render(numbers).double())


def test_a_superposition_is_the_sum_before_the_sigmoid():
    parts = (Pixels(contrast=0.3), Fourier(), LowResolution(shrink=4))
    method = Superposition(parts).sized(16)
    numbers = parameters(method)
    pieces = numbers.split([part[0] * part[1] * (part[2] if len(part) > 2 else 1) for part in
                            (each.shape(16) for each in method.parts)], dim=2)  # fmt: skip
    expected = sum(
        values(part, piece.reshape(4, 3, *part.shape(16))) for part, piece in zip(method.parts, pieces, strict=True)
    )
    assert torch.allclose(values(method, numbers), expected / 3**0.5, atol=1e-4)


def test_what_is_shared_is_the_first_one_and_learns_from_all():
    method = Shared(Pixels())
    numbers = parameters(method).requires_grad_()
    pictures = method.render(numbers)
    assert torch.equal(pictures, Pixels().render(numbers[:1]).expand(4, -1, -1, -1))
    (gradient,) = torch.autograd.grad(method.values(numbers, torch.eye(3)).sum(), numbers)
    assert torch.equal(gradient[0], torch.full_like(gradient[0], 4.0))
    assert gradient[1:].abs().sum() == 0


def test_interpolation_goes_in_equal_steps():
    method = Interpolated(Pixels(contrast=1.0))
    numbers = parameters(method)[:3]
    pictures, ends = values(method, numbers), values(Pixels(), numbers)
    for place, weight in ((0, 0.0), (1, 0.5), (2, 1.0)):
        expected = (1 - weight) * ends[0] + weight * ends[2]
        assert torch.allclose(pictures[place], expected, atol=1e-4)
    with pytest.raises(NumericsError, match=r"one picture(.|\n)*count=4"):
        method.render(numbers[:1])


def test_they_say_that_their_pictures_depend_on_one_another():
    shared = Superposition((Fourier(), Shared(LowResolution())))
    grey = Fixed(torch.full((3, 16, 16), 0.5))
    nested = Masked(grey, Fixed(torch.ones(16, 16)), Coloured(shared, fitted_colours(torch.rand(1, 3, 8, 8))))
    for method, coupled in ((Fourier(), False), (shared, True), (nested, True), (aligned(), True)):
        assert method.coupled is coupled
    assert nested.sized(16).part.part.parts[1].part.size == 16


def test_an_aligned_batch_is_more_alike_than_a_free_one():
    def likeness(method):
        method = method.sized(32)
        seen = torch.nn.functional.avg_pool2d(values(method, 20 * parameters(method, 32)), 8).flatten(1)
        return torch.corrcoef(seen)[0, 1:].mean().item()

    assert likeness(aligned()) > likeness(Fourier()) + 0.3
