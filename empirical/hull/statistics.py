"""Statistics of hulls, for one set of points or over replicas.

For one set of points (of one network, or of a space without networks) the unit is the point; over replicas it is the network with
the points drawn by its seed.
"""

import math
from collections.abc import Sequence

import numpy as np

from lab.combine import bounded, no_narrower, share_difference
from lab.estimate import Estimate, mean_interval, share_interval, student, transformed

LARGEST_CORRELATION = 0.999999
ROUNDING = 1e-20  # residual sums of squares below this share of the original ones count as rounding errors


def excess(test: Estimate, training: Estimate) -> Estimate | None:
    """One mean distance over another, minus one, by the delta method on the ratio's logarithm; None unless both are positive.

    Parameters
    ----------
    test, training : mean distances with t intervals, of at least two points each.
    """
    if not (test.has_interval and training.has_interval) or min(test.mean, training.mean) <= 0:
        return None
    error = math.hypot(test.error / test.mean, training.error / training.mean)
    return transformed(student(math.log(test.mean / training.mean), error, min(test.n, training.n)), math.expm1)


def excess_over_replicas(values: Sequence[float]) -> Estimate:
    """Mean of :func:`excess` over replicas, taken of the logarithms of the ratios."""
    return transformed(mean_interval(np.log1p(np.asarray(values, dtype=float))), math.expm1)


def partial_rank(x: np.ndarray, y: np.ndarray, *given: np.ndarray) -> float:
    """Spearman's partial correlation: that of the ranks of x and y after regression on the ranks of ``given``.

    Parameters
    ----------
    x : ndarray
        One number for each point, (m,).
    y : ndarray
        Likewise.
    *given : ndarray
        Likewise, any number of them.

    Returns
    -------
    float
        Correlation in [-1, 1]; 0 if the regression leaves no residual.
    """
    from scipy.stats import rankdata

    a, b, *others = (rankdata(values) - (len(values) + 1) / 2 for values in (x, y, *given))
    whole = a @ a * (b @ b)
    if others:
        basis = np.stack(others, axis=1)
        a, b = (v - basis @ np.linalg.lstsq(basis, v, rcond=None)[0] for v in (a, b))
    left = a @ a * (b @ b)
    return float(a @ b / math.sqrt(left)) if left > ROUNDING * whole else 0.0


def correlation(r: float, n: int, given: int = 0) -> Estimate:
    """A rank correlation of n points with Fisher's interval, with n - 3 - ``given`` degrees for a partial one."""
    r = float(np.clip(r, -LARGEST_CORRELATION, LARGEST_CORRELATION))
    return transformed(student(math.atanh(r), 1 / math.sqrt(n - 3 - given), n, math.inf), math.tanh)


def correlation_over_replicas(values: Sequence[float]) -> Estimate:
    """Mean of correlations over replicas, in Fisher's z."""
    return transformed(mean_interval(np.arctanh(np.asarray(values, dtype=float))), math.tanh)


def share_over_replicas(shares: Sequence[float], points: int) -> Estimate:
    """Mean share over replicas of ``points`` points each.

    The interval is over replicas, but no narrower than that of one replica's points: if all points of every network lie outside,
    replicas do not differ, and only the number of points limits the share inside that could have been missed.
    """
    mean = mean_interval(shares)
    return no_narrower(bounded(mean, 0, 1), share_interval(round(mean.mean * points), points))


def share_gap_over_replicas(shares: Sequence[float], points: int, others: Sequence[float], other_points: int) -> Estimate:
    """Mean difference of two shares over replicas; the interval as in :func:`share_over_replicas`."""
    pairs = np.asarray(shares, dtype=float) - np.asarray(others, dtype=float)
    counts = (round(float(np.mean(values)) * n) for values, n in ((shares, points), (others, other_points)))
    one = share_difference(next(counts), points, next(counts), other_points)
    return no_narrower(bounded(mean_interval(pairs), -1, 1), one)
