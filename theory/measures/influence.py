"""Influence of each row on a similarity, and the similarities that sweeps compute.

To first order, a measure on resampled rows is its value plus the mean over these rows of an influence, so that resampling
needs no new decomposition for each draw (derived here, from d|C|^2 = 2 <C, dC>, d|C|_* = <U V^T, dC> and first-order
perturbation of rho_k). For rows x, y about their mean, with T the value of the measure and u_k, v_k the canonical variates:

    CKA           T (2 x C_ab y / |C_ab|^2 - x C_aa x / |C_aa|^2 - y C_bb y / |C_bb|^2)
    CCA           mean_k (2 rho_k u_k v_k - rho_k^2 (u_k^2 + v_k^2))
    SVCCA         mean_k (u_k v_k - rho_k (u_k^2 + v_k^2)/2),   with its principal components held fixed
    Procrustes    T (x U V^T y / |C_ab|_* - |x|^2 / (2 tr C_aa) - |y|^2 / (2 tr C_bb))

If the score rows are not those of the fit, the fitted directions are held fixed, too.
"""

import math
from collections.abc import Callable
from functools import cached_property, partial

import numpy as np

from theory.measures import Measure
from theory.measures.fitted import IN_SAMPLE, Score
from theory.measures.similarity import (
    KEPT,
    canonical_directions,
    correlated,
    linear_cka,
    mean_squared_cca,
    procrustes_similarity,
    rotation,
    svcca,
)
from theory.moments import Moments
from theory.moments.layout import Names

__all__ = ()  # used by resampling only, which imports from here


class PairedRows:
    """Rows of two sides, about their mean and in units of their scale, with the products that influences share.

    They are stored and multiplied in float32, which is precise enough for an interval.

    Parameters
    ----------
    x : ndarray of shape (rows, units of a)
        One side.
    y : ndarray of shape (rows, units of b)
        The other side.
    covariances : dict of str to ndarray
        Result of :meth:`covariances`, or the matrices of it that the products need.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, covariances: dict[str, np.ndarray]):
        self.x, self.y, self._c = x.astype(np.float32), y.astype(np.float32), covariances

    @staticmethod
    def covariances(moments: Moments, a: Names, b: Names) -> dict[str, np.ndarray]:
        """Covariances of and between two sides, in units of their scales."""
        unit_a, unit_b = moments.scale(a), moments.scale(b)
        matrices = {"ab": moments.covariance(a, b, scale=unit_a * unit_b), "aa": moments.covariance(a, scale=unit_a**2),
                    "bb": moments.covariance(b, scale=unit_b**2)}
        return {name: matrix.astype(np.float32) for name, matrix in matrices.items()}

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
    directions = canonical_directions(moments, a, b, keep)
    rho, *owns = correlated(moments, score, a, b, *directions)
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
    left, right = rotation(moments, a, b)
    turn = left @ right.T
    score = moments if score is None or isinstance(score, str) else score
    unit_a, unit_b = score.scale(a), score.scale(b)
    own_a, own_b = (float((score.variance(name) / unit**2).sum()) for name, unit in ((a, unit_a), (b, unit_b)))
    size = math.sqrt(own_a * own_b)
    value = float(np.sum(turn * score.covariance(a, b, scale=unit_a * unit_b))) / size
    turn = turn.astype(np.float32)
    return lambda rows: _dots(rows.x @ turn, rows.y) / size - value / 2 * (rows.xx / own_a + rows.yy / own_b)


def debiased_cka_influence(value: float, k: np.ndarray, l: np.ndarray, ab: np.ndarray, aa: np.ndarray,
                           bb: np.ndarray) -> np.ndarray:
    """The first-order contribution of each row to the debiased CKA, with mean 0.

    A row's own contribution to C is removed, as in the estimator.

    Parameters
    ----------
    value : float
        The debiased CKA.
    k : ndarray of shape (rows,)
        Squared distance of the rows of a from their mean.
    l : ndarray of shape (rows,)
        Squared distance of the rows of b from their mean.
    ab : ndarray of shape (rows,)
        x C_ab y of each row.
    aa : ndarray of shape (rows,)
        x C_aa x of each row.
    bb : ndarray of shape (rows,)
        y C_bb y of each row.

    Returns
    -------
    ndarray of shape (rows,)
    """
    n = len(k)
    cross, own_a, own_b = ab - k * l / n, aa - k * k / n, bb - l * l / n
    size = math.sqrt(own_a.mean() * own_b.mean())
    out = 2 * cross / size - value * (own_a / own_a.mean() + own_b / own_b.mean())
    return out - out.mean()


# All in-sample: the null beside them, on shuffled rows, has the same bias from few rows per unit.
COMPARED = (
    Measure("cka", "CKA", linear_cka, cka_influence),
    Measure("cca", "mean squared CCA", partial(mean_squared_cca, score=IN_SAMPLE), partial(cca_influence, score=IN_SAMPLE)),
    Measure("svcca", "SVCCA", partial(svcca, score=IN_SAMPLE), partial(cca_influence, keep=KEPT, score=IN_SAMPLE, squared=False)),
    Measure("procrustes", "Procrustes", partial(procrustes_similarity, score=IN_SAMPLE),
            partial(procrustes_influence, score=IN_SAMPLE)),
)
