"""Fitted colours: a known covariance is found again."""

import pytest
import torch

from hooke.errors import NumericsError
from hooke.numeric.fixed import Fixed
from hooke.numeric.seeds import stream
from hooke.numeric.spectra import PHOTOGRAPH_COLOUR_ROOT
from hooke.visualization.parametrizations import Coloured, Fourier, FromPhotograph, Pixels, fitted_colours


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_the_covariance_of_the_data_is_found_again(channels):
    generator = torch.Generator().manual_seed(channels)
    root = torch.randn(channels, channels, generator=generator)
    pixels = torch.einsum("ij,bjhw->bihw", root, torch.randn(50, channels, 40, 40, generator=generator)) + 0.5
    matrix = fitted_colours(pixels).tensor
    covariance, found = root @ root.T, matrix @ matrix.T
    assert torch.allclose(found / found.trace(), covariance / covariance.trace(), atol=0.01)
    assert torch.linalg.vector_norm(matrix, dim=0).max().item() == pytest.approx(1, abs=1e-5)
    lengths = torch.linalg.vector_norm(matrix, dim=0)
    assert (lengths.diff() <= 0).all()
    assert torch.allclose(matrix.T @ matrix, torch.diag(lengths**2), atol=1e-5), "the axes are not orthogonal"


def test_the_published_covariance_gives_the_published_one():
    root = torch.tensor(PHOTOGRAPH_COLOUR_ROOT)
    pixels = torch.einsum("ij,bjhw->bihw", root, torch.randn(20, 3, 60, 60, generator=torch.Generator().manual_seed(0)))
    found = fitted_colours(pixels).tensor
    expected = root @ root.T
    assert torch.allclose(found @ found.T / (found @ found.T).trace(), expected / expected.trace(), atol=0.005)


def test_pictures_have_the_fitted_colours():
    matrix = Fixed(torch.tensor([[1.0, 0.0], [0.8, 0.6]]))
    numbers = torch.randn(1, 2, 4, 4)
    values = torch.logit(Coloured(Pixels(), matrix).render(numbers))
    assert torch.allclose(values, torch.einsum("ij,bjhw->bihw", matrix.tensor, numbers), atol=1e-4)
    inside = FromPhotograph(Fixed(torch.full((2, 4, 4), 0.5)), Coloured(Pixels(), matrix))
    assert torch.allclose(torch.logit(inside.render(numbers)), values, atol=1e-4)


def test_a_matrix_of_other_channels_is_refused_in_words():
    with pytest.raises(NumericsError, match=r"2 x 2(.|\n)*takes 3(.|\n)*fitted_colours"):
        Coloured(Fourier(), Fixed(torch.eye(2))).start(16, 3, [stream(0, "a")])
