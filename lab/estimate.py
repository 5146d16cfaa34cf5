"""Numbers with their uncertainty: an estimate, its interval at any level, and the tests that follow from it.

An interval is a function of its level. A test of "the true value lies above b" inverts the interval: its p-value is the
smallest one-sided error at which the interval's lower end still reaches b. So every interval comes with its tests, and the two
cannot disagree.

Which interval (:mod:`lab.intervals` has the formulas): Student's t for means over seeds or replicas (of logarithms if values
are positive and skewed), Wilson's score for shares (Clopper and Pearson's if coverage must never be below the level), Newcombe's
for differences of shares, and the square-and-add rule (MOVER) for other differences.

Coverage, by simulation (the tests repeat it): normal values, t: 95 %; shares, Wilson: 95 % on average over shares, Clopper
and Pearson: at least 95 % for each. Skewed values, lognormal with a standard deviation of 0.7 of the logarithm:

    values                            3      5      8     16
    t, of the mean                  90 %   89 %   89 %   91 %   nearly all misses lie above the interval
    t of logarithms                 95 %   95 %   95 %   95 %   of the geometric mean

So use ``mean_interval(values, log=True)`` for ratios, growth rates and other positive values with a long tail.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from lab.errors import InputError
from lab.intervals import LEAST_P, LEVEL, Interval, Student, clopper_pearson, crossing, garwood, quantile, wilson


@dataclass(frozen=True)
class Estimate:
    """A mean, its 95 % interval and the number of independent runs behind it.

    ``Estimate(mean)`` is the value of a single run, without an interval: both ends are NaN. An exact value (a formula) has
    ``n = 0`` and ``low == mean == high``; see :func:`exact`. Formatted, it reads ``mean [low, high]``.

    Parameters
    ----------
    mean : float
        The estimated value.
    low : float, default NaN
        Lower end of the 95 % interval; NaN if there is no interval.
    high : float, default NaN
        Upper end of the 95 % interval; NaN if there is no interval.
    n : int, default 1
        Number of independent runs; 0 for an exact value.
    method : str, default "t"
        How the interval was computed, in a word or two ("t", "Wilson", ...).
    interval : callable or None
        The interval at any level, ``level -> (low, high)``; None if only the 95 % interval is known.

    Examples
    --------
    >>> mean = mean_interval([1.0, 2.0, 3.0])
    >>> f"{mean:.2f}"
    '2.00 [-0.48, 4.48]'
    >>> mean.has_interval, Estimate(2.0).has_interval
    (True, False)
    """

    mean: float
    low: float = math.nan
    high: float = math.nan
    n: int = 1
    method: str = "t"
    interval: Interval | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, float | None]:
        """``{"mean", "low", "high", "n"}`` with None in place of numbers that are not finite."""
        return {key: _finite_or_none(getattr(self, key)) for key in ("mean", "low", "high", "n")}

    @classmethod
    def from_json(cls, stored: Mapping) -> "Estimate":
        """The estimate that :meth:`to_json` wrote; None becomes NaN."""
        mean, low, high = (math.nan if stored[key] is None else float(stored[key]) for key in ("mean", "low", "high"))
        return cls(mean, low, high, int(stored["n"]))

    def __format__(self, spec: str) -> str:
        """``mean [low, high]``, each number in the given format; only the mean if it is exact or has no interval."""
        mean = format(self.mean, spec)
        return mean if self.is_exact or not self.has_interval else f"{mean} [{self.low:{spec}}, {self.high:{spec}}]"

    @property
    def is_exact(self) -> bool:
        """Whether it is the value of a formula, without sampling."""
        return self.n == 0 and self.low == self.mean == self.high

    @property
    def is_constant(self) -> bool:
        """Whether every run gave the same number, so that the width of the interval does not measure uncertainty."""
        return self.n > 0 and self.low == self.high

    @property
    def has_interval(self) -> bool:
        """Whether there is an interval."""
        return not math.isnan(self.mean) and self.low <= self.high

    @property
    def error(self) -> float:
        """Standard error, from the width of the 95 % interval; NaN without one."""
        return (self.high - self.low) / (2 * quantile(0.5 + LEVEL / 2, self.freedom)) if self.has_interval else math.nan

    @property
    def freedom(self) -> float:
        """Degrees of freedom of a Student interval (n - 1 unless the interval has its own); infinite for other intervals."""
        if isinstance(self.interval, Student):
            return self.interval.freedom
        return max(1, self.n - 1) if self.method.startswith("t") and self.n else math.inf

    def at(self, level: float) -> tuple[float, float]:
        """The interval at a level between 0 and 1.

        If only the 95 % interval is known, each half of it is scaled like that of a t (or normal) interval.

        Parameters
        ----------
        level : float in (0, 1)
            Coverage of the interval.

        Returns
        -------
        tuple[float, float]
            Both ends.

        Raises
        ------
        InputError
            If there is no interval.
        """
        if not self.has_interval:
            raise InputError("there is no interval: it needs two runs or more")
        if self.is_exact or level == LEVEL:
            return self.low, self.high
        if self.interval is not None:
            return self.interval(level)
        factor = quantile(0.5 + level / 2, self.freedom) / quantile(0.5 + LEVEL / 2, self.freedom)
        return self.mean - factor * (self.mean - self.low), self.mean + factor * (self.high - self.mean)

    def p_above(self, bound: float) -> float:
        """One-sided p-value of "the true value lies above ``bound``", small if it does; NaN without an interval."""
        return self._p(bound, lambda e: self.at(1 - 2 * e)[0], lambda e: self.at(1 - 2 * e)[1], self.mean > bound)

    def p_below(self, bound: float) -> float:
        """One-sided p-value of "the true value lies below ``bound``"; NaN without an interval."""
        return self._p(bound, lambda e: -self.at(1 - 2 * e)[1], lambda e: -self.at(1 - 2 * e)[0], self.mean < bound, -1)

    def _p(self, bound: float, near: Callable, far: Callable, right: bool, sign: int = 1) -> float:
        """The one-sided error at which the end of the interval that is closer to the bound reaches it."""
        if not self.has_interval:
            return math.nan
        if math.isinf(bound):
            return 0.0 if sign * bound < 0 else 1.0
        if self.is_exact:
            return 0.0 if right else 1.0
        if self.is_constant:
            return math.nan
        if isinstance(self.interval, Student):
            return max(LEAST_P, self.interval.beyond(sign * (self.mean - bound)))
        bound = sign * bound
        if right:
            return crossing(lambda e: near(e) - bound)
        return 1.0 - crossing(lambda e: bound - far(e))


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def estimated(mean: float, n: int, method: str, interval: Interval) -> Estimate:
    """The estimate with this interval, a function of its level."""
    low, high = interval(LEVEL)
    return Estimate(float(mean), float(low), float(high), int(n), method, interval)


def exact(value: float) -> Estimate:
    """A number without sampling uncertainty: the value of a formula.

    Parameters
    ----------
    value : float
        The number.

    Returns
    -------
    Estimate
        With ``n = 0`` and both ends equal to the value.

    Examples
    --------
    >>> exact(0.25).at(0.99)
    (0.25, 0.25)
    """
    return Estimate(float(value), float(value), float(value), 0, "exact")


# ------------------------------------------------------------------------------------------------------- one quantity
def student(mean: float, error: float, n: int, freedom: float | None = None) -> Estimate:
    """An estimate with a known standard error: Student's interval with ``freedom`` degrees of freedom (n - 1 if None)."""
    freedom = n - 1 if freedom is None else freedom
    return estimated(mean, n, "normal" if math.isinf(freedom) else "t", Student(float(mean), float(error), float(freedom)))


def mean_interval(values: Iterable[float], *, log: bool = False) -> Estimate:
    """Mean and 95 % Student-t interval of independent values (one per seed or replica).

    Parameters
    ----------
    values : iterable of float
        One per independent replica; a single value has no interval.
    log : bool, default False
        Whether to average logarithms and transform back, which gives the geometric mean; for ratios and other positive, skewed
        values.

    Returns
    -------
    Estimate
        The mean with its interval.

    Raises
    ------
    InputError
        If there are no values, or a value is not finite, or not positive with ``log``.

    Examples
    --------
    >>> f"{mean_interval([1.0, 2.0, 4.0]):.2f}"
    '2.33 [-1.46, 6.13]'
    >>> f"{mean_interval([1.0, 2.0, 4.0], log=True):.2f}"
    '2.00 [0.36, 11.19]'
    """
    sample = np.asarray(list(values), dtype=np.float64)
    if sample.size == 0:
        raise InputError("no values to average: every run failed, or there were none")
    if not np.all(np.isfinite(sample)):
        raise InputError(f"{np.sum(~np.isfinite(sample))} of {sample.size} values are not finite")
    if log:
        if np.any(sample <= 0):
            raise InputError("a geometric mean needs positive values")
        return replace(transformed(mean_interval(np.log(sample)), math.exp), method="t of logarithms")
    mean = float(sample.mean())
    if sample.size == 1:
        return Estimate(mean)
    return student(mean, float(sample.std(ddof=1)) / math.sqrt(sample.size), int(sample.size))


def _value(function: Callable[[float], float], end: float) -> float:
    """The function at an end of the interval; infinite if it overflows, as exponentials do at the highest levels."""
    try:
        return float(function(end))
    except OverflowError:
        return math.inf


def _through(function: Callable[[float], float], estimate: Estimate, level: float) -> tuple[float, float]:
    ends = [_value(function, end) for end in estimate.at(level)]
    return min(ends), max(ends)


def transformed(estimate: Estimate, function: Callable[[float], float]) -> Estimate:
    """A monotone function of an estimate, applied to the ends of its interval, so that coverage does not change.

    ``function`` must be defined at module level if the result is sent to another process.
    """
    if not estimate.has_interval:
        return replace(estimate, mean=float(function(estimate.mean)))
    return estimated(function(estimate.mean), estimate.n, estimate.method, partial(_through, function, estimate))


def share_interval(successes: int, n: int, *, at_least: bool = False) -> Estimate:
    """Share of successes with its 95 % Wilson score interval.

    Parameters
    ----------
    successes : int in 0 .. n
        Number of successes.
    n : int >= 1
        Number of trials.
    at_least : bool, default False
        Whether to use Clopper and Pearson's interval, which covers every share in at least 95 % of repetitions. Wilson's covers
        95 % on average over shares, and less near 0 and 1.

    Returns
    -------
    Estimate
        The share with its interval.

    Raises
    ------
    InputError
        If n < 1, or successes is outside 0..n.

    Examples
    --------
    >>> f"{share_interval(3, 10):.3f}"
    '0.300 [0.108, 0.603]'
    >>> f"{share_interval(0, 10, at_least=True):.3f}"
    '0.000 [0.000, 0.308]'
    """
    if n < 1 or not 0 <= successes <= n:
        raise InputError(f"a share needs 0 <= successes <= n and n >= 1, got {successes} of {n}")
    if at_least:
        return estimated(successes / n, n, "Clopper-Pearson", partial(clopper_pearson, int(successes), int(n)))
    return estimated(successes / n, n, "Wilson", partial(wilson, successes / n, n))


def rate_interval(events: int, exposure: float, n: int) -> Estimate:
    """Events per unit of exposure, in n replicas together, with Garwood's exact 95 % interval for a Poisson rate.

    Without any event the interval still ends above 0, and so bounds the rate.

    Raises
    ------
    InputError
        If the number of events is negative, or the exposure is not positive.
    """
    if events < 0 or not 0 < exposure < math.inf:
        raise InputError(f"a rate needs events >= 0 and an exposure above 0, got {events} in {exposure:g}")
    return estimated(events / exposure, n, "Garwood", partial(garwood, int(events), float(exposure)))
