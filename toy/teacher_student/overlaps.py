"""What order parameters determine exactly: the error, and which hidden units are removable or repeated.

<g_a g_b> is a closed form in C, the covariance of all preactivations. So nothing is sampled:

* *removable*: leaving the unit out changes the student's output by no more than a small share of its mean square,
  v_i**2 <g_i**2> <= tolerance * <y^**2> (ablation as in Casper et al. 2019: the activation set to 0, no retraining);
* *repeated*: some other unit that is not removable carries the same feature up to its sign,
  |<g_i g_j>| >= threshold * sqrt(<g_i**2> <g_j**2>) (erf and tanh units have mean zero: this is the correlation);
* *distinct*: the number of classes of such units, the width that the student makes use of.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lab.arrays import floats
from lab.errors import ArgumentError, InputError
from toy.teacher_student.ensemble import activate

_AT_ONCE = 1 << 20  # covariances held at a time: the formulas need several copies


def errors(Q, R, T, v, A, activation: str, teacher_activation: str | None = None) -> np.ndarray:
    """Generalisation error of order parameters (..., K, K), (..., K, M), (M, M), (..., K), (M,); NaN where v is not finite.

    Closed forms of ``theory.committee`` for erf and ReLU, otherwise Hermite expansions (exact for linear units).
    """
    lead, K, M = v.shape[:-1], v.shape[-1], A.size
    Q, R, v = Q.reshape(-1, K, K), R.reshape(-1, K, M), v.reshape(-1, K)
    result = np.full(len(v), np.nan)
    finite = np.flatnonzero(np.isfinite(v).all(axis=1))
    for some in np.array_split(finite, max(1, -(-finite.size * (K + M)**2 // _AT_ONCE))):
        if some.size:
            result[some] = _errors(Q[some], R[some], T, v[some], A, activation, teacher_activation or activation)
    return result.reshape(lead)


def _errors(Q, R, T, v, A, activation: str, teacher_activation: str) -> np.ndarray:
    """:func:`errors` of finite (r, K, K), (r, K, M), (M, M), (r, K), (M,)."""
    from theory.committee import generalisation_error

    if activation == teacher_activation and activation in ("erf", "relu"):
        return generalisation_error(Q, R, T, v, A, activation)
    C = np.concatenate([np.concatenate([Q, R], axis=2),
                        np.concatenate([R.transpose(0, 2, 1), np.broadcast_to(T, (len(Q), *T.shape))], axis=2)], axis=1)
    u = np.concatenate([v, np.broadcast_to(-A, (len(v), A.size))], axis=1)
    kinds = [activation] * v.shape[1] + [teacher_activation] * A.size
    return 0.5 * np.einsum("ra,rab,rb->r", u, second_moments(C, kinds), u)


def second_moments(C: np.ndarray, kinds: list[str], orders: int = 128) -> np.ndarray:
    """<g_a g_b> for Gaussians of covariance C (r, n, n): sum over Hermite coefficients c_a c_b rho**order.

    Exact for linear units; for tanh and erf better than 1e-6 up to variances of about 7.
    """
    if set(kinds) == {"linear"}:
        return C
    x = np.linspace(-9.0, 9.0, 721)
    weight = np.exp(-x * x / 2)
    weight /= weight.sum()
    hermite = np.empty((orders, x.size))  # normalised: <h_i h_j> = delta_ij
    hermite[0], hermite[1] = 1.0, x
    for k in range(1, orders - 1):
        hermite[k + 1] = (x * hermite[k] - math.sqrt(k) * hermite[k - 1]) / math.sqrt(k + 1)
    scale = np.sqrt(C.diagonal(axis1=1, axis2=2))
    coefficients, own = np.empty((*scale.shape, orders)), np.empty_like(scale)
    for a, kind in enumerate(kinds):
        values = activate(kind, scale[:, a, None] * x)
        coefficients[:, a] = (values * weight) @ hermite.T
        own[:, a] = values**2 @ weight
    product = scale[:, :, None] * scale[:, None]
    rho = np.clip(np.divide(C, product, out=np.zeros_like(C), where=product > 0), -1, 1)
    result = np.zeros_like(C)
    for k in range(orders - 1, -1, -1):
        result = result * rho + coefficients[:, :, None, k] * coefficients[:, None, :, k]
    result[:, range(len(kinds)), range(len(kinds))] = own
    return result


@dataclass(frozen=True)
class Units:
    """Hidden units of students (leading shape ...).

    Attributes
    ----------
    removable : (..., K) bool array
        Units that can be left out.
    repeated : (..., K) bool array
        Units that another one repeats; a removable unit is not counted.
    distinct : (...) int array
        Number of classes of units that are not removable, coinciding ones (up to sign) taken together.

    Examples
    --------
    >>> classify(np.eye(2), [1.0, 0.0]).removable.tolist()
    [False, True]
    """

    removable: np.ndarray
    repeated: np.ndarray
    distinct: np.ndarray


def classify(Q: npt.ArrayLike, v: npt.ArrayLike, activation: str = "erf", *, tolerance: float = 0.01,
             threshold: float = 0.95) -> Units:
    """Removable and repeated units of students.

    Parameters
    ----------
    Q : (..., K, K) array
        Overlaps of the units.
    v : (..., K) array
        Output weights.
    activation : {"erf", "tanh", "linear"}, default "erf"
        Activation of the units.
    tolerance : float in [0, 1), default 0.01
        Share of the output's mean square that a removable unit carries at most.
    threshold : float in (0, 1], default 0.95
        Correlation from which two units count as the same.

    Returns
    -------
    Units
        Which units are removable or repeated, and how many distinct ones are left.

    Raises
    ------
    InputError
        Shapes that do not fit, entries that are not finite, ReLU (whose units have a mean), numbers out of range.

    References
    ----------
    Derived here, after the definitions of Casper et al. (arXiv 1912.04783).

    Examples
    --------
    >>> overlaps = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])  # the first two units are one
    >>> units = classify(overlaps, [0.5, 0.5, 1.0])
    >>> units.repeated.tolist(), units.distinct.tolist()
    ([True, True, False], 2)
    """
    Q, v = floats(Q, "Q"), floats(v, "v")
    if v.ndim == 0 or v.shape[-1] == 0 or Q.shape != (*v.shape, v.shape[-1]):
        raise InputError(f"overlaps do not fit: Q {Q.shape}, v {v.shape}")
    if not (np.isfinite(Q).all() and np.isfinite(v).all()):
        raise InputError("order parameters are not finite: leave diverged replicas out")
    if activation not in ("erf", "tanh", "linear"):
        raise ArgumentError(f"units of mean zero are needed (erf, tanh, linear), got {activation!r}")
    if not (0 <= tolerance < 1 and 0 < threshold <= 1):
        raise ArgumentError(f"tolerance must be in [0, 1) and threshold in (0, 1], got {tolerance} and {threshold}")
    lead, K = v.shape[:-1], v.shape[-1]
    Q, v = Q.reshape(-1, K, K), v.reshape(-1, K)
    if activation == "erf":
        one = 1 + Q.diagonal(axis1=1, axis2=2)
        moments = 2 / math.pi * np.arcsin(np.clip(Q / np.sqrt(one[:, :, None] * one[:, None]), -1, 1))
    else:
        moments = second_moments(Q, [activation] * K)
    own = moments.diagonal(axis1=1, axis2=2)
    output = np.einsum("ra,rab,rb->r", v, moments, v)
    removable = v**2 * own <= tolerance * output[:, None]
    same = np.abs(moments) >= threshold * np.sqrt(own[:, :, None] * own[:, None])
    same &= ~removable[:, :, None] & ~removable[:, None] & ~np.eye(K, dtype=bool)
    distinct = np.empty(len(v), dtype=np.int64)
    for r in range(len(v)):
        left, distinct[r] = set(np.flatnonzero(~removable[r])), 0
        while left:  # one class after the other, by what its members are linked to
            distinct[r] += 1
            front = [left.pop()]
            while front:
                linked = left & set(np.flatnonzero(same[r, front.pop()]))
                left -= linked
                front += linked
    return Units(removable.reshape(*lead, K), same.any(axis=2).reshape(*lead, K), distinct.reshape(lead))
