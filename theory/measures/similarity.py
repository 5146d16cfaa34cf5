"""Similarity of two sets of features on the same inputs, from their second moments.

C_ab is the covariance between features a and b, |.|_F the Frobenius and |.|_* the nuclear norm, rho_k the canonical
correlations: the singular values of C_aa^(-1/2) C_ab C_bb^(-1/2).

* linear CKA = |C_ab|_F^2 / (|C_aa|_F |C_bb|_F)                          Kornblith et al. 2019 (arXiv 1905.00414), eq. 5
* mean squared canonical correlation = sum_k rho_k^2 / min(rank_a, rank_b)                                   ibid., R^2_CCA
* SVCCA = mean rho_k after each side is cut to the principal components that hold 99 % of its variance
                                                                                  Raghu et al. 2017 (arXiv 1706.05806)
* Procrustes: cos theta = |C_ab|_* / sqrt(tr C_aa tr C_bb), the best match by rotation (and, where widths differ, by
  padding with zeros); theta = arccos is a metric                         Williams et al. 2021 (arXiv 2110.14739), eq. 6
* debiased CKA: CKA from the unbiased estimator of HSIC, Song et al. 2012 (JMLR 13), eq. 5, which needs rows. For linear
  kernels of centred features, with k_i = |x_i|^2 and l_i = |y_i|^2 (derived here):
  n(n-3) HSIC = |X^T Y|_F^2 - n/(n-2) sum_i k_i l_i + sum_i k_i sum_i l_i / ((n-1)(n-2)), without any n x n matrix

All but the last are biased towards similarity by units/rows (arXiv 2602.14486): report :func:`rows_per_unit`, and a
null from :mod:`theory.measures.null`. All are unchanged by rotation, isotropic scaling and permutation of units;
canonical correlations by any invertible linear map. Units that do not vary change nothing.
"""

import math

import numpy as np

from lab.errors import InputError
from theory.measures.span import Names
from theory.moments import Moments


def rows_per_unit(moments: Moments, names: Names) -> float:
    """n/d: rows for each unit that varies; infinite for exact moments."""
    _alive(moments, names)
    return math.inf if moments.is_exact else moments.count / int((~moments.constant(names)).sum())


def linear_cka(moments: Moments, a: Names, b: Names) -> float:
    """Linear centred kernel alignment, in [0, 1]."""
    _alive(moments, a)
    _alive(moments, b)
    norm = np.linalg.norm
    return float(norm(moments.covariance(a, b)) ** 2 / (norm(moments.covariance(a)) * norm(moments.covariance(b))))


def canonical_correlations(moments: Moments, a: Names, b: Names, *, keep: float = 1.0) -> np.ndarray:
    """Canonical correlations in descending order, in [0, 1], one for each direction of the smaller side.

    Parameters
    ----------
    keep : share of each side's variance held by the principal components that are kept, in (0, 1]. With 1 all
        directions that are not rounding are kept (``Moments.rounding``).

    Raises
    ------
    InputError
        Features that do not vary, or no more rows than directions of both sides together: then some correlations are 1
        whatever the features are.
    """
    if not 0 < keep <= 1:
        raise InputError(f"keep must be a share in (0, 1], got {keep!r}")
    white_a, white_b = _whitening(moments, a, keep), _whitening(moments, b, keep)
    directions = white_a.shape[1] + white_b.shape[1]
    if moments.count is not None and moments.count <= directions:
        raise InputError(f"{moments.count} rows for {directions} directions: some canonical correlations are 1 whatever "
                         "the features are; give more rows or keep a smaller share of the variance")
    correlations = np.linalg.svd(white_a.T @ moments.covariance(a, b) @ white_b, compute_uv=False)
    return np.clip(correlations, 0.0, 1.0)


def _whitening(moments: Moments, names: Names, keep: float) -> np.ndarray:
    """Matrix (units, directions) that makes the principal components that are kept uncorrelated, of unit variance."""
    _alive(moments, names)
    values, vectors = np.linalg.eigh(moments.covariance(names))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = int((values > moments.rounding * values[0]).sum())
    if keep < 1:
        share = np.cumsum(values[:kept]) / values[:kept].sum()
        kept = min(kept, int(np.searchsorted(share, keep)) + 1)
    return vectors[:, :kept] / np.sqrt(values[:kept])


def mean_squared_cca(moments: Moments, a: Names, b: Names) -> float:
    """Mean squared canonical correlation, in [0, 1]. Raises as :func:`canonical_correlations`."""
    return float(np.mean(canonical_correlations(moments, a, b) ** 2))


def svcca(moments: Moments, a: Names, b: Names, *, keep: float = 0.99) -> float:
    """Mean canonical correlation of the leading principal components, in [0, 1]. See :func:`canonical_correlations`."""
    return float(np.mean(canonical_correlations(moments, a, b, keep=keep)))


def procrustes_similarity(moments: Moments, a: Names, b: Names) -> float:
    """Cosine of the best match by rotation, in [0, 1]."""
    _alive(moments, a)
    _alive(moments, b)
    nuclear = np.linalg.svd(moments.covariance(a, b), compute_uv=False).sum()
    return float(min(nuclear / math.sqrt(moments.variance(a).sum() * moments.variance(b).sum()), 1.0))


def procrustes_distance(moments: Moments, a: Names, b: Names) -> float:
    """Angle of the best match by rotation, in radians, in [0, pi/2]; a metric. Resolves no less than about 1e-8."""
    return math.acos(procrustes_similarity(moments, a, b))


def debiased_cka(x: np.ndarray, y: np.ndarray) -> float:
    """Linear CKA from unbiased HSIC, on rows; about 0 for independent features, below 0 by chance.

    Parameters
    ----------
    x, y : shapes (rows, units of a) and (rows, units of b), at least 4 rows.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or len(x) < 4:
        raise InputError(f"debiased CKA needs two (rows, units) arrays of the same rows, at least 4: {x.shape}, {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("features that are not finite")
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    own = _hsic(x, x) * _hsic(y, y)
    if not own > 0:
        raise InputError("features that do not vary, or too few rows for an unbiased estimate of their own alignment")
    return _hsic(x, y) / math.sqrt(own)


def _hsic(x: np.ndarray, y: np.ndarray) -> float:
    """n(n-3) times the unbiased HSIC of centred features."""
    n, k, l = len(x), np.einsum("ij,ij->i", x, x), np.einsum("ij,ij->i", y, y)
    return float(np.linalg.norm(x.T @ y) ** 2 - n / (n - 2) * (k @ l) + k.sum() * l.sum() / ((n - 1) * (n - 2)))


def _alive(moments: Moments, names: Names) -> None:
    if moments.constant(names).all():
        raise InputError(f"features {names!r} do not vary: there is nothing to compare")
