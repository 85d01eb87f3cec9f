"""Invariance: how much of a unit's answer stays while a parameter that was not swept runs through its range."""

import torch

from hooke.models.model import Model
from hooke.responses.estimates import Estimate, interval, resampled
from hooke.responses.placement import place
from hooke.responses.tuning import Tuning, show

STEPS = 8


def invariances(model: Model, tuning: Tuning, unit: str | int = 0, *, seed: int = 0) -> dict[str, Estimate]:
    """For each remaining parameter, the index of invariance of one unit, with its interval.

    The swept parameters stand at the unit's best values; the parameter runs through its range while the others keep
    the tuning's settings. The index is the mean response over the range as a share of the best in it, above grey,
    settings weighing by their best: 1 where the parameter does not matter, 1/8 where only one of 8 values works.
    NaN for a unit that never answers above grey.
    """
    index = tuning.unit(unit)
    placement = place(model, tuning.units[index])
    best, grey = tuning.best(index), float(tuning.grey[index])
    samples = tuning.responses.shape[1]
    held = {name: torch.full((samples,), value) for name, value in best.items()}
    found = {}
    for name, among in tuning.stimulus.ranges.items():
        if name in best or not among.varies:
            continue
        grid = among.grid(STEPS)
        values = {other: value.repeat_interleave(len(grid)) for other, value in (dict(tuning.settings) | held).items()}
        values[name] = grid.repeat(samples)
        answers = show(model, placement, tuning.stimulus, values)[:, 0].reshape(samples, len(grid))
        above = (answers - grey).clamp(min=0)
        both = torch.stack([above.mean(1), above.amax(1)], 1)[None]
        kept, most = both.mean(1)[0].tolist()
        many = resampled(both, seed=seed)[:, 0]
        found[name] = interval(kept / most if most > 0 else float("nan"), many[:, 0] / many[:, 1], None)
    return found
