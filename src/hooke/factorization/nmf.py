"""Non-negative matrix factorization: activations as sums of groups that are only ever added (Lee & Seung 1999)."""

from dataclasses import dataclass
from typing import Any

import numpy
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from hooke.factorization.method import Fit, Method, check, check_nonnegative
from hooke.models.groups import unit
from hooke.numeric.nonnegative import descend, nonnegative_amounts
from hooke.numeric.readers import Nonnegative

Matrix = NDArray[Any]

INNER = 3
"""Rounds of coordinate descent for each product with the whole matrix: they cost less than the product."""


@dataclass(frozen=True)
class NMF(Method):
    """Non-negative directions and amounts with the least squared error, by accelerated coordinate descent.

    Begins at the singular vectors (NNDSVD, Boutsidis & Gallopoulos 2008), or, without `warm`, at random. Ends after
    `steps`, or where a step lessens the squared error by less than `tolerance` of the squares of the matrix.
    Source: Gillis & Glineur 2012 (several rounds a step); Ang & Gillis, "Accelerating nonnegative matrix factorization
    algorithms using extrapolation", 2019.
    """

    rank: int = 6
    steps: int = 300
    tolerance: float = 3e-6
    warm: bool = True

    def fit(self, rows: Float[Tensor, "row channel"], seed: int = 0) -> Fit:
        """Errors: NumericsError for negative entries, NaN, and a rank above the matrix's."""
        check(self, rows)
        check_nonnegative(self, rows, "take PCA, or OneSidedNMF, which allows for negative channels")
        matrix = rows.detach().cpu().float().numpy()
        amounts, directions = (nndsvd if self.warm else random)(matrix, self.rank, seed)
        amounts, directions = extrapolated(matrix, amounts, directions, self.steps, self.tolerance)
        return with_amounts(rows, torch.as_tensor(directions), torch.as_tensor(amounts).T)


@dataclass(frozen=True)
class OneSidedNMF(Method):
    """Non-negative amounts of directions that may have any sign (semi-NMF, Ding, Li & Jordan 2010).

    For layers with negative values. (Voss et al., "Visualizing weights", 2021, factor weights so.)
    """

    rank: int = 6
    steps: int = 100
    tolerance: float = 1e-6

    def fit(self, rows: Float[Tensor, "row channel"], seed: int = 0) -> Fit:
        """Errors: NumericsError for NaN, and a rank above the matrix's."""
        check(self, rows)
        matrix = rows.detach().cpu().double().numpy()
        amounts = _signed_start(matrix, self.rank, seed)
        total, before = float(numpy.vdot(matrix, matrix)), numpy.inf
        directions = numpy.zeros((self.rank, matrix.shape[1]))
        for _ in range(self.steps):
            gram = amounts @ amounts.T
            directions = numpy.linalg.lstsq(gram, amounts @ matrix, rcond=1e-10)[0]
            descend(amounts, directions @ directions.T, directions @ matrix.T, INNER)
            error = float(numpy.square(matrix - amounts.T @ directions).sum())
            if before - error < self.tolerance * total:
                break
            before = error
        return with_amounts(rows, torch.as_tensor(directions).float())


@dataclass(frozen=True)
class SignedNMF(Method):
    """NMF of values of both signs, such as attributions: positive and negative parts as rows of one matrix.

    A group's amount is that in the positive part less that in the negative part; directions are non-negative.
    Source: Hilton et al., "Understanding RL vision", Distill 2020.
    """

    rank: int = 6
    steps: int = 300
    tolerance: float = 3e-6

    def fit(self, rows: Float[Tensor, "row channel"], seed: int = 0) -> Fit:
        """Errors: NumericsError for NaN, and a rank above the matrix's."""
        both = torch.cat([rows.clamp(min=0), (-rows).clamp(min=0)])
        found = NMF(self.rank, self.steps, self.tolerance).fit(both, seed)
        positive, negative = torch.split(found.amounts, len(rows))
        return Fit(found.directions, positive - negative, found.reader, found.mean)


def nmf_of(values: Tensor, rank: int) -> Method:
    """The NMF that can take these values: one-sided where some are negative."""
    return OneSidedNMF(rank) if bool((values < 0).any()) else NMF(rank)


def nndsvd(matrix: Matrix, rank: int, seed: int) -> tuple[Matrix, Matrix]:
    """A start from the singular vectors: amounts [group, row] and directions [group, channel], zeros kept.

    Source: Boutsidis & Gallopoulos 2008; the singular vectors by a randomized range (Halko et al. 2011).
    """
    left, scales, right = leading(matrix, rank, seed)
    starts = []
    for column, scale, row in zip(left.T, scales, right, strict=True):
        halves = [(numpy.maximum(sign * column, 0), numpy.maximum(sign * row, 0)) for sign in (1, -1)]
        sizes = [float(numpy.linalg.norm(one) * numpy.linalg.norm(other)) for one, other in halves]
        (one, other), size = halves[int(sizes[1] > sizes[0])], max(sizes)
        strength = numpy.sqrt(scale * size)
        lengths = numpy.linalg.norm(one) + 1e-30, numpy.linalg.norm(other) + 1e-30
        starts.append((one * (strength / lengths[0]), other * (strength / lengths[1])))
    return numpy.stack([one for one, _ in starts]), numpy.stack([other for _, other in starts])


def random(matrix: Matrix, rank: int, seed: int) -> tuple[Matrix, Matrix]:
    """A random start of the right size."""
    generator = numpy.random.default_rng(seed)
    scale = numpy.sqrt(max(float(matrix.mean()), 1e-30) / rank)
    rows, channels = matrix.shape
    amounts = scale * numpy.abs(generator.standard_normal((rank, rows)))
    directions = scale * numpy.abs(generator.standard_normal((rank, channels)))
    return amounts.astype(matrix.dtype), directions.astype(matrix.dtype)


def leading(matrix: Matrix, rank: int, seed: int) -> tuple[Matrix, Matrix, Matrix]:
    """About the first singular vectors and values of a matrix."""
    generator = numpy.random.default_rng(seed)
    width = min(rank + 8, *matrix.shape)
    base = matrix @ generator.standard_normal((matrix.shape[1], width)).astype(matrix.dtype)
    for _ in range(3):
        base = numpy.linalg.qr(matrix @ (matrix.T @ base))[0]
    left, scales, right = numpy.linalg.svd(base.T @ matrix, full_matrices=False)
    return (base @ left)[:, :rank], scales[:rank], right[:rank]


def extrapolated(
    matrix: Matrix, amounts: Matrix, directions: Matrix, steps: int, tolerance: float
) -> tuple[Matrix, Matrix]:
    """The factors after steps of coordinate descent that run ahead, and go back where that made the error larger."""
    turned, total = numpy.ascontiguousarray(matrix.T), float(numpy.vdot(matrix, matrix))
    ahead, most, before = 0.5, 1.0, numpy.inf
    here = amounts.copy(), directions.copy()
    still = 0
    for _ in range(steps):
        moved = here[0].copy()
        descend(moved, here[1] @ here[1].T, here[1] @ turned, INNER)
        onward = numpy.maximum(moved + ahead * (moved - amounts), 0)
        gram, cross = onward @ onward.T, onward @ matrix
        found = here[1].copy()
        descend(found, gram, cross, INNER)
        error = total - 2 * float(numpy.vdot(cross, found)) + float(numpy.vdot(gram, found @ found.T))
        if error > before:
            here, before = (amounts.copy(), directions.copy()), numpy.inf
            most, ahead = ahead, ahead / 1.5
            continue
        still = still + 1 if before - error < tolerance * total else 0
        here = onward, numpy.maximum(found + ahead * (found - directions), 0)
        amounts, directions, before = onward, found, error
        ahead, most = min(most, 1.05 * ahead), min(1.0, 1.01 * most)
        if still >= 3:
            break
    return amounts, directions


def _signed_start(matrix: Matrix, rank: int, seed: int) -> Matrix:
    """Non-negative amounts near the singular vectors'."""
    left, scales, _ = leading(matrix, rank, seed)
    halves = numpy.concatenate([numpy.maximum(left * scales, 0), numpy.maximum(-left * scales, 0)], axis=1)
    order = numpy.argsort(-numpy.square(halves).sum(0), kind="stable")[:rank]
    spread = 1e-3 * float(numpy.abs(halves).mean())
    return numpy.ascontiguousarray(halves[:, order].T) + spread


def with_amounts(rows: Tensor, directions: Tensor, near: Tensor | None = None) -> Fit:
    """Directions of length 1 with their exact amounts, the largest group first; `near`: amounts of the given ones."""
    directions, lengths = unit(directions)
    start = None if near is None else near * lengths
    amounts = nonnegative_amounts(rows.detach().cpu().float(), directions, start)
    order = amounts.square().sum(0).argsort(descending=True, stable=True)
    mean = torch.zeros(rows.shape[1])
    return Fit(directions[order].contiguous(), amounts[:, order].contiguous(), Nonnegative(), mean)
