"""Images as spectra: frequency grids, and colours that are independent of one another in photographs."""

from functools import lru_cache

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
