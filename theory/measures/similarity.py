"""Similarity of two sets of features on the same inputs, from their second moments.

C_ab is the covariance between features a and b, |.|_F the Frobenius and |.|_* the nuclear norm, rho_k the canonical
correlations: the singular values of C_aa^(-1/2) C_ab C_bb^(-1/2).

* linear CKA = |C_ab|_F^2 / (|C_aa|_F |C_bb|_F)                          Kornblith et al. 2019 (arXiv 1905.00414), eq. 5
* mean squared canonical correlation = sum_k rho_k^2 / min(rank_a, rank_b)                                   ibid., R^2_CCA
* SVCCA = mean rho_k after each side is cut to the principal components that hold 99 % of its variance
                                                                                  Raghu et al. 2017 (arXiv 1706.05806)
* Procrustes: cos theta = |C_ab|_* / sqrt(tr C_aa tr C_bb), the best match by rotation (and, where widths differ, by
  padding with zeros); theta = arccos is a metric                         Williams et al. 2021 (arXiv 2110.14739), eq. 6

All are biased towards similarity, the more the fewer rows there are per unit (arXiv 2602.14486): report :func:`rows_per_unit`
with a null from :mod:`theory.measures.null`, or use debiased CKA (:mod:`theory.measures.debiased`). All are invariant under
rotation, isotropic scaling and permutation of units, canonical correlations under any invertible linear map. Units that do not
vary have no effect.

Canonical correlations and Procrustes fit directions, so they are scored on other rows, or in-sample on request
(:mod:`theory.measures.fitted`). On other rows the fitted directions are kept and their correlations computed there; these can be
negative, and need not be in descending order.
"""

import math

import numpy as np

from lab.docstrings import arguments_as_in
from lab.errors import InputError
from theory.measures.fitted import Score, scored_on, warn_of_few_rows
from theory.moments import Moments
from theory.moments.layout import Names, listed

__all__ = [
    "canonical_correlations", "linear_cka", "mean_squared_cca", "procrustes_distance",
    "procrustes_similarity", "rows_per_unit", "svcca",
]

KEPT = 0.99  # share of the variance whose principal components SVCCA keeps


def rows_per_unit(moments: Moments, names: Names) -> float:
    """n/d: the number of rows per varying unit.

    Parameters
    ----------
    moments : Moments
        Moments of the features.
    names : str or sequence of str
        A block, or several together.

    Returns
    -------
    float
        Infinite for exact moments.

    Raises
    ------
    InputError
        Features that do not vary.

    Examples
    --------
    >>> rows_per_unit(Moments.from_samples({"a": np.eye(6)[:, :3]}), "a")
    2.0
    """
    _alive(moments, names)
    return moments.sample_size / int((~moments.constant(names)).sum())


def linear_cka(moments: Moments, a: Names, b: Names) -> float:
    """Linear centred kernel alignment.

    Parameters
    ----------
    moments : Moments
        Moments of both sets of features.
    a : str or sequence of str
        A block, or several side by side.
    b : str or sequence of str
        A block, or several side by side.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    InputError
        Features that do not vary.

    References
    ----------
    Kornblith et al. 2019 (arXiv 1905.00414), eq. 5.

    Examples
    --------
    >>> m = Moments.exact({"a": 1, "b": 1}, [0, 0], [[1.0, 0.5], [0.5, 1.0]])
    >>> round(linear_cka(m, "a", "b"), 4)
    0.25
    """
    _alive(moments, a)
    _alive(moments, b)
    norm = np.linalg.norm
    unit_a, unit_b = moments.scale(a), moments.scale(b)
    own = norm(moments.covariance(a, scale=unit_a**2)) * norm(moments.covariance(b, scale=unit_b**2))
    return float(norm(moments.covariance(a, b, scale=unit_a * unit_b)) ** 2 / own)


def canonical_correlations(moments: Moments, a: Names, b: Names, *, keep: float = 1.0, score: Score = None) -> np.ndarray:
    """Canonical correlations, one for each direction of the smaller side.

    Parameters
    ----------
    moments : Moments
        Moments that the directions are fitted on.
    a : str or sequence of str
        A block, or several side by side.
    b : str or sequence of str
        A block, or several side by side.
    keep : float, default 1
        Share of each side's variance, in (0, 1], that the leading principal components have to hold to be kept. With 1, all
        directions are kept but those that are rounding errors (``Moments.rounding``).
    score : Moments, "in-sample" or None
        Moments of other rows, on which the fitted directions are correlated, or "in-sample" for the rows of the fit; exact
        moments need none.

    Returns
    -------
    ndarray of shape (directions,)
        In-sample in descending order and in [0, 1]; on other rows in [-1, 1].

    Raises
    ------
    InputError
        Features that do not vary, or no more rows than both sides have directions together: then some correlations are 1
        whatever the features are. Sampled moments without ``score``.

    Warns
    -----
    FewRows
        In-sample with fewer than ten rows per direction.

    Examples
    --------
    >>> m = Moments.exact({"a": 1, "b": 2}, np.zeros(3), [[1, 0.6, 0.6], [0.6, 1, 0], [0.6, 0, 1]])
    >>> canonical_correlations(m, "a", "b").round(4)
    array([0.8485])
    """
    if not 0 < keep <= 1:
        raise InputError(f"keep must be a share in (0, 1], got {keep!r}")
    white_a, white_b = _whitening(moments, a, keep), _whitening(moments, b, keep)
    directions = white_a.shape[1] + white_b.shape[1]
    if moments.count is not None and moments.count <= directions:
        raise InputError(f"{moments.count} rows for {directions} directions: some canonical correlations are 1 whatever "
                         "the features are; give more rows or keep a smaller share of the variance")
    score = scored_on(moments, score, directions - 1)
    if score is moments:
        cross = white_a.T @ moments.covariance(a, b, scale=moments.scale(a) * moments.scale(b)) @ white_b
        return np.clip(np.linalg.svd(cross, compute_uv=False), 0.0, 1.0)
    return correlated(moments, score, a, b, *canonical_directions(moments, a, b, keep))[0]


def canonical_directions(moments: Moments, a: Names, b: Names, keep: float) -> tuple[np.ndarray, np.ndarray]:
    """Canonical directions of both sides, shapes (units, directions), for features in units of their scale."""
    def decompose() -> tuple[np.ndarray, np.ndarray]:
        white_a, white_b = _whitening(moments, a, keep), _whitening(moments, b, keep)
        cross = white_a.T @ moments.covariance(a, b, scale=moments.scale(a) * moments.scale(b)) @ white_b
        left, _, right = np.linalg.svd(cross, full_matrices=False)
        return white_a @ left, white_b @ right.T

    return moments.remember(("canonical", listed(a), listed(b), keep), decompose)


def rotation(moments: Moments, a: Names, b: Names) -> tuple[np.ndarray, np.ndarray]:
    """Singular vectors of the cross-covariance, as columns."""
    def decompose() -> tuple[np.ndarray, np.ndarray]:
        cross = moments.covariance(a, b, scale=moments.scale(a) * moments.scale(b))
        left, _, right = np.linalg.svd(cross, full_matrices=False)
        return left, right.T

    return moments.remember(("rotation", listed(a), listed(b)), decompose)


def correlated(moments: Moments, score: Moments, a: Names, b: Names, left: np.ndarray,
               right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Correlations of corresponding directions on the score rows, and the variances of both sides along them."""
    unit_a, unit_b = moments.scale(a), moments.scale(b)
    own_a = _along(left, score.covariance(a, scale=unit_a**2), left)
    own_b = _along(right, score.covariance(b, scale=unit_b**2), right)
    own = own_a * own_b
    cross = _along(left, score.covariance(a, b, scale=unit_a * unit_b), right)
    return np.clip(np.where(own > 0, cross / np.sqrt(np.where(own > 0, own, 1.0)), 0.0), -1.0, 1.0), own_a, own_b


def _along(left: np.ndarray, matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left_k^T M right_k for corresponding columns."""
    return np.einsum("ik,ik->k", left, matrix @ right)


def _whitening(moments: Moments, names: Names, keep: float) -> np.ndarray:
    """Matrix (units, directions) to the kept principal components with unit variance, for features in units of their scale."""
    _alive(moments, names)
    values, vectors = moments.remember(("spectrum", listed(names)),
                                       lambda: np.linalg.eigh(moments.covariance(names, scale=moments.scale(names) ** 2)))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = int((values > moments.rounding * values[0]).sum())
    if keep < 1:
        share = np.cumsum(values[:kept]) / values[:kept].sum()
        kept = min(kept, int(np.searchsorted(share, keep)) + 1)
    return vectors[:, :kept] / np.sqrt(values[:kept])


@arguments_as_in(canonical_correlations)
def mean_squared_cca(moments: Moments, a: Names, b: Names, *, score: Score = None) -> float:
    """Mean squared canonical correlation.

    Parameters
    ----------

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    InputError
        As :func:`canonical_correlations`.

    References
    ----------
    Kornblith et al. 2019 (arXiv 1905.00414), R²_CCA.

    Examples
    --------
    >>> m = Moments.exact({"a": 1, "b": 1}, [0, 0], [[1.0, 0.5], [0.5, 1.0]])
    >>> round(mean_squared_cca(m, "a", "b"), 4)
    0.25
    """
    return float(np.mean(canonical_correlations(moments, a, b, score=score) ** 2))


@arguments_as_in(canonical_correlations)
def svcca(moments: Moments, a: Names, b: Names, *, keep: float = KEPT, score: Score = None) -> float:
    """Mean canonical correlation of the leading principal components.

    Parameters
    ----------
    keep : float, default 0.99
        Share of each side's variance that the principal components hold, in (0, 1].

    Returns
    -------
    float
        In [0, 1] in-sample.

    Raises
    ------
    InputError
        As :func:`canonical_correlations`.

    References
    ----------
    Raghu et al. 2017 (arXiv 1706.05806).

    Examples
    --------
    >>> m = Moments.exact({"a": 1, "b": 1}, [0, 0], [[1.0, 0.5], [0.5, 1.0]])
    >>> round(svcca(m, "a", "b"), 4)
    0.5
    """
    return float(np.mean(canonical_correlations(moments, a, b, keep=keep, score=score)))


def procrustes_similarity(moments: Moments, a: Names, b: Names, *, score: Score = None) -> float:
    """Cosine of the best match by rotation.

    Parameters
    ----------
    moments : Moments
        Moments that the rotation is fitted on.
    a : str or sequence of str
        A block, or several side by side.
    b : str or sequence of str
        A block, or several side by side.
    score : Moments, "in-sample" or None
        As in :func:`canonical_correlations`. In-sample values are never refused: with few rows they are large, but not 1.

    Returns
    -------
    float
        In [0, 1]; on other rows in [-1, 1].

    Raises
    ------
    InputError
        Features that do not vary; sampled moments without ``score``.

    Warns
    -----
    FewRows
        In-sample with fewer than ten rows per unit.

    References
    ----------
    Williams et al. 2021 (arXiv 2110.14739), eq. 6.

    Examples
    --------
    >>> m = Moments.exact({"a": 1, "b": 1}, [0, 0], [[1.0, -0.5], [-0.5, 1.0]])
    >>> round(procrustes_similarity(m, "a", "b"), 4)
    0.5
    """
    _alive(moments, a)
    _alive(moments, b)
    if score is None or isinstance(score, str) or score is moments:
        warn_of_few_rows(moments, int(max((~moments.constant(a)).sum(), (~moments.constant(b)).sum())), refuse=False)
    score = scored_on(moments, score, 0)
    unit_a, unit_b = moments.scale(a), moments.scale(b)
    if score is moments:
        along = np.linalg.svd(moments.covariance(a, b, scale=unit_a * unit_b), compute_uv=False)
    else:
        left, right = rotation(moments, a, b)
        along = _along(left, score.covariance(a, b, scale=unit_a * unit_b), right)
    own = (score.variance(a) / unit_a**2).sum() * (score.variance(b) / unit_b**2).sum()
    if not own > 0:
        raise InputError(f"features {a!r} or {b!r} do not vary on the score split: there is nothing to compare")
    return float(np.clip(along.sum() / math.sqrt(own), -1.0, 1.0))


@arguments_as_in(procrustes_similarity)
def procrustes_distance(moments: Moments, a: Names, b: Names, *, score: Score = None) -> float:
    """Angle of the best match by rotation; a metric (without a score on other rows).

    Parameters
    ----------

    Returns
    -------
    float
        In radians, in [0, pi/2], with a resolution of about 1e-8.

    Raises
    ------
    InputError
        As :func:`procrustes_similarity`.

    References
    ----------
    Williams et al. 2021 (arXiv 2110.14739), eq. 6.

    Examples
    --------
    >>> m = Moments.exact({"a": 1, "b": 1}, [0, 0], [[1.0, 0.5], [0.5, 1.0]])
    >>> round(procrustes_distance(m, "a", "b") / math.pi, 4)
    0.3333
    """
    return math.acos(procrustes_similarity(moments, a, b, score=score))


def _alive(moments: Moments, names: Names) -> None:
    if moments.constant(names).all():
        raise InputError(f"features {names!r} do not vary: there is nothing to compare")
