"""Formulas of intervals, as functions of the level that return both ends; :mod:`lab.estimate` uses them for estimates.

Student's t for a mean, Wilson's score for a share (Clopper and Pearson's if coverage must never be below the level), Garwood's
for a Poisson rate.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

LEVEL = 0.95  # all intervals that are shown are 95 % intervals
LEAST_P = 1e-15  # smaller p-values are not distinguished

Interval = Callable[[float], tuple[float, float]]  # level -> (low, high)


def quantile(p: float, freedom: float) -> float:
    """Quantile of Student's t; of the normal distribution if the degrees of freedom are infinite."""
    from scipy.special import ndtri, stdtrit

    return float(ndtri(p) if math.isinf(freedom) else stdtrit(freedom, p))


def crossing(distance: Callable[[float], float]) -> float:
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


@dataclass(frozen=True)
class Student:
    """Student's interval of a mean with a known standard error, and its tail probability in closed form.

    Parameters
    ----------
    mean : float
        Centre of the interval.
    error : float
        Standard error of the mean.
    freedom : float
        Degrees of freedom; infinite for a normal interval.
    """

    mean: float
    error: float
    freedom: float

    def __call__(self, level: float) -> tuple[float, float]:
        half = quantile(0.5 + level / 2, self.freedom) * self.error
        return self.mean - half, self.mean + half

    def beyond(self, distance: float) -> float:
        """Probability of a deviation larger than this distance, to one side."""
        from scipy.special import ndtr, stdtr

        t = -distance / self.error
        return float(ndtr(t) if math.isinf(self.freedom) else stdtr(self.freedom, t))


def wilson(p: float, n: int, level: float) -> tuple[float, float]:
    """Wilson's score interval of a share p of n: 95 % coverage on average over shares.

    Source: Wilson 1927, J. Am. Stat. Assoc. 22, 209.
    """
    z = quantile(0.5 + level / 2, math.inf)
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (0.0 if p == 0 else centre - half), (1.0 if p == 1 else centre + half)


def clopper_pearson(successes: int, n: int, level: float) -> tuple[float, float]:
    """The exact interval of a share: at least 95 % coverage for every share.

    Source: Clopper & Pearson 1934, Biometrika 26, 404.
    """
    from scipy.special import betaincinv

    error = 0.5 - level / 2
    low = float(betaincinv(successes, n - successes + 1, error)) if successes else 0.0
    return low, float(betaincinv(successes + 1, n - successes, 1 - error)) if successes < n else 1.0


def garwood(events: int, exposure: float, level: float) -> tuple[float, float]:
    """The exact interval of a Poisson rate.

    Source: Garwood 1936, Biometrika 28, 437.
    """
    from scipy.special import chdtri

    tail = (1 - level) / 2
    return (chdtri(2 * events, 1 - tail) / 2 / exposure if events else 0.0), chdtri(2 * events + 2, tail) / 2 / exposure
