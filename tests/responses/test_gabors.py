"""Gabors with known parameters are recovered; hand-written detectors are recognized as what they are."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import edges
from torch import nn

from hooke.errors import AddressError, NumericsError
from hooke.modalities.image import Image
from hooke.models.opening import open
from hooke.responses.engineered import compare, detectors
from hooke.responses.gabors import fit_gabors, linear_kernels, random_like


def gabor(orientation, frequency, phase, along, across, right, up, colour) -> torch.Tensor:
    place = torch.arange(15, dtype=torch.float64) - 7
    x, y = place.expand(15, -1) - right, -place[:, None].expand(-1, 15) - up
    turn = math.radians(orientation + 90)
    u, v = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    bell = torch.exp(-(u**2) / (2 * across**2) - v**2 / (2 * along**2))
    wave = torch.cos(2 * math.pi * frequency * u - math.radians(phase))
    return torch.tensor(colour)[:, None, None] * bell * wave


def apart(one: float, other: float, period: float) -> float:
    return abs((one - other + period / 2) % period - period / 2)


@settings(max_examples=10, deadline=None)
@given(
    st.floats(0, 179.9), st.floats(0.08, 0.3), st.floats(0, 359.9), st.floats(1.8, 3), st.floats(1.8, 3),
    st.floats(-1.5, 1.5), st.floats(-1.5, 1.5),
)  # fmt: skip
def test_planted_gabors_are_recovered(orientation, frequency, phase, along, across, right, up) -> None:
    """Every parameter; the fit draws the kernel again."""
    kernel = gabor(orientation, frequency, phase, along, across, right, up, (0.6, -0.64, 0.48))
    (fit,) = fit_gabors(kernel[None].float())
    assert fit.r2 > 0.999
    assert apart(fit.orientation, orientation, 180) < 0.5
    assert fit.frequency == pytest.approx(frequency, abs=0.003)
    assert (fit.right, fit.up) == pytest.approx((right, up), abs=0.1)
    assert fit.sigma_across == pytest.approx(across, rel=0.05)
    assert fit.sigma_along == pytest.approx(along, rel=0.05)
    cosine = sum(one * other for one, other in zip(fit.colour, (0.6, -0.64, 0.48), strict=True))
    assert abs(cosine) == pytest.approx(1, abs=1e-3)
    again = gabor(
        fit.orientation, fit.frequency, fit.phase, fit.sigma_along, fit.sigma_across, fit.right, fit.up, fit.colour
    )
    assert torch.allclose(again * fit.amplitude, kernel, atol=0.02 * float(kernel.abs().max()))


def test_the_kernels_of_a_convolution_are_its_weights() -> None:
    """Over the deviations; of a deeper layer, the product of what lies before it."""
    model = edges.look()
    found = linear_kernels(model, "0")
    assert torch.allclose(found, edges.kernels() / 0.5, atol=1e-5)
    assert [(fit.orientation + 1) % 180 for fit in fit_gabors(found[:4])] == pytest.approx([1, 23.5, 46, 68.5], abs=0.1)
    assert fit_gabors(found[edges.DEAD :][:1])[0].r2 == 0
    deep = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1, bias=False), nn.Conv2d(2, 1, 3, padding=1, bias=False))
    kernel = linear_kernels(open(deep, modality=Image(16, 16, (0.5,) * 3, (1.0,) * 3), labels=()), "1")
    first, second = (part.weight for part in deep)
    expected = torch.zeros(3, 5, 5)
    for row in range(3):
        for column in range(3):
            part = torch.einsum("c,cihw->ihw", second[0, :, row, column], first)
            expected[:, row : row + 3, column : column + 3] += part
    assert torch.allclose(kernel[0], expected, atol=1e-6)


def test_noise_is_fitted_worse_than_gabors() -> None:
    kernels = edges.kernels()[:4, :, 3:18, 3:18]
    noise = random_like(kernels)
    assert torch.allclose(noise.flatten(1).norm(dim=1), kernels.flatten(1).norm(dim=1))
    assert min(fit.r2 for fit in fit_gabors(kernels)) > 0.99
    assert max(fit.r2 for fit in fit_gabors(noise)) < 0.4


def test_hand_written_detectors_are_recognized() -> None:
    """Each detector is its own nearest; Sobel's 3 x 3 is the one of the textbook."""
    bank = detectors(3)
    sobel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    assert torch.allclose(bank["sobel grey 90°"], sobel.expand(3, -1, -1) / (3 * 12) ** 0.5)
    assert torch.allclose(bank["sobel grey 180°"], torch.rot90(sobel).expand(3, -1, -1) / (3 * 12) ** 0.5, atol=1e-6)
    bank = detectors(7)
    for name, found in zip(bank, compare(torch.stack(list(bank.values()))), strict=True):
        assert abs(found.cosine) == pytest.approx(1, abs=1e-4), name
        assert found.explained[name.split()[0]] == pytest.approx(1, abs=1e-4)
        assert found.colour == name.split()[1]
    opponent = torch.tensor([1.0, -1.0, 0.0])[:, None, None] * torch.rand(7, 7)
    assert compare(opponent[None])[0].colour == "red-green"
    assert compare(-bank["blob grey"][None])[0].cosine == pytest.approx(-1, abs=1e-4)


def test_refusals() -> None:
    with pytest.raises(NumericsError):
        fit_gabors(torch.full((1, 3, 3, 3), math.nan))
    with pytest.raises(AddressError, match="receptive field"):
        linear_kernels(open(nn.Sequential(nn.Flatten()), modality=Image(4, 4, (0.5,) * 3, (0.5,) * 3), labels=()), "0")
