"""Generated scenes: a coloured, filled shape before a background, drawn from a seed; `tiny-vit` was trained on them."""

from collections.abc import Sequence
from itertools import product

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional

from hooke.shapes import Canvases

SIDE = 64
"""Of a scene in pixels."""

TURN = 0.35
"""Radians that a shape is turned by at most."""

COLOURS = {"red": (0.85, 0.12, 0.12), "green": (0.1, 0.65, 0.2), "blue": (0.12, 0.25, 0.85), "yellow": (0.9, 0.8, 0.1)}
FILLINGS = ("plain", "striped", "dotted")
SHAPES = ("circle", "square", "triangle", "cross")

LABELS = tuple(f"{filling} {colour} {shape}" for colour, filling, shape in product(COLOURS, FILLINGS, SHAPES))
"""The 48 things that a scene can show."""


def scenes(labels: Sequence[int], seed: int) -> Canvases:
    """One scene for each label, by its index in `LABELS`, values 0 to 1; what it does not say is drawn from `seed`.

    Place, size (12 to 24 px from the centre to the edge), turn, shade, brightness, and what is behind: a smooth
    background of any colour, every other time with stripes or dots of its own.
    """
    dice, count = torch.Generator().manual_seed(seed), len(labels)
    index = torch.tensor(labels)
    colour, filling, shape = index // 12, index // 4 % 3, index % 4
    behind = background(count, dice)
    marked = torch.randint(0, 4, (count,), generator=dice).clamp(min=1) - 1  # plain every other time
    strength = 0.3 * torch.rand(count, 1, 1, 1, generator=dice)
    behind = behind * (1 - strength * pattern(marked, dice)[:, None])

    size = 12 + 12 * torch.rand(count, 1, 1, generator=dice)
    room = (SIDE / 2 - size).clamp(min=0)
    down, across = ((2 * torch.rand(count, 1, 1, generator=dice) - 1) * room for _ in range(2))
    rows, columns = turned((2 * torch.rand(count, 1, 1, generator=dice) - 1) * TURN, down, across)
    inside = torch.sigmoid(2 * (size - radius(rows, columns, shape)))[:, None]
    shade = torch.tensor(list(COLOURS.values()))[colour][:, :, None, None]
    shade = shade + 0.12 * (2 * torch.rand(count, 3, 1, 1, generator=dice) - 1)
    contrast = 0.55 + 0.35 * torch.rand(count, 1, 1, 1, generator=dice)
    towards = torch.randint(0, 2, (count, 1, 1, 1), generator=dice).float()  # the pattern is white or black
    marks = contrast * pattern(filling, dice)[:, None]
    drawn = shade * (1 - marks) + towards * marks
    light = 0.75 + 0.4 * torch.rand(count, 1, 1, 1, generator=dice)
    noise = 0.02 * torch.randn(count, 3, SIDE, SIDE, generator=dice)
    return ((inside * drawn + (1 - inside) * behind) * light + noise).clamp(0, 1)


def background(count: int, dice: Generator, side: int = SIDE) -> Canvases:
    """Smooth backgrounds of any colour."""
    back = torch.rand(count, 3, 4, 4, generator=dice)
    smooth = functional.interpolate(back, (side, side), mode="bicubic", align_corners=True)
    return 0.5 + 0.5 * (smooth - 0.5) + 0.25 * (torch.rand(count, 3, 1, 1, generator=dice) - 0.5)


def turned(
    angle: Tensor, down: Tensor | float = 0.0, across: Tensor | float = 0.0, side: int = SIDE
) -> tuple[Tensor, Tensor]:
    """Of each pixel, its coordinates in a frame that is turned by `angle` about a point away from the centre."""
    line = torch.arange(side) + 0.5 - side / 2
    rows, columns = line[None, :, None] - down, line[None, None, :] - across
    return columns * torch.sin(angle) + rows * torch.cos(angle), columns * torch.cos(angle) - rows * torch.sin(angle)


def radii(rows: Tensor, columns: Tensor) -> Float[Tensor, "count shape height width"]:
    """How large each of `SHAPES` has to be to reach a pixel: its edge is where this is its size."""
    tall, wide = rows.abs(), columns.abs()
    circle = (rows.square() + columns.square()).sqrt()
    square = 1.18 * torch.maximum(tall, wide)
    triangle = 1.6 * torch.maximum(-rows, 0.5 * rows + 0.866 * wide)
    arm = torch.maximum(torch.maximum(tall, wide), 3.2 * torch.minimum(tall, wide))
    return torch.stack([circle, square, triangle, arm], dim=1)


def radius(rows: Tensor, columns: Tensor, shape: Tensor) -> Float[Tensor, "count height width"]:
    """The same of one shape each."""
    return radii(rows, columns)[torch.arange(len(shape)), shape]


def pattern(kind: Tensor, dice: Generator, side: int = SIDE) -> Float[Tensor, "count height width"]:
    """Marks, 0 to 1, of each sample's kind: none, stripes, dots or checks, any period of 5 to 9 px, any direction."""
    count = len(kind)
    period = 5 + 4 * torch.rand(count, 1, 1, generator=dice)
    phases = torch.rand(2, count, 1, 1, generator=dice) * 2 * torch.pi
    rows, columns = turned(torch.rand(count, 1, 1, generator=dice) * torch.pi, side=side)
    waves = [
        torch.cos(2 * torch.pi * each / period + phase) for each, phase in zip((rows, columns), phases, strict=True)
    ]
    stripes = torch.sigmoid(6 * waves[0])
    dots = torch.sigmoid(6 * (waves[0] + waves[1] - 0.6))
    checks = torch.sigmoid(12 * waves[0] * waves[1])
    every = torch.stack([torch.zeros_like(stripes), stripes, dots, checks], dim=1)
    return every[torch.arange(count), kind]


def accuracy(logits: Tensor, labels: Sequence[int]) -> dict[str, float]:
    """The share of scenes whose label is the likeliest; and whose colour, filling or shape that label has."""
    found, wanted = logits.argmax(dim=1).cpu(), torch.tensor(labels)
    parts = {"label": (found, wanted), "colour": (found // 12, wanted // 12)}
    parts |= {"filling": (found // 4 % 3, wanted // 4 % 3), "shape": (found % 4, wanted % 4)}
    return {name: (one == other).float().mean().item() for name, (one, other) in parts.items()}
