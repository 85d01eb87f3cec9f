"""Colours: the inks that forms are drawn with, the circle of hues, and turning the hues of a picture."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.responses.stimuli.ranges import Choice

GROUND = 0.5
"""The grey that stimuli stand on."""

INKS = {
    "black": (0.0, 0.0, 0.0), "white": (1.0, 1.0, 1.0), "red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0), "yellow": (1.0, 1.0, 0.0), "cyan": (0.0, 1.0, 1.0), "magenta": (1.0, 0.0, 1.0),
}  # fmt: skip

ANY_INK = Choice(tuple(INKS))

Colour = Float[Tensor, "batch 3 1 1"]


def ink(values: Float[Tensor, "batch 1 1"], choice: Choice) -> Colour:
    """The RGB of inks by their index in `choice`."""
    table = torch.tensor([INKS[name] for name in choice.names])
    return table[values.flatten().long()][:, :, None, None]


def hue_colour(
    hue: Float[Tensor, "batch 1 1"], saturation: Float[Tensor, "batch 1 1"], lightness: Float[Tensor, "batch 1 1"]
) -> Colour:
    """Colours of equal mean over R, G and B: hue 0 is red, 120 green, 240 blue; saturation 1 is the most that all hues
    reach at that lightness. A linear unit a*R + b*G + c*B with a+b+c = 0 has a cosine as its hue tuning."""
    reach = torch.minimum(lightness, 1 - lightness) * saturation
    turns = [torch.cos((hue - shift) * (math.pi / 180)) for shift in (0.0, 120.0, 240.0)]
    return torch.stack([lightness + reach * turn for turn in turns], 1)


def hue_turned(
    canvases: Float[Tensor, "batch 3 height width"], degrees: Float[Tensor, "batch 1 1"]
) -> Float[Tensor, "batch 3 height width"]:
    """Pictures with all hues turned around the grey axis, clipped to 0..1."""
    radians = degrees.flatten() * (math.pi / 180)
    cosine, sine = radians.cos()[:, None, None], radians.sin()[:, None, None]
    grey = torch.full((3, 3), 1 / 3)
    across = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
    matrix = grey + cosine * (torch.eye(3) - grey) + sine * across
    return torch.einsum("bij,bjhw->bihw", matrix, canvases).clamp(0, 1)


def over(
    ground: float | Float[Tensor, "batch 3 height width"], share: Float[Tensor, "batch height width"], colour: Colour
) -> Float[Tensor, "batch 3 height width"]:
    """A colour laid over a ground where a form covers it."""
    return ground + share[:, None] * (colour - ground)
