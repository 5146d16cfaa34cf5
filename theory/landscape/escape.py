"""Adding neurons at a critical point: curvature of a split, index of the widened network, slope of a neuron grown from zero.

Symbols and results are stated in :mod:`theory.landscape`; everything is derived here (``landscape-split``).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lab.arrays import floats
from lab.errors import ArgumentError, InputError
from theory.landscape.closed_form import angle_parts, as_weights, hessian, own_curvature, unit_vectors

ZERO = 1e-8  # eigenvalues below ZERO times the spectral radius count as zero


def negative_directions(matrix: npt.ArrayLike) -> np.ndarray | int:
    """n_-: number of eigenvalues below -1e-8 times the spectral radius.

    Source: definition of the index, with a threshold for rounding errors.

    Parameters
    ----------
    matrix : array_like, shape (..., m, m)
        Symmetric.

    Returns
    -------
    int or ndarray of int
        One number for each matrix, in 0 ... m.

    Examples
    --------
    >>> negative_directions(np.diag([-2.0, 0.0, 1.0]))
    1
    """
    values = np.linalg.eigvalsh(floats(matrix, "matrix"))
    count = np.sum(values < -ZERO * np.abs(values).max(axis=-1, keepdims=True), axis=-1)
    return int(count) if np.ndim(count) == 0 else count


def split_curvature(students: npt.ArrayLike, teachers: npt.ArrayLike, unit: int, share: float = 0.5) -> np.ndarray:
    """Curvatures along which the copies move apart when one unit is split into share w and (1 - share) w.

    They are 1/2 (1/share + 1/(1 - share)) times the eigenvalues of H'_ii, along (u, -u)/sqrt 2 with u its
    eigenvectors. One of them is 0 (u along w: the copies exchange length). Source: derived here (``landscape-split``).

    Parameters
    ----------
    students : array_like, shape (n, d)
        Weights, none of them zero.
    teachers : array_like, shape (k, d)
        Weights.
    unit : int
        Index of the student to split, in 0 ... n - 1.
    share : float, default 0.5
        Share of the first copy, in (0, 1).

    Returns
    -------
    ndarray, shape (d,)
        Ascending.

    Raises
    ------
    InputError
        If there is no such unit, the share lies outside (0, 1), or a student is zero.

    Examples
    --------
    >>> split_curvature([[1.0, 1.0]], np.eye(2), 0)[:1].round(4)
    array([-0.6366])
    """
    blocks = own_curvature(students, teachers)
    if not 0 <= unit < len(blocks):
        raise ArgumentError(f"there is no student {unit}: the network has {len(blocks)}")
    if not 0 < share < 1:
        raise ArgumentError(f"the share of the first copy must lie in (0, 1), got {share}")
    return 0.5 * (1 / share + 1 / (1 - share)) * np.linalg.eigvalsh(blocks[unit])


def escape_index(students: npt.ArrayLike, teachers: npt.ArrayLike, added: npt.ArrayLike) -> int:
    """Number of negative Hessian directions after widening a critical point by splitting units.

    index(H) + sum_i added_i n_-(H'_ii), independent of the copies' lengths. Source: derived here (``landscape-split``).

    Parameters
    ----------
    students : array_like, shape (n, d)
        A critical point of the loss (not checked: the formula is exact only there).
    teachers : array_like, shape (k, d)
        Weights.
    added : int or array_like of int, shape (n,)
        Numbers of copies added to each unit, at least 0; or a single number, all added to the unit where they add most
        directions, which gives the largest index for that number of copies.

    Returns
    -------
    int
        At least 0.

    Raises
    ------
    InputError
        If ``added`` is negative or misshapen, or a student is zero.

    Examples
    --------
    >>> from theory.landscape import symmetric_minimum
    >>> minimum = symmetric_minimum(6)
    >>> [escape_index(minimum, np.eye(6), added) for added in (0, 1, 2)]
    [0, 5, 10]
    """
    per_unit = np.atleast_1d(negative_directions(own_curvature(students, teachers)))
    added = np.asarray(added)
    if added.dtype.kind not in "iu" or np.any(added < 0) or added.shape not in ((), per_unit.shape):
        raise ArgumentError(f"added must be an integer >= 0 or {len(per_unit)} of them")
    base = negative_directions(hessian(students, teachers))
    if added.ndim == 0:
        return int(base + int(added) * per_unit.max())
    return int(base + added @ per_unit)


def widen(students: npt.ArrayLike, shares: Sequence[Sequence[float]]) -> np.ndarray:
    """The network in which unit i is replaced by copies ``shares[i][a] * w_i``.

    Source: derived here (``landscape-split``); the function computed is the same.

    Parameters
    ----------
    students : array_like, shape (n, d)
        Weights.
    shares : sequence of n sequences of float
        Positive, those of each unit summing to 1.

    Returns
    -------
    ndarray, shape (sum of lengths, d)
        Weights of the wider network.

    Raises
    ------
    InputError
        If shares are not positive or do not sum to 1 (to 1e-12), or there are not n lists of them.

    Examples
    --------
    >>> widen([[1.0, 2.0], [3.0, 0.0]], [[0.25, 0.75], [1.0]])
    array([[0.25, 0.5 ],
           [0.75, 1.5 ],
           [3.  , 0.  ]])
    """
    students = as_weights(students, "students")
    if len(shares) != len(students):
        raise InputError(f"{len(students)} students need as many lists of shares, got {len(shares)}")
    for i, share in enumerate(shares):
        if len(share) == 0 or min(share) <= 0 or abs(sum(share) - 1) > 1e-12:
            raise InputError(f"the shares of student {i} must be positive and sum to 1")
    return np.concatenate([np.outer(floats(share, "share"), w) for share, w in zip(shares, students)])


def birth_slope(students: npt.ArrayLike, teachers: npt.ArrayLike, directions: npt.ArrayLike) -> np.ndarray:
    """Slope of the loss when a neuron is grown from zero: dF(W + eps u)/d eps at eps = 0+.

    r(u) = sum_i f(w_i, u) - sum_j f(v_j, u), the overlap of the residual with relu(u.x). A negative value means a
    neuron added at zero escapes along u, at first order. Source: derived here (module docstring of :mod:`theory.landscape`).

    Parameters
    ----------
    students : array_like, shape (n, d)
        Weights.
    teachers : array_like, shape (k, d)
        Weights.
    directions : array_like, shape (m, d)
        u, of any norms.

    Returns
    -------
    ndarray, shape (m,)
        float64.

    Raises
    ------
    InputError
        If shapes do not fit, there is no unit, or a value is not finite.

    Examples
    --------
    >>> birth_slope([[1.0, 0.0]], np.eye(2), [[0.0, 1.0], [-1.0, 0.0]]).round(4)
    array([-0.5   , -0.1592])
    """
    directions = as_weights(directions, "directions")
    norm, hat = unit_vectors(directions)
    slope = np.zeros(len(directions))
    for others, sign in ((as_weights(students, "students"), 1.0), (as_weights(teachers, "teachers"), -1.0)):
        if others.shape[1] != directions.shape[1]:
            raise InputError(f"directions have dimension {directions.shape[1]}, the units {others.shape[1]}")
        other_norm, other_hat = unit_vectors(others)
        theta, sine, cosine = angle_parts(hat, other_hat)
        slope += sign * ((sine + (np.pi - theta) * cosine) @ other_norm) / (2 * np.pi)
    return norm * slope
