"""One set of features by itself: effective rank, compressibility, units that others repeat or predict.

With C the covariance, lambda_1 >= lambda_2 >= ... its eigenvalues and p_k = lambda_k / sum lambda,

* effective rank: participation ratio (sum lambda)^2 / sum lambda^2, or exp(-sum p log p) (Roy & Vetterli 2007, here on
  the eigenvalues of the covariance);
* compressibility: the share of smallest eigenvalues that together hold at most 5 % of the variance (S1, AAAI version);
* predictability of unit i from all others by ridge regression. With M = C + lambda I and P = M^-1 the weights on unit
  j != i are -P_ji/P_ii, so the residual is sum_j P_ji x_j / P_ii: one inverse serves all units (derived here);
* repeated: pairs with |r| at least a threshold, r the correlation (S1).

Units that do not vary (dead: always 0; constant: always the same other value) have no correlation. They are left out of
every share and reported beside it.
"""

from dataclasses import dataclass

import numpy as np

from lab.errors import InputError
from theory.measures.fitted import Score, scored_on
from theory.measures.span import RIDGE, Names, _about, _one_ridge
from theory.moments import Moments

__all__ = [
    "Repeated", "compressibility", "correlations", "effective_rank", "effective_rank_influence", "predictability",
    "repeated_units", "spectrum",
]

SAME = 1e-6  # 1 - |r|, and relative difference of means and deviations, up to which two units are the same


def spectrum(moments: Moments, names: Names) -> np.ndarray:
    """Eigenvalues of the covariance of the units that vary, descending, none below 0; shape (varying units,)."""
    return _spectrum(moments, names) * moments.scale(names) ** 2


def _spectrum(moments: Moments, names: Names) -> np.ndarray:
    """The same in units of the scale squared."""
    varying = ~moments.constant(names)
    if not varying.any():
        raise InputError(f"features {names!r} do not vary: they have no spectrum")
    covariance = moments.covariance(names, scale=moments.scale(names) ** 2)[np.ix_(varying, varying)]
    return np.clip(np.linalg.eigvalsh(covariance)[::-1], 0.0, None)


def effective_rank(moments: Moments, names: Names, *, kind: str = "participation") -> float:
    """Effective number of directions, from 1 to the number of units that vary; "participation" or "entropy"."""
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
    """To first order, what each row adds to the participation ratio: of mean 0.

    Parameters
    ----------
    rank : its value R.
    squares, along : |x|^2 and x C x of the rows about their mean, shape (rows,): 2 R (|x|^2/tr C - x C x/|C|^2), where the
        means over rows are the trace and the squared norm.
    """
    return 2 * rank * (squares / squares.mean() - along / along.mean())


def compressibility(moments: Moments, names: Names, *, share: float = 0.05) -> float:
    """Share (of the units that vary) of smallest eigenvalues that together hold at most ``share`` of the variance."""
    if not 0 <= share < 1:
        raise InputError(f"share must lie in [0, 1), got {share!r}")
    values = _spectrum(moments, names)[::-1]
    held = np.cumsum(values) / values.sum()
    return float(np.searchsorted(held, share * (1 + 1e-12) + 1e-15, side="right") / len(values))


def predictability(fit: Moments, names: Names, *, ridge: float = RIDGE, score: Score = None) -> np.ndarray:
    """Share of each unit's variance that ridge regression from all other units explains.

    Parameters
    ----------
    fit : moments for the regression.
    score : moments of other rows for the score, or ``"in-sample"``; exact moments need none.
    ridge : > 0, relative to the mean variance of all the units; one below ``Moments.rounding`` is taken as that.

    Returns
    -------
    Shape (units,); at most 1, below 0 on a score split where the mean predicts better, NaN for units that do not vary.

    Raises, warns
    -------------
    As :func:`theory.measures.span_error`.
    """
    ridge = _one_ridge(ridge)
    if ridge == 0:
        raise InputError("predictability needs one ridge above 0: repeated units have no unique regression without it")
    varies = ~fit.constant(names)
    if not varies.any():
        return np.full(len(varies), np.nan)
    score = scored_on(fit, score, int(varies.sum()) - 1)
    varies &= ~score.constant(names)
    gram = fit.covariance(names, scale=fit.scale(names) ** 2)
    gram_score = gram if score is fit else _about(score, fit, names)
    inverse = _inverse(gram, max(ridge, fit.rounding) * np.trace(gram) / len(gram))
    residual_map = inverse / np.diag(inverse)  # column i gives the residual of unit i
    residual = np.einsum("ij,ij->j", residual_map, gram_score @ residual_map)
    out = np.full(len(varies), np.nan)
    out[varies] = 1 - np.clip(residual[varies], 0.0, None) / np.diag(gram_score)[varies]
    return out


def _inverse(gram: np.ndarray, shift: float) -> np.ndarray:
    """(C + shift I)^-1; where rounding made that indefinite, negative eigenvalues of C are taken as 0."""
    from scipy.linalg import cho_factor, cho_solve

    shifted = gram.copy(order="F")
    shifted.flat[:: len(gram) + 1] += shift
    try:
        return cho_solve(cho_factor(shifted, lower=True, overwrite_a=True), np.eye(len(gram)))
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(gram)
        return vectors / (np.clip(values, 0.0, None) + shift) @ vectors.T


def correlations(moments: Moments, names: Names) -> np.ndarray:
    """Correlation matrix of the units, in [-1, 1], NaN in the rows and columns of units that do not vary."""
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
    threshold : of |r|.
    units, varying : number of units, and of those that vary: all shares are of these.
    dead, constant : masks (units,): always 0; always one other value.
    pair_share : share of the pairs with |r| >= threshold; NaN with fewer than two varying units.
    twin_share : share of the units with at least one such partner; NaN with none that varies.
    similar_per_unit : mean number of such partners (the count of S1, which grows with width by itself); NaN likewise.
    duplicated, scaled, negated : masks (units,): another unit is the same; the same up to a positive factor and a shift;
        the same up to a negative factor and a shift. A unit can be several of these.
    nearest : shape (units,), the largest |r| with another unit; NaN where there is none.
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
    """Which units repeat each other; see :class:`Repeated`. ``threshold`` in (0, 1]."""
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

    def spread(values, fill):
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
