"""Critical points of any smooth landscape: the gradient's norm minimised by damped Newton steps, many points at a time.

The minimum of |∇F|² that counts is 0. With H = V Λ Vᵀ the step is Levenberg and Marquardt's,

    −V Λ (Λ² + λ)⁻¹ Vᵀ ∇F,

Newton's where λ is small, and a descent of |∇F|² always; it is taken if |∇F| falls, and λ is lowered then and raised else. The
search is blind to the height and to the signs of the curvatures: it ends in minima, saddles and maxima alike, or where |∇F|² has
a minimum that is none of F (H ∇F = 0), which is no critical point and is told by its norm.
"""

from collections.abc import Callable

import numpy as np

FIRST_DAMPING, LOWER, RAISE = 1e-2, 0.2, 5.0


def search(slopes: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], start: np.ndarray, tolerance: float,
           max_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Follow Newton's steps from every start.

    Parameters
    ----------
    slopes : points (R, N) → gradients (R, N) and Hessians (R, N, N).
    start : (R, N).
    tolerance : norm of the gradient at which a point is left alone.
    max_steps : steps a point.

    Returns
    -------
    points : (R, N). norms : (R,) of the gradient there.
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
