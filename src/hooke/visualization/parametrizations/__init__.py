"""What is optimized instead of pixels."""

from hooke.visualization.parametrizations.fourier import Fourier
from hooke.visualization.parametrizations.parametrization import Parametrization, Planes, Unbounded

__all__ = ["Fourier", "Parametrization", "Planes", "Unbounded"]
