"""Random backgrounds behind transparent canvases."""

from dataclasses import dataclass

import torch

from hooke.numeric.spectra import colour_matrix, power_law, synthesized
from hooke.shapes import Canvases
from hooke.visualization.transforms.filters import Seeded
from hooke.visualization.transforms.transform import Draws, Views


@dataclass(frozen=True)
class Backgrounds(Seeded):
    """Lays canvases, whose last channel says how opaque each pixel is, on random smooth backgrounds; at rest, on grey.

    Backgrounds have the spectrum 1 / frequency^decay and the colours of photographs, with `contrast` (standard
    deviation before the sigmoid). Source: Mordvintsev et al. 2018, "Differentiable Image Parameterizations".
    """

    contrast: float = 1.5
    decay: float = 1.5

    @property
    def opaque(self) -> bool:
        return True

    def view(self, canvases: Canvases, draws: Draws) -> Views:
        return composited(canvases, self.backgrounds(canvases, draws))

    def rest(self, canvases: Canvases) -> Views:
        return composited(canvases, canvases.new_full((), 0.5))

    def backgrounds(self, canvases: Canvases, draws: Draws) -> Views:
        """What lies behind each canvas: as many channels but the last."""
        channels, (height, width) = canvases.shape[1] - 1, canvases.shape[2:]
        shape = (channels, height, width // 2 + 1, 2)
        streams = [torch.Generator().manual_seed(int(seed)) for seed in draws[:, 0].tolist()]
        noise = self.contrast * torch.stack([torch.randn(shape, generator=stream) for stream in streams])
        colours = colour_matrix() if channels == 3 else torch.eye(channels)
        values = synthesized(noise, power_law(height, width, self.decay), colours, width)
        return torch.sigmoid(values).to(canvases)


def composited(canvases: Canvases, background: torch.Tensor) -> Views:
    """Colours over a background: opacity * colour + (1 - opacity) * background."""
    colours, opacity = canvases[:, :-1], canvases[:, -1:]
    return opacity * colours + (1 - opacity) * background
