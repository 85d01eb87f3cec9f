"""How many groups: the reconstruction at each rank, and whether other rows give the same groups."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.errors import NumericsError
from hooke.factorization.controls import RandomBasis
from hooke.factorization.factorization import Factorization
from hooke.factorization.factorize import factorize
from hooke.factorization.method import Method, share
from hooke.factorization.nmf import NMF
from hooke.factorization.rows import canvases_of, recorded, rows_of
from hooke.models.model import Model
from hooke.numeric.seeds import stream
from hooke.numeric.similarity import partners

RANKS = (2, 3, 4, 5, 6, 8, 10, 12)


@dataclass(frozen=True)
class Ranked:
    """One rank: the share that is explained, the same by random directions, and how alike the groups of random
    halves of the rows are (the mean cosine of matched directions over pairs of them: 1 where all find the same)."""

    rank: int
    explained: float
    random: float
    stability: float


@dataclass(frozen=True)
class RankCurve:
    """What was found at each rank, and the rank that was chosen, with the reason in words."""

    ranks: tuple[Ranked, ...]
    chosen: int
    reason: str


def matched(one: Float[Tensor, "group channel"], other: Float[Tensor, "group channel"]) -> Float[Tensor, "group"]:
    """The cosine of each direction with its partner, where partners are chosen for the largest sum (Kuhn 1955)."""
    return torch.tensor([cosine for _, _, cosine in partners(one, other)])


def rank_curve(
    rows: Float[Tensor, "row channel"], by: Method | None = None, *, ranks: Sequence[int] = RANKS, seeds: int = 4,
    stable: float = 0.9, gain: float = 0.01, progress: Callable[[int, int], None] | None = None,
) -> RankCurve:  # fmt: skip
    """The reconstruction curve with the stability of each rank, and the rank to take.

    Each rank is fitted to all rows, and to `seeds` random halves of them. Chosen is the largest rank whose
    stability is at least `stable` and that explains, for each group that it has more than the stable rank before it,
    at least `gain` more of the squares; the most stable rank where none is.
    Errors: NumericsError where no rank fits the matrix. Source: Brunet et al. 2004 choose the rank by the agreement of
    runs. Here each run sees other rows (random starts alone often end in the same optimum, also of noise), and
    directions are matched, since other rows have no clusters in common.
    """
    method: Any = NMF() if by is None else by
    fitting = [rank for rank in sorted(set(ranks)) if 1 <= rank <= min(len(rows) // 2, rows.shape[1])]
    if not fitting:
        raise NumericsError(f"ranks {tuple(ranks)}", f"the matrix is {tuple(rows.shape)}", next_step="smaller ranks")
    found: list[Ranked] = []
    for place, rank in enumerate(fitting):
        whole = replace(method, rank=rank).fit(rows, 0)
        fits = [replace(method, rank=rank).fit(half(rows, seed), seed) for seed in range(seeds)]
        pairs = [(one, other) for one in range(seeds) for other in range(one)]
        alike = [float(matched(fits[one].directions, fits[other].directions).mean()) for one, other in pairs]
        control = RandomBasis(rank).fit(rows)
        best = share(rows, whole.reconstruction, whole.mean)
        chance = share(rows, control.reconstruction, control.mean)
        found.append(Ranked(rank, best, chance, sum(alike) / len(alike) if alike else 1.0))
        if progress:
            progress(place + 1, len(fitting))
    chosen, reason = _chosen(found, stable, gain)
    return RankCurve(tuple(found), chosen, reason)


def factorize_at_best(
    model: Model, x: object, *, at: str, by: Method | None = None, seed: int = 0, name: str = "",
    ranks: Sequence[int] = RANKS, progress: Callable[[int, int], None] | None = None,
) -> tuple[Factorization, RankCurve]:  # fmt: skip
    """The factorization at the rank that `rank_curve` chooses, and the curve. Errors: those of `factorize`."""
    method: Any = NMF() if by is None else by
    canvases, _ = canvases_of(model, x)
    curve = rank_curve(rows_of(recorded(model, canvases, at)), method, ranks=ranks, progress=progress)
    chosen: Method = replace(method, rank=curve.chosen)
    return factorize(model, canvases, at=at, by=chosen, seed=seed, name=name), curve


def half(rows: Float[Tensor, "row channel"], seed: int) -> Float[Tensor, "some channel"]:
    """A random half of the rows."""
    return rows[torch.randperm(len(rows), generator=stream(seed, "half"))[: len(rows) // 2]]


def _chosen(found: Sequence[Ranked], stable: float, gain: float) -> tuple[int, str]:
    steady = [one for one in found if one.stability >= stable]
    if not steady:
        best = max(found, key=lambda one: one.stability)
        return best.rank, f"no rank is stable to {stable:g}; the most stable is {best.rank} ({best.stability:.2f})"
    chosen = steady[0]
    for one in steady[1:]:
        if one.explained - chosen.explained >= gain * (one.rank - chosen.rank):
            chosen = one
    reason = f"the largest rank that is stable ({chosen.stability:.2f}) and explains {gain:.0%} more with each group"
    return chosen.rank, reason
