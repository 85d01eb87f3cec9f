"""Fourier: what its parameters mean, in numbers."""

import pytest
import torch

from hooke.numeric.seeds import stream
from hooke.visualization.parametrizations import Fourier


def test_a_first_picture_is_grey_with_the_stated_contrast():
    method = Fourier(contrast=0.1)
    pictures = method.render(method.start(64, 1, [stream(seed, "grey") for seed in range(64)]))
    assert pictures.mean().item() == pytest.approx(0.5, abs=0.01)
    assert torch.logit(pictures).std().item() == pytest.approx(0.1, rel=0.1)


def test_a_single_coefficient_is_one_wave():
    method = Fourier()
    spectrum = torch.zeros(1, 1, 16, 9, 2)
    spectrum[0, 0, 0, 3, 0] = 1.0
    row = torch.logit(method.render(spectrum))[0, 0, 5]
    wave = torch.cos(2 * torch.pi * 3 * torch.arange(16) / 16)
    assert torch.allclose(row / row.max(), wave, atol=1e-4)


def test_samples_do_not_depend_on_each_other():
    method = Fourier()
    alone = method.start(32, 3, [stream(0, "b")])
    together = method.start(32, 3, [stream(0, "a"), stream(0, "b")])
    assert torch.equal(alone[0], together[1])


def test_colours_are_correlated_in_three_channels_and_not_in_seven():
    def correlation(channels: int) -> float:
        method = Fourier(contrast=0.1)
        pictures = method.render(method.start(32, channels, [stream(seed, "colour") for seed in range(64)]))
        return torch.corrcoef(pictures.transpose(0, 1).flatten(1)[:2])[0, 1].item()

    assert correlation(3) > 0.8
    assert abs(correlation(7)) < 0.1
