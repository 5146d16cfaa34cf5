"""Averages of erf units over a Gaussian, in closed form.

Setting: z ~ N(0, C), C any n×n covariance, g(z) = erf(z/√2), g'(z) = √(2/π) exp(−z²/2). Four averages carry every loss,
gradient and learning equation of a two-layer erf network (letters are indices into z):

    I2(a,b)     = <g(a) g(b)>              = (2/π) asin( C_ab / √((1+C_aa)(1+C_bb)) )
    J2(i,k)     = <g'(i) g'(k)>            = (2/π) / √Λ,          Λ = (1+C_ii)(1+C_kk) − C_ik²
    I3(i,b,c)   = <g'(i) b g(c)>           = (2/π) C'_bc / √((1+C_ii)(1+C'_cc)),   C'  = C − C_:i C_i: /(1+C_ii)
    I4(i,k,a,b) = <g'(i) g'(k) g(a) g(b)>  = J2(i,k) · I2(a,b; C''),               C'' = C' − C'_:k C'_k: /(1+C'_kk)

C' and C'' are the covariances of z under the Gaussian weights g'(i) and g'(i) g'(k): multiplying a Gaussian density by
exp(−z_i²/2) leaves a Gaussian. Written out, C''_ab Λ is the numerator of Saad & Solla's I4.

Numbers: the denominators are sums of terms ≥ 1, so nothing divides by zero; every difference is taken as
C_ab C_ii − C_ai C_bi, which vanishes *exactly* for coincident vectors; arcsines are taken as atan2, which keeps its
digits where the argument nears 1; Schur complements that rounding turns negative are cut at 0.

Source: Saad & Solla (1995), Phys. Rev. E 52, 4225; Goldt et al. (2019), arXiv 1906.08632, appendix. The form in C', C''
is derived here (``python -m theory derive erf-i4``).
"""

import math

import numpy as np
import numpy.typing as npt

from lab.compiled import njit
from theory.gaussian._indices import evaluate

_TWO_OVER_PI = 2.0 / math.pi


@njit("f8(f8, f8, f8)", cache=True, error_model="numpy")
def erf_i2_kernel(c_aa, c_bb, c_ab):
    """I2 from the three entries it needs (for use inside Numba code)."""
    det = max(c_aa * c_bb - c_ab * c_ab, 0.0)
    return _TWO_OVER_PI * math.atan2(c_ab, math.sqrt(1.0 + c_aa + c_bb + det))


@njit("f8(f8, f8, f8)", cache=True, error_model="numpy")
def erf_j2_kernel(c_ii, c_kk, c_ik):
    """J2 from the three entries it needs."""
    det = max(c_ii * c_kk - c_ik * c_ik, 0.0)
    return _TWO_OVER_PI / math.sqrt(1.0 + c_ii + c_kk + det)


@njit("f8(f8, f8, f8, f8, f8)", cache=True, error_model="numpy")
def erf_i3_kernel(c_ii, c_cc, c_ib, c_ic, c_bc):
    """I3 = <g'(i) b g(c)> from the five entries it needs (C_bb does not enter)."""
    det = max(c_ii * c_cc - c_ic * c_ic, 0.0)
    return _TWO_OVER_PI * (c_bc + (c_bc * c_ii - c_ib * c_ic)) / ((1.0 + c_ii) * math.sqrt(1.0 + c_ii + c_cc + det))


@njit("f8(f8, f8, f8, f8, f8, f8, f8, f8, f8, f8)", cache=True, error_model="numpy")
def erf_i4_kernel(c_ii, c_kk, c_aa, c_bb, c_ik, c_ia, c_ib, c_ka, c_kb, c_ab):
    """I4 = <g'(i) g'(k) g(a) g(b)> from the ten entries of the covariance of (i, k, a, b)."""
    # first the weight g'(i): C' = [C + (C C_ii − C_:i C_i:)] / (1 + C_ii)
    p = 1.0 / (1.0 + c_ii)
    d_kk = (c_kk + max(c_kk * c_ii - c_ik * c_ik, 0.0)) * p
    d_aa = (c_aa + max(c_aa * c_ii - c_ia * c_ia, 0.0)) * p
    d_bb = (c_bb + max(c_bb * c_ii - c_ib * c_ib, 0.0)) * p
    d_ka = (c_ka + (c_ka * c_ii - c_ik * c_ia)) * p
    d_kb = (c_kb + (c_kb * c_ii - c_ik * c_ib)) * p
    d_ab = (c_ab + (c_ab * c_ii - c_ia * c_ib)) * p
    # then the weight g'(k)
    q = 1.0 / (1.0 + d_kk)
    e_aa = (d_aa + max(d_aa * d_kk - d_ka * d_ka, 0.0)) * q
    e_bb = (d_bb + max(d_bb * d_kk - d_kb * d_kb, 0.0)) * q
    e_ab = (d_ab + (d_ab * d_kk - d_ka * d_kb)) * q
    det = max(e_aa * e_bb - e_ab * e_ab, 0.0)
    return _TWO_OVER_PI * _TWO_OVER_PI * math.sqrt(p * q) * math.atan2(e_ab, math.sqrt(1.0 + e_aa + e_bb + det))


@njit("void(f8[:,:,::1], i8[::1], i8[::1], f8[:,::1])", cache=True, error_model="numpy")
def fill_i2(C, a, b, out):
    for m in range(C.shape[0]):
        for s in range(a.size):
            out[m, s] = erf_i2_kernel(C[m, a[s], a[s]], C[m, b[s], b[s]], C[m, a[s], b[s]])


@njit("void(f8[:,:,::1], i8[::1], i8[::1], f8[:,::1])", cache=True, error_model="numpy")
def _fill_j2(C, i, k, out):
    for m in range(C.shape[0]):
        for s in range(i.size):
            out[m, s] = erf_j2_kernel(C[m, i[s], i[s]], C[m, k[s], k[s]], C[m, i[s], k[s]])


@njit("void(f8[:,:,::1], i8[::1], i8[::1], i8[::1], f8[:,::1])", cache=True, error_model="numpy")
def _fill_i3(C, i, b, c, out):
    for m in range(C.shape[0]):
        for s in range(i.size):
            x, y, z = i[s], b[s], c[s]
            out[m, s] = erf_i3_kernel(C[m, x, x], C[m, z, z], C[m, x, y], C[m, x, z], C[m, y, z])


@njit("void(f8[:,:,::1], i8[::1], i8[::1], i8[::1], i8[::1], f8[:,::1])", cache=True, error_model="numpy")
def _fill_i4(C, i, k, a, b, out):
    for m in range(C.shape[0]):
        for s in range(i.size):
            x, y, u, w = i[s], k[s], a[s], b[s]
            out[m, s] = erf_i4_kernel(C[m, x, x], C[m, y, y], C[m, u, u], C[m, w, w], C[m, x, y], C[m, x, u],
                                      C[m, x, w], C[m, y, u], C[m, y, w], C[m, u, w])


def erf_i2(C: npt.ArrayLike, a: npt.ArrayLike, b: npt.ArrayLike) -> float | np.ndarray:
    """<g(z_a) g(z_b)> for z ~ N(0, C), g(z) = erf(z/√2).

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
        An array of shape ``C.shape[:-2] + broadcast(a, b).shape``, a float where that is (); values in [−1, 1].

    Raises
    ------
    lab.errors.InputError
        C is not a finite covariance matrix, or an index is out of range.

    References
    ----------
    Saad & Solla (1995), eq. for I2; derived in ``theory.gaussian.derive`` (erf-i2).

    Examples
    --------
    >>> erf_i2([[1.0, 0.0], [0.0, 1.0]], 0, [0, 1]).round(4)
    array([0.3333, 0.    ])
    """
    return evaluate(fill_i2, C, a, b)


def erf_j2(C: npt.ArrayLike, i: npt.ArrayLike, k: npt.ArrayLike) -> float | np.ndarray:
    """<g'(z_i) g'(z_k)> for z ~ N(0, C), g(z) = erf(z/√2).

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
        An array of shape ``C.shape[:-2] + broadcast(i, k).shape``, a float where that is (); values in (0, 2/π].

    Raises
    ------
    lab.errors.InputError
        C is not a finite covariance matrix, or an index is out of range.

    References
    ----------
    Saad & Solla (1995); derived in ``theory.gaussian.derive`` (erf-j2).

    Examples
    --------
    >>> round(erf_j2(np.eye(2), 0, 1), 4)
    0.3183
    """
    return evaluate(_fill_j2, C, i, k)


def erf_i3(C: npt.ArrayLike, i: npt.ArrayLike, b: npt.ArrayLike, c: npt.ArrayLike) -> float | np.ndarray:
    """<g'(z_i) z_b g(z_c)> for z ~ N(0, C), g(z) = erf(z/√2).

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
        An array of shape ``C.shape[:-2] + broadcast(i, b, c).shape``, a float where that is ().

    Raises
    ------
    lab.errors.InputError
        C is not a finite covariance matrix, or an index is out of range.

    References
    ----------
    Saad & Solla (1995), I3; derived in ``theory.gaussian.derive`` (erf-i3).

    Examples
    --------
    >>> round(erf_i3(np.eye(2), 0, 1, 1), 4)
    0.3183
    """
    return evaluate(_fill_i3, C, i, b, c)


def erf_i4(C: npt.ArrayLike, i: npt.ArrayLike, k: npt.ArrayLike, a: npt.ArrayLike, b: npt.ArrayLike) -> float | np.ndarray:
    """<g'(z_i) g'(z_k) g(z_a) g(z_b)> for z ~ N(0, C), g(z) = erf(z/√2).

    Parameters
    ----------
    C : array of shape (..., n, n)
        Covariance (symmetric, positive semi-definite; singular is fine).
    i : int or array of int
        Index of a unit, in 0 … n−1; indices broadcast against each other.
    k : int or array of int
        Index of a unit, in 0 … n−1; indices broadcast against each other.
    a : int or array of int
        Index of a unit, in 0 … n−1; indices broadcast against each other.
    b : int or array of int
        Index of a unit, in 0 … n−1; indices broadcast against each other.

    Returns
    -------
    float or ndarray
        An array of shape ``C.shape[:-2] + broadcast(i, k, a, b).shape``, a float where that is (); values in [−2/π, 2/π].

    Raises
    ------
    lab.errors.InputError
        C is not a finite covariance matrix, or an index is out of range.

    References
    ----------
    Saad & Solla (1995), I4; derived in ``theory.gaussian.derive`` (erf-i4).

    Examples
    --------
    >>> round(erf_i4(np.eye(3), 0, 1, 2, 2), 4)
    0.1061
    """
    return evaluate(_fill_i4, C, i, k, a, b)
