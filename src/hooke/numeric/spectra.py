"""Images as spectra: frequency grids, and colours that are independent of one another in photographs."""

from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

PHOTOGRAPH_COLOUR_ROOT = ((0.26, 0.09, 0.02), (0.27, 0.0, -0.05), (0.27, -0.09, 0.03))
"""A square root of the covariance of ImageNet's RGB values (Olah et al. 2017, "Feature Visualization")."""


@lru_cache(maxsize=32)
def frequencies(height: int, width: int) -> Float[Tensor, "height half_width"]:
    """Distance from zero frequency, in cycles per pixel, of each coefficient of a real 2-D Fourier transform."""
    vertical = torch.fft.fftfreq(height)[:, None]
    horizontal = torch.fft.rfftfreq(width)[None, :]
    return torch.hypot(vertical, horizontal)


@lru_cache(maxsize=32)
def power_law(height: int, width: int, decay: float) -> Float[Tensor, "height half_width"]:
    """The amplitude 1 / frequency^decay that photographs have (decay near 1), scaled to keep unit variance in pixels.

    The lowest frequencies are held at those of one cycle per image. White noise with unit real and imaginary parts,
    multiplied by this and transformed back by `irfft2`, has pixels of variance 1.
    """
    floor = 1.0 / max(height, width)
    amplitude = frequencies(height, width).clamp(min=floor) ** -decay
    share = torch.full((amplitude.shape[1],), 4.0)  # a column stands for its mirror image, too
    share[0] = 1.0  # but these two are their own, of which only the real part counts
    if width % 2 == 0:
        share[-1] = 1.0
    energy = (amplitude**2 * share).sum() / (height * width) ** 2
    return amplitude / energy.sqrt()


@lru_cache(maxsize=4)
def colour_matrix() -> Float[Tensor, "rgb independent"]:
    """Turns three independent colour channels into correlated RGB: the published root over its longest column."""
    root = torch.tensor(PHOTOGRAPH_COLOUR_ROOT)
    matrix: Tensor = root / torch.linalg.vector_norm(root, dim=0).max()
    return matrix


def synthesized(
    spectra: Float[Tensor, "batch colour height half_width 2"],
    amplitude: Float[Tensor, "height half_width"],
    mixing: Float[Tensor, "channel colour"],
    width: int,
) -> Float[Tensor, "batch channel height width"]:
    """The images of spectra (real and imaginary parts), scaled by `amplitude`, their colours mixed.

    It is `irfft2` of the scaled spectra, then the mixing; differentiable in the spectra, once.
    """
    images: Tensor = _Synthesis.apply(spectra, amplitude, mixing, width)
    return images


class _Synthesis(torch.autograd.Function):
    """A linear map and its adjoint, written out: torch's own backward pass takes twice the passes over memory."""

    @staticmethod
    def forward(ctx: Any, spectra: Tensor, amplitude: Tensor, mixing: Tensor, width: int) -> Tensor:
        ctx.save_for_backward(amplitude, mixing)
        ctx.width = width
        values = torch.fft.irfft2(torch.view_as_complex(spectra * amplitude[..., None]), s=(amplitude.shape[0], width))
        return _mixed(mixing, values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        amplitude, mixing = ctx.saved_tensors
        height, width = amplitude.shape[0], ctx.width
        weights = amplitude * (2 / (height * width))  # a column stands for its mirror image, too
        weights[:, 0] /= 2
        if width % 2 == 0:
            weights[:, -1] /= 2
        spectra = torch.view_as_real(torch.fft.rfft2(_mixed(mixing.T, gradients[0])))
        return spectra * weights[..., None], None, None, None


def _mixed(mixing: Tensor, images: Tensor) -> Tensor:
    """A product for each image on its own, so that it cannot depend on the batch."""
    count, _, height, width = images.shape
    return torch.bmm(mixing.expand(count, -1, -1), images.flatten(2)).view(count, -1, height, width)
