"""Opacity: it always covers as much as was said, and pixels compete for it."""

import pytest
import torch

from hooke.errors import NumericsError
from hooke.numeric.seeds import stream
from hooke.visualization.ascent import Ascent
from hooke.visualization.parametrizations import CPPN, Fourier, Pixels, Transparent
from hooke.visualization.parametrizations.transparency import covering
from hooke.visualization.transforms import Backgrounds, Chain, Still, Wobble


@pytest.mark.parametrize("coverage", [0.05, 0.4, 0.9])
@pytest.mark.parametrize("scale", [0.01, 1.0, 50.0])
def test_the_mean_opacity_is_the_coverage(coverage, scale):
    values = scale * torch.randn(3, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    opacity = covering(values, coverage)
    assert torch.allclose(opacity.mean(dim=(1, 2, 3)), torch.tensor(coverage), atol=1e-4)
    ranked = torch.take_along_dim(opacity.flatten(1), values.flatten(1).argsort(dim=1), dim=1)
    assert (ranked.diff(dim=1) >= 0).all()


def test_the_gradient_is_that_of_the_definition():
    values = torch.randn(1, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda given: covering(given, 0.3), (values,), atol=1e-6)


@pytest.mark.parametrize("part", [Fourier(), CPPN(depth=2, width=4)])
def test_colours_are_those_of_the_part(part):
    method = Transparent(part, opacity=Pixels()).sized(16)
    streams = [stream(0, "a"), stream(0, "b")]
    canvases = method.render(method.start(16, 3, streams))
    assert canvases.shape == (2, 4, 16, 16)
    plain = part.sized(16)
    expected = plain.render(plain.start(16, 3, [stream(0, "a"), stream(0, "b")]))
    assert torch.equal(canvases[:, :3], expected)


def test_it_wants_backgrounds_and_backgrounds_want_it():
    Ascent(Transparent(), Chain((Backgrounds(), Wobble())))
    for wrong in (lambda: Ascent(Transparent(), Still()), lambda: Ascent(Fourier(), Chain((Backgrounds(),)))):
        with pytest.raises(NumericsError, match=r"belong together(.|\n)*Backgrounds"):
            wrong()


@pytest.mark.parametrize("coverage", [0.0, 1.0])
def test_a_coverage_that_cannot_be_is_refused(coverage):
    with pytest.raises(NumericsError, match="between 0 and 1"):
        Transparent(coverage=coverage)
