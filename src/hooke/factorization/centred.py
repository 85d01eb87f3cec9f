"""Principal and independent components: directions in what activations have over their mean, by scikit-learn."""

import warnings
from dataclasses import dataclass

import numpy
import torch
from jaxtyping import Float
from torch import Tensor

from hooke.factorization.method import Fit, Method, check
from hooke.models.groups import unit
from hooke.numeric.readers import Linear


@dataclass(frozen=True)
class PCA(Method):
    """The orthogonal directions with the most variance, each with the sign in which its skew is positive."""

    rank: int = 6

    def fit(self, rows: Float[Tensor, "row channel"], seed: int = 0) -> Fit:
        """Errors: NumericsError for NaN, and a rank above the matrix's."""
        check(self, rows)
        from sklearn.decomposition import PCA as Components

        found = Components(self.rank, random_state=seed).fit(rows.cpu().double().numpy())
        directions, mean = torch.as_tensor(found.components_).float(), torch.as_tensor(found.mean_).float()
        return _upright(rows, directions, directions, mean)


@dataclass(frozen=True)
class ICA(Method):
    """Directions whose amounts are as independent as can be (FastICA, Hyvärinen & Oja 2000).

    The amounts are read by the unmixing vectors; the directions are the mixing vectors.
    """

    rank: int = 6
    steps: int = 400

    def fit(self, rows: Float[Tensor, "row channel"], seed: int = 0) -> Fit:
        """Errors: NumericsError for NaN, and a rank above the matrix's."""
        check(self, rows)
        from sklearn.decomposition import FastICA
        from sklearn.exceptions import ConvergenceWarning

        with warnings.catch_warnings(), numpy.errstate(invalid="ignore", divide="ignore"):
            # Channels that are silent everywhere leave scales of 0, which are cut off after the division by them.
            warnings.simplefilter("ignore", ConvergenceWarning)  # said by the stability, where it matters
            model = FastICA(self.rank, random_state=seed, whiten="unit-variance", max_iter=self.steps, tol=1e-3)
            found = model.fit(rows.cpu().double().numpy())
        mixing, mean = torch.as_tensor(found.mixing_.T).float(), torch.as_tensor(found.mean_).float()
        directions, lengths = unit(mixing)
        return _upright(rows, directions, torch.as_tensor(found.components_).float() * lengths[:, None], mean)


def _upright(rows: Tensor, directions: Tensor, readings: Tensor, mean: Tensor) -> Fit:
    """The fit with each sign so that a few large amounts are positive, the largest group first."""
    amounts = Linear(readings, mean).amounts(rows.cpu().float(), directions)
    signs = torch.where(amounts.pow(3).sum(0) < 0, -1.0, 1.0)
    order = amounts.square().sum(0).argsort(descending=True, stable=True)
    directions, readings = (directions * signs[:, None])[order], (readings * signs[:, None])[order]
    return Fit(directions.contiguous(), (amounts * signs)[:, order].contiguous(), Linear(readings, mean), mean)
