"""What adding neurons does to a critical point: curvature of a split, index of the widened network, slope of a birth.

Symbols and statements in :mod:`theory.landscape`; all of it derived here (``landscape-split``).
"""

from collections.abc import Sequence

import numpy as np

from lab.arrays import floats
from lab.errors import ArgumentError, InputError
from theory.landscape.closed_form import angle_parts, as_weights, hessian, own_curvature, unit_vectors

ZERO = 1e-8  # an eigenvalue within ZERO times the largest one in size counts as zero


def negative_directions(matrix) -> np.ndarray | int:
    """n_-: number of eigenvalues below -ZERO times the spectral radius, for symmetric matrices (..., m, m)."""
    values = np.linalg.eigvalsh(floats(matrix, "matrix"))
    count = np.sum(values < -ZERO * np.abs(values).max(axis=-1, keepdims=True), axis=-1)
    return int(count) if np.ndim(count) == 0 else count


def split_curvature(students, teachers, unit: int, share: float = 0.5) -> np.ndarray:
    """Curvatures (d, ascending) opened by splitting one unit into share w and (1 - share) w.

    They are 1/2 (1/share + 1/(1 - share)) times the eigenvalues of H'_ii, along (u, -u)/sqrt 2 with u its
    eigenvectors. One of them is 0 (u along w: the copies trade length).

    Parameters
    ----------
    students, teachers : (n, d), (k, d). unit : index of the student. share : in (0, 1).

    Raises
    ------
    InputError
        No such unit, share outside (0, 1), a zero student.

    Source: derived here (``landscape-split``).
    """
    blocks = own_curvature(students, teachers)
    if not 0 <= unit < len(blocks):
        raise ArgumentError(f"there is no student {unit}: the network has {len(blocks)}")
    if not 0 < share < 1:
        raise ArgumentError(f"the share of the first copy must lie in (0, 1), got {share}")
    return 0.5 * (1 / share + 1 / (1 - share)) * np.linalg.eigvalsh(blocks[unit])


def escape_index(students, teachers, added) -> int:
    """Number of negative Hessian directions after widening a critical point by splitting units.

    Parameters
    ----------
    students : (n, d), a critical point of the loss (not checked: the formula is exact only there).
    teachers : (k, d).
    added : (n,) integers >= 0, neurons added as copies of each unit; or one integer, the number of neurons added, all
        to the unit where they open most directions (the largest index that so many copies can reach).

    Returns
    -------
    int : index(H) + sum_i added_i n_-(H'_ii); independent of how the lengths are shared out.

    Raises
    ------
    InputError
        Negative or misshapen ``added``, a zero student.

    Source: derived here (``landscape-split``).
    """
    per_unit = np.atleast_1d(negative_directions(own_curvature(students, teachers)))
    added = np.asarray(added)
    if added.dtype.kind not in "iu" or np.any(added < 0) or added.shape not in ((), per_unit.shape):
        raise ArgumentError(f"added must be an integer >= 0 or {len(per_unit)} of them")
    base = negative_directions(hessian(students, teachers))
    if added.ndim == 0:
        return int(base + int(added) * per_unit.max())
    return int(base + added @ per_unit)


def widen(students, shares: Sequence[Sequence[float]]) -> np.ndarray:
    """The network in which unit i is replaced by copies ``shares[i][a] * w_i``.

    Parameters
    ----------
    students : (n, d). shares : n sequences of positive numbers, each summing to 1.

    Returns
    -------
    (sum of lengths, d) weights of a network that computes the same function.

    Raises
    ------
    InputError
        Shares that are not positive or do not sum to 1 (to 1e-12).
    """
    students = as_weights(students, "students")
    if len(shares) != len(students):
        raise InputError(f"{len(students)} students need as many lists of shares, got {len(shares)}")
    for i, share in enumerate(shares):
        if len(share) == 0 or min(share) <= 0 or abs(sum(share) - 1) > 1e-12:
            raise InputError(f"the shares of student {i} must be positive and sum to 1")
    return np.concatenate([np.outer(floats(share, "share"), w) for share, w in zip(shares, students)])


def birth_slope(students, teachers, directions) -> np.ndarray:
    """Slope of the loss when a neuron is grown from zero: dF(W + eps u)/d eps at eps = 0+.

    r(u) = sum_i f(w_i, u) - sum_j f(v_j, u), the overlap of the residual with relu(u.x). A negative value means a
    neuron added at zero escapes along u, at first order.

    Parameters
    ----------
    students, teachers : (n, d), (k, d). directions : (m, d), any norms.

    Returns
    -------
    (m,) float64.

    Source: derived here.
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
