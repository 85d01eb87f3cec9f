"""Peaks: where a curve is highest, how wide it is there, and how much of it points one way."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

Curves = Float[Tensor, "curve point"]
PerCurve = Float[Tensor, "curve"]


def peak(values: Float[Tensor, "point"], curves: Curves, *, period: float | None = None) -> PerCurve:
    """Where each curve is highest, between its points: the top of the parabola through the highest and its neighbours.

    `values` are evenly spaced; with a `period` they go round. NaN for a curve that is the same everywhere.
    """
    count = len(values)
    top = curves.argmax(1)
    step = float(values[1] - values[0]) if count > 1 else 0.0
    place = values[top]
    if count >= 3:
        before, here, after = (_at(curves, top + shift, period is not None) for shift in (-1, 0, 1))
        bend = before - 2 * here + after
        shift = torch.where(bend < 0, 0.5 * (before - after) / bend, torch.zeros_like(bend))
        place = place + step * torch.nan_to_num(shift)
    if period is not None:
        place = place % period
    flat = curves.amax(1) - curves.amin(1) <= 1e-6 * curves.abs().amax(1)
    return torch.where(flat, torch.nan, place)


def half_width(
    values: Float[Tensor, "point"], curves: Curves, floor: PerCurve, *, period: float | None = None
) -> PerCurve:
    """Half the width of each curve at half its height above `floor`, in units of `values` (evenly spaced).

    Crossings are interpolated; where a linear curve ends before one, the other side counts alone. NaN where no side
    falls below half, or where the curve is nowhere above its floor.
    """
    count = len(values)
    step = float(values[1] - values[0]) if count > 1 else 0.0
    top = curves.argmax(1)
    half = (curves.gather(1, top[:, None])[:, 0] + floor) / 2
    sides = torch.stack([_crossing(curves, top, half, way, period is not None) for way in (1, -1)])
    width = sides.nanmean(0) * step
    return torch.where(curves.amax(1) > floor, width, torch.nan)


def resultant(values: Float[Tensor, "point"], curves: Curves, period: float) -> tuple[PerCurve, PerCurve]:
    """The direction (in units of `values`) and length (0 to 1) of the mean vector of non-negative responses.

    Length 1: all at one value; 0: the same all round. With a period of 180 degrees the length is the orientation
    selectivity index, with 360 the direction selectivity index; 0 and NaN for a curve without response. Source:
    Ringach, Shapley & Hawken, J. Neuroscience 2002; Mazurek, Kager & Van Hooser, Frontiers in Neural Circuits 2014.
    """
    weights = curves.clamp(min=0)
    angle = values * (2 * math.pi / period)
    total = weights.sum(1)
    right, up = (weights @ part / total.clamp(min=1e-30) for part in (angle.cos(), angle.sin()))
    direction = torch.atan2(up, right) * (period / (2 * math.pi)) % period
    return torch.where(total > 0, direction, torch.nan), torch.hypot(right, up)


def _at(curves: Curves, points: Float[Tensor, "curve"] | Tensor, circular: bool) -> PerCurve:
    """The value of each curve at one of its points; NaN beyond the ends of one that does not go round."""
    count = curves.shape[1]
    found = curves.gather(1, (points % count)[:, None])[:, 0]
    return found if circular else torch.where((points >= 0) & (points < count), found, torch.nan)


def _crossing(curves: Curves, top: Tensor, half: PerCurve, way: int, circular: bool) -> PerCurve:
    """How many points from the top, going one way, each curve comes down to `half`."""
    count = curves.shape[1]
    steps = torch.arange(count)
    points = top[:, None] + way * steps
    walk = curves.gather(1, points % count)
    inside = torch.ones_like(points, dtype=torch.bool) if circular else (points >= 0) & (points < count)
    below = (walk < half[:, None]) & inside
    first = below.int().argmax(1)
    low, high = (walk.gather(1, (first - shift).clamp(min=0)[:, None])[:, 0] for shift in (0, 1))
    place = first - 1 + (high - half) / (high - low)
    return torch.where(below.any(1), place, torch.nan)
