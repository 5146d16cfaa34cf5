"""Debiased CKA: linear CKA from the unbiased estimator of HSIC, which needs rows.

For linear kernels of centred features, with k_i = |x_i|^2 and l_i = |y_i|^2 (derived here),

    n(n-3) HSIC = |X^T Y|_F^2 - n/(n-2) sum_i k_i l_i + sum_i k_i sum_i l_i / ((n-1)(n-2)),

without any n x n matrix. Unlike the measures of :mod:`theory.measures.similarity` it is not biased towards similarity by
units/rows.

Source: Song et al. 2012 (JMLR 13), eq. 5, for the estimator.
"""

import math

import numpy as np

from lab.arrays import floats, power_of_two
from lab.errors import InputError
from theory.moments import Moments
from theory.moments.layout import Names

__all__ = ["debiased_cka"]


def debiased_cka(x: np.ndarray, y: np.ndarray) -> float:
    """Linear CKA from unbiased HSIC, on rows; about 0 for independent features, below 0 by chance.

    Parameters
    ----------
    x : ndarray of shape (rows, units of x)
        At least 4 rows.
    y : ndarray of shape (rows, units of y)
        The same rows.

    Returns
    -------
    float
        At most 1.

    Raises
    ------
    InputError
        Shapes that do not fit, values that are not finite, features that do not vary.

    References
    ----------
    Song et al. 2012 (JMLR 13), eq. 5, for the estimator of HSIC; without an n x n matrix: derived here.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> round(debiased_cka(x, x @ [[0, 1, 0], [1, 0, 0], [0, 0, -1]]), 4)
    1.0
    """
    x, y = floats(x, "x"), floats(y, "y")
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or len(x) < 4:
        raise InputError(f"debiased CKA needs two (rows, units) arrays of the same rows, at least 4, not {x.shape} and {y.shape}")
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


def debiased_cka_of(moments: Moments, a: Names, b: Names, k: np.ndarray, l: np.ndarray) -> float:
    """:func:`debiased_cka` from moments and the squared distances of the rows from their mean.

    Parameters
    ----------
    moments : Moments
        Moments of at least 4 rows.
    a : str or sequence of str
        A block, or several side by side.
    b : str or sequence of str
        A block, or several side by side.
    k : ndarray of shape (rows,)
        Squared distance of the rows of a from their mean, in units of the scale of a squared.
    l : ndarray of shape (rows,)
        The same for b.

    Returns
    -------
    float
        At most 1.

    Raises
    ------
    InputError
        Exact moments or too few rows, features that do not vary.
    """
    n, unit_a, unit_b = moments.count, moments.scale(a), moments.scale(b)
    if n is None or n < 4:
        raise InputError(f"debiased CKA needs at least 4 rows, not {n}")

    def hsic(one: Names, other: Names, scale: float, k: np.ndarray, l: np.ndarray) -> float:
        return _unbiased((n * float(np.linalg.norm(moments.covariance(one, other, scale=scale)))) ** 2, k, l)

    own = hsic(a, a, unit_a**2, k, k) * hsic(b, b, unit_b**2, l, l)
    if not own > 0:
        raise InputError("features that do not vary, or too few rows for an unbiased estimate of their own alignment")
    return hsic(a, b, unit_a * unit_b, k, l) / math.sqrt(own)
