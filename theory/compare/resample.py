"""Intervals from one pair of blocks: a bootstrap over rows, by whole groups.

Rows (or groups of rows) are drawn again with replacement, and each number made of the drawn rows' sums. A share of variance is
a ratio of two sums over rows; a similarity is, to first order, its value plus the mean of what each row adds to it
(:mod:`theory.measures.similarity`). So a draw costs no decomposition, and numbers of the same rows share the draws: the
interval of a gap is that of the paired difference.

What is fitted is held as it is: an interval says how far the number would move with other rows of the same kind to score on,
not with other networks. For that, give several pairs.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from lab.estimate import Estimate
from lab.intervals import LEVEL

DRAWS = 1000
_AT_ONCE = 50


class Resampling:
    """Draws of the groups of some rows.

    Parameters
    ----------
    groups : number of each row's group, shape (rows,).
    rng : of the draws.
    draws : how many.
    """

    def __init__(self, groups: np.ndarray, rng: np.random.Generator, draws: int = DRAWS):
        found, self._groups = np.unique(groups, return_inverse=True)
        self.n = len(found)
        self._counts = np.empty((draws, self.n), np.uint16)
        for counts in self._counts:
            counts[:] = np.bincount(rng.integers(self.n, size=self.n), minlength=self.n)

    def sums(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        """Sums of columns, each of shape (rows,), over the rows of each draw: shape (columns, draws)."""
        by_group = np.stack([np.bincount(self._groups, weights=column, minlength=self.n) for column in columns], axis=1)
        pieces = [self._counts[i:i + _AT_ONCE].astype(np.float64) @ by_group for i in range(0, len(self._counts), _AT_ONCE)]
        return np.concatenate(pieces).T

    def shares(self, value: float, *terms: tuple[float, np.ndarray, np.ndarray]) -> Estimate:
        """A sum of ratios, sign · (sum over rows of the first) / (sum of the second)."""
        columns = [column for _, top, bottom in terms for column in (top, bottom)]
        sums, plain = self.sums(columns), [column.sum() for column in columns]
        drawn = sum(sign * _ratio(sums[2 * i], sums[2 * i + 1]) for i, (sign, _, _) in enumerate(terms))
        seen = sum(sign * plain[2 * i] / plain[2 * i + 1] for i, (sign, _, _) in enumerate(terms))
        return self._estimate(value, drawn + (value - seen))  # that difference is rounding

    def moved(self, value: float, influence: np.ndarray) -> Estimate:
        """A number whose rows have this influence, shape (rows,)."""
        top, bottom = self.sums([influence - influence.mean(), np.ones(len(influence))])
        return self._estimate(value, value + top / bottom)

    def _estimate(self, value: float, drawn: np.ndarray) -> Estimate:
        if self.n < 2 or not np.isfinite(value):
            return Estimate(float(value), n=self.n, method="bootstrap")
        ends = partial(_percentiles, np.sort(drawn[np.isfinite(drawn)]))
        return Estimate(float(value), *ends(LEVEL), self.n, "bootstrap", ends)


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """top/bottom, NaN where a draw has nothing to divide by."""
    return top / np.where(bottom > 0, bottom, np.nan)


def _percentiles(drawn: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
