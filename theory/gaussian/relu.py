"""Averages of ReLU units over a Gaussian, in closed form.

Setting: z ~ N(0, C), relu(z) = max(z, 0), H(z) its derivative, the step, with H(0) = ½. θ_ab ∈ [0, π] is the angle
between units a and b: cos θ_ab = C_ab/√(C_aa C_bb). The averages (letters are indices into z):

    I2(a,b)   = <relu(a) relu(b)>   = [ √(C_aa C_bb) sin θ_ab + (π − θ_ab) C_ab ] / (2π)
    J2(i,k)   = <H(i) H(k)>         = (π − θ_ik) / (2π)
    I3(i,b,c) = <H(i) b relu(c)>    = [ C_ib √(C_cc/C_ii) sin θ_ic + (π − θ_ic) C_bc ] / (2π)

(I4 has no elementary form, and gradient flow does not need it.)

Numbers: θ = atan2(√(C_aa C_bb − C_ab²), C_ab), since arccos loses eight digits near merged units. A unit of zero norm
has no angle: the averages then take the value that the convention H(0) = ½ gives (relu-J2 = ¼ for one zero norm,
½·½ for two different ones; I3 = C_bc/4 for C_ii = 0).

Source: Cho & Saul (2009), arc-cosine kernels of degree 0 and 1; I3 derived here (``python -m theory derive relu-i3``).
"""

import math

import numpy as np
import numpy.typing as npt

from lab.compiled import njit
from theory.gaussian._indices import evaluate

_HALF_OVER_PI = 0.5 / math.pi


@njit("f8(f8, f8, f8)", cache=True, error_model="numpy")
def relu_i2_kernel(c_aa, c_bb, c_ab):
    """I2 from the three entries it needs (for use inside Numba code)."""
    area = math.sqrt(max(c_aa * c_bb - c_ab * c_ab, 0.0))
    return _HALF_OVER_PI * (area + (math.pi - math.atan2(area, c_ab)) * c_ab)


@njit("f8(f8, f8, f8)", cache=True, error_model="numpy")
def relu_j2_kernel(c_ii, c_kk, c_ik):
    """J2 from the three entries it needs; ¼ where a norm is zero."""
    if c_ii == 0.0 or c_kk == 0.0:
        return 0.25
    area = math.sqrt(max(c_ii * c_kk - c_ik * c_ik, 0.0))
    return 0.5 - _HALF_OVER_PI * math.atan2(area, c_ik)


@njit("f8(f8, f8, f8, f8, f8)", cache=True, error_model="numpy")
def relu_i3_kernel(c_ii, c_cc, c_ib, c_ic, c_bc):
    """I3 = <H(i) b relu(c)> from the five entries it needs (C_bb does not enter)."""
    if c_ii == 0.0:
        return 0.25 * c_bc
    if c_cc == 0.0:
        return 0.0
    area = math.sqrt(max(c_ii * c_cc - c_ic * c_ic, 0.0))
    return _HALF_OVER_PI * (c_ib * (area / c_ii) + (math.pi - math.atan2(area, c_ic)) * c_bc)


@njit("void(f8[:,:,::1], i8[::1], i8[::1], f8[:,::1])", cache=True, error_model="numpy")
def _fill_i2(C, a, b, out):
    for m in range(C.shape[0]):
        for s in range(a.size):
            out[m, s] = relu_i2_kernel(C[m, a[s], a[s]], C[m, b[s], b[s]], C[m, a[s], b[s]])


@njit("void(f8[:,:,::1], i8[::1], i8[::1], f8[:,::1])", cache=True, error_model="numpy")
def _fill_j2(C, i, k, out):
    for m in range(C.shape[0]):
        for s in range(i.size):
            out[m, s] = relu_j2_kernel(C[m, i[s], i[s]], C[m, k[s], k[s]], C[m, i[s], k[s]])


@njit("void(f8[:,:,::1], i8[::1], i8[::1], i8[::1], f8[:,::1])", cache=True, error_model="numpy")
def _fill_i3(C, i, b, c, out):
    for m in range(C.shape[0]):
        for s in range(i.size):
            x, y, z = i[s], b[s], c[s]
            out[m, s] = relu_i3_kernel(C[m, x, x], C[m, z, z], C[m, x, y], C[m, x, z], C[m, y, z])


def relu_i2(C: npt.ArrayLike, a: npt.ArrayLike, b: npt.ArrayLike) -> float | np.ndarray:
    """<relu(z_a) relu(z_b)> for z ~ N(0, C).

    Parameters
    ----------
    C : array of shape (..., n, n)
        Covariance (symmetric, positive semi-definite; singular is fine).
    a : int or array of int
        Index of a unit, in 0 … n−1; indices broadcast against each other.
    b : int or array of int
        Index of a unit, in 0 … n−1; indices broadcast against each other.

    Returns
    -------
    float or ndarray
        An array of shape ``C.shape[:-2] + broadcast(a, b).shape``, a float where that is (); values in [0, √(C_aa C_bb)/2].

    Raises
    ------
    lab.errors.InputError
        C is not a finite covariance matrix, or an index is out of range.

    References
    ----------
    Cho & Saul (2009), eq. for n = 1; derived in ``theory.gaussian.derive`` (relu-i2).

    Examples
    --------
    >>> relu_i2(np.eye(2), 0, [0, 1]).round(4)
    array([0.5   , 0.1592])
    """
    return evaluate(_fill_i2, C, a, b)


def relu_j2(C: npt.ArrayLike, i: npt.ArrayLike, k: npt.ArrayLike) -> float | np.ndarray:
    """<H(z_i) H(z_k)> for z ~ N(0, C), H the step function: the probability that both units are on.

    Parameters
    ----------
    C : array of shape (..., n, n)
        Covariance (symmetric, positive semi-definite; singular is fine).
    i : int or array of int
        Index of a unit, in 0 … n−1; indices broadcast against each other.
    k : int or array of int
        Index of a unit, in 0 … n−1; indices broadcast against each other.

    Returns
    -------
    float or ndarray
        An array of shape ``C.shape[:-2] + broadcast(i, k).shape``, a float where that is ();
        values in [0, ½]; ¼ where a unit has zero norm (H(0) = ½).

    Raises
    ------
    lab.errors.InputError
        C is not a finite covariance matrix, or an index is out of range.

    References
    ----------
    Sheppard (1899); Cho & Saul (2009), n = 0; derived in ``theory.gaussian.derive`` (relu-j2).

    Examples
    --------
    >>> relu_j2(np.eye(2), 0, 1)
    0.25
    """
    return evaluate(_fill_j2, C, i, k)


def relu_i3(C: npt.ArrayLike, i: npt.ArrayLike, b: npt.ArrayLike, c: npt.ArrayLike) -> float | np.ndarray:
    """<H(z_i) z_b relu(z_c)> for z ~ N(0, C), H the step function.

    Parameters
    ----------
    C : array of shape (..., n, n)
        Covariance (symmetric, positive semi-definite; singular is fine).
    i : int or array of int
        Index of a unit, in 0 … n−1; indices broadcast against each other.
    b : int or array of int
        Index of a unit, in 0 … n−1; indices broadcast against each other.
    c : int or array of int
        Index of a unit, in 0 … n−1; indices broadcast against each other.

    Returns
    -------
    float or ndarray
        An array of shape ``C.shape[:-2] + broadcast(i, b, c).shape``, a float where that is ();
        C_bc/4 where unit i has zero norm.

    Raises
    ------
    lab.errors.InputError
        C is not a finite covariance matrix, or an index is out of range.

    References
    ----------
    Derived here (relu-i3 in ``theory.gaussian.derive``).

    Examples
    --------
    >>> round(relu_i3(np.eye(2), 0, 1, 1), 4)
    0.25
    """
    return evaluate(_fill_i3, C, i, b, c)
