"""Numbers with their uncertainty: Student t for means over seeds or replicas, Wilson for shares."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from lab.errors import InputError

LEVEL = 0.95  # every interval of the laboratory is a 95 % interval


@dataclass(frozen=True)
class Estimate:
    """A mean, its 95 % interval and the number of independent runs behind it.

    ``low`` and ``high`` are None where no interval exists (a single run). An exact value (a formula) has
    ``n = 0`` and ``low == mean == high``.
    """

    mean: float
    low: float | None
    high: float | None
    n: int

    def to_json(self) -> dict:
        """``{"mean", "low", "high", "n"}`` with None in place of numbers that are not finite."""
        return {key: _finite_or_none(value) for key, value in asdict(self).items()}


def _finite_or_none(value):
    return None if value is None or not math.isfinite(value) else value


def exact(value: float) -> Estimate:
    """A number without sampling uncertainty: a formula's value."""
    return Estimate(float(value), float(value), float(value), 0)


def mean_interval(values: Iterable[float]) -> Estimate:
    """Mean and 95 % Student-t interval of independent values (one per seed or replica).

    Raises
    ------
    InputError
        If there is no value, or one of them is not finite.
    """
    values = np.asarray(list(values), dtype=np.float64)
    if values.size == 0:
        raise InputError("no values to average: every run failed or none was asked for")
    if not np.all(np.isfinite(values)):
        raise InputError(f"{np.sum(~np.isfinite(values))} of {values.size} values are not finite")
    mean = float(values.mean())
    if values.size == 1:
        return Estimate(mean, None, None, 1)
    from scipy.special import stdtrit

    half = float(stdtrit(values.size - 1, 0.5 + LEVEL / 2) * values.std(ddof=1) / math.sqrt(values.size))
    return Estimate(mean, mean - half, mean + half, int(values.size))


def widened(estimate: Estimate, tests: int) -> Estimate:
    """The same mean with the interval that holds for ``tests`` of them together (Bonferroni): each misses 5 %/``tests``.

    Parameters
    ----------
    estimate : from :func:`mean_interval` (its interval is Student's), or an exact value.
    tests : number of intervals that are to hold together, at least 1.
    """
    if tests < 1:
        raise InputError(f"an interval holds for one test or more, not {tests}")
    if estimate.n < 2 or estimate.low is None or estimate.high is None:
        return estimate
    from scipy.special import stdtrit

    factor = float(stdtrit(estimate.n - 1, 1 - (1 - LEVEL) / (2 * tests)) / stdtrit(estimate.n - 1, 0.5 + LEVEL / 2))
    return Estimate(estimate.mean, estimate.mean - factor * (estimate.mean - estimate.low),
                    estimate.mean + factor * (estimate.high - estimate.mean), estimate.n)


def share_interval(successes: int, n: int) -> Estimate:
    """Share of successes with its 95 % Wilson score interval.

    Raises
    ------
    InputError
        If n < 1 or successes is outside 0..n.
    """
    if n < 1 or not 0 <= successes <= n:
        raise InputError(f"a share needs 0 <= successes <= n and n >= 1, got {successes} of {n}")
    from scipy.special import ndtri

    z = float(ndtri(0.5 + LEVEL / 2))
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return Estimate(p, low, high, n)


def share_difference(successes: int, n: int, other_successes: int, other_n: int) -> Estimate:
    """Difference of two independent shares with Newcombe's 95 % hybrid score interval.

    The ``n`` of the result is the smaller of the two.

    Source: Newcombe 1998, Statistics in Medicine 17, 873 (method 10).
    """
    a, b = share_interval(successes, n), share_interval(other_successes, other_n)
    difference = a.mean - b.mean
    low = difference - math.hypot(a.mean - a.low, b.high - b.mean)
    high = difference + math.hypot(a.high - a.mean, b.mean - b.low)
    return Estimate(difference, low, high, min(n, other_n))
