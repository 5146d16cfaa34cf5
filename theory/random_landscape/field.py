"""Index against energy at the critical points of a Gaussian field; statement in :mod:`theory.random_landscape`."""

import numpy as np

from lab.arrays import floats
from lab.errors import ArgumentError


def _covariance(f0, f1, f2):
    if not (f0 > 0 and f1 < 0 and f2 > 0):
        raise ArgumentError(f"the covariance needs f(0) > 0, f'(0) < 0, f''(0) > 0, got {f0}, {f1}, {f2}")
    if f0 * f2 < f1**2 * (1 - 1e-12):
        raise ArgumentError(f"no field in every dimension has f f'' < f'^2 at 0, got {f0} * {f2} < {f1}^2")


def shift_at_energy(energy, f0: float = 1.0, f1: float = -1.0, f2: float = 1.0) -> np.ndarray | float:
    """Shift s of the semicircle, in units of its radius, at critical points of energy N eps (N -> oo).

    Parameters
    ----------
    energy : eps = phi/N, any array.
    f0, f1, f2 : f(0) > 0, f'(0) < 0, f''(0) >= f'^2/f, where <phi(x) phi(y)> = N f(|x-y|^2/2N); default f(q) = e^-q.

    Returns
    -------
    s, same shape: -eps (|f'|/f) sqrt(f'')/(f'' + f'^2/f). Beyond |s| = 1 the linear law is only the continuation (the
    index stays 0 or N there).

    Raises
    ------
    InputError
        Not a covariance.

    Source: derived here (``random-index-energy``); Bray & Dean 2007.
    """
    _covariance(f0, f1, f2)
    return -floats(energy, "energy")[()] * (-f1 / f0) * np.sqrt(f2) / (f2 + f1**2 / f0)


def index_share(shift) -> np.ndarray | float:
    """Share of negative eigenvalues of a semicircle of radius 1 centred at ``shift``: [arccos s - s sqrt(1-s^2)]/pi.

    Parameters
    ----------
    shift : any array; beyond 1 the share is 0, below -1 it is 1.

    Source: Bray & Dean 2007; the integral is done in ``random-index-energy``.
    """
    s = np.clip(floats(shift, "shift"), -1.0, 1.0)[()]
    return (np.arccos(s) - s * np.sqrt(1 - s * s)) / np.pi


def index_at_energy(energy, f0: float = 1.0, f1: float = -1.0, f2: float = 1.0) -> np.ndarray | float:
    """Share of negative eigenvalues at critical points of energy N eps; arguments of :func:`shift_at_energy`."""
    return index_share(shift_at_energy(energy, f0, f1, f2))


def threshold_energy(f0: float = 1.0, f1: float = -1.0, f2: float = 1.0) -> float:
    """-|eps| at which s = 1: below it nearly all critical points are minima, above it exponentially few are.

    Arguments of :func:`shift_at_energy`. Source: derived here.
    """
    _covariance(f0, f1, f2)
    return -(f2 + f1**2 / f0) * f0 / (-f1 * f2**0.5)
