"""How alike vectors are: cosine, Spearman; and how alike two sets of vectors are: centred kernel alignment."""

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.numeric.ranks import midranks


def cosines(first: Float[Tensor, "left number"], second: Float[Tensor, "right number"]) -> Float[Tensor, "left right"]:
    """The cosine between every vector of `first` and every one of `second`, in float64; NaN where one is zero."""
    one, other = first.double(), second.double()
    lengths = one.norm(dim=1)[:, None] * other.norm(dim=1)
    found: Tensor = (one @ other.T) / lengths
    return found.clamp(-1, 1)


def spearman(first: Float[Tensor, "left number"], second: Float[Tensor, "right number"]) -> Float[Tensor, "left right"]:
    """Spearman's rank correlation over the numbers, ties at the middle of their ranks; NaN where one is constant."""
    one, other = (midranks(part.T.double()).T for part in (first, second))
    return cosines(one - one.mean(1, keepdim=True), other - other.mean(1, keepdim=True))


def partners(
    first: Float[Tensor, "left number"], second: Float[Tensor, "right number"]
) -> list[tuple[int, int, float]]:
    """Vectors of `first` and of `second` one to one, for the largest sum of cosines (Kuhn 1955), and these cosines.

    A vector of zeros is as unlike any as one at a right angle.
    """
    from scipy.optimize import linear_sum_assignment

    alike = cosines(first, second).nan_to_num()
    pairs = zip(*linear_sum_assignment(alike.numpy(), maximize=True), strict=True)
    return [(int(left), int(right), float(alike[left, right])) for left, right in pairs]


def apart(similarity: Float[Tensor, "one other"]) -> Float[Tensor, "pair"]:
    """The similarities of different ones, each pair once, of a square matrix."""
    rows, columns = torch.triu_indices(similarity.shape[0], similarity.shape[1], offset=1)
    return similarity[rows, columns]


def likenesses(vectors: Float[Tensor, "sample number"]) -> Float[Tensor, "sample other"]:
    """The inner products of all pairs of centred vectors, scaled to length 1 as a whole, in float64; zeros where all
    vectors are the same."""
    centred = vectors.double() - vectors.double().mean(0)
    products = centred @ centred.T
    length = products.norm()
    found: Tensor = products / length if length > 0 else products
    return found


def linear_cka(first: Float[Tensor, "sample left"], second: Float[Tensor, "sample right"]) -> float:
    """Linear centred kernel alignment of two sets of vectors of the same samples, 0 to 1 (Kornblith, Norouzi, Lee and
    Hinton 2019): 1 where one is the other turned or scaled.

    It is not 0 for unrelated vectors: with few samples and many numbers it comes near 1. Compare with `first` shuffled.
    """
    return float((likenesses(first) * likenesses(second)).sum())
