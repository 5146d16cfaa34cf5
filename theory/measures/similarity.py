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

Canonical correlations and Procrustes fit directions: they are scored on other rows, or in-sample by choice
(:mod:`theory.measures.fitted`). On other rows the fitted directions are kept and correlated there, so that a value can be
below 0 and no order is kept.

Influence. To first order a measure of n rows is its value plus the mean over rows of an influence, which resampling of
rows needs in place of a new decomposition for each draw (derived here, from d|C|^2 = 2 <C, dC>, d|C|_* = <U V^T, dC> and
first-order perturbation of rho_k). For rows x, y about their mean, with T the value and u_k, v_k the canonical variates:

    CKA           T (2 x C_ab y / |C_ab|^2 - x C_aa x / |C_aa|^2 - y C_bb y / |C_bb|^2)
    CCA           mean_k (2 rho_k u_k v_k - rho_k^2 (u_k^2 + v_k^2))
    SVCCA         mean_k (u_k v_k - rho_k (u_k^2 + v_k^2)/2),   its principal components held as they are
    Procrustes    T (x U V^T y / |C_ab|_* - |x|^2 / (2 tr C_aa) - |y|^2 / (2 tr C_bb))

On other rows than those of the fit, the fitted directions are held as they are, too.
"""

import math
from collections.abc import Callable
from functools import cached_property, partial

import numpy as np

from lab.arrays import floats, power_of_two
from lab.errors import InputError
from theory.measures import Measure
from theory.measures.fitted import IN_SAMPLE, Score, scored_on, warn_of_few_rows
from theory.measures.span import Names
from theory.moments import Moments

__all__ = [
    "PairedRows",
    "canonical_correlations",
    "cca_influence",
    "cka_influence",
    "debiased_cka",
    "debiased_cka_influence",
    "debiased_cka_of",
    "linear_cka",
    "mean_squared_cca",
    "procrustes_distance",
    "procrustes_influence",
    "procrustes_similarity",
    "rows_per_unit",
    "svcca",
]

KEPT = 0.99  # share of the variance whose principal components SVCCA keeps


def rows_per_unit(moments: Moments, names: Names) -> float:
    """n/d: rows for each unit that varies; infinite for exact moments."""
    _alive(moments, names)
    return math.inf if moments.is_exact else moments.count / int((~moments.constant(names)).sum())


def linear_cka(moments: Moments, a: Names, b: Names) -> float:
    """Linear centred kernel alignment, in [0, 1]."""
    _alive(moments, a)
    _alive(moments, b)
    norm = np.linalg.norm
    unit_a, unit_b = moments.scale(a), moments.scale(b)
    own = norm(moments.covariance(a, scale=unit_a**2)) * norm(moments.covariance(b, scale=unit_b**2))
    return float(norm(moments.covariance(a, b, scale=unit_a * unit_b)) ** 2 / own)


def canonical_correlations(moments: Moments, a: Names, b: Names, *, keep: float = 1.0, score: Score = None) -> np.ndarray:
    """Canonical correlations, one for each direction of the smaller side: in descending order and in [0, 1] in-sample.

    Parameters
    ----------
    keep : share of each side's variance held by the principal components that are kept, in (0, 1]. With 1 all
        directions that are not rounding are kept (``Moments.rounding``).
    score : moments of other rows on which the fitted directions are correlated, or ``"in-sample"``; exact moments need
        none.

    Raises
    ------
    InputError
        Features that do not vary, or no more rows than directions of both sides together: then some correlations are 1
        whatever the features are. Sampled moments without ``score``.

    Warns
    -----
    FewRows
        In-sample with fewer than ten rows a direction.
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
    return _correlated(moments, score, a, b, *_directions(moments, a, b, keep))[0]


def _directions(moments: Moments, a: Names, b: Names, keep: float) -> tuple[np.ndarray, np.ndarray]:
    """Canonical directions of both sides, shapes (units, directions), for features in units of their scale."""
    def decompose():
        white_a, white_b = _whitening(moments, a, keep), _whitening(moments, b, keep)
        cross = white_a.T @ moments.covariance(a, b, scale=moments.scale(a) * moments.scale(b)) @ white_b
        left, _, right = np.linalg.svd(cross, full_matrices=False)
        return white_a @ left, white_b @ right.T

    return moments.remember(("canonical", _key(a), _key(b), keep), decompose)


def _turned(moments: Moments, a: Names, b: Names) -> tuple[np.ndarray, np.ndarray]:
    """Singular vectors of the cross-covariance, as columns."""
    def decompose():
        cross = moments.covariance(a, b, scale=moments.scale(a) * moments.scale(b))
        left, _, right = np.linalg.svd(cross, full_matrices=False)
        return left, right.T

    return moments.remember(("rotation", _key(a), _key(b)), decompose)


def _key(names: Names) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _correlated(moments: Moments, score: Moments, a: Names, b: Names, left: np.ndarray,
                right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Correlations of corresponding directions on the score rows, and the variances of both sides along them."""
    unit_a, unit_b = moments.scale(a), moments.scale(b)
    own_a = _along(left, score.covariance(a, scale=unit_a**2), left)
    own_b = _along(right, score.covariance(b, scale=unit_b**2), right)
    own = own_a * own_b
    found = _along(left, score.covariance(a, b, scale=unit_a * unit_b), right)
    return np.clip(np.where(own > 0, found / np.sqrt(np.where(own > 0, own, 1.0)), 0.0), -1.0, 1.0), own_a, own_b


def _along(left: np.ndarray, matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left_k^T M right_k for corresponding columns."""
    return np.einsum("ik,ik->k", left, matrix @ right)


def _whitening(moments: Moments, names: Names, keep: float) -> np.ndarray:
    """Matrix (units, directions) that makes the principal components that are kept uncorrelated, of unit variance; for
    features in units of their scale."""
    _alive(moments, names)
    values, vectors = moments.remember(("spectrum", _key(names)),
                                       lambda: np.linalg.eigh(moments.covariance(names, scale=moments.scale(names) ** 2)))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = int((values > moments.rounding * values[0]).sum())
    if keep < 1:
        share = np.cumsum(values[:kept]) / values[:kept].sum()
        kept = min(kept, int(np.searchsorted(share, keep)) + 1)
    return vectors[:, :kept] / np.sqrt(values[:kept])


def mean_squared_cca(moments: Moments, a: Names, b: Names, *, score: Score = None) -> float:
    """Mean squared canonical correlation, in [0, 1]. See :func:`canonical_correlations`."""
    return float(np.mean(canonical_correlations(moments, a, b, score=score) ** 2))


def svcca(moments: Moments, a: Names, b: Names, *, keep: float = KEPT, score: Score = None) -> float:
    """Mean canonical correlation of the leading principal components, in [0, 1] in-sample. See
    :func:`canonical_correlations`."""
    return float(np.mean(canonical_correlations(moments, a, b, keep=keep, score=score)))


def procrustes_similarity(moments: Moments, a: Names, b: Names, *, score: Score = None) -> float:
    """Cosine of the best match by rotation, in [0, 1]; of the rotation fitted on ``moments`` with ``score``, in [-1, 1].

    ``score`` as in :func:`canonical_correlations`; in-sample values are never refused: few rows make them large, not 1.
    """
    _alive(moments, a)
    _alive(moments, b)
    if score is None or isinstance(score, str) or score is moments:
        warn_of_few_rows(moments, int(max((~moments.constant(a)).sum(), (~moments.constant(b)).sum())), refuse=False)
    score = scored_on(moments, score, 0)
    unit_a, unit_b = moments.scale(a), moments.scale(b)
    if score is moments:
        found = np.linalg.svd(moments.covariance(a, b, scale=unit_a * unit_b), compute_uv=False)
    else:
        left, right = _turned(moments, a, b)
        found = _along(left, score.covariance(a, b, scale=unit_a * unit_b), right)
    own = (score.variance(a) / unit_a**2).sum() * (score.variance(b) / unit_b**2).sum()
    if not own > 0:
        raise InputError(f"features {a!r} or {b!r} do not vary on the score split: there is nothing to compare")
    return float(np.clip(found.sum() / math.sqrt(own), -1.0, 1.0))


def procrustes_distance(moments: Moments, a: Names, b: Names, *, score: Score = None) -> float:
    """Angle of the best match by rotation, in radians, in [0, pi/2]; a metric (without a score on other rows).

    Resolves no less than about 1e-8. ``score`` as in :func:`procrustes_similarity`.
    """
    return math.acos(procrustes_similarity(moments, a, b, score=score))


def debiased_cka(x: np.ndarray, y: np.ndarray) -> float:
    """Linear CKA from unbiased HSIC, on rows; about 0 for independent features, below 0 by chance.

    Parameters
    ----------
    x, y : shapes (rows, units of a) and (rows, units of b), at least 4 rows.
    """
    x, y = floats(x, "x"), floats(y, "y")
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or len(x) < 4:
        raise InputError(f"debiased CKA needs two (rows, units) arrays of the same rows, at least 4: {x.shape}, {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("features that are not finite")
    x, y = _centred(x), _centred(y)
    own = _hsic(x, x) * _hsic(y, y)
    if not own > 0:
        raise InputError("features that do not vary, or too few rows for an unbiased estimate of their own alignment")
    return _hsic(x, y) / math.sqrt(own)


def _centred(x: np.ndarray) -> np.ndarray:
    """Features about their mean, in units of a power of two near the largest."""
    x = x / power_of_two(np.abs(x).max())
    x -= x.mean(axis=0)
    return x / power_of_two(np.abs(x).max())


def _hsic(x: np.ndarray, y: np.ndarray) -> float:
    """n(n-3) times the unbiased HSIC of centred features."""
    return _unbiased(float(np.linalg.norm(x.T @ y)) ** 2, np.einsum("ij,ij->i", x, x), np.einsum("ij,ij->i", y, y))


def _unbiased(cross: float, k: np.ndarray, l: np.ndarray) -> float:
    """n(n-3) times the unbiased HSIC, from |X^T Y|_F^2 and the squares of the rows."""
    n = len(k)
    return float(cross - n / (n - 2) * (k @ l) + k.sum() * l.sum() / ((n - 1) * (n - 2)))


def _alive(moments: Moments, names: Names) -> None:
    if moments.constant(names).all():
        raise InputError(f"features {names!r} do not vary: there is nothing to compare")


# ------------------------------------------------------------------------------------------------- influence of rows
class PairedRows:
    """Some rows of two sides, about their mean and in units of their scale, with the products that influences share.

    Kept and multiplied in float32: an interval has no more digits.

    Parameters
    ----------
    x, y : shapes (rows, units of a) and (rows, units of b).
    covariances : of :func:`covariances`, for the products that are asked for.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, covariances: dict[str, np.ndarray]):
        self.x, self.y, self._c = x.astype(np.float32), y.astype(np.float32), covariances

    @staticmethod
    def covariances(moments: Moments, a: Names, b: Names) -> dict[str, np.ndarray]:
        """Covariances of and between two sides, in units of their scales."""
        unit_a, unit_b = moments.scale(a), moments.scale(b)
        found = {"ab": moments.covariance(a, b, scale=unit_a * unit_b), "aa": moments.covariance(a, scale=unit_a**2),
                 "bb": moments.covariance(b, scale=unit_b**2)}
        return {name: matrix.astype(np.float32) for name, matrix in found.items()}

    @cached_property
    def xx(self) -> np.ndarray:
        """|x|^2, shape (rows,)."""
        return _dots(self.x, self.x)

    @cached_property
    def yy(self) -> np.ndarray:
        """|y|^2."""
        return _dots(self.y, self.y)

    @cached_property
    def xcy(self) -> np.ndarray:
        """x C_ab y."""
        return _dots(self.x @ self._c["ab"], self.y)

    @cached_property
    def xcx(self) -> np.ndarray:
        """x C_aa x."""
        return _dots(self.x @ self._c["aa"], self.x)

    @cached_property
    def ycy(self) -> np.ndarray:
        """y C_bb y."""
        return _dots(self.y @ self._c["bb"], self.y)


Influence = Callable[[PairedRows], np.ndarray]


def _dots(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Inner products of corresponding rows."""
    return np.einsum("ij,ij->i", x, y)


def cka_influence(moments: Moments, a: Names, b: Names) -> Influence:
    """Influence of each row on :func:`linear_cka`, see the module's docstring."""
    unit_a, unit_b = moments.scale(a), moments.scale(b)
    ab, aa, bb = (float(np.linalg.norm(moments.covariance(one, other, scale=scale))) ** 2 for one, other, scale in
                  ((a, b, unit_a * unit_b), (a, a, unit_a**2), (b, b, unit_b**2)))
    value = math.sqrt(ab / aa) * math.sqrt(ab / bb)
    return lambda rows: value * (2 * rows.xcy / ab - rows.xcx / aa - rows.ycy / bb)


def cca_influence(moments: Moments, a: Names, b: Names, *, keep: float = 1.0, score: Score = None,
                  squared: bool = True) -> Influence:
    """Influence of each row of ``score`` on :func:`mean_squared_cca`, or with ``squared=False`` on :func:`svcca`."""
    score = moments if score is None or isinstance(score, str) else score
    directions = _directions(moments, a, b, keep)
    rho, *owns = _correlated(moments, score, a, b, *directions)
    left, right = ((side * (score.scale(name) / moments.scale(name) / np.sqrt(np.where(own > 0, own, np.inf)))).astype(np.float32)
                   for side, name, own in zip(directions, (a, b), owns))
    along, across = (2 * rho, rho**2) if squared else (np.ones(len(rho)), rho / 2)
    along, across = (part.astype(np.float32) / len(rho) for part in (along, across))

    def influence(rows: PairedRows) -> np.ndarray:
        u, v = rows.x @ left, rows.y @ right
        return (u * v) @ along - (u**2 + v**2) @ across

    return influence


def procrustes_influence(moments: Moments, a: Names, b: Names, *, score: Score = None) -> Influence:
    """Influence of each row of ``score`` on :func:`procrustes_similarity`."""
    left, right = _turned(moments, a, b)
    turn = left @ right.T
    score = moments if score is None or isinstance(score, str) else score
    unit_a, unit_b = score.scale(a), score.scale(b)
    own_a, own_b = (float((score.variance(name) / unit**2).sum()) for name, unit in ((a, unit_a), (b, unit_b)))
    size = math.sqrt(own_a * own_b)
    value = float(np.sum(turn * score.covariance(a, b, scale=unit_a * unit_b))) / size
    turn = turn.astype(np.float32)
    return lambda rows: _dots(rows.x @ turn, rows.y) / size - value / 2 * (rows.xx / own_a + rows.yy / own_b)


def debiased_cka_of(moments: Moments, a: Names, b: Names, k: np.ndarray, l: np.ndarray) -> float:
    """:func:`debiased_cka` from moments and the squares of their rows about the mean, in units of the scales squared."""
    n, unit_a, unit_b = moments.count, moments.scale(a), moments.scale(b)
    if n is None or n < 4:
        raise InputError(f"debiased CKA needs at least 4 rows, not {n}")

    def hsic(one, other, scale, *rows):
        return _unbiased((n * float(np.linalg.norm(moments.covariance(one, other, scale=scale)))) ** 2, *rows)

    own = hsic(a, a, unit_a**2, k, k) * hsic(b, b, unit_b**2, l, l)
    if not own > 0:
        raise InputError("features that do not vary, or too few rows for an unbiased estimate of their own alignment")
    return hsic(a, b, unit_a * unit_b, k, l) / math.sqrt(own)


def debiased_cka_influence(value: float, k: np.ndarray, l: np.ndarray, ab: np.ndarray, aa: np.ndarray,
                           bb: np.ndarray) -> np.ndarray:
    """To first order, what each row adds to the debiased CKA, of mean 0.

    Parameters
    ----------
    value : the debiased CKA.
    k, l : squares of the rows of a and of b about their mean.
    ab, aa, bb : x C_ab y, x C_aa x and y C_bb y of each row. A row's own share of C is taken out, as the estimator does.
    """
    n = len(k)
    cross, own_a, own_b = ab - k * l / n, aa - k * k / n, bb - l * l / n
    size = math.sqrt(own_a.mean() * own_b.mean())
    out = 2 * cross / size - value * (own_a / own_a.mean() + own_b / own_b.mean())
    return out - out.mean()


# in-sample, all of them: their bias by units over rows is that of the null beside them, on shuffled rows
COMPARED = (
    Measure("cka", "CKA", linear_cka, cka_influence),
    Measure("cca", "mean squared CCA", partial(mean_squared_cca, score=IN_SAMPLE), partial(cca_influence, score=IN_SAMPLE)),
    Measure("svcca", "SVCCA", partial(svcca, score=IN_SAMPLE), partial(cca_influence, keep=KEPT, score=IN_SAMPLE, squared=False)),
    Measure("procrustes", "Procrustes", partial(procrustes_similarity, score=IN_SAMPLE),
            partial(procrustes_influence, score=IN_SAMPLE)),
)
