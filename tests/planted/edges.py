"""A network with hand-written weights: what its units look for is known exactly.

One convolution of 21 x 21 Gabors and colour blobs, a ReLU. Gabors are cosines of `FREQUENCY` cycles a pixel across
their orientation (that of the stripes, anticlockwise from horizontal), under a round Gaussian of deviation `SIGMA`.
"""

import math

import torch
from torch import Tensor, nn

from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open

SIDE, FREQUENCY, SIGMA = 21, 1 / 8, 3.0
ORIENTATIONS = [22.5 * number for number in range(8)]
HUES = [0.0, 90.0, 180.0, 270.0]
OCTAVES = [-0.5, 0.0, 0.5]

EDGES = range(0, 8)
COLOURS = range(8, 12)
DEAD = 12
BLOB = 13
SCALES = range(14, 17)
"""The same vertical Gabor at three scales."""
CHIRAL = (17, 18, 19)
"""A mixture of two Gabors, the same turned by 45 degrees, and the first one's mirror image."""


def gabor(orientation: float, phase: float = 0.0, scale: float = 1.0) -> Tensor:
    """A Gabor of length 1 in grey; `scale` 2 is twice as large. Phase 0 is brightest at the centre."""
    place = torch.arange(SIDE) - SIDE // 2.0
    x, y = place.expand(SIDE, -1), -place[:, None].expand(-1, SIDE)
    across = math.radians(orientation + 90)
    along = x * math.cos(across) + y * math.sin(across)
    envelope = torch.exp(-(x**2 + y**2) / (2 * (SIGMA * scale) ** 2))
    wave = torch.cos(2 * math.pi * FREQUENCY / scale * along - math.radians(phase))
    kernel = (envelope * wave).expand(3, -1, -1)
    return kernel / kernel.norm()


def blob(*weights: float) -> Tensor:
    """A Gaussian blob with these weights for R, G and B."""
    place = torch.arange(SIDE) - SIDE // 2.0
    envelope = torch.exp(-(place[:, None] ** 2 + place**2) / (2 * 1.5**2))
    kernel = torch.tensor(weights)[:, None, None] * envelope
    return kernel / kernel.norm()


def hue(degrees: float) -> Tensor:
    """A blob for one hue: its tuning over the circle of hues is the positive part of a cosine."""
    return blob(*(math.cos(math.radians(degrees - turn)) for turn in (0, 120, 240)))


def chiral(turn: float, hand: int) -> Tensor:
    """A strong Gabor and a weaker one 45 degrees further, in the sense of `hand`."""
    return gabor(hand * (20 + turn)) + 0.6 * gabor(hand * (65 + turn), 90)


def kernels() -> Tensor:
    """All of them: [unit, 3, side, side]."""
    return torch.stack([
        *(gabor(orientation, 90 * (number % 2)) for number, orientation in enumerate(ORIENTATIONS)),
        *(hue(degrees) for degrees in HUES),
        torch.zeros(3, SIDE, SIDE),
        blob(1, 1, 1),
        *(gabor(90, 0, 2**octave) for octave in OCTAVES),
        chiral(0, 1), chiral(45, 1), chiral(0, -1),
    ])  # fmt: skip


def look() -> Model:
    """The network, opened: its layer `1` has the units. Canvases are 64 px; grey is 0 to it."""
    weights = kernels()
    convolution = nn.Conv2d(3, len(weights), SIDE, padding=SIDE // 2, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(weights)
    return open(nn.Sequential(convolution, nn.ReLU()), modality=Image(64, 64, (0.5,) * 3, (0.5,) * 3), labels=())


def tuning_of(kernel: Tensor, orientations: Tensor, frequency: float) -> Tensor:
    """The exact tuning of a linear unit behind a ReLU, averaged over all phases: the amplitude of its Fourier transform
    at each orientation of stripes (`frequency` in cycles a pixel), blurred by square pixels, over pi."""
    place = torch.arange(SIDE) - SIDE // 2.0
    across = torch.deg2rad(orientations + 90)
    x, y = place.expand(SIDE, -1), -place[:, None].expand(-1, SIDE)
    along = x * across.cos()[:, None, None] + y * across.sin()[:, None, None]
    turn = 2 * math.pi * frequency * along
    grey = kernel.sum(0)
    blur = torch.sinc(frequency * across.cos()) * torch.sinc(frequency * across.sin())
    return blur * torch.hypot((grey * turn.cos()).sum((1, 2)), (grey * turn.sin()).sum((1, 2))) / math.pi
