"""Spectra: the grid, the power law and the colours against their definitions."""

import numpy as np
import pytest
import torch

from hooke.numeric.spectra import colour_matrix, frequencies, power_law, synthesized


def test_frequencies_are_distances_in_cycles_per_pixel():
    grid = frequencies(6, 8)
    assert grid.shape == (6, 5)
    assert grid[0, 0] == 0
    assert grid[1, 0] == pytest.approx(1 / 6)
    assert grid[5, 4] == pytest.approx(np.hypot(1 / 6, 0.5))


@pytest.mark.parametrize("decay", [0.0, 1.0, 1.5])
@pytest.mark.parametrize("size", [(32, 32), (33, 47)])
def test_unit_noise_under_the_power_law_has_pixels_of_variance_one(decay, size):
    height, width = size
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(2000, height, width // 2 + 1, 2, generator=generator)
    pixels = torch.fft.irfft2(torch.view_as_complex(noise) * power_law(height, width, decay), s=size)
    assert pixels.var().item() == pytest.approx(1, abs=0.05)


def test_amplitude_falls_as_the_stated_power_of_frequency():
    amplitude, grid = power_law(64, 64, 1.5), frequencies(64, 64)
    assert (amplitude[0, 2] / amplitude[0, 8]).item() == pytest.approx(
        (grid[0, 8] / grid[0, 2]).item() ** 1.5, rel=1e-5
    )
    assert amplitude[0, 0] == amplitude[0, 1]


def test_the_colour_matrix_is_the_published_one():
    published = [[0.56283, 0.19483, 0.04329], [0.58448, 0, -0.10824], [0.58448, -0.19483, 0.06494]]
    assert torch.allclose(colour_matrix(), torch.tensor(published), atol=1e-5)


@pytest.mark.parametrize("width", [8, 9])
def test_synthesis_and_its_gradient_are_those_of_torch_written_out(width):
    generator = torch.Generator().manual_seed(0)
    spectra = torch.randn(2, 3, 6, width // 2 + 1, 2, dtype=torch.float64, generator=generator).requires_grad_()
    amplitude, mixing = power_law(6, width, 1.0).double(), colour_matrix().double()
    images = synthesized(spectra, amplitude, mixing, width)
    plain = torch.fft.irfft2(torch.view_as_complex(spectra) * amplitude, s=(6, width))
    plain = torch.einsum("rc,bchw->brhw", mixing, plain)
    assert torch.allclose(images, plain, atol=1e-12)
    towards = torch.randn(images.shape, dtype=torch.float64, generator=generator)
    (ours,), (theirs,) = (torch.autograd.grad(made, spectra, towards) for made in (images, plain))
    assert torch.allclose(ours, theirs, atol=1e-12)
