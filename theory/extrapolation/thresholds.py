"""Numbers of points from which one lies inside the hull of the others; the results are stated in :mod:`theory.extrapolation`."""

import math
from collections.abc import Callable

from lab import checks
from lab.errors import ArgumentError
from theory.extrapolation.hull import log_ball_inside, log_gaussian_inside, point_count


def _law(law: str) -> Callable[[float, int], float]:
    laws = {"ball": log_ball_inside, "gaussian": log_gaussian_inside}
    if law not in laws:
        raise ArgumentError(f"the law must be one of {', '.join(laws)}, got {law!r}")
    return laws[law]


def expected_interior_points(points: float, dimension: int, law: str = "ball") -> float:
    """Expected number of the N points that are not vertices of their hull: N P(inside hull of N - 1).

    P(all are vertices) is at least 1 minus this. Source: exchangeability, derived here.

    Parameters
    ----------
    points : float
        N, a whole number of at least 1.
    dimension : int
        d, at least 1.
    law : {"ball", "gaussian"}
        Law of the points.

    Returns
    -------
    float
        At least 0.

    Raises
    ------
    InputError
        If there is no such law, or a number is out of its range.

    Examples
    --------
    >>> round(expected_interior_points(4, 1), 6)
    2.0
    """
    n = point_count("points", points, 1)
    return math.exp(min(math.log(n) + _law(law)(n - 1, dimension), 700.0))


def _smallest_log_n(reached: Callable[[float], bool], d: int, accuracy: float = 1e-9) -> float:
    low, high = math.log(d), math.log(d + 1.0)
    while not reached(math.floor(math.exp(high))):
        if high == 690.0:
            raise ArgumentError(f"the threshold in dimension {d} lies beyond 1e299 points")
        low, high = high, min(high + max(1.0, 0.2 * high), 690.0)
    while high - low > accuracy and math.exp(high) - math.exp(low) > 0.5:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if reached(math.floor(math.exp(middle))) else (middle, high)
    return high


def inside_threshold(dimension: int, law: str = "ball", probability: float = 0.5, log: bool = False) -> float:
    """Smallest number of points N whose hull contains a fresh one with at least the given probability.

    Exact up to 1e9; beyond, to a relative 1e-8. Source: derived here from the exact probabilities.

    Parameters
    ----------
    dimension : int
        d, at least 1.
    law : {"ball", "gaussian"}
        Law of the points.
    probability : float, default 0.5
        In (0, 1).
    log : bool, default False
        Return ln N instead.

    Returns
    -------
    float
        N, a whole number, or its natural logarithm.

    Raises
    ------
    InputError
        If there is no such law, an argument is out of its range, or N lies beyond 1e299.

    Examples
    --------
    >>> inside_threshold(2, "gaussian")
    11.0
    """
    d, function = int(point_count("dimension", dimension, 1)), _law(law)
    checks.real_number("probability", probability, above=0, below=1)
    value = _smallest_log_n(lambda n: function(n, d) >= math.log(probability), d)
    return value if log else float(math.floor(math.exp(value)))


def vertices_threshold(dimension: int, law: str = "ball", expected: float = 0.5, log: bool = False) -> float:
    """Smallest number of points N of which at least ``expected`` are not vertices on average.

    Below it all points are vertices with probability at least 1 - expected. Source: derived here; Barany & Furedi 1988 for its
    order 2^(d/2) in the ball.

    Parameters
    ----------
    dimension : int
        d, at least 1.
    law : {"ball", "gaussian"}
        Law of the points.
    expected : float, default 0.5
        Above 0.
    log : bool, default False
        Return ln N instead.

    Returns
    -------
    float
        N, a whole number, or its natural logarithm.

    Raises
    ------
    InputError
        If there is no such law, an argument is out of its range, or N lies beyond 1e299.

    Examples
    --------
    >>> vertices_threshold(2, "gaussian")
    5.0
    """
    d, function = int(point_count("dimension", dimension, 1)), _law(law)
    checks.real_number("expected", expected, above=0)
    value = _smallest_log_n(lambda n: n > 1 and math.log(n) + function(n - 1, d) >= math.log(expected), d)
    return value if log else float(math.floor(math.exp(value)))
