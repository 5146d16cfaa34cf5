"""Shared nearest neighbours: are the same rows close to each other in two sets of features?

For each row, the share of its k nearest rows by one set of features that are among its k nearest by the other, averaged over
rows: mutual k-nearest-neighbour alignment, Huh et al. 2024 (arXiv 2405.07987), with Euclidean distances. It is 1 for
features that differ by rotation and isotropic scaling, and k/(n-1) for unrelated ones, so state the number of rows with it.
Ties in distance are broken by row number.
"""

import numpy as np

from lab import checks
from lab.arrays import floats, power_of_two
from lab.errors import InputError

__all__ = ["shared_neighbours"]


def shared_neighbours(x: np.ndarray, y: np.ndarray, *, neighbours: int = 10) -> np.ndarray:
    """Share of each row's nearest rows by ``x`` that are also among its nearest by ``y``; the measure is the mean over rows.

    Parameters
    ----------
    x : ndarray of shape (rows, units of x)
        Features; the distances between all pairs of rows are held in memory.
    y : ndarray of shape (rows, units of y)
        Features of the same rows.
    neighbours : int, default 10
        k, below the number of rows.

    Returns
    -------
    ndarray of shape (rows,)
        In [0, 1].

    Raises
    ------
    InputError
        Shapes that do not fit, values that are not finite, too few rows.

    References
    ----------
    Huh et al. 2024 (arXiv 2405.07987), mutual k-nearest-neighbour alignment.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100, 3))
    >>> float(shared_neighbours(x, 2 * x[:, ::-1]).mean())
    1.0
    """
    x, y = floats(x, "x"), floats(y, "y")
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
        raise InputError(f"shared neighbours need two (rows, units) arrays of the same rows: {x.shape}, {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("features that are not finite")
    checks.whole_number("neighbours", neighbours, 1, max(1, len(x) - 1))
    checks.fits_memory(rows=len(x), rows_beside=len(x))
    near_x, near_y = (nearest_rows(block, neighbours) for block in (x, y))
    return (near_x & near_y).sum(axis=1) / neighbours


def nearest_rows(x: np.ndarray, neighbours: int) -> np.ndarray:
    """Mask (rows, rows) of each row's nearest rows."""
    x = x / power_of_two(np.abs(x).max())
    x -= x.mean(axis=0)
    squares = np.einsum("ij,ij->i", x, x)
    distance = squares[:, None] + squares - 2 * (x @ x.T)
    np.fill_diagonal(distance, np.inf)
    order = np.argsort(distance, axis=1, kind="stable")[:, :neighbours]
    mask = np.zeros(distance.shape, bool)
    np.put_along_axis(mask, order, True, axis=1)
    return mask
