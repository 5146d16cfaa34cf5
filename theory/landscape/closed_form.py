"""Loss, gradient and Hessian of the ReLU teacher-student problem, exactly, in NumPy.

Plain and vectorised over replicas: the reference for faster kernels. Symbols and sources are those of :mod:`theory.landscape`.
"""

import numpy as np
import numpy.typing as npt

from lab.arrays import floats
from lab.errors import InputError

_TINY = np.finfo(np.float64).tiny


def as_weights(weights: npt.ArrayLike, name: str, *, batched: bool = False) -> np.ndarray:
    """``weights`` as float64 (units, d), or (..., units, d) if ``batched``, checked to be finite and not empty."""
    weights = floats(weights, name)
    if weights.ndim < 2 or (weights.ndim > 2 and not batched) or 0 in weights.shape:
        wanted = "(..., units, d)" if batched else "(units, d)"
        raise InputError(f"{name} must be an array {wanted} with at least one unit, got shape {weights.shape}")
    if not np.isfinite(weights.sum()) and not np.all(np.isfinite(weights)):  # the sum is a cheap first test
        raise InputError(f"{name} holds {np.sum(~np.isfinite(weights))} values that are not finite")
    return weights


def _pair(students: npt.ArrayLike, teachers: npt.ArrayLike, batched: bool = True) -> tuple[np.ndarray, np.ndarray]:
    students = as_weights(students, "students", batched=batched)
    teachers = as_weights(teachers, "teachers")
    if students.shape[-1] != teachers.shape[-1]:
        raise InputError(f"students live in dimension {students.shape[-1]}, teachers in {teachers.shape[-1]}")
    return students, teachers


def unit_vectors(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Norms (..., n) and unit vectors (..., n, d); the unit vector of a zero vector is zero."""
    norm = np.sqrt(np.einsum("...nd,...nd->...n", vectors, vectors))
    return norm, vectors / np.maximum(norm, _TINY)[..., None]


def angle_parts(a_hat: np.ndarray, b_hat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Angle, sine and cosine between all pairs of unit vectors, to full precision near 0 and pi.

    theta = 2 atan2(|a - b|, |a + b|), sin = 2xy, cos = 1 - 2 x^2 or 2 y^2 - 1 with x = |a-b|/2, y = |a+b|/2 (Kahan):
    an arccosine of the scalar product loses eight digits where two units merge.

    Parameters
    ----------
    a_hat, b_hat : ndarray of shape (..., n, d) and (..., m, d)
        Unit vectors.

    Returns
    -------
    theta, sine, cosine : ndarray of shape (..., n, m)
        theta in [0, pi]. A zero vector counts as parallel; its norm makes the results vanish.
    """
    difference = a_hat[..., :, None, :] - b_hat[..., None, :, :]
    total = a_hat[..., :, None, :] + b_hat[..., None, :, :]
    x = np.sqrt(np.einsum("...d,...d->...", difference, difference))
    y = np.sqrt(np.einsum("...d,...d->...", total, total))
    zero = (np.einsum("...d,...d->...", a_hat, a_hat)[..., :, None] < 0.5) | (
        np.einsum("...d,...d->...", b_hat, b_hat)[..., None, :] < 0.5)
    x = np.where(zero, 0.0, x)
    y = np.where(zero, 2.0, y)
    return 2.0 * np.arctan2(x, y), x * y / 2.0, np.where(x < y, 1.0 - x * x / 2.0, y * y / 2.0 - 1.0)


def _kernel_sum(p, q, same=False):
    """sum_ij f(p_i, q_j) over the last two axes' pairs."""
    p_norm, p_hat = unit_vectors(p)
    q_norm, q_hat = (p_norm, p_hat) if same else unit_vectors(q)
    theta, sine, cosine = angle_parts(p_hat, q_hat)
    f = (sine + (np.pi - theta) * cosine) / (2 * np.pi)
    return np.einsum("...i,...ij,...j->...", p_norm, f, q_norm)


def loss(students: npt.ArrayLike, teachers: npt.ArrayLike) -> np.ndarray | float:
    """F(W) = 1/2 <(sum_i relu(w_i.x) - sum_j relu(v_j.x))^2>, x ~ N(0, I_d).

    Source: Safran & Shamir 2018 (arXiv 1712.08968), section 4; the kernel f is derived in ``landscape-loss``.

    Parameters
    ----------
    students : array_like, shape (..., n, d)
        Weights; leading axes are replicas.
    teachers : array_like, shape (k, d)
        Weights.

    Returns
    -------
    float or ndarray
        One loss for each replica; at least 0 up to rounding (cancellation leaves about 1e-14 |v|^2).

    Raises
    ------
    InputError
        If shapes do not fit, there is no unit, or a value is not finite.

    Examples
    --------
    >>> round(loss([[1.0, 1.0]], np.eye(2)), 6), abs(round(loss(np.eye(2), np.eye(2)), 6))
    (0.090845, 0.0)
    """
    students, teachers = _pair(students, teachers)
    result = (0.5 * _kernel_sum(students, students, same=True) - _kernel_sum(students, teachers)
              + 0.5 * _kernel_sum(teachers, teachers, same=True))
    return float(result) if result.ndim == 0 else result


def gradient(students: npt.ArrayLike, teachers: npt.ArrayLike) -> np.ndarray:
    """Gradient of :func:`loss` with respect to the students; 0 is used for the kink at a zero student.

    grad_i = w_i/2 + sum_{j != i} g(w_i, w_j) - sum_j g(w_i, v_j), g(w, v) = [|v| sin(theta) w^ + (pi - theta) v]/2pi.
    A student that is exactly zero has no gradient (its one-sided slopes are :func:`theory.landscape.birth_slope`);
    here its row follows from the convention theta = 0. For speed use :func:`~theory.landscape.gradient_fast`.

    Source: Safran & Shamir 2018; derived in ``landscape-gradient``.

    Parameters
    ----------
    students : array_like, shape (..., n, d)
        Weights; leading axes are replicas.
    teachers : array_like, shape (k, d)
        Weights.

    Returns
    -------
    ndarray, shape (..., n, d)
        float64.

    Raises
    ------
    InputError
        If shapes do not fit, there is no unit, or a value is not finite.

    Examples
    --------
    >>> gradient([[1.0, 1.0]], np.eye(2)).round(4)
    array([[-0.0342, -0.0342]])
    """
    students, teachers = _pair(students, teachers)
    norm, hat = unit_vectors(students)
    teacher_norm, teacher_hat = unit_vectors(teachers)
    theta, sine, _ = angle_parts(hat, hat)
    theta_t, sine_t, _ = angle_parts(hat, teacher_hat)
    along = np.einsum("...ij,...j->...i", sine, norm) - sine_t @ teacher_norm
    return ((np.pi - theta) @ students - (np.pi - theta_t) @ teachers + along[..., None] * hat) / (2 * np.pi)


def _directions(a_hat, b_hat, sine, cosine):
    """n_ab = (b^ - cos a^)/sin for all pairs (n, m, d), zero where the pair is (anti)parallel to rounding."""
    raw = b_hat[None, :, :] - cosine[:, :, None] * a_hat[:, None, :]
    safe = sine > 1e-12
    return np.where(safe[..., None], raw / np.where(safe, sine, 1.0)[..., None], 0.0)


def own_curvature(students: npt.ArrayLike, teachers: npt.ArrayLike) -> np.ndarray:
    """H'_ii: the part of each student's diagonal Hessian block that is not 1/2 I.

    H'_ii = sum_{j != i} h1(w_i, w_j) - sum_j h1(w_i, v_j), h1(w, v) = |v| sin(theta)/(2 pi |w|) (I - w^ w^T + n n^T).
    It has H'_ii w_i = 0 and is the Hessian of the residual's overlap with unit i; its sign determines the effect of splitting
    that unit (:func:`theory.landscape.split_curvature`).

    Source: Safran & Shamir 2018; derived in ``landscape-hessian``.

    Parameters
    ----------
    students : array_like, shape (n, d)
        Weights, none of them zero.
    teachers : array_like, shape (k, d)
        Weights.

    Returns
    -------
    ndarray, shape (n, d, d)
        Symmetric blocks.

    Raises
    ------
    InputError
        If a student is exactly zero (the loss has a kink there), or as :func:`loss`.

    Examples
    --------
    >>> own_curvature([[1.0, 1.0]], np.eye(2)).round(4)
    array([[[-0.1592,  0.1592],
            [ 0.1592, -0.1592]]])
    """
    students, teachers = _pair(students, teachers, batched=False)
    norm, hat = unit_vectors(students)
    if np.any(norm == 0):
        raise InputError(f"student {int(np.argmin(norm))} is zero: the loss has a kink there and no Hessian")
    d = students.shape[1]
    transverse = np.eye(d) - hat[:, :, None] * hat[:, None, :]
    blocks = np.zeros((len(students), d, d))
    for other, sign in ((students, 1.0), (teachers, -1.0)):
        other_norm, other_hat = unit_vectors(other)
        _, sine, cosine = angle_parts(hat, other_hat)
        weight = sign * sine * other_norm / (2 * np.pi * norm[:, None])
        if other is students:
            np.fill_diagonal(weight, 0.0)
        n = _directions(hat, other_hat, sine, cosine)
        blocks += weight.sum(1)[:, None, None] * transverse + np.einsum("ij,ija,ijb->iab", weight, n, n)
    return blocks


def hessian(students: npt.ArrayLike, teachers: npt.ArrayLike) -> np.ndarray:
    """Hessian of :func:`loss`, unit by unit: row i d + a is component a of student i.

    H_ii = 1/2 I + H'_ii (:func:`own_curvature`), H_ij = [(pi - theta) I + n_ij w_j^T + n_ji w_i^T (unit vectors)]/2pi
    with rows of student i, n_ij = (w_i^ - cos w_j^)/sin and n_ji = (w_j^ - cos w_i^)/sin. For coinciding students
    H_ij = 1/2 I: F is C^2 there but not C^3 (second differences have an error linear in the step). At an exactly
    antiparallel pair H_ij is discontinuous; 0, the mean over directions of approach, is returned.

    Source: Safran & Shamir 2018; derived in ``landscape-hessian``.

    Parameters
    ----------
    students : array_like, shape (n, d)
        Weights, none of them zero.
    teachers : array_like, shape (k, d)
        Weights.

    Returns
    -------
    ndarray, shape (n d, n d)
        Symmetric.

    Raises
    ------
    InputError
        As :func:`own_curvature`.

    Examples
    --------
    >>> np.linalg.eigvalsh(hessian(np.eye(2), np.eye(2))).round(4)
    array([0.0908, 0.4092, 0.5908, 0.9092])
    """
    students, teachers = _pair(students, teachers, batched=False)
    n, d = students.shape
    _, hat = unit_vectors(students)
    theta, sine, cosine = angle_parts(hat, hat)
    across = _directions(hat, hat, sine, cosine)  # across[i, j] = n_ji: the part of j orthogonal to i
    blocks = (np.pi - theta)[:, :, None, None] * np.eye(d)
    blocks += across.transpose(1, 0, 2)[:, :, :, None] * hat[None, :, None, :]
    blocks += across[:, :, :, None] * hat[:, None, None, :]
    blocks /= 2 * np.pi
    blocks[np.arange(n), np.arange(n)] = 0.5 * np.eye(d) + own_curvature(students, teachers)
    return blocks.transpose(0, 2, 1, 3).reshape(n * d, n * d)
