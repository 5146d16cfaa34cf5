"""Risk of ridge regression on random features (Mei & Montanari 2019, arXiv 1908.05355, theorem 2 and definition 1;
cited).

Data x_1 ... x_n and features theta_1 ... theta_N uniform on the sphere of radius sqrt d; target y = beta.x + (a random
nonlinear part of norm F*) + noise of variance tau^2, |beta| = F1; model sum_i a_i [sigma(theta_i.x/sqrt d) - mu0],
penalty (N lambda/d) |a|^2 added to the mean squared error. d -> oo at psi1 = N/d, psi2 = n/d. With z ~ N(0, 1), mu0 =
<sigma(z)>, mu1 = <z sigma(z)>, mu*^2 = <sigma^2> - mu0^2 - mu1^2, zeta = mu1/mu*, the excess risk is

    R = F1^2 E1/E0 + (tau^2 + F*^2) E2/E0 + F*^2,

E0, E1, E2 polynomials in chi = nu1 nu2 < 0, and nu1, nu2 solve at xi = i sqrt(psi1 psi2 lambda)/mu*

    nu1 = psi1/(-xi - nu2 H),  nu2 = psi2/(-xi - nu1 H),  H = 1 + zeta^2/(1 - zeta^2 nu1 nu2).

Both are i times a positive number there; P = -chi then solves (psi1 - P H)(psi2 - P H) = P |xi|^2, one root below the
ridgeless one, P H = min(psi1, psi2) (derived here, ``regression-random-features``). For ReLU mu1 = 1/2, mu*^2 = 1/4
- 1/(2 pi).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lab.arrays import floats
from lab.errors import InputError
from lab.names import renamed
from theory.regression.least_squares import _checked, _out

RELU_CONSTANTS = (0.5, np.sqrt(0.25 - 0.5 / np.pi))


def activation_constants(sigma: Callable[[np.ndarray], npt.ArrayLike], nodes: int = 200) -> tuple[float, float]:
    """(mu1, mu*) of an activation by Gauss-Legendre quadrature against the normal density, split at 0.

    Source: the constants are those of Mei & Montanari 2019, definition 1.

    Parameters
    ----------
    sigma : callable
        The activation, applied element by element; smooth on either side of 0.
    nodes : int, default 200
        Quadrature nodes on each side of 0.

    Returns
    -------
    mu1 : float
        <z sigma(z)>, z ~ N(0, 1).
    mu_star : float
        mu* > 0, the square root of <sigma^2> - mu0^2 - mu1^2.

    Raises
    ------
    InputError
        If the activation is linear (mu* = 0) or not finite.

    Examples
    --------
    >>> mu1, mu_star = activation_constants(lambda z: np.maximum(z, 0), nodes=40)
    >>> round(mu1, 6), round(mu_star**2 - (1 / 4 - 1 / (2 * np.pi)), 6)
    (0.5, 0.0)
    """
    points, weights = np.polynomial.legendre.leggauss(nodes)
    z = np.concatenate([-6.5 * (points + 1), 6.5 * (points + 1)])
    w = np.concatenate([weights, weights]) * 6.5 * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    values = floats(sigma(z), "the activation")
    if not np.all(np.isfinite(values)):
        raise InputError("the activation is not finite on the line")
    mu0, mu1 = w @ values, w @ (z * values)
    nonlinear = w @ (values - mu0 - mu1 * z) ** 2
    if nonlinear < 1e-14 * (w @ values**2):
        raise InputError("the activation is linear: mu* = 0, and its features do not interpolate")
    return float(mu1), float(np.sqrt(nonlinear))


def chi(psi1, psi2, ridge=0.0, zeta=None, mu_star=None) -> np.ndarray:
    """chi = nu1 nu2 < 0 of the module's docstring; arrays broadcast. Defaults: ReLU."""
    mu1, star = RELU_CONSTANTS
    star = star if mu_star is None else mu_star
    z2 = np.float64(mu1 / RELU_CONSTANTS[1] if zeta is None else zeta) ** 2
    psi1, psi2, ridge = np.broadcast_arrays(*(floats(a) for a in (psi1, psi2, ridge)))
    smaller = np.minimum(psi1, psi2)
    # ridgeless: P (1 + zeta^2/(1 + zeta^2 P)) = psi, the positive root without cancellation
    b = 1.0 + z2 - smaller * z2
    root = np.sqrt(b * b + 4.0 * z2 * smaller)
    with np.errstate(divide="ignore", invalid="ignore"):
        largest = np.where(b > 0, 2.0 * smaller / (root + b), (root - b) / (2.0 * z2 if z2 > 0 else 1.0))
    load = psi1 * psi2 * np.minimum(ridge, 1e200) / star**2  # |xi|^2

    low, high = np.zeros_like(largest), largest.copy()
    for _ in range(80 if np.any(load > 0) else 0):
        middle = 0.5 * (low + high)
        ph = middle * (1.0 + z2 / (1.0 + z2 * middle))
        below = (psi1 - ph) * (psi2 - ph) > middle * load
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return -np.where(load > 0, 0.5 * (low + high), largest)


@renamed(noise="noise_variance")
def random_features_risk(psi1: npt.ArrayLike, psi2: npt.ArrayLike, ridge: npt.ArrayLike = 0.0, linear: npt.ArrayLike = 1.0,
                         nonlinear: npt.ArrayLike = 0.0, noise_variance: npt.ArrayLike = 0.0,
                         constants: tuple[float, float] = RELU_CONSTANTS) -> np.ndarray | float:
    """Asymptotic excess risk of ridge regression on random features.

    All arguments except ``constants`` broadcast. Source: Mei & Montanari 2019, theorem 2 (cited); limiting cases in
    ``regression-random-features``.

    Parameters
    ----------
    psi1 : array_like
        N/d > 0, features per dimension.
    psi2 : array_like
        n/d > 0, samples per dimension.
    ridge : array_like, default 0
        lambda >= 0 of the penalty (N lambda/d) |a|^2.
    linear : array_like, default 1
        F1^2 >= 0, squared norm of the target's linear part.
    nonlinear : array_like, default 0
        F*^2 >= 0, squared norm of its nonlinear part.
    noise_variance : array_like, default 0
        tau^2 >= 0.
    constants : (float, float), default ReLU's
        (mu1, mu*) of the activation, from :func:`activation_constants`.

    Returns
    -------
    float or ndarray
        Of the broadcast shape; inf on the interpolation threshold psi1 = psi2 without ridge.

    Raises
    ------
    InputError
        If an argument is negative, ``psi1`` or ``psi2`` is zero, or one of them is too large for the closed form.

    Examples
    --------
    >>> random_features_risk([1.0, 3.0, 9.0], 3.0, noise_variance=0.1).round(3)
    array([0.722,   inf, 0.182])
    """
    psi1, psi2, ridge, linear, nonlinear, noise_variance = _checked(psi1=psi1, psi2=psi2, ridge=ridge, linear=linear,
                                                           nonlinear=nonlinear, noise_variance=noise_variance)
    if np.any(psi1 == 0) or np.any(psi2 == 0):
        raise InputError("psi1 and psi2 must be positive")
    mu1, mu_star = constants
    zeta = mu1 / mu_star
    e0, e1, e2 = polynomials(chi(psi1, psi2, ridge, zeta, mu_star), zeta, psi1, psi2)
    singular = (ridge == 0) & (psi1 == psi2)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        risk = linear * e1 / e0 + (noise_variance + nonlinear) * e2 / e0 + nonlinear
    risk = np.where(np.isinf(ridge), linear + nonlinear, risk)  # nothing is learnt
    if np.any(np.isnan(risk) & ~singular):
        raise InputError("psi1, psi2 or the ridge is too large for the closed form to be evaluated")
    return _out(np.where(singular, np.inf, risk))


def polynomials(x, zeta, psi1, psi2):
    """E0, E1, E2 in x = chi; works on numbers, arrays and SymPy symbols."""
    z2 = zeta**2
    z4, z6, both = z2**2, z2**3, psi1 * psi2
    e0 = (-(x**5) * z6 + 3 * x**4 * z4 + (both - psi2 - psi1 + 1) * x**3 * z6 - 2 * x**3 * z4 - 3 * x**3 * z2
          + (psi1 + psi2 - 3 * both + 1) * x**2 * z4 + 2 * x**2 * z2 + x**2 + 3 * both * x * z2 - both)
    e1 = psi2 * x**3 * z4 - psi2 * x**2 * z2 + both * x * z2 - both
    e2 = (x**5 * z6 - 3 * x**4 * z4 + (psi1 - 1) * x**3 * z6 + 2 * x**3 * z4 + 3 * x**3 * z2
          - (psi1 + 1) * x**2 * z4 - 2 * x**2 * z2 - x**2)
    return e0, e1, e2


@renamed(noise="noise_variance")
def optimal_random_features_ridge(psi1: float, psi2: float, linear: float = 1.0, nonlinear: float = 0.0,
                                  noise_variance: float = 0.0,
                                  constants: tuple[float, float] = RELU_CONSTANTS) -> tuple[float, float]:
    """The ridge of least risk, by search over ln(lambda) in 1e-12 ... 1e6.

    Source: :func:`random_features_risk`; Mei & Montanari 2019.

    Parameters
    ----------
    psi1 : float
        N/d > 0, features per dimension.
    psi2 : float
        n/d > 0, samples per dimension.
    linear : float, default 1
        F1^2 >= 0, squared norm of the target's linear part.
    nonlinear : float, default 0
        F*^2 >= 0, squared norm of its nonlinear part.
    noise_variance : float, default 0
        tau^2 >= 0.
    constants : (float, float), default ReLU's
        (mu1, mu*) of the activation, from :func:`activation_constants`.

    Returns
    -------
    ridge : float
        lambda; 0 if no ridge does better.
    risk : float
        Excess risk with it.

    Raises
    ------
    InputError
        As :func:`random_features_risk`.

    Examples
    --------
    >>> ridge, risk = optimal_random_features_ridge(2.0, 2.0, noise_variance=0.5)
    >>> round(ridge, 2), round(risk, 3)
    (0.14, 0.574)
    """
    from scipy.optimize import minimize_scalar

    def risk(log_ridge):
        return random_features_risk(psi1, psi2, np.exp(log_ridge), linear, nonlinear, noise_variance, constants)

    grid = np.linspace(np.log(1e-12), np.log(1e6), 200)
    i = int(np.argmin(risk(grid)))
    best = minimize_scalar(risk, bounds=(grid[max(i - 1, 0)], grid[min(i + 1, 199)]), method="bounded",
                           options={"xatol": 1e-10})
    without = random_features_risk(psi1, psi2, 0.0, linear, nonlinear, noise_variance, constants)
    return (0.0, float(without)) if without <= best.fun else (float(np.exp(best.x)), float(best.fun))
