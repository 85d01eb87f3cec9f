"""Engineered detectors: the edge and colour detectors that people wrote by hand, to compare learned filters with."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Kernels = Float[Tensor, "filter channel height width"]

COLOURS = {"grey": (1.0, 1.0, 1.0), "red-green": (1.0, -1.0, 0.0), "blue-yellow": (-0.5, -0.5, 1.0)}
"""One luminance and two opponent axes, orthogonal (as in Hering's theory)."""

DIRECTIONS = 8


@dataclass(frozen=True)
class Comparison:
    """How a learned kernel compares with the hand-written ones: the one that it is most like, their cosine (its sign
    is that of the detector's polarity), the family that it belongs to, and the energy that each family's detectors can
    explain together (the share inside their span; 1 where they span everything)."""

    nearest: str
    cosine: float
    family: str
    colour: str
    explained: dict[str, float]


def detectors(side: int) -> dict[str, Float[Tensor, "3 height width"]]:
    """Hand-written detectors of one size, each of length 1, by name ("family colour details").

    Sobel edges in 8 directions (Sobel & Feldman 1968: a binomial one way, its derivative the other), Gabors of 8
    orientations and 2 phases (Daugman 1985; about one cycle over the kernel), centre-surround (Marr & Hildreth 1980)
    and plain blobs; each in grey, red-green and blue-yellow. At least 3 pixels.
    """
    place = torch.arange(side) - (side - 1) / 2
    x, y = place.expand(side, -1), -place[:, None].expand(-1, side)
    forms: dict[str, Tensor] = {}
    sigma = max(side / 5, 0.7)
    bell = torch.exp(-(x**2 + y**2) / (2 * sigma**2))
    slope = _binomial(side)[:, None] * _slope(side)
    for number in range(DIRECTIONS):
        turn = math.pi * number / DIRECTIONS
        along = x * math.cos(turn) + y * math.sin(turn)
        degrees = f"{math.degrees(turn) + 90:.4g}°"
        forms[f"sobel {degrees}"] = math.cos(turn) * slope + math.sin(turn) * slope.T.flip(0)
        for name, phase in (("even", 0.0), ("odd", math.pi / 2)):
            wave = torch.cos(2 * math.pi * along / max(side * 0.8, 2.5) - phase)
            forms[f"gabor {name} {degrees}"] = bell * (wave - (bell * wave).sum() / bell.sum())
    forms["centre-surround"] = bell - bell.mean()
    forms["blob"] = bell
    found = {}
    for name, form in forms.items():
        kind, _, details = name.partition(" ")
        for colour, weights in COLOURS.items():
            kernel = torch.tensor(weights)[:, None, None] * form
            found[f"{kind} {colour} {details}".strip()] = kernel / kernel.norm()
    return found


def compare(kernels: Float[Tensor, "filter 3 height width"]) -> list[Comparison]:
    """Each learned kernel beside all hand-written detectors of its size. Do the same with `random_like` kernels."""
    bank = detectors(kernels.shape[-1])
    names, flat = list(bank), torch.stack(list(bank.values())).flatten(1)
    unit = torch.nn.functional.normalize(kernels.detach().float().flatten(1), dim=1)
    cosines = unit @ flat.T
    kinds = [name.split()[0] for name in names]
    spans = {
        kind: _basis(flat[[at for at, other in enumerate(kinds) if other == kind]]) for kind in dict.fromkeys(kinds)
    }
    spans["all"] = _basis(flat)
    spans |= {
        colour: _basis(flat[[at for at, name in enumerate(names) if name.split()[1] == colour]]) for colour in COLOURS
    }
    found = []
    for one, row in zip(unit, cosines, strict=True):
        best = int(row.abs().argmax())
        explained = {kind: float((basis @ one).square().sum()) for kind, basis in spans.items()}
        kind, colour = names[best].split()[:2]
        found.append(Comparison(names[best], float(row[best]), kind, colour, explained))
    return found


def _binomial(count: int) -> Float[Tensor, "value"]:
    return torch.tensor([float(math.comb(count - 1, number)) for number in range(count)])


def _slope(side: int) -> Float[Tensor, "value"]:
    """The derivative of a binomial, rising to the right: -1, 0, 1 at 3 pixels."""
    smooth = torch.cat([torch.zeros(2), _binomial(max(side - 2, 1)), torch.zeros(2)])
    return (smooth[:-2] - smooth[2:])[:side]


def _basis(rows: Float[Tensor, "row value"]) -> Float[Tensor, "direction value"]:
    """An orthonormal basis of what the rows span; directions that hold less than a thousandth are left out."""
    _, sizes, basis = torch.linalg.svd(rows, full_matrices=False)
    kept: Tensor = basis[sizes > 1e-3 * sizes[0]]
    return kept
