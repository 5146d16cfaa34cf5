"""Numbers with their uncertainty: an estimate, its interval at any level, and the tests that follow from it.

An interval is a function of its level; a test of "the true value lies above b" is the interval turned round: its p-value
is the smallest one-sided error at which the interval's lower end still reaches b. So whatever makes an interval also makes
the tests, and the two cannot disagree.

Which interval: Student's t for means over seeds or replicas (on logarithms where values are positive and skewed), Wilson's
score for shares (Clopper and Pearson's where it must never cover less), Newcombe's for differences of shares, and the
square-and-add rule (MOVER) for other differences.

What they cover, by simulation (the tests repeat it): normal values, t: 95 %; shares, Wilson: 95 % on average over shares, Clopper
and Pearson: at least 95 % for each. Skewed values, lognormal with a standard deviation of 0.7 of the logarithm:

    values                            3      5      8     16
    t, of the mean                  90 %   89 %   89 %   91 %   nearly all misses lie above the interval
    t of logarithms                 95 %   95 %   95 %   95 %   of the geometric mean

So ratios, rates of growth and other positive values with a long tail take ``mean_interval(values, log=True)``.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from lab.errors import InputError

LEVEL = 0.95  # every interval that is shown is a 95 % interval
LEAST_P = 1e-15  # smaller p-values are not told apart

Interval = Callable[[float], tuple[float, float]]  # level -> (low, high)


@dataclass(frozen=True)
class Estimate:
    """A mean, its 95 % interval and the number of independent runs behind it.

    ``low`` and ``high`` are None where no interval exists (a single run). An exact value (a formula) has
    ``n = 0`` and ``low == mean == high``.

    Attributes
    ----------
    method : how the interval was made, in a word or two ("t", "Wilson", ...).
    interval : the interval at any level; None where only the one at 95 % is known.
    """

    mean: float
    low: float | None
    high: float | None
    n: int
    method: str = "t"
    interval: Interval | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict:
        """``{"mean", "low", "high", "n"}`` with None in place of numbers that are not finite."""
        return {key: _finite_or_none(getattr(self, key)) for key in ("mean", "low", "high", "n")}

    @property
    def is_exact(self) -> bool:
        """A formula's value: nothing was sampled."""
        return self.n == 0 and self.low == self.mean == self.high

    @property
    def is_constant(self) -> bool:
        """Every run gave the same number: a statistic that cannot vary, or has not; its width says nothing."""
        return self.n > 0 and self.low is not None and self.low == self.high

    @property
    def has_interval(self) -> bool:
        """Whether there are two ends that make an interval."""
        return self.low is not None and self.high is not None and not math.isnan(self.mean) and self.low <= self.high

    @property
    def error(self) -> float:
        """Standard error, from the width of the 95 % interval; nan without one."""
        return (self.high - self.low) / (2 * _quantile(0.5 + LEVEL / 2, self.freedom)) if self.has_interval else math.nan

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the interval: those of Student's (n - 1 where it is not said otherwise), else infinite."""
        if isinstance(self.interval, _Student):
            return self.interval.freedom
        return max(1, self.n - 1) if self.method.startswith("t") and self.n else math.inf

    def at(self, level: float) -> tuple[float, float]:
        """The interval at a level between 0 and 1.

        Where only the 95 % interval is known either half of it is stretched as a t (or normal) interval is.

        Raises
        ------
        InputError
            If there is no interval.
        """
        if not self.has_interval:
            raise InputError("there is no interval: it takes two runs or more")
        if self.is_exact or level == LEVEL:
            return self.low, self.high
        if self.interval is not None:
            return self.interval(level)
        factor = _quantile(0.5 + level / 2, self.freedom) / _quantile(0.5 + LEVEL / 2, self.freedom)
        return self.mean - factor * (self.mean - self.low), self.mean + factor * (self.high - self.mean)

    def p_above(self, bound: float) -> float:
        """One-sided p-value for "the true value lies above ``bound``": small where it does; nan without an interval."""
        return self._p(bound, lambda e: self.at(1 - 2 * e)[0], lambda e: self.at(1 - 2 * e)[1], self.mean > bound)

    def p_below(self, bound: float) -> float:
        """One-sided p-value for "the true value lies below ``bound``"."""
        return self._p(bound, lambda e: -self.at(1 - 2 * e)[1], lambda e: -self.at(1 - 2 * e)[0], self.mean < bound, -1)

    def _p(self, bound: float, near: Callable, far: Callable, right: bool, sign: int = 1) -> float:
        """The one-sided error at which the end of the interval that faces the bound reaches it."""
        if not self.has_interval:
            return math.nan
        if math.isinf(bound):
            return 0.0 if sign * bound < 0 else 1.0
        if self.is_exact:
            return 0.0 if right else 1.0
        if self.is_constant:
            return math.nan
        if isinstance(self.interval, _Student):
            return max(LEAST_P, self.interval.beyond(sign * (self.mean - bound)))
        bound = sign * bound
        if right:
            return _crossing(lambda e: near(e) - bound)
        return 1.0 - _crossing(lambda e: bound - far(e))


def _crossing(distance: Callable[[float], float]) -> float:
    """The error e in (0, 1/2) at which a distance that grows with e becomes positive, by bisection of log e."""
    low, high = LEAST_P, 0.5
    if distance(low) > 0:
        return low
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if distance(middle) > 0 else (middle, high)
        if high / low < 1 + 1e-9:
            break
    return math.sqrt(low * high)


def _quantile(p: float, freedom: float) -> float:
    """Quantile of Student's t, of the normal distribution with infinite degrees of freedom."""
    from scipy.special import ndtri, stdtrit

    return float(ndtri(p) if math.isinf(freedom) else stdtrit(freedom, p))


def _finite_or_none(value):
    return None if value is None or not math.isfinite(value) else value


def _made(mean: float, n: int, method: str, interval: Interval) -> Estimate:
    low, high = interval(LEVEL)
    return Estimate(float(mean), float(low), float(high), int(n), method, interval)


def exact(value: float) -> Estimate:
    """A number without sampling uncertainty: a formula's value."""
    return Estimate(float(value), float(value), float(value), 0, "exact")


# ------------------------------------------------------------------------------------------------------- one quantity
@dataclass(frozen=True)
class _Student:
    """Student's interval, and its tail probability in closed form: every mean is tested many times."""

    mean: float
    error: float
    freedom: float

    def __call__(self, level: float) -> tuple[float, float]:
        half = _quantile(0.5 + level / 2, self.freedom) * self.error
        return self.mean - half, self.mean + half

    def beyond(self, distance: float) -> float:
        """Probability of a deviation by more than this distance, to one side."""
        from scipy.special import ndtr, stdtr

        t = -distance / self.error
        return float(ndtr(t) if math.isinf(self.freedom) else stdtr(self.freedom, t))


def student(mean: float, error: float, n: int, freedom: float | None = None) -> Estimate:
    """An estimate with a known standard error: Student's interval with ``freedom`` degrees of freedom (n - 1 if None)."""
    freedom = n - 1 if freedom is None else freedom
    return _made(mean, n, "normal" if math.isinf(freedom) else "t", _Student(float(mean), float(error), float(freedom)))


def mean_interval(values: Iterable[float], *, log: bool = False) -> Estimate:
    """Mean and 95 % Student-t interval of independent values (one per seed or replica).

    Parameters
    ----------
    values : one per independent replica.
    log : of the logarithms, given back: the geometric mean. For ratios and other positive, skewed values.

    Raises
    ------
    InputError
        If there is no value, one of them is not finite, or not positive where ``log`` is set.
    """
    values = np.asarray(list(values), dtype=np.float64)
    if values.size == 0:
        raise InputError("no values to average: every run failed or none was asked for")
    if not np.all(np.isfinite(values)):
        raise InputError(f"{np.sum(~np.isfinite(values))} of {values.size} values are not finite")
    if log:
        if np.any(values <= 0):
            raise InputError("a geometric mean needs positive values")
        return replace(transformed(mean_interval(np.log(values)), _exp), method="t of logarithms")
    mean = float(values.mean())
    if values.size == 1:
        return Estimate(mean, None, None, 1)
    return student(mean, float(values.std(ddof=1)) / math.sqrt(values.size), int(values.size))


def _exp(x: float) -> float:
    """e to the x; infinity where that is no float: the ends of intervals at the highest levels."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _wilson(p: float, n: int, level: float) -> tuple[float, float]:
    z = _quantile(0.5 + level / 2, math.inf)
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (0.0 if p == 0 else centre - half), (1.0 if p == 1 else centre + half)


def _clopper_pearson(successes: int, n: int, level: float) -> tuple[float, float]:
    from scipy.special import betaincinv

    error = 0.5 - level / 2
    low = float(betaincinv(successes, n - successes + 1, error)) if successes else 0.0
    return low, float(betaincinv(successes + 1, n - successes, 1 - error)) if successes < n else 1.0


def share_interval(successes: int, n: int, *, at_least: bool = False) -> Estimate:
    """Share of successes with its 95 % Wilson score interval.

    Parameters
    ----------
    successes, n : counts.
    at_least : Clopper and Pearson's interval, which covers every share in 95 % of repetitions at least; Wilson's does on
        average over shares, and less near 0 and 1.

    Raises
    ------
    InputError
        If n < 1 or successes is outside 0..n.
    """
    if n < 1 or not 0 <= successes <= n:
        raise InputError(f"a share needs 0 <= successes <= n and n >= 1, got {successes} of {n}")
    if at_least:
        return _made(successes / n, n, "Clopper-Pearson", partial(_clopper_pearson, int(successes), int(n)))
    return _made(successes / n, n, "Wilson", partial(_wilson, successes / n, n))


def _garwood(events: int, exposure: float, level: float) -> tuple[float, float]:
    from scipy.special import chdtri

    tail = (1 - level) / 2
    return (chdtri(2 * events, 1 - tail) / 2 / exposure if events else 0.0), chdtri(2 * events + 2, tail) / 2 / exposure


def rate_interval(events: int, exposure: float, n: int) -> Estimate:
    """Events per unit of exposure with Garwood's exact 95 % interval for a Poisson rate; n replicas saw them together.

    Where no event was seen the interval still ends above 0: it says how rare they must be.

    Source: Garwood 1936, Biometrika 28, 437.

    Raises
    ------
    InputError
        If there are fewer than 0 events, or nothing was exposed.
    """
    if events < 0 or not 0 < exposure < math.inf:
        raise InputError(f"a rate needs events >= 0 and an exposure above 0, got {events} in {exposure:g}")
    return _made(events / exposure, n, "Garwood", partial(_garwood, int(events), float(exposure)))


# ------------------------------------------------------------------------------------------ made from other estimates
def _through(function: Callable[[float], float], estimate: Estimate, level: float) -> tuple[float, float]:
    ends = [function(end) for end in estimate.at(level)]
    return min(ends), max(ends)


def transformed(estimate: Estimate, function: Callable[[float], float]) -> Estimate:
    """A monotone function of an estimate: its ends go through the function, so coverage stays what it was.

    ``function`` must be defined at module level if the result is to be sent to another process.
    """
    if not estimate.has_interval:
        return replace(estimate, mean=float(function(estimate.mean)))
    return _made(function(estimate.mean), estimate.n, estimate.method, partial(_through, function, estimate))


def _clipped(estimate: Estimate, least: float, most: float, level: float) -> tuple[float, float]:
    low, high = estimate.at(level)
    return min(max(low, least), most), max(min(high, most), least)


def bounded(estimate: Estimate, least: float = -math.inf, most: float = math.inf) -> Estimate:
    """The estimate of a quantity that lies between ``least`` and ``most``: so does its interval (coverage only grows)."""
    if not estimate.has_interval or estimate.is_constant:
        return estimate
    return _made(estimate.mean, estimate.n, estimate.method, partial(_clipped, estimate, least, most))


def _wider(estimate: Estimate, than: Estimate, level: float) -> tuple[float, float]:
    (low, high), (least, most) = estimate.at(level), than.at(level)
    return min(low, least), max(high, most)


def no_narrower(estimate: Estimate, than: Estimate) -> Estimate:
    """The estimate with an interval that holds another one's of the same quantity: one source of error sets a floor to the whole.

    Both need an interval; otherwise the estimate stays as it is.
    """
    if not (estimate.has_interval and than.has_interval):
        return estimate
    return _made(estimate.mean, estimate.n, f"{estimate.method}, no narrower than {than.method}",
                 partial(_wider, estimate, than))


def _stepped(estimate: Estimate, step: float, level: float) -> tuple[float, float]:
    low, high = estimate.at(level)
    return min(low, estimate.mean - step), max(high, estimate.mean + step)


def stepped(estimate: Estimate, step: float) -> Estimate:
    """The estimate of a quantity that is counted in steps: its interval reaches one step either way at least.

    All replicas may show the same number because a step is larger than what tells them apart.
    """
    if not estimate.has_interval:
        return estimate
    return _made(estimate.mean, estimate.n, estimate.method, partial(_stepped, estimate, step))


def _mover(a: Estimate, b: Estimate, level: float) -> tuple[float, float]:
    (a_low, a_high), (b_low, b_high) = a.at(level), b.at(level)
    gap = a.mean - b.mean
    return gap - math.hypot(a.mean - a_low, b_high - b.mean), gap + math.hypot(a_high - a.mean, b.mean - b_low)


def difference(a: Estimate, b: Estimate) -> Estimate:
    """a - b of independent estimates, by the square-and-add rule; the ``n`` is the smaller of the two that have any.

    Source: Zou & Donner 2008, Statistics in Medicine 27, 1693 (MOVER); Newcombe 1998 for two shares.
    """
    n = min((e.n for e in (a, b) if e.n), default=0)
    if a.is_exact and b.is_exact:
        return exact(a.mean - b.mean)
    if not (a.has_interval and b.has_interval):
        return Estimate(a.mean - b.mean, None, None, n)
    return _made(a.mean - b.mean, n, "square-and-add", partial(_mover, a, b))


def share_difference(successes: int, n: int, other_successes: int, other_n: int) -> Estimate:
    """Difference of two independent shares with Newcombe's 95 % hybrid score interval.

    The ``n`` of the result is the smaller of the two.

    Source: Newcombe 1998, Statistics in Medicine 17, 873 (method 10).
    """
    return replace(difference(share_interval(successes, n), share_interval(other_successes, other_n)), method="Newcombe")


def widened(estimate: Estimate, tests: int) -> Estimate:
    """The same mean with the interval that holds for ``tests`` of them together (Bonferroni): each misses 5 %/``tests``.

    Parameters
    ----------
    estimate : with an interval, or an exact value.
    tests : number of intervals that are to hold together, at least 1.
    """
    if tests < 1:
        raise InputError(f"an interval holds for one test or more, not {tests}")
    if not estimate.has_interval or estimate.is_exact:
        return estimate
    return _made(estimate.mean, estimate.n, estimate.method, partial(_bonferroni, estimate, tests))


def _bonferroni(estimate: Estimate, tests: int, level: float) -> tuple[float, float]:
    return estimate.at(1 - (1 - level) / tests)


def _of_largest(estimates: tuple[Estimate, ...], tests: int, level: float) -> tuple[float, float]:
    return (max(_bonferroni(e, tests, level)[0] for e in estimates), max(e.at(level)[1] for e in estimates))


def largest(*estimates: Estimate | None) -> Estimate | None:
    """The largest of several means, with an interval for the maximum of the true means.

    The mean is that of the largest estimate, which chance helped to be the largest. Each end misses with half the error of
    the level at most, whatever the candidates' dependence: the lower one is the largest of the candidates' lower ends, all of
    which hold together (Bonferroni, over candidates without an estimate, too: that they have none was seen in the data); the
    upper one is the largest of their plain upper ends, which lies below the maximum only if that of the truly largest does.
    """
    known = tuple(e for e in estimates if e is not None)
    if not known:
        return None
    best = max(known, key=lambda e: e.mean)
    if not all(e.has_interval for e in known):
        return Estimate(best.mean, None, None, best.n, "largest of several")
    return _made(best.mean, best.n, "largest of several", partial(_of_largest, known, len(estimates)))
