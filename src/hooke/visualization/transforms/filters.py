"""Changes of the values of a view: blur, noise, colours, and a canvas that goes round."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional

from hooke.shapes import Canvases
from hooke.visualization.transforms.spreads import Normal, Spread, Uniform
from hooke.visualization.transforms.transform import Draws, Still, Transform, Views

SEEDS = 2**24
"""As many whole numbers as float32 holds without gaps."""


@dataclass(frozen=True)
class Blur(Transform):
    """A Gaussian blur of a random width in pixels, over `radius` pixels each way, mirrored at the border."""

    deviation: Spread = Uniform(1.0, 1.1)
    radius: int = 5

    def draw(self, side: int, steps: int, streams: Sequence[Generator]) -> Float[Tensor, "step batch 1"]:
        return torch.stack([self.deviation.sample((steps, 1), stream) for stream in streams], dim=1)

    def view(self, canvases: Canvases, draws: Draws) -> Views:
        away = torch.arange(-self.radius, self.radius + 1).to(canvases)
        weights = torch.exp(-0.5 * (away / draws.to(canvases).clamp(min=1e-3)) ** 2)
        kernels = (weights / weights.sum(dim=1, keepdim=True)).repeat_interleave(canvases.shape[1], dim=0)
        planes = functional.pad(canvases, [self.radius] * 4, mode="reflect").flatten(0, 1)[None]
        planes = functional.conv2d(planes, kernels[:, None, None, :], groups=len(kernels))
        planes = functional.conv2d(planes, kernels[:, None, :, None], groups=len(kernels))
        return planes.reshape(canvases.shape)


class Seeded(Transform):
    """A transform that needs more numbers than one keeps: a seed for each view, and how far the steps have come."""

    def draw(self, side: int, steps: int, streams: Sequence[Generator]) -> Float[Tensor, "step batch 2"]:
        seeds = [torch.randint(SEEDS, (steps,), generator=stream).float() for stream in streams]
        progress = (torch.arange(steps) / steps)[:, None].expand(steps, len(streams))
        return torch.stack([torch.stack(seeds, dim=1), progress], dim=2)


@dataclass(frozen=True)
class Noise(Seeded):
    """Gaussian noise on every pixel; where it `fades`, it falls linearly to nothing at the last step."""

    deviation: float = 0.08
    fades: bool = False

    def view(self, canvases: Canvases, draws: Draws) -> Views:
        strength = self.deviation * (1 - self.fades * draws[:, 1])
        noise = _drawn(canvases[0].shape, draws, Normal(1.0)).to(canvases)
        return canvases + strength.to(canvases)[:, None, None, None] * noise


@dataclass(frozen=True)
class ColourJitter(Seeded):
    """Each channel shifted and stretched: (value - shift) / e^stretch (Ghiasi et al. 2022); may fade as noise does."""

    shift: Spread = Uniform(-1.0, 1.0)
    stretch: Spread = Uniform(-1.0, 1.0)
    fades: bool = False

    def view(self, canvases: Canvases, draws: Draws) -> Views:
        strength = (1 - self.fades * draws[:, 1]).to(canvases)[:, None, None, None]
        shape = (canvases.shape[1], 1, 1)
        shift = strength * _drawn(shape, draws, self.shift).to(canvases)
        stretch = strength * _drawn(shape, draws, self.stretch, other=1).to(canvases)
        return (canvases - shift) * torch.exp(-stretch)


@dataclass(frozen=True)
class Roll(Transform):
    """A shift by whole pixels, up to `pixels` each way, of a canvas whose edges meet."""

    pixels: int = 32

    def draw(self, side: int, steps: int, streams: Sequence[Generator]) -> Float[Tensor, "step batch 2"]:
        low, high = -self.pixels, self.pixels + 1
        return torch.stack([torch.randint(low, high, (steps, 2), generator=one) for one in streams], dim=1).float()

    def view(self, canvases: Canvases, draws: Draws) -> Views:
        shifts = [(int(down), int(across)) for down, across in draws.tolist()]
        return torch.stack([one.roll(by, (1, 2)) for one, by in zip(canvases, shifts, strict=True)])


@dataclass(frozen=True)
class Clip(Still):
    """Values below 0 and above 1 cut off."""

    def view(self, canvases: Canvases, draws: Draws) -> Views:
        return canvases.clamp(0, 1)


def _drawn(shape: tuple[int, ...], draws: Draws, spread: Spread, other: int = 0) -> Tensor:
    """Numbers for each sample from the stream of its seed."""
    seeds = [2 * int(seed) + other for seed in draws[:, 0].tolist()]
    return torch.stack([spread.sample(tuple(shape), torch.Generator().manual_seed(seed)) for seed in seeds])
