"""Probability that a fresh point lies in the hull of N others; the results are stated in :mod:`theory.extrapolation`."""

import math

import numpy as np
import numpy.typing as npt
from scipy import special

from lab import checks
from lab.arrays import real
from lab.errors import ArgumentError


def point_count(name: str, value: float, least: int) -> float:
    """As :func:`lab.checks.whole_number`, but for floats, since there may be 1e60 points."""
    number = checks.real_number(name, value, least=least)
    if number < 2**53 and number != int(number):
        raise ArgumentError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return number


def _log_choose(n, k):
    """ln C(n, k), also for n far beyond 2^53, where differences of lgamma lose all digits."""
    if k < 1e5 and n > 1e6:
        return float(np.sum(np.log(n - np.arange(k)))) - math.lgamma(k + 1)
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


# ------------------------------------------------------------------------------------------------------- uniform ball
def log_ball_inside(points: float, dimension: int) -> float:
    """ln P(a fresh uniform point of the d-ball lies in the hull of N others).

    Source: derived here (``extrapolation-ball``); Affentranger 1991.

    Parameters
    ----------
    points : float
        N, a whole number of at least 0; it may be huge (1e60).
    dimension : int
        d, at least 1.

    Returns
    -------
    float
        Natural logarithm, with an absolute error of about 1e-10 (N < 1e9) for any probability; -inf for N <= d.

    Raises
    ------
    InputError
        If ``points`` or ``dimension`` is out of range or not a whole number.

    Examples
    --------
    >>> round(log_ball_inside(3, 2), 6), round(math.log(35 / (48 * math.pi**2)), 6)
    (-2.605313, -2.605313)
    """
    n, d = point_count("points", points, 0), int(point_count("dimension", dimension, 1))
    if n <= d:
        return -math.inf
    a, power = (d + 1) / 2, (d - 1) * (d + 2) / 2

    def log_integrand(t):
        """In t = ln h/(1 - h), which keeps the digits of the distance 1 - h from the boundary; includes dh/dt."""
        log_h, log_co = -np.logaddexp(0, -t), -np.logaddexp(0, t)
        h, co = np.exp(log_h), np.exp(log_co)
        tail = special.betainc(a, a, co / 2)  # 1 - F(h) = F(-h)
        log_f, log_tail = np.log1p(-tail), np.log(np.maximum(tail, 1e-300))
        log_difference = (n - d) * log_f + np.log(-np.expm1(np.minimum((n - d) * (log_tail - log_f), -1e-300)))
        return 2 * log_h + log_co + power * (log_co + np.log1p(h)) + log_difference

    log_integral = _log_integral_of_peak(log_integrand, -40.0, 700.0)
    log_ratio = math.lgamma(d / 2 + 1) - math.lgamma((d + 1) / 2) - 0.5 * math.log(math.pi)  # ln kappa_{d-1}/kappa_d
    return float(_log_choose(n, d) + math.log(d) + d * log_ratio - (d - 1) * math.log(d + 1) + log_integral)


def ball_inside(points: float, dimension: int) -> float:
    """P(a fresh uniform point of the d-ball lies in the hull of N others).

    Source: as :func:`log_ball_inside`, its logarithm.

    Parameters
    ----------
    points : float
        N, a whole number of at least 0; it may be huge (1e60).
    dimension : int
        d, at least 1.

    Returns
    -------
    float
        In [0, 1]; 0 for N <= d.

    Raises
    ------
    InputError
        If ``points`` or ``dimension`` is out of range or not a whole number.

    Examples
    --------
    >>> round(ball_inside(2, 1), 6), round(ball_inside(1000, 10), 3)
    (0.333333, 0.026)
    """
    return min(math.exp(log_ball_inside(points, dimension)), 1.0)


def _log_integral_of_peak(log_f, low, high):
    """ln of the integral of exp(log_f), which is smooth with one peak, by Gauss-Legendre quadrature around the peak."""
    from scipy.optimize import brentq, minimize_scalar

    grid = np.linspace(low, high, 1481)
    i = int(np.argmax(log_f(grid)))
    peak = minimize_scalar(lambda t: -log_f(t), bounds=(grid[max(i - 1, 0)], grid[min(i + 1, grid.size - 1)]),
                           method="bounded", options={"xatol": 1e-12})
    mode, top = float(peak.x), float(-peak.fun)

    def drop(t):
        return float(log_f(t)) - top + 42.0  # e^-42 of the peak is negligible

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
WIDEST = 1e6  # largest scale of the fresh point relative to the others


def log_regular_cone(n, r: float) -> float:
    """ln g_n(r); see :func:`regular_cone`."""
    n = point_count("n", n, 0)
    if n == 0:
        return 0.0
    if not -1 / n < r < math.inf:
        raise ArgumentError(f"the covariance delta + r needs r > -1/n, got r = {r} for n = {n}")
    root = math.sqrt(abs(r))
    if r >= 0:
        x = np.linspace(-10, 40, 8001)  # phi(x) Phi(root x)^n is entire, so the trapezoidal rule converges exponentially
        log = -x * x / 2 + n * special.log_ndtr(root * x)
        return float(special.logsumexp(log) + math.log(x[1] - x[0]) - 0.5 * math.log(2 * math.pi))
    # r < 0: the integral runs along the imaginary axis, of e^(z^2/2) Phi(root z)^n; on the vertical line through its real
    # minimum (the saddle) there is no cancellation, and double precision suffices
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


def regular_cone(n: float, r: float) -> float:
    """g_n(r): P(n centred Gaussians of covariance delta_ij + r are all negative).

    Source: Kabluchko & Zaporozhets 2020, section 1; evaluation for r < 0 by steepest descent derived here.

    Parameters
    ----------
    n : float
        Number of Gaussians, a whole number of at least 0; it may be huge.
    r : float
        Common part of the covariance, above -1/n.

    Returns
    -------
    float
        g_n(1) = 1/(n+1), g_n(0) = 2^-n; g_n(-1/(n+1)) is the solid angle at a vertex of the regular n-simplex.

    Raises
    ------
    InputError
        If an argument is out of its range.

    Examples
    --------
    >>> round(regular_cone(3, 1.0), 6), round(regular_cone(3, 0.0), 6), round(regular_cone(2, -1 / 3), 6)
    (0.25, 0.125, 0.166667)
    """
    return math.exp(log_regular_cone(n, r))


def log_gaussian_inside(points: float, dimension: int, width: float = 1.0) -> float:
    """ln P(a fresh Gaussian point lies in the hull of N others, Gaussian of the same covariance).

    Source: Kabluchko & Zaporozhets 2020, theorem 1.2 (cited; limits derived in ``extrapolation-gaussian``).

    Parameters
    ----------
    points : float
        N, a whole number of at least 0.
    dimension : int
        d, from 1 to about 200.
    width : float, default 1
        sigma in [0, 1e6], scale of the fresh point over the others; 0 is their centre.

    Returns
    -------
    float
        Natural logarithm; -inf for N <= d.

    Raises
    ------
    InputError
        If an argument is out of its range.

    Examples
    --------
    >>> round(log_gaussian_inside(3, 1), 6), round(log_gaussian_inside(50, 5), 4)
    (-0.693147, -1.3336)
    """
    n, d = point_count("points", points, 0), int(point_count("dimension", dimension, 1))
    checks.real_number("width", width, least=0, most=WIDEST)  # above, the sum over faces is 1 in double precision
    if n <= d:
        return -math.inf

    def log_b(k):
        v = width**2 / (1 + k * width**2)
        return _log_choose(n, k) + log_regular_cone(k, -v) + log_regular_cone(n - k, v)

    outside = 2 * math.exp(special.logsumexp([log_b(k) for k in range(d - 1, -1, -2)]))
    if outside < 0.5:
        return math.log1p(-outside)
    # near 1, sum the other parity: all terms are positive, and decrease beyond the mode of b
    total, k, last = -math.inf, d + 1, -math.inf
    while k <= n:
        term = log_b(k)
        total = float(np.logaddexp(total, term))
        if term < last and term < total - 38:
            break
        last, k = term, k + 2
    return total + math.log(2)


def gaussian_inside(points: float, dimension: int, width: float = 1.0) -> float:
    """P(a fresh Gaussian point lies in the hull of N others).

    Source: as :func:`log_gaussian_inside`, its logarithm.

    Parameters
    ----------
    points : float
        N, a whole number of at least 0.
    dimension : int
        d, from 1 to about 200.
    width : float, default 1
        sigma in [0, 1e6], scale of the fresh point over the others; 0 is their centre.

    Returns
    -------
    float
        In [0, 1]; 0 for N <= d.

    Raises
    ------
    InputError
        If an argument is out of its range.

    Examples
    --------
    >>> round(gaussian_inside(3, 1), 6), round(gaussian_inside(12, 5, width=0.0), 6), round(wendel_inside(12, 5), 6)
    (0.5, 0.725586, 0.725586)
    """
    return min(math.exp(log_gaussian_inside(points, dimension, width)), 1.0)


def wendel_inside(points: npt.ArrayLike, dimension: npt.ArrayLike) -> np.ndarray | float:
    """P(the centre of a symmetric law lies in the hull of N points) = P(Binomial(N-1, 1/2) >= d).

    The arguments broadcast. Source: Wendel 1962; derived in ``extrapolation-wendel``.

    Parameters
    ----------
    points : array_like of int
        N, at least 1.
    dimension : array_like of int
        d, at least 1.

    Returns
    -------
    float or ndarray
        In [0, 1], of the broadcast shape.

    Raises
    ------
    InputError
        If an argument is below 1 or not a whole number.

    Examples
    --------
    >>> wendel_inside([2, 3, 4, 5], 2)
    array([0.    , 0.25  , 0.5   , 0.6875])
    """
    n, d = real(points, "points"), real(dimension, "dimension")
    if np.any(n < 1) or np.any(d < 1) or np.any(n != np.floor(n)) or np.any(d != np.floor(d)):
        raise ArgumentError("Wendel's theorem needs whole numbers of points >= 1 and dimensions >= 1")
    # P(Bin(m, 1/2) >= d) = I_{1/2}(d, m - d + 1)
    m = n - 1.0
    p = np.where(m >= d, special.betainc(np.minimum(d, np.maximum(m, 1)), np.maximum(m - d + 1, 1), 0.5), 0.0)
    return float(p) if p.ndim == 0 else p
