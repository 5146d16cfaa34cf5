"""A single set of features: effective rank, compressibility, units that others repeat or predict.

With C the covariance, lambda_1 >= lambda_2 >= ... its eigenvalues and p_k = lambda_k / sum lambda,

* effective rank: participation ratio (sum lambda)^2 / sum lambda^2, or exp(-sum p log p) (Roy & Vetterli 2007, here on
  the eigenvalues of the covariance);
* compressibility: the share of smallest eigenvalues that together hold at most 5 % of the variance (S1, AAAI version);
* predictability of unit i from all others by ridge regression. With M = C + lambda I and P = M^-1 the weights on unit
  j != i are -P_ji/P_ii, so the residual is sum_j P_ji x_j / P_ii: one inverse serves all units (derived here);
* repeated: pairs with |r| at least a threshold, r the correlation (S1).

Units that do not vary (dead: always 0; constant: always the same nonzero value) have no correlation. They are left out of
every share and reported separately.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lab.errors import InputError
from theory.measures.fitted import Score, scored_on
from theory.measures.ridge import RIDGE, about_fit, one_ridge
from theory.moments import Moments
from theory.moments.layout import Names

__all__ = [
    "Repeated", "compressibility", "correlations", "effective_rank", "predictability",
    "repeated_units", "spectrum",
]

SAME = 1e-6  # largest 1 - |r|, and largest relative difference of means and deviations, of two units that are the same


def spectrum(moments: Moments, names: Names) -> np.ndarray:
    """Eigenvalues of the covariance of the units that vary.

    Parameters
    ----------
    moments : Moments
        Moments of the features.
    names : str or sequence of str
        A block, or several side by side.

    Returns
    -------
    ndarray of shape (varying units,)
        Descending, none below 0.

    Raises
    ------
    InputError
        Features that do not vary.

    Examples
    --------
    >>> spectrum(Moments.exact({"a": 2}, [0, 0], [[1, 0], [0, 4]]), "a")
    array([4., 1.])
    """
    return _spectrum(moments, names) * moments.scale(names) ** 2


def _spectrum(moments: Moments, names: Names) -> np.ndarray:
    """:func:`spectrum` in units of the scale squared."""
    varying = ~moments.constant(names)
    if not varying.any():
        raise InputError(f"features {names!r} do not vary: they have no spectrum")
    covariance = moments.covariance(names, scale=moments.scale(names) ** 2)[np.ix_(varying, varying)]
    return np.clip(np.linalg.eigvalsh(covariance)[::-1], 0.0, None)


def effective_rank(moments: Moments, names: Names, *, kind: str = "participation") -> float:
    """Effective number of directions.

    Parameters
    ----------
    moments : Moments
        Moments of the features.
    names : str or sequence of str
        A block, or several side by side.
    kind : {"participation", "entropy"}, default "participation"
        Participation ratio (sum lambda)²/sum lambda², or the exponential of the entropy of the eigenvalues' shares.

    Returns
    -------
    float
        From 1 to the number of units that vary.

    Raises
    ------
    InputError
        Features that do not vary, or another kind.

    References
    ----------
    Roy & Vetterli 2007, for the entropy, here of the covariance's eigenvalues.

    Examples
    --------
    >>> round(effective_rank(Moments.exact({"a": 2}, [0, 0], [[1, 0], [0, 3]]), "a"), 4)
    1.6
    """
    if kind == "participation":
        if moments.constant(names).all():
            raise InputError(f"features {names!r} do not vary: they have no spectrum")
        unit = moments.scale(names) ** 2
        total = (moments.variance(names) / unit).sum()
        return float(total**2 / np.linalg.norm(moments.covariance(names, scale=unit)) ** 2)
    if kind != "entropy":
        raise InputError(f"kind must be participation or entropy, not {kind!r}")
    p = _spectrum(moments, names)
    p = p[p > 0] / p.sum()
    return float(np.exp(-(p @ np.log(p))))


def effective_rank_influence(rank: float, squares: np.ndarray, along: np.ndarray) -> np.ndarray:
    """The first-order contribution of each row to the participation ratio, with mean 0.

    It is 2 R (|x|²/tr C - x C x/|C|²); the means over rows of |x|² and x C x are the trace and the squared norm (derived here).

    Parameters
    ----------
    rank : float
        The participation ratio R.
    squares : ndarray of shape (rows,)
        |x|² of the rows about their mean.
    along : ndarray of shape (rows,)
        x C x of the same rows.

    Returns
    -------
    ndarray of shape (rows,)
    """
    return 2 * rank * (squares / squares.mean() - along / along.mean())


def compressibility(moments: Moments, names: Names, *, share: float = 0.05) -> float:
    """Share of smallest eigenvalues that together hold at most a given share of the variance.

    Parameters
    ----------
    moments : Moments
        Moments of the features.
    names : str or sequence of str
        A block, or several side by side.
    share : float, default 0.05
        Share of the variance, in [0, 1).

    Returns
    -------
    float
        Share of the units that vary, in [0, 1].

    Raises
    ------
    InputError
        Features that do not vary, or a share outside [0, 1).

    References
    ----------
    S1 (Casper et al., AAAI version).

    Examples
    --------
    >>> compressibility(Moments.exact({"a": 2}, [0, 0], [[1, 0], [0, 99]]), "a")
    0.5
    """
    if not 0 <= share < 1:
        raise InputError(f"share must lie in [0, 1), got {share!r}")
    values = _spectrum(moments, names)[::-1]
    held = np.cumsum(values) / values.sum()
    return float(np.searchsorted(held, share * (1 + 1e-12) + 1e-15, side="right") / len(values))


def predictability(fit: Moments, names: Names, *, ridge: float = RIDGE, score: Score = None) -> np.ndarray:
    """Share of each unit's variance that ridge regression from all other units explains.

    Parameters
    ----------
    fit : Moments
        Moments that the regressions are fitted on.
    names : str or sequence of str
        A block, or several side by side.
    ridge : float, default 1e-6
        Above 0, relative to the mean variance of all units; smaller ones are raised to ``Moments.rounding``.
    score : Moments, "in-sample" or None
        Moments of other rows to score on, or "in-sample" for the rows of the fit; exact moments need none.

    Returns
    -------
    ndarray of shape (units,)
        At most 1; below 0 on a score split if the mean predicts better; NaN for units that do not vary.

    Raises
    ------
    InputError
        As :func:`theory.measures.span.span_error`; a ridge of 0.

    Warns
    -----
    FewRows
        In-sample with fewer than ten rows per unit.

    Examples
    --------
    >>> m = Moments.exact({"a": 3}, np.zeros(3), [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]])
    >>> predictability(m, "a").round(4) + 0.0
    array([0.25, 0.25, 0.  ])
    """
    ridge = one_ridge(ridge)
    if ridge == 0:
        raise InputError("predictability needs one ridge above 0: repeated units have no unique regression without it")
    varies = ~fit.constant(names)
    if not varies.any():
        return np.full(len(varies), np.nan)
    score = scored_on(fit, score, int(varies.sum()) - 1)
    varies &= ~score.constant(names)
    gram = fit.covariance(names, scale=fit.scale(names) ** 2)
    gram_score = gram if score is fit else about_fit(score, fit, names)
    inverse = _inverse(gram, max(ridge, fit.rounding) * np.trace(gram) / len(gram))
    residual_map = inverse / np.diag(inverse)  # column i gives the residual of unit i
    residual = np.einsum("ij,ij->j", residual_map, gram_score @ residual_map)
    out = np.full(len(varies), np.nan)
    out[varies] = 1 - np.clip(residual[varies], 0.0, None) / np.diag(gram_score)[varies]
    return out


def _inverse(gram: np.ndarray, shift: float) -> np.ndarray:
    """(C + shift I)^-1; if rounding has made that indefinite, negative eigenvalues of C are set to 0."""
    from scipy.linalg import cho_factor, cho_solve

    shifted = gram.copy(order="F")
    shifted.flat[:: len(gram) + 1] += shift
    try:
        return cho_solve(cho_factor(shifted, lower=True, overwrite_a=True), np.eye(len(gram)))
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(gram)
        return vectors / (np.clip(values, 0.0, None) + shift) @ vectors.T


def correlations(moments: Moments, names: Names) -> np.ndarray:
    """Correlation matrix of the units.

    Parameters
    ----------
    moments : Moments
        Moments of the features.
    names : str or sequence of str
        A block, or several side by side.

    Returns
    -------
    ndarray of shape (units, units)
        In [-1, 1], NaN in the rows and columns of units that do not vary.

    Raises
    ------
    InputError
        A block that does not exist.

    Examples
    --------
    >>> correlations(Moments.exact({"a": 2}, [0, 0], [[1, 1], [1, 4]]), "a")
    array([[1. , 0.5],
           [0.5, 1. ]])
    """
    deviation = np.sqrt(np.where(moments.constant(names), np.nan, moments.variance(names)))
    out = moments.covariance(names)
    out /= deviation
    out /= deviation[:, None]
    return np.clip(out, -1.0, 1.0, out=out)


@dataclass(frozen=True)
class Repeated:
    """Units of a set of features that repeat each other.

    Attributes
    ----------
    threshold : float
        Threshold on |r|.
    units : int
        Number of units.
    varying : int
        Number of units that vary; all shares are relative to it.
    dead : ndarray of bool, shape (units,)
        Whether the unit is always 0.
    constant : ndarray of bool, shape (units,)
        Whether the unit always has the same nonzero value.
    pair_share : float
        Share of the pairs with |r| >= threshold; NaN with fewer than two varying units.
    twin_share : float
        Share of the units with at least one such partner; NaN without varying units.
    similar_per_unit : float
        Mean number of such partners (the count of S1, which grows with width even at a constant share); NaN likewise.
    duplicated : ndarray of bool, shape (units,)
        Whether another unit is the same.
    scaled : ndarray of bool, shape (units,)
        Whether another unit is the same up to a positive factor and a shift.
    negated : ndarray of bool, shape (units,)
        Whether another unit is the same up to a negative factor and a shift. A unit can be several of these.
    nearest : ndarray of shape (units,)
        The largest |r| with another unit; NaN if there is none.

    Examples
    --------
    >>> m = Moments.exact({"a": 3}, np.zeros(3), [[1, -1, 0], [-1, 1, 0], [0, 0, 1]])
    >>> repeated_units(m, "a").negated
    array([ True,  True, False])
    """

    threshold: float
    units: int
    varying: int
    dead: np.ndarray
    constant: np.ndarray
    pair_share: float
    twin_share: float
    similar_per_unit: float
    duplicated: np.ndarray
    scaled: np.ndarray
    negated: np.ndarray
    nearest: np.ndarray


def repeated_units(moments: Moments, names: Names, *, threshold: float = 0.5) -> Repeated:
    """Which units repeat each other.

    Parameters
    ----------
    moments : Moments
        Moments of the features.
    names : str or sequence of str
        A block, or several side by side.
    threshold : float, default 0.5
        Threshold on |r|, in (0, 1].

    Returns
    -------
    Repeated

    Raises
    ------
    InputError
        A threshold outside (0, 1].

    References
    ----------
    S1 (Casper et al., arXiv 1912.04783).

    Examples
    --------
    >>> m = Moments.exact({"a": 3}, np.zeros(3), [[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]])
    >>> round(repeated_units(m, "a").pair_share, 4)
    0.3333
    """
    if not 0 < threshold <= 1:
        raise InputError(f"threshold must be in (0, 1], got {threshold!r}")
    still, mean = moments.constant(names), moments.mean(names)
    alive = np.flatnonzero(~still)
    r = correlations(moments, names)[np.ix_(alive, alive)]
    np.fill_diagonal(r, 0.0)
    n = len(alive)
    same = max(SAME, 10 * moments.rounding)
    similar = np.abs(r) >= threshold - 1e-12
    deviation, centre = np.sqrt(moments.variance(names))[alive], mean[alive]
    equal = (np.abs(deviation[:, None] - deviation) <= same * deviation) & (
        np.abs(centre[:, None] - centre) <= same * (deviation + np.abs(centre)))

    def spread(values: npt.ArrayLike, fill: float) -> np.ndarray:
        out = np.full(len(still), fill)
        out[alive] = values
        return out

    partners = similar.sum(axis=1)
    return Repeated(
        threshold=float(threshold), units=len(still), varying=n,
        dead=still & (mean == 0), constant=still & (mean != 0),
        pair_share=float(partners.sum() / (n * (n - 1))) if n > 1 else np.nan,
        twin_share=float(np.mean(partners > 0)) if n else np.nan,
        similar_per_unit=float(partners.mean()) if n else np.nan,
        duplicated=spread(((r >= 1 - same) & equal).any(axis=1), False),
        scaled=spread(((r >= 1 - same) & ~equal).any(axis=1), False),
        negated=spread((r <= -1 + same).any(axis=1), False),
        nearest=spread(np.abs(r).max(axis=1) if n > 1 else np.nan, np.nan))
