"""Pixels, coarse pixels, pyramids and functions of coordinates: what their numbers mean, by hand."""

import math

import pytest
import torch

from hooke.numeric.seeds import stream
from hooke.numeric.spectra import colour_matrix
from hooke.visualization.parametrizations import CPPN, LowResolution, Pixels, Pyramid
from hooke.visualization.parametrizations.pixels import enlarged


def test_a_pixel_is_its_number():
    numbers = torch.randn(2, 1, 8, 8)
    assert torch.equal(Pixels().render(numbers), torch.sigmoid(numbers))
    colours = torch.randn(1, 3, 1, 1)
    expected = torch.sigmoid(colour_matrix() @ colours[0, :, 0, 0])
    assert torch.allclose(Pixels().render(colours)[0, :, 0, 0], expected, atol=1e-6)


@pytest.mark.parametrize("method", [Pixels(contrast=0.1), LowResolution(contrast=0.1, shrink=4)])
@pytest.mark.parametrize("channels", [1, 3, 7])
def test_the_first_picture_is_grey_with_the_stated_contrast(method, channels):
    method = method.sized(32)
    start = method.start(32, channels, [stream(seed, "grey") for seed in range(16)])
    assert start.std().item() == pytest.approx(0.1, rel=0.1)
    pictures = method.render(start)
    assert pictures.shape == (16, channels, 32, 32)
    assert pictures.mean().item() == pytest.approx(0.5, abs=0.02)


def test_a_coarse_pixel_is_a_bilinear_bump():
    numbers = torch.zeros(1, 1, 4, 4)
    numbers[0, 0, 1, 2] = 1.0
    values = torch.logit(LowResolution(size=16, shrink=4).render(numbers))[0, 0]
    away = (torch.arange(16) + 0.5) / 4 - 0.5
    expected = (1 - (away - 1).abs()).clamp(min=0)[:, None] * (1 - (away - 2).abs()).clamp(min=0)
    assert torch.allclose(values, expected, atol=1e-5)


def test_the_levels_of_a_pyramid_reconstruct_a_picture():
    picture = torch.randn(1, 1, 32, 32)
    method = Pyramid(size=32, levels=4)
    assert method.sides(32) == [32, 16, 8, 4]
    levels, rest = [], picture
    for side in reversed(method.sides(32)):  # Burt and Adelson: what is left after each coarser level
        level = torch.nn.functional.interpolate(rest, (side, side), mode="area")
        step = level
        for finer in [each for each in reversed(method.sides(32)) if each > side]:
            step = enlarged(step, finer)
        rest, levels = rest - step, [level, *levels]
    parameters = math.sqrt(4) * torch.cat([level.flatten(2) for level in levels], dim=2)
    assert parameters.shape[2:] == method.shape(32)
    assert torch.allclose(torch.logit(method.render(parameters)), picture, atol=1e-3)
    coarse_only = parameters.clone()
    coarse_only[..., : 32**2 + 16**2 + 8**2] = 0
    smooth = torch.logit(method.render(coarse_only))
    assert torch.diff(smooth, dim=3).abs().mean() < 0.2 * torch.diff(picture, dim=3).abs().mean()


def test_a_cppn_is_the_network_written_out():
    method = CPPN(size=5, depth=2, width=3)
    numbers = torch.randn(2, *method.start(5, 3, [stream(0, "a")]).shape[1:])
    assert method.channels(numbers) == 3
    weights = list((numbers[1] / 30).split([2 * 3, 3, 6 * 3, 3, 6 * 3, 3]))
    pictures = method.render(numbers)
    for row, column in ((0, 0), (2, 4), (3, 1)):
        line = torch.linspace(-math.sqrt(3), math.sqrt(3), 5)
        features = torch.stack([line[row], line[column]])
        for layer in range(3):
            features = features @ weights[2 * layer].reshape(len(features), 3) + weights[2 * layer + 1]
            if layer < 2:
                turned = torch.atan(features)
                features = torch.cat([turned / 0.67, (turned**2 - 0.45) / 0.396])
        expected = torch.sigmoid(colour_matrix() @ features)
        assert torch.allclose(pictures[1, :, row, column], expected, atol=1e-5)


def test_a_cppn_starts_grey_and_its_features_are_standardized():
    method = CPPN(size=16)
    start = method.start(16, 3, [stream(0, "a"), stream(0, "b")])
    assert torch.equal(method.render(start), torch.full((2, 3, 16, 16), 0.5))
    turned = torch.atan(torch.randn(100000))
    for feature in (turned / 0.67, (turned**2 - 0.45) / 0.396):
        assert abs(feature.mean().item()) < 0.05
        assert feature.std().item() == pytest.approx(1, abs=0.1)
