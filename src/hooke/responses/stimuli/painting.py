"""Painting without jagged edges: where pixels lie around a stimulus, and how much of each pixel a form covers.

Lengths in pixels; x to the right, y up; angles in degrees, anticlockwise, 0 to the right. A form is a distance field:
negative inside, in pixels. `covered` and `stroke` are exact for straight edges along the pixel grid and within a
percent of a pixel's area for others; `wave` integrates a sinusoid over the square pixel exactly.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Pixels = Float[Tensor, "_batch height width"]
"""One number per pixel; a batch of 1 where all samples agree."""

Setting = Float[Tensor, "_batch 1 1"]
"""One number per sample, ready to meet pixels."""

SAMPLES = tuple((right / 3, up / 3) for right in (-1, 0, 1) for up in (-1, 0, 1))
"""Where in a pixel a sheet is read: nine points."""


@dataclass(frozen=True)
class Frame:
    """Where a stimulus is drawn: a canvas in pixels, the centre (from the top left corner), and the unit's field.

    `field` is the side, in pixels, of the unit's effective receptive field: lengths of stimuli are in fields.
    """

    height: int
    width: int
    row: float
    column: float
    field: float
    channels: int = 3

    def plane(self) -> tuple[Float[Tensor, "1 height width"], Float[Tensor, "1 height width"]]:
        """x and y of every pixel's middle, from the stimulus' centre."""
        x = torch.arange(self.width) + 0.5 - self.column
        y = self.row - (torch.arange(self.height) + 0.5)
        return x.expand(1, self.height, -1), y[:, None].expand(1, -1, self.width)


def turned(x: Pixels, y: Pixels, degrees: Setting) -> tuple[Pixels, Pixels]:
    """Coordinates along a direction and across it (to its left)."""
    cosine, sine = unit(degrees)
    return x * cosine + y * sine, y * cosine - x * sine


def unit(degrees: Setting) -> tuple[Setting, Setting]:
    """The vector of length 1 in a direction; exact at multiples of 90 degrees."""
    radians = degrees.double() * (math.pi / 180)
    return tuple((part.round(decimals=15)).to(degrees.dtype) for part in (radians.cos(), radians.sin()))  # type: ignore[return-value]


def covered(distance: Pixels) -> Pixels:
    """The share of each pixel inside a form, 0 to 1."""
    return (0.5 - distance).clamp(0, 1)


def stroke(distance: Pixels, width: Setting) -> Pixels:
    """The share of each pixel within half a `width` of a line, also where the line is thinner than a pixel."""
    return covered(distance.abs() - width / 2) - covered(distance.abs() + width / 2)


def wave(x: Pixels, y: Pixels, frequency: Setting, degrees: Setting, phase: Setting) -> Pixels:
    """cos(2 pi (frequency * d) - phase), d along `degrees`, averaged over each pixel; `frequency` in cycles a pixel."""
    cosine, sine = unit(degrees)
    along = x * cosine + y * sine
    blur = torch.sinc(frequency * cosine) * torch.sinc(frequency * sine)
    return blur * torch.cos(2 * math.pi * frequency * along - phase * (math.pi / 180))


def sampled(
    sheets: Float[Tensor, "batch channel rows columns"],
    x: Pixels,
    y: Pixels,
    size: Setting,
    degrees: Setting,
    *,
    mirrored: bool,
) -> Float[Tensor, "batch channel height width"]:
    """Sheets turned and scaled to a height of `size` pixels around the centre; where they end, mirrored or empty."""
    rows, columns = sheets.shape[-2:]
    padding = "reflection" if mirrored else "zeros"
    total = torch.zeros(1)
    for right, up in SAMPLES:
        along, across = turned(x + right, y + up, degrees)
        grid = torch.stack([along * (2 * rows / columns) / size, -across * 2 / size], -1)
        total = total + functional.grid_sample(sheets, grid, padding_mode=padding, align_corners=False)
    return total / len(SAMPLES)


def segment(x: Pixels, y: Pixels, ends: tuple[Setting, Setting]) -> Pixels:
    """The distance to the segment from the centre to a point (to the right, up)."""
    right, up = ends
    along = ((x * right + y * up) / (right.square() + up.square())).clamp(0, 1)
    return torch.hypot(x - along * right, y - along * up)
