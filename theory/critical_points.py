"""Critical points of any smooth landscape, and what is asked of their heights and indices.

Search: the gradient's norm is minimised by damped Newton steps, many points at a time. The minimum of |∇F|² that counts is 0.
With H = V Λ Vᵀ the step is Levenberg and Marquardt's,

    −V Λ (Λ² + λ)⁻¹ Vᵀ ∇F,

Newton's where λ is small, and a descent of |∇F|² always; it is taken if |∇F| falls, and λ is lowered then and raised else. The
search is blind to the height and to the signs of the curvatures: it ends in minima, saddles and maxima alike, or where |∇F|² has
a minimum that is none of F (H ∇F = 0), which is no critical point and is told by its norm.

The same functions serve the toy landscapes (:mod:`toy.critical_points`) and real networks (:mod:`empirical.critical_points`).
"""

from collections.abc import Callable

import numpy as np

__all__ = ["coins", "distinct", "fall", "index", "search"]

FIRST_DAMPING, LOWER, RAISE = 1e-2, 0.2, 5.0
SAME = 1e-7  # heights closer than this are one
NEGATIVE = 1e-8  # of the largest curvature in size: what lies below minus that is negative


def search(slopes: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], start: np.ndarray, tolerance: float,
           max_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Follow Newton's steps from every start.

    Parameters
    ----------
    slopes : function
        Points (R, N) → gradients (R, N) and Hessians (R, N, N).
    start : (R, N) array
        Where to start.
    tolerance : float
        Norm of the gradient at which a point is left alone.
    max_steps : int
        Steps a point, at most.

    Returns
    -------
    points : (R, N) array
        Where the searches ended.
    norms : (R,) array
        Norms of the gradient there.

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
        better = new_norm < norm[run]  # False where it is no number
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
    """Points of one height and one index count once: an orbit of the landscape's symmetry, or one wide basin.

    Parameters
    ----------
    loss : (P,) array
        Heights.
    index : (P,) array of int
        Negative directions.

    Returns
    -------
    loss : (D,) array
        Heights of distinct points, by index.
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
        NaN where there are no two heights.

    Examples
    --------
    >>> round(fall(np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.1, 0.2])), 9)
    0.2
    """
    spread = loss.std(ddof=1) if loss.size > 1 else 0.0
    return float(2 * np.cov(loss, share)[0, 1] / spread) if spread > 0 else np.nan


def coins(loss: np.ndarray, index: np.ndarray, directions: int) -> float:
    """Variance of the index at given loss, over that of as many independent coins of the same mean.

    The mean share at a height is a parabola through all points.

    Parameters
    ----------
    loss : (P,) array
        Heights of critical points.
    index : (P,) array of int
        Their negative directions.
    directions : int
        N.

    Returns
    -------
    float
        NaN of fewer than five heights.

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
