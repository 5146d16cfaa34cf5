"""Polynomial classifiers p(x) = w·φ(x) ≷ 0 of a given degree, fitted in four ways.

φ are the products of Legendre polynomials P_i(x₁) P_j(x₂), i + j ≤ k: (k+1)(k+2)/2 of them, of comparable size on the
square around the data. Outside it they grow like |x|^k, so that the decisions there depend on parts of w that the data do not
determine. "Norm" and "margin" below refer to this basis.

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
    """Products of Legendre polynomials at points of the plane.

    Parameters
    ----------
    points : (n, 2) float array
        Finite points.
    degree : int ≥ 0
        Largest total degree k.

    Returns
    -------
    (n, (k+1)(k+2)/2) float array
        P_i(x₁) P_j(x₂), i + j ≤ k; the first is the constant.

    Raises
    ------
    InputError
        For another shape, values that are not finite, or a negative degree.

    Examples
    --------
    >>> features(np.array([[0.5, -1.0]]), 1)
    array([[ 1. , -1. ,  0.5]])
    """
    points = floats(points, "points")
    if points.ndim != 2 or points.shape[1] != 2 or not np.all(np.isfinite(points)):
        raise InputError(f"points must be finite and (n, 2), got shape {points.shape}")
    if degree < 0:
        raise ArgumentError(f"the degree must be at least 0, got {degree}")
    one, two = (np.polynomial.legendre.legvander(points[:, i], degree) for i in range(2))
    return np.stack([one[:, i] * two[:, j] for i in range(degree + 1) for j in range(degree + 1 - i)], axis=1)


@njit("(f8[:, ::1], f8[::1], f8[:, ::1], f8, f8, i8, f8[::1])", open=True, parallel=True, cache=True, error_model="numpy")
def descend_all(phi, signs, weights, learning_rate, target_loss, max_steps, losses):
    """Full-batch gradient descent on the mean logistic loss, one replica per row of ``weights`` (R, F), in place.

    phi : (n, F); signs : (n,) ±1; losses : (R,) <- last mean losses. Plain twin: the NumPy loop of
    tests/toy/test_polynomial.py.
    """
    n, size = phi.shape
    for r in prange(weights.shape[0]):
        w = weights[r]
        gradient = np.empty(size)
        for _ in range(max_steps):
            gradient[:] = 0.0
            loss = 0.0
            # L = mean_i log(1 + e^(−m_i)), m_i = s_i w·φ_i;  −∇L = mean_i s_i φ_i / (1 + e^(m_i)), in e^(−|m|) against overflow
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
    """Gradient descent on the logistic loss.

    The step is 1/L with L = λ_max(φᵀφ)/(4n), a bound on the curvature of the loss.

    Parameters
    ----------
    phi : (n, F) float array
        Features.
    signs : (n,) float array
        Classes ±1.
    start : (R, F) float array
        Initial weights.
    target_loss : float, default 0.01
        Mean loss at which a replica stops.
    max_steps : int, default 50,000
        Steps after which it stops in any case.

    Returns
    -------
    weights : (R, F) float array
        Final weights.
    losses : (R,) float array
        Their mean losses.

    Examples
    --------
    >>> weights, losses = descend(np.array([[1.0], [-1.0]]), np.array([1.0, -1.0]), np.zeros((1, 1)), target_loss=0.1)
    >>> losses[0] <= 0.1, weights[0, 0] > 0
    (np.True_, np.True_)
    """
    phi = np.ascontiguousarray(phi, dtype=np.float64)
    weights, losses = np.array(start, dtype=np.float64, order="C"), np.empty(len(start))
    curvature = np.linalg.norm(phi, 2) ** 2 / (4 * len(phi))
    descend_all(phi, floats(signs, "signs"), weights, 1 / curvature, target_loss, max_steps, losses)
    return weights, losses


def max_margin(phi: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Weights of the hard-margin support vector machine; the bias is free and added to the first, constant feature.

    Parameters
    ----------
    phi : (n, F) float array
        Features.
    signs : (n,) float array
        Classes ±1.

    Returns
    -------
    (F,) float array

    Raises
    ------
    InputError
        If the features do not separate the classes.

    Examples
    --------
    >>> max_margin(np.array([[1.0, -2.0], [1.0, 2.0]]), np.array([-1.0, 1.0])).round(3)
    array([0. , 0.5])
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import SVC

    with warnings.catch_warnings():  # the check below is more informative than the solver's warning
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine = SVC(kernel="linear", C=1e9, tol=1e-7, max_iter=2_000_000).fit(phi, signs)
    weights = machine.coef_[0].copy()
    weights[0] += machine.intercept_[0]
    if np.any(signs * (phi @ weights) <= 0):
        raise InputError("these features do not separate the classes: take a higher degree")
    return weights


def minimum_norm(phi: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Weights of the smallest norm among those with the least squared error on ±1.

    Parameters
    ----------
    phi : (n, F) float array
        Features.
    signs : (n,) float array
        Classes ±1.

    Returns
    -------
    (F,) float array

    Examples
    --------
    >>> minimum_norm(np.array([[1.0, 1.0]]), np.array([1.0])).round(3)
    array([0.5, 0.5])
    """
    return np.linalg.lstsq(phi, signs, rcond=None)[0]
