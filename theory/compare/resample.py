"""Intervals from one pair of blocks: a bootstrap over rows, by whole groups.

Rows (or groups of rows) are resampled with replacement, and each number is computed from sums over the drawn rows. A share of
variance is a ratio of two such sums; a similarity is, to first order, its value plus the mean influence of the rows
(:mod:`theory.measures.influence`). So a draw needs no decomposition, and numbers on the same rows share the draws: the interval
of a gap is that of the paired difference.

Fits are held fixed: an interval says how much the number would vary with other score rows of the same kind, not with other
networks. For that, give several pairs.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from lab.estimate import Estimate
from lab.intervals import LEVEL

DRAWS = 1000
_AT_ONCE = 50


class Resampling:
    """Bootstrap draws of groups of rows.

    Parameters
    ----------
    groups : ndarray of int, shape (rows,)
        Number of each row's group.
    rng : numpy.random.Generator
        Draws the groups.
    draws : int, default 1000
        Number of draws.
    """

    def __init__(self, groups: np.ndarray, rng: np.random.Generator, draws: int = DRAWS):
        names, self._groups = np.unique(groups, return_inverse=True)
        self.n = len(names)
        self._counts = np.empty((draws, self.n), np.uint16)
        for counts in self._counts:
            counts[:] = np.bincount(rng.integers(self.n, size=self.n), minlength=self.n)

    def sums(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        """Sums of columns, each of shape (rows,), over the rows of each draw: shape (columns, draws)."""
        by_group = np.stack([np.bincount(self._groups, weights=column, minlength=self.n) for column in columns], axis=1)
        pieces = [self._counts[i:i + _AT_ONCE].astype(np.float64) @ by_group for i in range(0, len(self._counts), _AT_ONCE)]
        return np.concatenate(pieces).T

    def shares(self, value: float, *terms: tuple[float, np.ndarray, np.ndarray]) -> Estimate:
        """Interval of a sum of ratios of sums over rows.

        Parameters
        ----------
        value : float
            The number on all rows.
        *terms : (sign, numerator, denominator)
            Each adds sign · (sum of the numerator) / (sum of the denominator); arrays of shape (rows,).
        """
        columns = [column for _, top, bottom in terms for column in (top, bottom)]
        sums, plain = self.sums(columns), [column.sum() for column in columns]
        drawn = sum(sign * _ratio(sums[2 * i], sums[2 * i + 1]) for i, (sign, _, _) in enumerate(terms))
        observed = sum(sign * plain[2 * i] / plain[2 * i + 1] for i, (sign, _, _) in enumerate(terms))
        return self._estimate(value, drawn + (value - observed))  # centred on the value: the difference is a rounding error

    def moved(self, value: float, influence: np.ndarray) -> Estimate:
        """Interval of a number from the influence of the rows, shape (rows,)."""
        top, bottom = self.sums([influence - influence.mean(), np.ones(len(influence))])
        return self._estimate(value, value + top / bottom)

    def _estimate(self, value: float, drawn: np.ndarray) -> Estimate:
        if self.n < 2 or not np.isfinite(value):
            return Estimate(float(value), n=self.n, method="bootstrap")
        ends = partial(_percentiles, np.sort(drawn[np.isfinite(drawn)]))
        return Estimate(float(value), *ends(LEVEL), self.n, "bootstrap", ends)


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """top/bottom, NaN where a draw has a denominator of 0."""
    return top / np.where(bottom > 0, bottom, np.nan)


def _percentiles(drawn: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
