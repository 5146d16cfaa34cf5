"""Risk of least squares and ridge regression on isotropic features; the results are stated in :mod:`theory.regression`."""

import numpy as np
import numpy.typing as npt

from lab.arrays import floats
from lab.errors import InputError
from lab.names import renamed

FINITE = ("n", "p", "psi1", "psi2", "signal", "signal_in", "signal_out", "noise_variance", "linear", "nonlinear")


def _checked(**values: npt.ArrayLike) -> tuple[np.ndarray, ...]:
    """Float64 arrays of named values, broadcast; all must be >= 0, not NaN, and, except gamma and ridges, finite."""
    arrays = {name: floats(value, name) for name, value in values.items()}
    for name, array in arrays.items():
        if name in FINITE and np.any(array == np.inf):
            raise InputError(f"{name} must be finite")
        if np.any(~(array >= 0)):
            raise InputError(f"{name} must be >= 0, got {array[~(array >= 0)].ravel()[0]}")
    try:
        return np.broadcast_arrays(*arrays.values())
    except ValueError:
        raise InputError(f"{', '.join(arrays)} do not broadcast: {[a.shape for a in arrays.values()]}") from None


def _out(array: np.ndarray) -> np.ndarray | float:
    return float(array) if np.ndim(array) == 0 else array


def resolvent(gamma: np.ndarray, ridge: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(u, t^2 u', t) = (lambda m(-lambda), its derivative in lambda, a power of two), without cancellation or overflow.

    t is of the order of the largest of 1, gamma and lambda, and 1 in the usual range. Numbers are divided by it before they are
    squared, which changes no digit. In both limits, gamma and lambda to infinity, u = 1.
    """
    infinite = np.isinf(gamma) | np.isinf(ridge)
    gamma, ridge = np.where(infinite, 1.0, gamma), np.where(infinite, 1.0, ridge)
    largest = np.maximum(gamma, ridge)
    t = np.where(largest > 2.0**200, np.ldexp(1.0, np.frexp(largest)[1]), 1.0)
    one, g, r = 1.0 / t, gamma / t, ridge / t
    b = one - g + r
    s = np.sqrt(b * b + 4.0 * g * r)
    with np.errstate(divide="ignore", invalid="ignore"):
        u = np.where(b > 0, 2.0 * r / (s + b), (s - b) / (2.0 * g))
        slope = 2.0 / (s * (one + g + r + s))
    u = np.where(gamma == 0, r / (one + r), u)
    return np.where(infinite, 1.0, u), np.where(infinite, 0.0, slope), t


@renamed(noise="noise_variance")
def ridge_risk(gamma: npt.ArrayLike, ridge: npt.ArrayLike, signal: npt.ArrayLike = 1.0,
               noise_variance: npt.ArrayLike = 1.0) -> np.ndarray | float:
    """Asymptotic excess risk E|beta_hat - beta|^2 of ridge regression on isotropic features.

    The arguments broadcast. Source: Dobriban & Wager 2018; Hastie et al. 2019, corollary 5; derived in ``regression-ridge``.

    Parameters
    ----------
    gamma : array_like
        p/n >= 0, features per sample.
    ridge : array_like
        lambda >= 0 in (X^T X/n + lambda)^-1.
    signal : array_like, default 1
        |beta|^2 >= 0.
    noise_variance : array_like, default 1
        sigma^2 >= 0.

    Returns
    -------
    float or ndarray
        Array of the broadcast shape; inf at gamma = 1 without ridge (with noise), ``signal`` where gamma or ridge is infinite.

    Raises
    ------
    InputError
        If an argument is negative or NaN, or ``signal`` or ``noise_variance`` is infinite.

    Examples
    --------
    >>> ridge_risk([0.5, 1.0, 2.0], 0.1).round(3)
    array([0.604, 1.296, 1.228])
    """
    gamma, ridge, signal, noise_variance = _checked(gamma=gamma, ridge=ridge, signal=signal, noise_variance=noise_variance)
    u, slope, t = resolvent(gamma, ridge)
    with np.errstate(invalid="ignore", over="ignore"):
        # u - lambda u' = (lambda + gamma u)^2 u' is a sum of positive terms; at the threshold the bias is 0
        kept = ridge / t + gamma / t * u
        risk = (signal * np.where(kept > 0, kept**2 * slope, 0.0)
                + np.where(noise_variance * gamma > 0, noise_variance * (gamma / t) * slope / t, 0.0))
    # with infinitely many features or an infinite penalty, nothing is learnt
    return _out(np.where(np.isinf(gamma) | np.isinf(ridge), signal, risk))


@renamed(noise="noise_variance")
def isotropic_risk(gamma: npt.ArrayLike, signal: npt.ArrayLike = 1.0, noise_variance: npt.ArrayLike = 1.0) -> np.ndarray | float:
    """Excess risk of minimum-norm least squares: sigma^2 gamma/(1-gamma) or r^2 (1-1/gamma) + sigma^2/(gamma-1).

    The arguments broadcast. Source: Hastie et al. 2019, theorem 1; the limit is taken in ``regression-ridge``.

    Parameters
    ----------
    gamma : array_like
        p/n >= 0, features per sample.
    signal : array_like, default 1
        r^2 = |beta|^2 >= 0.
    noise_variance : array_like, default 1
        sigma^2 >= 0.

    Returns
    -------
    float or ndarray
        Array of the broadcast shape; inf at gamma = 1 (with noise).

    Raises
    ------
    InputError
        If an argument is negative or NaN, or ``signal`` or ``noise_variance`` is infinite.

    Examples
    --------
    >>> isotropic_risk([0.5, 1.0, 2.0])
    array([1. , inf, 1.5])
    """
    return ridge_risk(gamma, 0.0, signal, noise_variance)


@renamed(noise="noise_variance")
def optimal_ridge(gamma: npt.ArrayLike, signal: npt.ArrayLike = 1.0, noise_variance: npt.ArrayLike = 1.0) -> np.ndarray | float:
    """lambda* = sigma^2 gamma/r^2, the ridge of least risk (also the Bayes ridge).

    The arguments broadcast. Source: Dobriban & Wager 2018; derived in ``regression-ridge``.

    Parameters
    ----------
    gamma : array_like
        p/n >= 0, features per sample.
    signal : array_like, default 1
        r^2 = |beta|^2 > 0.
    noise_variance : array_like, default 1
        sigma^2 >= 0.

    Returns
    -------
    float or ndarray
        Array of the broadcast shape.

    Raises
    ------
    InputError
        If an argument is negative or NaN, or there is no signal (the best ridge is then infinite).

    Examples
    --------
    >>> optimal_ridge(2.0, signal=4.0, noise_variance=1.0)
    0.5
    """
    gamma, signal, noise_variance = _checked(gamma=gamma, signal=signal, noise_variance=noise_variance)
    if np.any(signal == 0):
        raise InputError("without signal the best ridge is infinite")
    with np.errstate(over="ignore"):
        return _out(noise_variance * gamma / signal)


@renamed(noise="noise_variance")
def optimal_risk(gamma: npt.ArrayLike, signal: npt.ArrayLike = 1.0, noise_variance: npt.ArrayLike = 1.0) -> np.ndarray | float:
    """Risk r^2 u(lambda*) at the optimal ridge: monotone in gamma, no peak.

    The arguments broadcast. Source: Dobriban & Wager 2018; derived in ``regression-ridge``.

    Parameters
    ----------
    gamma : array_like
        p/n >= 0, features per sample; finite.
    signal : array_like, default 1
        r^2 = |beta|^2 > 0.
    noise_variance : array_like, default 1
        sigma^2 >= 0.

    Returns
    -------
    float or ndarray
        Array of the broadcast shape.

    Raises
    ------
    InputError
        As :func:`optimal_ridge`, and if ``gamma`` is infinite.

    Examples
    --------
    >>> optimal_risk([0.5, 1.0, 2.0]).round(3)
    array([0.414, 0.618, 0.781])
    """
    gamma, signal, noise_variance = _checked(gamma=gamma, signal=signal, noise_variance=noise_variance)
    if np.any(np.isinf(gamma)):
        raise InputError("gamma must be finite")
    return _out(signal * resolvent(gamma, np.asarray(optimal_ridge(gamma, signal, noise_variance)))[0])


@renamed(noise="noise_variance")
def finite_sample_risk(n: npt.ArrayLike, p: npt.ArrayLike, signal_in: npt.ArrayLike = 1.0, signal_out: npt.ArrayLike = 0.0,
                       noise_variance: npt.ArrayLike = 1.0) -> np.ndarray | float:
    """Exact expected risk E(y - beta_hat.x)^2 of least squares on p Gaussian features, irreducible noise included.

    The arguments broadcast. Source: Belkin, Hsu, Xu 2019, theorem 1; derived in ``regression-finite``.

    Parameters
    ----------
    n : array_like of int
        Samples, at least 1.
    p : array_like of int
        Features used, at least 0.
    signal_in : array_like, default 1
        |beta_in|^2 >= 0, on the features used.
    signal_out : array_like, default 0
        |beta_out|^2 >= 0, on the features not used.
    noise_variance : array_like, default 1
        sigma^2 >= 0.

    Returns
    -------
    float or ndarray
        Array of the broadcast shape; inf for p in {n-1, n, n+1}, unless the used features explain the target fully.

    Raises
    ------
    InputError
        If ``n`` or ``p`` is not a whole number, or an argument is negative or not finite.

    Examples
    --------
    >>> finite_sample_risk(10, [0, 5, 10, 20]).round(3)
    array([1.   , 2.25 ,   inf, 2.611])
    """
    n, p, signal_in, signal_out, noise_variance = _checked(n=n, p=p, signal_in=signal_in, signal_out=signal_out,
                                                             noise_variance=noise_variance)
    if np.any(n != np.floor(n)) or np.any(p != np.floor(p)) or np.any(n < 1):
        raise InputError("n and p must be whole numbers, n >= 1")
    tau = signal_out + noise_variance
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(p <= n - 2, p / (n - p - 1), np.where(p >= n + 2, n / (p - n - 1), np.inf))
        bias = np.where(p > n, signal_in * (1 - n / np.maximum(p, 1)), 0.0)
        return _out(bias + np.where(tau > 0, tau * (1 + factor), 0.0))


@renamed(noise="noise_variance")
def peak_scaling(ridge: npt.ArrayLike, noise_variance: npt.ArrayLike = 1.0) -> dict[str, np.ndarray | float]:
    """Small-ridge law of the peak: its height sigma^2/(2 sqrt lambda) and full width 4 sqrt(3 lambda) in gamma.

    Source: derived here (``regression-peak``).

    Parameters
    ----------
    ridge : array_like
        lambda > 0.
    noise_variance : array_like, default 1
        sigma^2 >= 0.

    Returns
    -------
    dict of str to (float or ndarray)
        ``height`` and ``width``, each of the broadcast shape.

    Raises
    ------
    InputError
        If ``ridge`` is not positive, or ``noise_variance`` is negative or infinite.

    Examples
    --------
    >>> {name: round(value, 3) for name, value in peak_scaling(1e-4).items()}
    {'height': 50.0, 'width': 0.069}
    """
    ridge, noise_variance = _checked(ridge=ridge, noise_variance=noise_variance)
    if np.any(ridge == 0):
        raise InputError("without a ridge the peak is infinite: give a ridge > 0")
    return {"height": _out(noise_variance / (2 * np.sqrt(ridge))), "width": _out(4 * np.sqrt(3 * ridge))}


@renamed(noise="noise_variance")
def peak(ridge: float, signal: float = 1.0, noise_variance: float = 1.0) -> dict[str, float]:
    """Location, height and full width at half height of the peak of the ridge-regression risk.

    Source: derived here, by search on :func:`ridge_risk`.

    Parameters
    ----------
    ridge : float
        lambda > 0, finite.
    signal : float, default 1
        |beta|^2 >= 0, finite.
    noise_variance : float, default 1
        sigma^2 > 0, finite.

    Returns
    -------
    dict of str to float
        ``location`` (gamma), ``height``, ``width`` (inf if the risk stays above half the height for larger gamma). All NaN
        if the risk has no local maximum (ridge too large).

    Raises
    ------
    InputError
        If an argument is out of its range.

    Examples
    --------
    >>> {name: round(value, 2) for name, value in peak(1e-4).items()}
    {'location': 1.0, 'height': 49.51, 'width': 0.07}
    """
    from scipy.optimize import brentq, minimize_scalar

    if not (0 < ridge < np.inf and 0 < noise_variance < np.inf and 0 <= signal < np.inf):
        raise InputError("the peak needs a finite ridge > 0, noise_variance > 0 and signal >= 0")
    grid = np.geomspace(1e-4, 1e4, 8001)
    grid = np.sort(np.concatenate([grid, 1 + np.sqrt(ridge) * np.linspace(-0.99 / np.sqrt(ridge), 40, 4001)]))
    curve = ridge_risk(grid, ridge, signal, noise_variance)
    rise = np.diff(curve) / curve[1:]
    inner = np.flatnonzero((rise[:-1] > 1e-13) & (rise[1:] < -1e-13)) + 1
    if inner.size == 0:
        return dict.fromkeys(("location", "height", "width"), float("nan"))
    i = inner[np.argmax(curve[inner])]
    optimum = minimize_scalar(lambda g: -ridge_risk(g, ridge, signal, noise_variance), bounds=(grid[i - 1], grid[i + 1]),
                              method="bounded", options={"xatol": 1e-12})
    location, height = float(optimum.x), float(-optimum.fun)

    def excess(g):
        return ridge_risk(g, ridge, signal, noise_variance) - height / 2

    low = brentq(excess, 1e-12, location) if excess(1e-12) < 0 else 0.0
    above = grid[(grid > location) & (curve < height / 2)]
    high = brentq(excess, location, above[0]) if above.size else float("inf")
    return {"location": location, "height": height, "width": high - low}


@renamed(noise="noise_variance")
def worse_than_nothing(signal: npt.ArrayLike = 1.0,
                       noise_variance: npt.ArrayLike = 1.0) -> tuple[np.ndarray | float, np.ndarray | float]:
    """The interval of gamma in which ridgeless least squares has a larger excess risk than predicting zero.

    Source: derived here (``regression-peak``).

    Parameters
    ----------
    signal : array_like, default 1
        |beta|^2 >= 0.
    noise_variance : array_like, default 1
        sigma^2 > 0.

    Returns
    -------
    low : float or ndarray
        S/(1+S) with S = signal/noise_variance.
    high : float or ndarray
        S/(S-1); inf for S <= 1.

    Raises
    ------
    InputError
        If an argument is negative or not finite, or there is no noise (the interval is then empty).

    Examples
    --------
    >>> low, high = worse_than_nothing(signal=3.0)
    >>> low, high
    (0.75, 1.5)
    """
    signal, noise_variance = _checked(signal=signal, noise_variance=noise_variance)
    if np.any(noise_variance == 0):
        raise InputError("without noise least squares is never worse than predicting zero")
    ratio = signal / noise_variance
    with np.errstate(divide="ignore"):
        high = np.where(ratio > 1, ratio / np.where(ratio > 1, ratio - 1, 1.0), np.inf)
    return _out(ratio / (1 + ratio)), _out(high)
