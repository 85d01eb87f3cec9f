"""Whole or part? Whether a unit answers to a face-like arrangement as a whole, or to one of its parts."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.errors import StimulusError
from hooke.responses.estimates import resampled
from hooke.responses.stimuli import Choice, Faces
from hooke.responses.tuning import Tuning

SHARE = 0.5
"""A part alone that gives at least so much of the best response is what a unit is for; of a whole, nothing that lacks
or misplaces a part gives more than this."""

VERDICTS = ("whole", "part", "several parts", "other arrangement", "silent")


@dataclass(frozen=True)
class Verdict:
    """What one unit is for, among a face-like arrangement and its parts.

    `kind`: whole (whatever lacks or misplaces a part gives at most half the response to the face), part (one part
    alone gives at least half of the best response: `part` says which), several parts (neither), other arrangement
    (another arrangement gives over twice the response of the face), silent (nothing is above grey).
    `certainty` is the share of bootstrap resamples with the same verdict; `rest` is the largest response without the
    whole as a share of the best; `responses` are the mean responses above grey, by arrangement.
    """

    unit: str
    kind: str
    part: str | None
    certainty: float
    rest: float
    responses: Mapping[str, float]


def whole_or_part(tuning: Tuning, *, seed: int = 0) -> list[Verdict]:
    """The verdict on each unit of a tuning of `Faces()` over "arrangement".

    Errors: StimulusError for another tuning, or where the face itself was left out.
    """
    axis = tuning.axes[0]
    if len(tuning.axes) > 1 or not isinstance(tuning.stimulus, Faces) or axis.name != "arrangement":
        raise StimulusError(
            "whole or part", "it is read from a tuning of faces over their arrangement",
            next_step="tune(model, units, Faces(), over='arrangement')",
        )  # fmt: skip
    assert isinstance(axis.range, Choice)
    names = axis.range.names
    if "face" not in names or not any(name.startswith("only ") for name in names):
        raise StimulusError("whole or part", "it needs the face and its parts alone", choices=Faces().arrangement.names)
    above = tuning.responses - tuning.grey[:, None, None]
    mean, again = above.mean(1), resampled(above, seed=seed)
    kinds = _kinds(mean, names)
    many = torch.stack([_kinds(one, names) for one in again])
    found = []
    for unit, address in enumerate(tuning.units):
        kind, share = int(kinds[unit]), float((many[:, unit] == kinds[unit]).float().mean())
        single = VERDICTS[min(kind, len(VERDICTS) - 1)]
        part = names[kind - len(VERDICTS)].removeprefix("only ") if kind >= len(VERDICTS) else None
        shown = dict(zip(names, mean[unit].tolist(), strict=True))
        best = max(shown.values())
        rest = max(value for name, value in shown.items() if name != "face") / best if best > 0 else float("nan")
        found.append(Verdict(address, "part" if part else single, part, share, rest, shown))
    return found


def _kinds(means: Float[Tensor, "unit arrangement"], names: tuple[str, ...]) -> Tensor:
    """The verdict on each unit: its index in `VERDICTS`, or for a part their number and the part's index in `names`."""
    face = names.index("face")
    single = torch.tensor([name.startswith("only ") and name != "only eyes" for name in names])
    best, where = means.max(1)
    floor = torch.full_like(means, -torch.inf)
    alone, which = torch.where(single, means, floor).max(1)
    rest = means.clone()
    rest[:, face] = -torch.inf
    kinds = torch.full_like(where, VERDICTS.index("several parts"))
    kinds[means[:, face] < SHARE * best] = VERDICTS.index("other arrangement")
    kinds[rest.amax(1) <= SHARE * means[:, face]] = VERDICTS.index("whole")
    kinds = torch.where(alone >= SHARE * best, which + len(VERDICTS), kinds)
    return torch.where(best <= 1e-6, VERDICTS.index("silent"), kinds)
