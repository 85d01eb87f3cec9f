"""Photographs: where one begins, what stays as it was, how far one may go."""

import pytest
import torch

from hooke.errors import NumericsError
from hooke.numeric.fixed import Fixed
from hooke.numeric.seeds import stream
from hooke.visualization.parametrizations import (
    CPPN,
    Fourier,
    FromPhotograph,
    L2Ball,
    LInfinityBall,
    Masked,
    Pixels,
    Pyramid,
)  # fmt: skip

SIDE = 24


def photograph(channels=3):
    return Fixed(torch.rand(channels, SIDE, SIDE, generator=torch.Generator().manual_seed(0)))


def rendered(method, channels=3, scale=1.0):
    method = method.sized(SIDE)
    start = method.start(SIDE, channels, [stream(0, "a"), stream(0, "b")])
    noise = torch.randn(start.shape, generator=torch.Generator().manual_seed(1))
    return method.render(start + scale * noise)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_it_begins_at_the_photograph(channels):
    known = photograph(channels)
    for part in (Fourier(contrast=0.0), Pixels(contrast=0.0), Pyramid(contrast=0.0), CPPN()):
        picture = rendered(FromPhotograph(known, part), channels, scale=0.0)
        assert (picture - known.tensor).abs().max() < 1 / 510, "not the same to the grey level"


def test_it_goes_on_as_the_part_does():
    known = photograph()
    method = FromPhotograph(known, Fourier()).sized(SIDE)
    start = method.start(SIDE, 3, [stream(0, "a")])
    change = torch.logit(method.render(start)) - torch.logit(known.tensor, eps=1e-3)
    assert torch.allclose(change, torch.logit(Fourier().render(start)), atol=2e-3)


def test_outside_the_mask_nothing_changes_and_inside_everything_may():
    known, mask = photograph(), torch.zeros(SIDE, SIDE)
    mask[4:10, 6:12], mask[12:14, 6:12] = 1.0, 0.5
    picture = rendered(Masked(known, Fixed(mask), Fourier()))
    free = rendered(Fourier())
    outside = (mask == 0).expand(2, 3, -1, -1)
    assert torch.equal(picture[outside], known.tensor.expand(2, -1, -1, -1)[outside])
    assert torch.equal(picture[..., 4:10, 6:12], free[..., 4:10, 6:12])
    half = (free + known.tensor)[..., 12:14, 6:12] / 2
    assert torch.allclose(picture[..., 12:14, 6:12], half, atol=1e-6)


@pytest.mark.parametrize("scale", [0.01, 1.0, 1000.0])
def test_no_pixel_leaves_its_ball(scale):
    known = photograph()
    change = rendered(LInfinityBall(known, radius=0.03), scale=scale).double() - known.tensor.double()
    assert change.abs().max() <= 0.03
    if scale > 1:
        assert change.abs().max() > 0.0299


@pytest.mark.parametrize("scale", [0.01, 1.0, 1000.0])
def test_no_picture_leaves_its_ball(scale):
    grey = Fixed(torch.full((3, SIDE, SIDE), 0.5))
    change = rendered(L2Ball(grey, radius=1.5), scale=scale).double() - 0.5
    lengths = torch.linalg.vector_norm(change, dim=(1, 2, 3))
    assert (lengths <= 1.5).all()
    if scale >= 1:
        assert (lengths > 1.499).all()
    near = rendered(L2Ball(photograph(), radius=1.5), scale=scale).double() - photograph().tensor.double()
    assert (torch.linalg.vector_norm(near, dim=(1, 2, 3)) <= 1.5).all()


def test_at_its_middle_a_ball_is_the_photograph():
    known = photograph()
    for method in (LInfinityBall(known, part=Pixels(contrast=0.0)), L2Ball(known, part=Pixels(contrast=0.0))):
        assert torch.equal(rendered(method, scale=0.0), known.tensor.expand(2, -1, -1, -1))


def test_a_photograph_of_another_size_is_refused_in_words():
    method = FromPhotograph(photograph())
    assert method.size == SIDE
    with pytest.raises(NumericsError, match=r"3 x 24 x 24(.|\n)*3 x 32 x 32"):
        method.sized(32).start(32, 3, [stream(0, "a")])
    with pytest.raises(NumericsError, match=r"3 x 24 x 24(.|\n)*1 x 24 x 24"):
        method.start(24, 1, [stream(0, "a")])
