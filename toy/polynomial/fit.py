"""Polynomial classifiers p(x) = w·φ(x) ≷ 0 of a given degree, fitted in four ways.

φ are the products of Legendre polynomials P_i(x₁) P_j(x₂), i + j ≤ k: (k+1)(k+2)/2 of them, of comparable size on the
square that holds the data; outside it they grow like |x|^k, so that what w does not need for the data decides everything
there. "Norm" and "margin" below are in this basis.

``max-margin``
    the hard-margin support vector machine;
``minimum-norm``
    the smallest w with p = ±1 at the training points (least squares where there are fewer features than points);
``gradient-small``, ``gradient-large``
    gradient descent on the logistic loss from a small and from a large random start, to a given mean loss.
"""

import numpy as np
from numba import prange

from lab.arrays import floats
from lab.compiled import njit
from lab.errors import ArgumentError, InputError

REGIMES = ("max-margin", "minimum-norm", "gradient-small", "gradient-large")


def features(points: np.ndarray, degree: int) -> np.ndarray:
    """(n, (k+1)(k+2)/2) products of Legendre polynomials at points (n, 2)."""
    points = floats(points, "points")
    if points.ndim != 2 or points.shape[1] != 2 or not np.all(np.isfinite(points)):
        raise InputError(f"points must be finite and (n, 2), got shape {points.shape}")
    if degree < 0:
        raise ArgumentError(f"the degree must be at least 0, got {degree}")
    one, two = (np.polynomial.legendre.legvander(points[:, i], degree) for i in range(2))
    return np.stack([one[:, i] * two[:, j] for i in range(degree + 1) for j in range(degree + 1 - i)], axis=1)


@njit(parallel=True, cache=True, error_model="numpy")
def _descend(phi, signs, weights, learning_rate, target_loss, max_steps, losses):
    """Full-batch gradient descent on the mean logistic loss, a replica a row of ``weights`` (in place)."""
    n, size = phi.shape
    for r in prange(weights.shape[0]):
        w = weights[r]
        gradient = np.empty(size)
        for _ in range(max_steps):
            gradient[:] = 0.0
            loss = 0.0
            for i in range(n):
                p = 0.0
                for j in range(size):
                    p += phi[i, j] * w[j]
                m = signs[i] * p
                small = np.exp(-abs(m))
                loss += np.log1p(small) + (0.0 if m > 0 else -m)
                push = signs[i] * (small if m > 0 else 1.0) / (1.0 + small)
                for j in range(size):
                    gradient[j] += push * phi[i, j]
            losses[r] = loss / n
            if losses[r] <= target_loss:
                break
            for j in range(size):
                w[j] += learning_rate / n * gradient[j]


def descend(phi: np.ndarray, signs: np.ndarray, start: np.ndarray, target_loss: float = 0.01,
            max_steps: int = 50_000) -> tuple[np.ndarray, np.ndarray]:
    """Weights (R, F) and last mean losses (R,) of gradient descent on the logistic loss from ``start`` (R, F).

    The step is 1/L, L = λ_max(φᵀφ)/(4n) the largest curvature of the loss: as long as is safe.
    """
    phi = np.ascontiguousarray(phi, dtype=np.float64)
    weights, losses = np.array(start, dtype=np.float64, order="C"), np.empty(len(start))
    curvature = np.linalg.norm(phi, 2) ** 2 / (4 * len(phi))
    _descend(phi, floats(signs, "signs"), weights, 1 / curvature, target_loss, max_steps, losses)
    return weights, losses


def max_margin(phi: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Weights (F,) of the hard-margin support vector machine; the constant feature, the first, carries its free bias.

    Raises
    ------
    InputError
        If the degree does not separate the classes.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import SVC

    with warnings.catch_warnings():  # the check below says more than the solver's warning
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine = SVC(kernel="linear", C=1e9, tol=1e-7, max_iter=2_000_000).fit(phi, signs)
    weights = machine.coef_[0].copy()
    weights[0] += machine.intercept_[0]
    if np.any(signs * (phi @ weights) <= 0):
        raise InputError("these features do not separate the classes: take a higher degree")
    return weights


def minimum_norm(phi: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Weights (F,) of the smallest norm among those with the least squared error on ±1."""
    return np.linalg.lstsq(phi, signs, rcond=None)[0]
