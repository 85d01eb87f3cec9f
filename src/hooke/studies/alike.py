"""Where a model is wrong alike: labels that it takes for one another, and the units that differ where it does."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hooke.numeric.seeds import stream

LEAST = 3
"""Inputs that are wrong, and that are right, from which differences are told."""
SHUFFLES = 99


@dataclass(frozen=True)
class Confusion:
    """Inputs of the class `truth` that the model takes for `said`, and those that it gets right."""

    truth: int
    said: int
    wrong: tuple[int, ...]
    right: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Differing:
    """Units by how much larger they are where the model is wrong, in standard deviations of both; largest first.

    `chance`: what the largest difference of any unit stays below in 95% of shuffles of right and wrong.
    """

    units: tuple[int, ...]
    differences: tuple[float, ...]
    chance: float


def confusions(classes: Int[Tensor, "input"], said: Int[Tensor, "input"]) -> list[Confusion]:
    """Every pair of classes that is confused, most often first; inputs without a class (-1) do not count."""
    pairs: dict[tuple[int, int], list[int]] = {}
    right: dict[int, list[int]] = {}
    for at, (truth, guess) in enumerate(zip(classes.tolist(), said.tolist(), strict=True)):
        if truth == guess:
            right.setdefault(truth, []).append(at)
        elif truth >= 0:
            pairs.setdefault((truth, guess), []).append(at)
    found = [Confusion(*pair, tuple(wrong), tuple(right.get(pair[0], ()))) for pair, wrong in pairs.items()]
    return sorted(found, key=lambda one: (-len(one.wrong), one.truth, one.said))


def differing(
    values: Float[Tensor, "input unit"], wrong: Sequence[int], right: Sequence[int], count: int = 6, seed: int = 0
) -> Differing | None:
    """The `count` units that differ most between inputs that are wrong and those of the same class that are right.

    The difference of the means over the standard deviation within both (Cohen's d); units that never change count
    as 0. None where either has fewer than three inputs.
    """
    if min(len(wrong), len(right)) < LEAST:
        return None
    held = values[[*wrong, *right]].double()
    mark = torch.arange(len(held)) < len(wrong)
    found = _apart(held, mark)
    order = found.abs().sort(descending=True, stable=True).indices[:count].tolist()
    random = stream(seed, "shuffles of right and wrong")
    largest = torch.stack(
        [_apart(held, mark[torch.randperm(len(held), generator=random)]).abs().max() for _ in range(SHUFFLES)]
    )
    chance = float(largest.quantile(0.95))
    return Differing(tuple(order), tuple(found[order].tolist()), chance)


def _apart(values: Float[Tensor, "input unit"], mark: Bool[Tensor, "input"]) -> Float[Tensor, "unit"]:
    one, other = values[mark], values[~mark]
    free = len(values) - 2
    spread = (((one - one.mean(0)).square().sum(0) + (other - other.mean(0)).square().sum(0)) / free).sqrt()
    apart = one.mean(0) - other.mean(0)
    return (apart / spread.clamp(min=1e-12)).where(values.std(0) > 1e-9, 0)
