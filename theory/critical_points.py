"""Critical points of any smooth landscape, and statistics of their heights and indices.

Search: damped Newton steps minimise |∇F|², many points at a time, until it is 0. With H = V Λ Vᵀ the step is that of Levenberg
and Marquardt,

    −V Λ (Λ² + λ)⁻¹ Vᵀ ∇F,

Newton's step for small λ, and always a descent direction of |∇F|². A step is accepted if |∇F| decreases; then λ is lowered,
otherwise it is raised. The search ignores heights and the signs of the curvatures, so it ends in minima, saddles and maxima
alike. It may also end in a minimum of |∇F|² that is not a critical point of F (H ∇F = 0), which its norm shows.

The same functions serve the toy landscapes (:mod:`toy.critical_points`) and real networks (:mod:`empirical.critical_points`).
"""

from collections.abc import Callable

import numpy as np

__all__ = ["coins", "distinct", "fall", "index", "search"]

FIRST_DAMPING, LOWER, RAISE = 1e-2, 0.2, 5.0
SAME = 1e-7  # heights closer than this count as equal
NEGATIVE = 1e-8  # curvatures below minus this share of the largest one in size count as negative


def search(slopes: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], start: np.ndarray, tolerance: float,
           max_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Search for a critical point from every start.

    Parameters
    ----------
    slopes : function
        Maps points (R, N) to gradients (R, N) and Hessians (R, N, N).
    start : (R, N) array
        Starting points.
    tolerance : float
        Norm of the gradient at which a search ends.
    max_steps : int
        Largest number of steps per point.

    Returns
    -------
    points : (R, N) array
        End points of the searches.
    norms : (R,) array
        Norms of the gradient at the end points.

    Examples
    --------
    >>> def saddle(x):
    ...     return x * [1.0, -2.0], np.array([np.diag([1.0, -2.0])] * len(x))
    >>> points, norms = search(saddle, np.array([[3.0, 1.0]]), 1e-9, 50)
    >>> bool(norms[0] < 1e-9)
    True
    """
    x = np.array(start, dtype=np.float64)
    gradient, hessian = slopes(x)
    norm = np.linalg.norm(gradient, axis=1)
    damping = np.full(len(x), FIRST_DAMPING)
    for _ in range(max_steps):
        run = np.flatnonzero((norm > tolerance) & (damping < 1e12))
        if run.size == 0:
            break
        values, vectors = np.linalg.eigh(hessian[run])
        along = np.einsum("rij,ri->rj", vectors, gradient[run]) * values / (values**2 + damping[run, None])
        tried = x[run] - np.einsum("rij,rj->ri", vectors, along)
        new_gradient, new_hessian = slopes(tried)
        new_norm = np.linalg.norm(new_gradient, axis=1)
        better = new_norm < norm[run]  # False for NaN
        kept = run[better]
        x[kept], gradient[kept], hessian[kept], norm[kept] = (a[better] for a in (tried, new_gradient, new_hessian, new_norm))
        damping[run] = np.maximum(damping[run] * np.where(better, LOWER, RAISE), 1e-15)
    return x, norm


def index(curvatures: np.ndarray) -> np.ndarray:
    """Number of negative curvatures: below :data:`NEGATIVE` of the largest in size.

    Parameters
    ----------
    curvatures : (..., N) array
        Hessian eigenvalues.

    Returns
    -------
    (...) array of int
        Their number.

    Examples
    --------
    >>> index(np.array([[-1.0, -1e-12, 2.0], [0.5, 1.0, 3.0]]))
    array([1, 0])
    """
    return np.sum(curvatures < -NEGATIVE * np.abs(curvatures).max(axis=-1, keepdims=True), axis=-1)


def distinct(loss: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct points: those of the same height and index, an orbit of a symmetry or a flat region, count once.

    Parameters
    ----------
    loss : (P,) array
        Heights.
    index : (P,) array of int
        Negative directions.

    Returns
    -------
    loss : (D,) array
        Heights of distinct points, sorted by index.
    index : (D,) array of int
        Their indices.

    Examples
    --------
    >>> distinct(np.array([0.2, 0.1, 0.1 + 1e-12]), np.array([1, 0, 0]))
    (array([0.1, 0.2]), array([0, 1]))
    """
    order = np.lexsort((loss, index))
    loss, index = loss[order], index[order]
    first = np.concatenate([[True], (np.diff(loss) > SAME) | (np.diff(index) != 0)])[:loss.size]
    return loss[first], index[first]


def fall(loss: np.ndarray, share: np.ndarray) -> float:
    """Share of negative directions one standard deviation of the loss above its mean, minus one below.

    It is twice the standard deviation times the slope of the share over the loss.

    Parameters
    ----------
    loss : (P,) array
        Heights of critical points.
    share : (P,) array
        Share of their directions that are negative.

    Returns
    -------
    float
        NaN if all heights are equal.

    Examples
    --------
    >>> round(fall(np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.1, 0.2])), 9)
    0.2
    """
    spread = loss.std(ddof=1) if loss.size > 1 else 0.0
    return float(2 * np.cov(loss, share)[0, 1] / spread) if spread > 0 else np.nan


def coins(loss: np.ndarray, index: np.ndarray, directions: int) -> float:
    """Variance of the index at given loss, over that of as many independent coin flips with the same mean.

    The mean share at a height is given by a parabola fitted to all points.

    Parameters
    ----------
    loss : (P,) array
        Heights of critical points.
    index : (P,) array of int
        Numbers of their negative directions.
    directions : int
        Number of all directions, N.

    Returns
    -------
    float
        NaN with fewer than five different heights.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> round(coins(rng.normal(size=4000), rng.binomial(20, 0.3, 4000), 20), 1)
    1.0
    """
    if np.unique(loss).size < 5:
        return np.nan
    loss = (loss - loss.mean()) / loss.std()
    p = np.clip(np.polyval(np.polyfit(loss, index / directions, 2), loss), 0.5 / directions, 1 - 0.5 / directions)
    spread = np.sum((index - directions * p) ** 2) / (directions * np.sum(p * (1 - p)))
    return float(spread * loss.size / (loss.size - 3))
