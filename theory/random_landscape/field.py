"""Index against energy at critical points of a Gaussian field; the results are stated in :mod:`theory.random_landscape`."""

import numpy as np
import numpy.typing as npt

from lab.arrays import floats
from lab.errors import ArgumentError


def _covariance(f0, f1, f2):
    if not (f0 > 0 and f1 < 0 and f2 > 0):
        raise ArgumentError(f"the covariance needs f(0) > 0, f'(0) < 0, f''(0) > 0, got {f0}, {f1}, {f2}")
    if f0 * f2 < f1**2 * (1 - 1e-12):
        raise ArgumentError(f"the covariance of a field in any dimension needs f f'' >= f'^2 at 0, got {f0} * {f2} < {f1}^2")


def shift_at_energy(energy: npt.ArrayLike, f0: float = 1.0, f1: float = -1.0, f2: float = 1.0) -> np.ndarray | float:
    """Shift s of the semicircle, in units of its radius, at critical points of energy N eps (N -> oo).

    The field has <phi(x) phi(y)> = N f(|x-y|^2/2N); the defaults are those of f(q) = e^-q. Source: derived here
    (``random-index-energy``); Bray & Dean 2007.

    Parameters
    ----------
    energy : array_like
        eps = phi/N.
    f0 : float, default 1
        f(0) > 0.
    f1 : float, default -1
        f'(0) < 0.
    f2 : float, default 1
        f''(0) >= f'^2/f.

    Returns
    -------
    float or ndarray
        s = -eps (|f'|/f) sqrt(f'')/(f'' + f'^2/f), of the shape of ``energy``. For |s| > 1 it only continues the linear law
        formally (the index is 0 or N there).

    Raises
    ------
    InputError
        If f, f', f'' are not those of a covariance.

    Examples
    --------
    >>> float(shift_at_energy(-0.5))
    0.25
    """
    _covariance(f0, f1, f2)
    return -floats(energy, "energy")[()] * (-f1 / f0) * np.sqrt(f2) / (f2 + f1**2 / f0)


def index_share(shift: npt.ArrayLike) -> np.ndarray | float:
    """Share of negative eigenvalues of a semicircle of radius 1 centred at ``shift``: [arccos s - s sqrt(1-s^2)]/pi.

    Source: Bray & Dean 2007; the integral is derived in ``random-index-energy``.

    Parameters
    ----------
    shift : array_like
        s; above 1 the share is 0, below -1 it is 1.

    Returns
    -------
    float or ndarray
        In [0, 1], of the shape of ``shift``.

    Examples
    --------
    >>> index_share([-1.0, 0.0, 0.5, 2.0]).round(3)
    array([1.   , 0.5  , 0.196, 0.   ])
    """
    s = np.clip(floats(shift, "shift"), -1.0, 1.0)[()]
    return (np.arccos(s) - s * np.sqrt(1 - s * s)) / np.pi


def index_at_energy(energy: npt.ArrayLike, f0: float = 1.0, f1: float = -1.0, f2: float = 1.0) -> np.ndarray | float:
    """Share of negative eigenvalues at critical points of energy N eps (N -> oo).

    Source: Bray & Dean 2007; derived in ``random-index-energy``.

    Parameters
    ----------
    energy : array_like
        eps = phi/N.
    f0 : float, default 1
        f(0) > 0.
    f1 : float, default -1
        f'(0) < 0.
    f2 : float, default 1
        f''(0) >= f'^2/f.

    Returns
    -------
    float or ndarray
        In [0, 1], of the shape of ``energy``.

    Raises
    ------
    InputError
        If f, f', f'' are not those of a covariance.

    Examples
    --------
    >>> index_at_energy([-2.0, -0.5, 0.0, 0.5]).round(3)
    array([0.   , 0.343, 0.5  , 0.657])
    """
    return index_share(shift_at_energy(energy, f0, f1, f2))


def threshold_energy(f0: float = 1.0, f1: float = -1.0, f2: float = 1.0) -> float:
    """Energy at which s = 1: below it nearly all critical points are minima, above it exponentially few are.

    Source: derived here, from :func:`shift_at_energy`.

    Parameters
    ----------
    f0 : float, default 1
        f(0) > 0.
    f1 : float, default -1
        f'(0) < 0.
    f2 : float, default 1
        f''(0) >= f'^2/f.

    Returns
    -------
    float
        eps < 0, per dimension.

    Raises
    ------
    InputError
        If f, f', f'' are not those of a covariance.

    Examples
    --------
    >>> threshold_energy()
    -2.0
    """
    _covariance(f0, f1, f2)
    return -(f2 + f1**2 / f0) * f0 / (-f1 * f2**0.5)
