"""Probability that a fresh point lies in the hull of N others; statements in :mod:`theory.extrapolation`."""

import math

import numpy as np
from scipy import special

from lab import checks
from lab.arrays import real
from lab.errors import ArgumentError


def _count(name, value, least):
    """As :func:`lab.checks.whole_number`, but a float: there may be 1e60 points."""
    number = checks.real_number(name, value, least=least)
    if number < 2**53 and number != int(number):
        raise ArgumentError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return number


def _log_choose(n, k):
    """ln C(n, k), also for n far beyond 2^53 (lgamma differences lose all digits there)."""
    if k < 1e5 and n > 1e6:
        return float(np.sum(np.log(n - np.arange(k)))) - math.lgamma(k + 1)
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


# ------------------------------------------------------------------------------------------------------- uniform ball
def log_ball_inside(points, dimension: int) -> float:
    """ln P(a fresh uniform point of the d-ball lies in the hull of N others); -inf for N <= d.

    Parameters
    ----------
    points : N >= 0, may be huge (1e60). dimension : d >= 1.

    Returns
    -------
    float, accurate to about 1e-10 absolutely (N < 1e9) however small the probability.

    Raises
    ------
    InputError
        Not whole numbers, d < 1.

    Source: derived here (``extrapolation-ball``); Affentranger 1991.
    """
    n, d = _count("points", points, 0), int(_count("dimension", dimension, 1))
    if n <= d:
        return -math.inf
    a, power = (d + 1) / 2, (d - 1) * (d + 2) / 2

    def log_integrand(t):
        """In t = ln h/(1 - h), so that the distance 1 - h from the boundary keeps its digits; includes dh/dt."""
        log_h, log_co = -np.logaddexp(0, -t), -np.logaddexp(0, t)
        h, co = np.exp(log_h), np.exp(log_co)
        tail = special.betainc(a, a, co / 2)  # 1 - F(h) = F(-h)
        log_f, log_tail = np.log1p(-tail), np.log(np.maximum(tail, 1e-300))
        log_difference = (n - d) * log_f + np.log(-np.expm1(np.minimum((n - d) * (log_tail - log_f), -1e-300)))
        return 2 * log_h + log_co + power * (log_co + np.log1p(h)) + log_difference

    log_integral = _log_integral_of_peak(log_integrand, -40.0, 700.0)
    log_ratio = math.lgamma(d / 2 + 1) - math.lgamma((d + 1) / 2) - 0.5 * math.log(math.pi)  # ln kappa_{d-1}/kappa_d
    return float(_log_choose(n, d) + math.log(d) + d * log_ratio - (d - 1) * math.log(d + 1) + log_integral)


def ball_inside(points, dimension: int) -> float:
    """P(a fresh uniform point of the d-ball lies in the hull of N others); see :func:`log_ball_inside`."""
    return min(math.exp(log_ball_inside(points, dimension)), 1.0)


def _log_integral_of_peak(log_f, low, high):
    """ln of the integral of exp(log_f), smooth with one peak: find it however narrow, then Gauss-Legendre around it."""
    from scipy.optimize import brentq, minimize_scalar

    grid = np.linspace(low, high, 1481)
    i = int(np.argmax(log_f(grid)))
    found = minimize_scalar(lambda t: -log_f(t), bounds=(grid[max(i - 1, 0)], grid[min(i + 1, grid.size - 1)]),
                            method="bounded", options={"xatol": 1e-12})
    mode, top = float(found.x), float(-found.fun)

    def drop(t):
        return float(log_f(t)) - top + 42.0  # e^-42 of the peak does not count

    points, weights = np.polynomial.legendre.leggauss(120)
    total = 0.0
    for end, step in ((low, -1.0), (high, 1.0)):
        reach = 1e-6
        while drop(mode + step * reach) > 0 and mode + step * reach * 2 > low and mode + step * reach * 2 < high:
            reach *= 2
        edge = brentq(drop, mode, mode + step * reach) if drop(mode + step * reach) < 0 else end
        half = (edge - mode) / 2
        total += abs(half) * np.sum(weights * np.exp(log_f(mode + half * (points + 1)) - top))
    return top + math.log(total)


# ----------------------------------------------------------------------------------------------------------- Gaussian
WIDEST = 1e6  # of the fresh point over the others


def log_regular_cone(n, r: float) -> float:
    """ln g_n(r); see :func:`regular_cone`."""
    n = _count("n", n, 0)
    if n == 0:
        return 0.0
    if not -1 / n < r < math.inf:
        raise ArgumentError(f"the covariance delta + r needs r > -1/n, got r = {r} for n = {n}")
    root = math.sqrt(abs(r))
    if r >= 0:
        x = np.linspace(-10, 40, 8001)  # integrand phi(x) Phi(root x)^n: entire, trapezoid converges exponentially
        log = -x * x / 2 + n * special.log_ndtr(root * x)
        return float(special.logsumexp(log) + math.log(x[1] - x[0]) - 0.5 * math.log(2 * math.pi))
    # r < 0: the integrand lives on the imaginary axis, e^(z^2/2) Phi(root z)^n; on the vertical line through its real
    # minimum (the saddle) it does not oscillate against itself, and double precision suffices
    from scipy.optimize import brentq

    def slope(t):
        return t + n * root * math.exp(-(root * t) ** 2 / 2 - special.log_ndtr(root * t)) / math.sqrt(2 * math.pi)

    low = -1.0
    while slope(low) > 0:
        low *= 2
    t0 = brentq(slope, low, 0.0)
    decay = 1 - n * abs(r)
    top = math.sqrt(2 * 45 / decay) + 10
    s = np.linspace(0, top, int(top / 0.02) + 1)
    z = t0 + 1j * s
    log = z * z / 2 + n * special.log_ndtr(root * z)
    values = np.exp(log - log[0].real).real
    integral = 2 * (values.sum() - values[0] / 2) * s[1]
    return float(log[0].real + math.log(integral / math.sqrt(2 * math.pi)))


def regular_cone(n, r: float) -> float:
    """g_n(r): P(n centred Gaussians of covariance delta_ij + r are all negative).

    Parameters
    ----------
    n : >= 0. r : > -1/n.

    Returns
    -------
    float. g_n(1) = 1/(n+1), g_n(0) = 2^-n; g_n(-1/(n+1)) is the solid angle at a vertex of the regular n-simplex.

    Raises
    ------
    InputError
        r outside its range.

    Source: Kabluchko & Zaporozhets 2020, section 1; evaluation for r < 0 by steepest descent derived here.
    """
    return math.exp(log_regular_cone(n, r))


def log_gaussian_inside(points, dimension: int, width: float = 1.0) -> float:
    """ln P(a fresh Gaussian point lies in the hull of N others, Gaussian of the same covariance); -inf for N <= d.

    Parameters
    ----------
    points : N >= 0. dimension : d >= 1, up to about 200. width : sigma, scale of the fresh point over the others; 0 is
        their centre.

    Raises
    ------
    InputError
        Not whole numbers, negative width.

    Source: Kabluchko & Zaporozhets 2020, theorem 1.2 (cited; limits derived in ``extrapolation-gaussian``).
    """
    n, d = _count("points", points, 0), int(_count("dimension", dimension, 1))
    checks.real_number("width", width, least=0, most=WIDEST)  # beyond, the sum over faces is 1 in double precision
    if n <= d:
        return -math.inf

    def log_b(k):
        v = width**2 / (1 + k * width**2)
        return _log_choose(n, k) + log_regular_cone(k, -v) + log_regular_cone(n - k, v)

    outside = 2 * math.exp(special.logsumexp([log_b(k) for k in range(d - 1, -1, -2)]))
    if outside < 0.5:
        return math.log1p(-outside)
    # near 1, sum the other parity: all terms positive, falling once past the mode of b
    total, k, last = -math.inf, d + 1, -math.inf
    while k <= n:
        term = log_b(k)
        total = float(np.logaddexp(total, term))
        if term < last and term < total - 38:
            break
        last, k = term, k + 2
    return total + math.log(2)


def gaussian_inside(points, dimension: int, width: float = 1.0) -> float:
    """P(a fresh Gaussian point lies in the hull of N others); see :func:`log_gaussian_inside`."""
    return min(math.exp(log_gaussian_inside(points, dimension, width)), 1.0)


def wendel_inside(points, dimension) -> np.ndarray | float:
    """P(the centre of a symmetric law lies in the hull of N points) = P(Binomial(N-1, 1/2) >= d); arrays broadcast.

    Raises
    ------
    InputError
        N < 1 or d < 1, or not whole numbers.

    Source: Wendel 1962; derived in ``extrapolation-wendel``.
    """
    n, d = real(points, "points"), real(dimension, "dimension")
    if np.any(n < 1) or np.any(d < 1) or np.any(n != np.floor(n)) or np.any(d != np.floor(d)):
        raise ArgumentError("Wendel's theorem needs whole numbers of points >= 1 and dimensions >= 1")
    # P(Bin(m, 1/2) >= d) = I_{1/2}(d, m - d + 1)
    m = n - 1.0
    p = np.where(m >= d, special.betainc(np.minimum(d, np.maximum(m, 1)), np.maximum(m - d + 1, 1), 0.5), 0.0)
    return float(p) if p.ndim == 0 else p


# --------------------------------------------------------------------------------------------------------- thresholds
def _law(law):
    laws = {"ball": log_ball_inside, "gaussian": log_gaussian_inside}
    if law not in laws:
        raise ArgumentError(f"the law must be one of {', '.join(laws)}, got {law!r}")
    return laws[law]


def expected_interior_points(points, dimension: int, law: str = "ball") -> float:
    """Expected number of the N points that are not vertices of their hull: N P(inside hull of N - 1).

    P(all are vertices) >= 1 minus this. law : "ball" or "gaussian".

    Raises
    ------
    InputError
        No such law, N < 1.

    Source: exchangeability, derived here.
    """
    n = _count("points", points, 1)
    return math.exp(min(math.log(n) + _law(law)(n - 1, dimension), 700.0))


def _smallest_log_n(reached, d, accuracy=1e-9):
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
    """Number of points N whose hull holds a fresh one with at least the given probability (or its logarithm).

    Exact up to 1e9; beyond, to a relative 1e-8.

    Raises
    ------
    InputError
        No such law, probability outside (0, 1), N beyond 1e299.

    Source: derived here from the exact probabilities.
    """
    d, function = int(_count("dimension", dimension, 1)), _law(law)
    checks.real_number("probability", probability, above=0, below=1)
    value = _smallest_log_n(lambda n: function(n, d) >= math.log(probability), d)
    return value if log else float(math.floor(math.exp(value)))


def vertices_threshold(dimension: int, law: str = "ball", expected: float = 0.5, log: bool = False) -> float:
    """Number of points N from which on at least ``expected`` of them are not vertices on average (or its logarithm).

    Below it all points are vertices with probability at least 1 - expected.

    Raises
    ------
    InputError
        No such law, expected <= 0, N beyond 1e299.

    Source: derived here; Barany & Furedi 1988 for its order 2^(d/2) in the ball.
    """
    d, function = int(_count("dimension", dimension, 1)), _law(law)
    checks.real_number("expected", expected, above=0)
    value = _smallest_log_n(lambda n: n > 1 and math.log(n) + function(n - 1, d) >= math.log(expected), d)
    return value if log else float(math.floor(math.exp(value)))
