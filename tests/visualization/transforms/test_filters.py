"""Blur, noise, colours, rolls and backgrounds: each against its definition, pixel by pixel."""

import numpy
import pytest
import torch
from scipy import ndimage

from hooke.numeric.seeds import stream
from hooke.visualization.transforms import (
    Backgrounds,
    Blur,
    Chain,
    Choice,
    Clip,
    ColourJitter,
    Crop,
    Noise,
    Normal,
    Roll,
    Uniform,
    Wobble,
)
from hooke.visualization.transforms.backgrounds import composited

EACH = [
    Blur(), Noise(), ColourJitter(), Roll(8), Clip(), Wobble(), Crop(16),
    Chain((Noise(), Wobble(), Blur(), Roll(4))),
]  # fmt: skip


def streams(*names):
    return [stream(0, name) for name in names]


def test_a_blur_is_scipys():
    canvases = torch.rand(2, 3, 24, 24)
    blur = Blur(Choice((1.5,)), radius=6)
    seen = blur.view(canvases, blur.draw(24, 1, streams("a", "b"))[0])
    expected = ndimage.gaussian_filter(canvases.numpy(), (0, 0, 1.5, 1.5), mode="mirror", truncate=4)
    assert numpy.allclose(seen.numpy(), expected, atol=1e-4)


def test_noise_has_its_deviation_and_fades():
    canvases = torch.full((2, 3, 64, 64), 0.5)
    steady, fading = Noise(0.2), Noise(0.2, fades=True)
    for noise, factors in ((steady, (1.0, 1.0)), (fading, (1.0, 0.1))):
        draws = noise.draw(64, 10, streams("a", "b"))
        for step, factor in zip((0, 9), factors, strict=True):
            added = noise.view(canvases, draws[step]) - 0.5
            assert added.std().item() == pytest.approx(0.2 * factor, rel=0.03)
            assert abs(added.mean().item()) < 0.02 * factor
    assert not torch.equal(steady.view(canvases, steady.draw(64, 2, streams("a", "b"))[1])[0], canvases[0])


def test_a_colour_jitter_shifts_and_stretches_each_channel():
    canvases = torch.rand(1, 3, 8, 8)
    jitter = ColourJitter(Choice((0.25,)), Choice((0.5,)))
    seen = jitter.view(canvases, jitter.draw(8, 1, streams("a"))[0])
    assert torch.allclose(seen, (canvases - 0.25) / numpy.exp(0.5), atol=1e-6)
    each = ColourJitter()
    slopes = [
        torch.diff(each.view(torch.tensor([0.0, 1.0]).expand(1, 3, 1, 2), draws), dim=3)[0, :, 0, 0]
        for draws in each.draw(8, 300, streams("a"))
    ]
    stretch = -torch.stack(slopes).log()
    assert (stretch.std(dim=1) > 1e-3).all(), "channels are stretched alike"
    assert -1 - 1e-4 <= stretch.min() < -0.98
    assert 0.98 < stretch.max() <= 1 + 1e-4


def test_a_roll_moves_whole_pixels_round_the_edge():
    canvases = torch.rand(1, 2, 10, 10)
    roll = Roll(4)
    draws = roll.draw(10, 200, streams("a"))
    assert draws.min() == -4
    assert draws.max() == 4
    down, across = (int(number) for number in draws[3, 0])
    assert torch.equal(roll.view(canvases, draws[3]), canvases.roll((down, across), (2, 3)))


def test_opacity_lays_colours_over_backgrounds():
    colours, opacity = torch.tensor([0.2, 0.4, 0.8]), torch.tensor([0.0, 0.25, 1.0])
    canvas = torch.cat([colours.view(1, 3, 1, 1).expand(1, 3, 1, 3), opacity.view(1, 1, 1, 3)], dim=1)
    seen = composited(canvas, torch.full((1, 3, 1, 3), 0.6))
    expected = torch.stack([torch.full((3,), 0.6), 0.25 * colours + 0.45, colours], dim=1)
    assert torch.allclose(seen[0, :, 0], expected, atol=1e-6)
    assert torch.allclose(Backgrounds().rest(canvas)[0, :, 0, 0], torch.tensor(0.5))


def test_backgrounds_are_smooth_coloured_and_different_each_time():
    backgrounds = Backgrounds()
    clear = torch.zeros(2, 4, 32, 32)
    draws = backgrounds.draw(32, 8, streams("a", "b"))
    seen = torch.cat([backgrounds.view(clear, each) for each in draws])
    assert seen.shape == (16, 3, 32, 32)
    assert 0.1 < seen.std() < 0.45
    assert (seen[0] - seen[1]).abs().mean() > 0.05
    assert torch.diff(seen, dim=3).abs().mean() < 0.4 * seen.std()


def test_spreads_are_what_they_say():
    one = stream(0, "a")
    values = Choice((1.0, 2.0, 2.0, 2.0)).sample((4000,), one)
    assert set(values.tolist()) == {1.0, 2.0}
    assert (values == 2).float().mean().item() == pytest.approx(0.75, abs=0.03)
    assert Normal(0.5).sample((4000,), one).std().item() == pytest.approx(0.5, rel=0.05)
    assert Uniform(2.0, 3.0).sample((4000,), one).mean().item() == pytest.approx(2.5, abs=0.02)


@pytest.mark.parametrize("transform", EACH, ids=lambda one: type(one).__name__)
def test_a_view_is_the_same_bytes_whatever_is_beside_it(transform):
    canvases = torch.rand(4, 3, 32, 32)
    draws = transform.draw(32, 3, streams("a", "b", "c", "d"))
    alone = transform.draw(32, 3, streams("c"))
    assert torch.equal(draws[:, 2:3], alone)
    seen = transform.view(canvases, draws[1])
    order = [2, 0, 3, 1]
    again = transform.view(canvases[order], draws[1][order])
    assert torch.equal(again[0], seen[2])
    assert seen.shape[2] == transform.extent(32)


@pytest.mark.parametrize("transform", EACH, ids=lambda one: type(one).__name__)
def test_a_view_passes_gradients(transform):
    canvases = torch.rand(1, 3, 32, 32).requires_grad_()
    transform.view(canvases, transform.draw(32, 1, streams("a"))[0]).sum().backward()
    assert canvases.grad.abs().sum() > 0
