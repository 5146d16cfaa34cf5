"""Similar units in a random layer: the null of S1's repeated units, in closed form.

Units relu(w.x) with x ~ N(0, I_d) and w of random direction. Two units at cosine rho have (arc-cosine kernel, Cho & Saul 2009)

    E[relu relu] = (sqrt(1 - rho^2) + rho (pi - arccos rho)) / 2 pi,   mean 1/sqrt(2 pi),   variance 1/2 - 1/2 pi

for weights of unit length, so their correlation r(rho), for weights of any length, increases from -1/(pi - 1) at rho = -1 to 1
at rho = 1. The cosine of two random directions has density proportional to (1 - rho^2)^((d-3)/2). Hence the share of pairs with
|r| >= t does not depend on the width,

    P(|r| >= t) = P(rho >= rho_t) + P(rho <= rho_-t),    P(rho >= c) = 1/2 I_{1-c^2}((d-1)/2, 1/2) for c >= 0,

and the number of similar units per unit is that share times (width - 1): it doubles with the width (derived here). The same
holds for any layer of independent, identically distributed units, with any share; so this is the null of S1's count, and not
evidence for its claim.
"""

import numpy as np
import numpy.typing as npt

from lab import checks
from lab.arrays import floats
from lab.errors import ArgumentError


def relu_correlation(rho: npt.ArrayLike) -> np.ndarray | float:
    """Correlation of two ReLU units on standard Gaussian inputs, without biases, by the cosine of their weights.

    Source: the arc-cosine kernel of degree 1, Cho & Saul 2009.

    Parameters
    ----------
    rho : array_like
        Cosine of the two weight vectors, in [-1, 1].

    Returns
    -------
    float or ndarray
        Correlations in [-1/(pi - 1), 1], of the shape of ``rho``.

    Raises
    ------
    InputError
        If a cosine lies outside [-1, 1].

    Examples
    --------
    >>> relu_correlation(np.array([-1.0, 0.0, 1.0])).round(3)
    array([-0.467,  0.   ,  1.   ])
    """
    rho = floats(rho, "rho")
    if np.any(~(np.abs(rho) <= 1)):
        raise ArgumentError("a cosine lies in [-1, 1]")
    return (np.sqrt(1 - rho * rho) + rho * (np.pi - np.arccos(rho)) - 1) / (np.pi - 1)


def _above(cosine: float, dim: int) -> float:
    """P(rho >= cosine) for two random directions of R^dim."""
    from scipy.special import betainc

    half = 0.5 * betainc((dim - 1) / 2, 0.5, 1 - cosine * cosine)
    return float(half if cosine >= 0 else 1 - half)


def similar_pair_share(dim: int, threshold: float = 0.5) -> float:
    """Share of pairs of random ReLU units with |correlation| at or above ``threshold``, at every width.

    Source: derived here (module docstring).

    Parameters
    ----------
    dim : int
        Dimension of the inputs, at least 2.
    threshold : float, default 0.5
        In (0, 1).

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    InputError
        If ``dim`` is below 2 or ``threshold`` outside (0, 1).

    Examples
    --------
    >>> round(similar_pair_share(10), 4)
    0.0325
    """
    checks.whole_number("dim", dim, 2)
    checks.real_number("threshold", threshold, above=0, below=1)
    from scipy.optimize import brentq

    def cosine_at(r):
        return brentq(lambda c: float(relu_correlation(c)) - r, -1.0, 1.0, xtol=1e-15)

    share = _above(cosine_at(threshold), dim)
    lowest = -1 / (np.pi - 1)
    if -threshold > lowest:
        share += 1 - _above(cosine_at(-threshold), dim)
    return share
