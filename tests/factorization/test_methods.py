"""Each method on planted groups, against scikit-learn, and on what it cannot take."""

import warnings

import pytest
import sklearn.decomposition
import torch
from factorization.conftest import agreement, planted
from hypothesis import given, settings
from hypothesis import strategies as st

from hooke.errors import NumericsError
from hooke.factorization import ICA, NMF, PCA, KMeans, OneSidedNMF, RandomBasis, SignedNMF
from hooke.factorization.controls import shuffled
from hooke.factorization.method import Method, share

METHODS = [NMF(3), OneSidedNMF(3), SignedNMF(3), PCA(3), ICA(3), KMeans(3), RandomBasis(3)]


def loss(rows: torch.Tensor, method: Method, seed: int = 0) -> float:
    return float((rows - method.fit(rows, seed).reconstruction).double().norm())


@pytest.mark.parametrize("method", [NMF(4), NMF(4, warm=False), ICA(4)])
def test_planted_groups_are_found(method: Method) -> None:
    rows, _, directions = planted(1000, present=0.2)
    found = method.fit(rows)
    assert agreement(found.directions, directions).min() > 0.99
    assert agreement(RandomBasis(4).fit(rows).directions, directions).max() < 0.8
    assert share(rows, found.reconstruction, found.mean) > 0.999


@pytest.mark.parametrize("rank", [2, 5, 9])
def test_nmf_is_no_worse_than_that_of_scikit_learn(rank: int) -> None:
    generator = torch.Generator().manual_seed(rank)
    rows = (torch.randn(80, 40, generator=generator) + torch.randn(80, 1, generator=generator)).clamp(min=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = sklearn.decomposition.NMF(rank, init="nndsvda", random_state=0).fit(rows.numpy())
    assert loss(rows, NMF(rank)) <= 1.003 * theirs.reconstruction_err_


def test_pca_is_that_of_the_singular_vectors() -> None:
    rows = torch.randn(50, 7, generator=torch.Generator().manual_seed(0)).double().float()
    found = PCA(3).fit(rows)
    centred = (rows - rows.mean(0)).double()
    scales, right = torch.linalg.svd(centred)[1:]
    assert torch.allclose((found.directions.double() @ right[:3].T).abs(), torch.eye(3).double(), atol=1e-5)
    assert torch.allclose(found.amounts.square().sum(0).double(), scales[:3].square(), rtol=1e-4)
    assert share(rows, found.reconstruction, found.mean) == pytest.approx(
        float(scales[:3].square().sum() / scales.square().sum()), rel=1e-5
    )


def test_k_means_gives_every_position_to_the_nearest_centre() -> None:
    centres = 5 * torch.eye(3)
    rows = centres.repeat_interleave(torch.tensor([30, 20, 10]), 0)
    rows = rows + 0.1 * torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    found = KMeans(3).fit(rows)
    assert torch.equal((found.amounts > 0).sum(0), torch.tensor([30, 20, 10]))  # the largest sum of squares first
    assert torch.allclose(found.directions, torch.eye(3), atol=0.03)


def test_attributions_of_both_signs_share_their_groups() -> None:
    rows, _, directions = planted()
    signs = torch.where(torch.arange(len(rows)) % 2 == 0, 1.0, -1.0)[:, None]
    found = SignedNMF(4).fit(rows * signs)
    assert agreement(found.directions, directions).min() > 0.99
    assert torch.allclose(found.reconstruction, rows * signs, atol=0.02)
    assert bool((found.amounts[::2] >= -1e-4).all())
    assert bool((found.amounts[1::2] <= 1e-4).all())


def test_one_sided_groups_may_hold_negative_channels() -> None:
    generator = torch.Generator().manual_seed(1)
    rows = torch.rand(200, 3, generator=generator) @ torch.randn(3, 12, generator=generator)
    found = OneSidedNMF(3).fit(rows)
    assert float((rows - found.reconstruction).norm() / rows.norm()) < 0.01
    assert bool((found.amounts >= 0).all())


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), rank=st.integers(1, 5))
def test_what_holds_for_every_matrix(seed: int, rank: int) -> None:
    rows = torch.rand(12, 9, generator=torch.Generator().manual_seed(seed)).round(decimals=1)
    found, random = NMF(rank).fit(rows), RandomBasis(rank).fit(rows)
    assert bool((found.amounts >= 0).all())
    assert bool((found.directions >= 0).all())
    assert torch.allclose(found.directions.norm(dim=1), torch.ones(rank), atol=1e-4)
    explained = share(rows, found.reconstruction, found.mean)
    assert share(rows, random.reconstruction, random.mean) <= explained + 1e-6 <= 1 + 2e-6
    assert torch.allclose(found.reader.amounts(rows, found.directions), found.amounts, atol=1e-4)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_equal_seeds_give_equal_groups_and_readers_read_what_was_fitted(method: Method) -> None:
    rows, _, _ = planted(80, noise=0.2)
    found, again = method.fit(rows, 3), method.fit(rows, 3)
    assert torch.equal(found.directions, again.directions)
    if not isinstance(method, SignedNMF):
        assert torch.allclose(found.reader.amounts(rows, found.directions), found.amounts, atol=1e-4)
    assert bool((found.amounts.square().sum(0).diff() <= 1e-3).all() or isinstance(method, SignedNMF | RandomBasis))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_what_cannot_be_factorized(method: Method) -> None:
    with pytest.raises(NumericsError, match="NaN"):
        method.fit(torch.full((9, 9), torch.nan))
    with pytest.raises(NumericsError, match="all 0"):
        method.fit(torch.zeros(9, 9))
    with pytest.raises(NumericsError, match="at most 2 groups"):
        method.fit(torch.rand(2, 9) if isinstance(method, KMeans) else torch.rand(9, 2)[:, :2].repeat(1, 1)[:2])


def test_negative_activations_are_refused_with_what_to_do() -> None:
    with pytest.raises(NumericsError, match=r"the least activation is -1(.|\n)*OneSidedNMF"):
        NMF(2).fit(torch.tensor([[1.0, -1.0, 2.0], [1.0, 1.0, 2.0], [0.0, 1.0, 2.0]]))


def test_shuffled_directions_keep_their_entries() -> None:
    directions = torch.rand(3, 20)
    moved = shuffled(directions, 1)
    assert torch.equal(moved.sort(1).values, directions.sort(1).values)
    assert not torch.equal(moved, directions)
