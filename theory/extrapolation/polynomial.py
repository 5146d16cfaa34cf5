"""The smallest degree of a polynomial that separates two classes; the results are stated in :mod:`theory.extrapolation`.

Feasibility: maximise t subject to y_i p(x_i) >= t, |coefficients| <= 1, with p in an orthonormal basis of the
polynomials on the points (QR of a total-degree Legendre basis on the box of the data; powers of raw coordinates
would be ill-conditioned beyond degree 5). t > 0 if and only if the classes are strictly separable.
"""

import itertools
import math

import numpy as np
import numpy.typing as npt

from lab.arrays import floats
from lab.errors import ArgumentError, InputError

MARGIN = 1e-8  # smallest optimum t that counts as positive, |coefficients| <= 1 in the orthonormal basis times sqrt(N)


def cover_separable(points: npt.ArrayLike, features: npt.ArrayLike) -> np.ndarray | float:
    """P(N points in general position with fair random labels are linearly separable through the origin of R^D).

    2^(1-N) sum_{k<D} C(N-1, k) = P(Binomial(N-1, 1/2) <= D-1): Wendel's complement. The arguments broadcast. Source: Cover
    1965; derived in ``extrapolation-wendel``.

    Parameters
    ----------
    points : array_like of int
        N, at least 1.
    features : array_like of int
        D, at least 1.

    Returns
    -------
    float or ndarray
        In [0, 1], of the broadcast shape.

    Raises
    ------
    InputError
        If an argument is below 1 or not a whole number.

    Examples
    --------
    >>> cover_separable([2, 4, 8], 2)
    array([1.    , 0.5   , 0.0625])
    """
    from theory.extrapolation.hull import wendel_inside

    value = 1 - np.asarray(wendel_inside(points, features))
    return float(value) if value.ndim == 0 else value


def degree_distribution(points: int, dimension: int, largest: int) -> np.ndarray:
    """P(smallest separating degree <= k), k = 0 ... largest, for fair random labels on N generic points of R^d.

    Source: Cover 1965 with C(d + k, k) monomials, generic points being in general position for them.

    Parameters
    ----------
    points : int
        N, at least 1.
    dimension : int
        d, at least 1.
    largest : int
        Largest degree, at least 0.

    Returns
    -------
    ndarray, shape (largest + 1,)
        Probabilities, increasing.

    Raises
    ------
    InputError
        If an argument is out of its range.

    Examples
    --------
    >>> degree_distribution(10, 2, 3).round(4)
    array([0.002 , 0.0898, 0.7461, 1.    ])
    """
    if dimension < 1 or largest < 0:
        raise ArgumentError("the dimension must be >= 1 and the largest degree >= 0")
    features = np.array([math.comb(dimension + k, k) for k in range(largest + 1)], dtype=np.float64)
    return np.asarray(cover_separable(points, features))


def _exponents(dimension, degree):
    """All multi-indices of total degree <= degree, ordered by degree."""
    rows = []
    for total in range(degree + 1):
        for where in itertools.combinations_with_replacement(range(dimension), total):
            rows.append(np.bincount(np.array(where, dtype=int), minlength=dimension))
    return np.array(rows).reshape(-1, dimension)


def polynomial_features(points: np.ndarray, degree: int) -> np.ndarray:
    """(N, C(d + k, k)) products of Legendre polynomials, coordinates scaled to [-1, 1] by the data's box."""
    low, high = points.min(0), points.max(0)
    scaled = 2 * (points - low) / np.where(high > low, high - low, 1.0) - (high > low)
    table = np.polynomial.legendre.legvander(scaled, degree)  # (N, d, k + 1)
    features = np.ones((len(points), 1))
    columns = []
    for exponent in _exponents(points.shape[1], degree):
        columns.append(np.prod(table[:, np.arange(points.shape[1]), exponent], axis=1))
    return np.stack(columns, 1) if columns else features


def _classes(points: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    points = floats(points, "points")
    points = points[:, None] if points.ndim == 1 else points
    labels = np.asarray(labels)
    if points.ndim != 2 or len(points) == 0 or not np.all(np.isfinite(points)):
        raise InputError("points must be a finite array (N, d), N >= 1")
    names = np.unique(labels)
    if labels.shape != (len(points),) or len(names) > 2:
        raise InputError("labels must be one of at most two values for each point")
    return points, np.where(labels == names[-1], 1.0, -1.0)


def separating_polynomial(points: npt.ArrayLike, labels: npt.ArrayLike, degree: int) -> tuple[float, np.ndarray | None]:
    """The polynomial of a degree that separates two classes with the largest margin, by linear programming.

    Source: derived here (module docstring).

    Parameters
    ----------
    points : array_like, shape (N, d) or (N,)
        Finite.
    labels : array_like, shape (N,)
        At most two different values.
    degree : int
        At least 0.

    Returns
    -------
    margin : float
        Largest t with y_i p(x_i) >= t over p with coefficients in [-1, 1] in the orthonormal basis; 0 if there is none.
    values : ndarray, shape (N,), or None
        p(x_i); None if the classes are not separable.

    Raises
    ------
    InputError
        If shapes do not fit, there are more than two labels, the degree is negative, or the solver fails.

    Examples
    --------
    >>> points, labels = [-1.0, 0.0, 1.0], [0, 1, 0]
    >>> separating_polynomial(points, labels, 1)
    (0.0, None)
    >>> np.sign(separating_polynomial(points, labels, 2)[1])
    array([-1.,  1., -1.])
    """
    from scipy.linalg import qr
    from scipy.optimize import linprog

    points, sign = _classes(points, labels)
    if degree < 0 or degree != int(degree):
        raise ArgumentError(f"the degree must be a whole number >= 0, got {degree}")
    features = polynomial_features(points, int(degree))
    q, r, _ = qr(features, mode="economic", pivoting=True)
    size = np.abs(np.diag(r))
    basis = q[:, size > 1e-12 * size[0]] * math.sqrt(len(points))
    m = basis.shape[1]
    constraint = np.hstack([-sign[:, None] * basis, np.ones((len(points), 1))])
    solved = linprog(np.r_[np.zeros(m), -1.0], A_ub=constraint, b_ub=np.zeros(len(points)),
                     bounds=[(-1, 1)] * m + [(0, 1)], method="highs",
                     options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10})
    if solved.status != 0:
        raise InputError(f"the linear program of degree {degree} was not solved: {solved.message}")
    margin = float(-solved.fun)
    if margin <= MARGIN:
        return 0.0, None
    return margin, basis @ solved.x[:m]


def separating_degree(points: npt.ArrayLike, labels: npt.ArrayLike, largest: int = 20) -> int | None:
    """Smallest degree of a polynomial that separates two classes strictly.

    Separability is monotone in the degree, so the search bisects. Source: derived here, by :func:`separating_polynomial`.

    Parameters
    ----------
    points : array_like, shape (N, d) or (N,)
        Finite.
    labels : array_like, shape (N,)
        At most two different values.
    largest : int, default 20
        Largest degree tried.

    Returns
    -------
    int or None
        The degree; None if none up to ``largest`` will do.

    Raises
    ------
    InputError
        As :func:`separating_polynomial`.

    Examples
    --------
    >>> separating_degree([-1.0, 0.0, 1.0], [0, 1, 0], largest=4)
    2
    """
    if len(np.unique(labels)) < 2:
        _classes(points, labels)
        return 0
    if separating_polynomial(points, labels, largest)[1] is None:
        return None
    low, high = 0, largest  # not separable at low (two classes, a constant), separable at high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if separating_polynomial(points, labels, middle)[1] is None else (low, middle)
    return high
