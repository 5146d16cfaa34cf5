"""Compiled right-hand side of the order-parameter equations (see :mod:`theory.committee`).

State y: Q above and on the diagonal row by row (K(K+1)/2), R row by row (K·M), v (K). Work: C = [[Q, R], [Rᵀ, T]],
n = K + M, u = (v, −A).

Cost of one evaluation: K n for the roots of I3 and I2, K n² multiply-adds for the sums over the third index, and, for
finite learning rate, K(K+1)/2 · n(n+1)/2 arcsines. Nothing of a pair's 4×4 covariance is rebuilt: under the weight
g'(i) g'(k) the covariance is C''_ab = C_ab − x_a C_ib − y_a C_kb with x, y computed once per pair, and the arcsines of a
pair are one flat loop that vectorises.

It is integrated by :mod:`lab.dormand_prince`.
"""

import math
from enum import IntEnum

import numpy as np

from lab.compiled import njit
from lab.dormand_prince import RHS
from lab.vector_math import FAST, asin64


class Activation(IntEnum):
    """Of student and teacher."""

    ERF = 0
    RELU = 1


_TWO_OVER_PI = 2.0 / math.pi
_HALF_OVER_PI = 0.5 / math.pi
_F8 = "f8[::1]"
_FF = "f8[:,::1]"


@njit(f"void({_F8}, i8, i8, {_FF}, {_FF})", cache=True, error_model="numpy")
def unpack(y, K, M, T, C):
    """Fill the (K+M)×(K+M) covariance C from the state."""
    p = 0
    for i in range(K):
        for k in range(i, K):
            C[i, k] = y[p]
            C[k, i] = y[p]
            p += 1
    for i in range(K):
        for m in range(M):
            C[i, K + m] = y[p]
            C[K + m, i] = y[p]
            p += 1
    for m in range(M):
        for n in range(M):
            C[K + m, K + n] = T[m, n]


@njit(f"f8(i8, {_FF}, {_F8}, {_F8})", cache=True, error_model="numpy", fastmath=FAST)
def error_of(activation, C, u, row):
    """½ uᵀ I2 u."""
    n = u.size
    total = 0.0
    for a in range(n):
        for b in range(a + 1):
            det = max(C[a, a] * C[b, b] - C[a, b] * C[a, b], 0.0)
            if activation == Activation.ERF:
                row[b] = _TWO_OVER_PI * math.atan2(C[a, b], math.sqrt(1.0 + C[a, a] + C[b, b] + det))
            else:
                area = math.sqrt(det)
                row[b] = _HALF_OVER_PI * (area + (math.pi - math.atan2(area, C[a, b])) * C[a, b])
        for b in range(a):
            total += u[a] * u[b] * row[b]
        total += 0.5 * u[a] * u[a] * row[a]
    return total


@njit(f"void({_FF}, {_F8}, i8, i8, {_FF}, {_F8}, {_FF}, {_F8})", cache=True, error_model="numpy", fastmath=FAST)
def _erf_means(C, u, K, n, S, drive, rows, half):
    """S[i, m] = Σ_b u_b I3(i, m, b) and drive[i] = Σ_b u_b I2(i, b) for the students i."""
    for i in range(K):
        w = rows[0]
        grow = 1.0 + C[i, i]
        for b in range(n):
            det = max(C[i, i] * C[b, b] - C[i, b] * C[i, b], 0.0)
            root = math.sqrt(grow + C[b, b] + det)
            w[b] = u[b] * _TWO_OVER_PI / root
            # atan2(C_ib, root) = asin(C_ib / hypot), and hypot² = (1+C_ii)(1+C_bb)
            half[b] = C[i, b] / math.sqrt(root * root + C[i, b] * C[i, b])
        total = 0.0
        for b in range(n):
            half[b] = asin64(half[b])
        for b in range(n):
            total += u[b] * half[b]
        drive[i] = _TWO_OVER_PI * total
        back = 0.0
        for b in range(n):
            back += w[b] * C[i, b]
        back /= grow
        for m in range(n):
            S[i, m] = -back * C[i, m]
        for b in range(n):
            for m in range(n):
                S[i, m] += w[b] * C[b, m]


@njit(f"void({_FF}, {_F8}, i8, i8, {_FF}, {_F8}, {_FF}, {_F8})", cache=True, error_model="numpy", fastmath=FAST)
def _relu_means(C, u, K, n, S, drive, rows, half):
    """The same for ReLU units; a unit of zero norm has H(0) = ½."""
    for i in range(K):
        w = rows[0]
        total = 0.0
        back = 0.0
        for b in range(n):
            area = math.sqrt(max(C[i, i] * C[b, b] - C[i, b] * C[i, b], 0.0))
            angle = math.pi - math.atan2(area, C[i, b])
            total += u[b] * _HALF_OVER_PI * (area + angle * C[i, b])
            back += u[b] * _HALF_OVER_PI * area
            w[b] = u[b] * _HALF_OVER_PI * angle
        drive[i] = total
        if C[i, i] == 0.0:
            back = 0.0
            for b in range(n):
                w[b] = 0.25 * u[b]
        else:
            back /= C[i, i]
        for m in range(n):
            S[i, m] = back * C[i, m]
        for b in range(n):
            for m in range(n):
                S[i, m] += w[b] * C[b, m]


@njit(f"f8({_FF}, {_F8}, {_F8}, i8, i8, i8, {_FF}, {_F8})", cache=True, error_model="numpy", fastmath=FAST)
def _erf_square(C, u, uu, i, k, n, rows, flat):
    """Σ_ab u_a u_b I4(i, k, a, b) / J2(i, k): the mean of (y − ŷ)² under the weight g'(i) g'(k), without noise.

    uu: u_a u_b, b ≤ a, twice off the diagonal, row by row; flat: scratch of that length.
    """
    x, y, s = rows[0], rows[1], rows[2]
    det = max(C[i, i] * C[k, k] - C[i, k] * C[i, k], 0.0)
    scale = 1.0 / (1.0 + C[i, i] + C[k, k] + det)
    for a in range(n):
        x[a] = (C[i, a] + (C[i, a] * C[k, k] - C[i, k] * C[k, a])) * scale
        y[a] = (C[k, a] + (C[k, a] * C[i, i] - C[i, k] * C[i, a])) * scale
        e = max(C[a, a] - x[a] * C[i, a] - y[a] * C[k, a], 0.0)
        s[a] = 1.0 / math.sqrt(1.0 + e)
    p = 0
    for a in range(n):
        for b in range(a + 1):
            flat[p + b] = (C[a, b] - x[a] * C[i, b] - y[a] * C[k, b]) * s[a] * s[b]
        p += a + 1
    for q in range(p):
        flat[q] = uu[q] * asin64(min(max(flat[q], -1.0), 1.0))
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    q = 0
    while q + 4 <= p:
        one += flat[q]
        two += flat[q + 1]
        three += flat[q + 2]
        four += flat[q + 3]
        q += 4
    while q < p:
        one += flat[q]
        q += 1
    return _TWO_OVER_PI * ((one + two) + (three + four))


def pack(K: int, M: int, activation: int, small_rate: bool, eta: float, eta_v: float, noise: float, T: np.ndarray,
         A: np.ndarray) -> np.ndarray:
    """The constants as :func:`rhs` wants them: K, M, activation, small_rate, η, η_v, σ², A, T."""
    return np.array([K, M, activation, small_rate, eta, eta_v, noise**2, *A, *T.ravel()], dtype=np.float64)


def work_size(K: int, M: int) -> int:
    """Numbers of scratch that :func:`rhs` needs."""
    n = K + M
    return n * n + K * n + 3 * n + n + K + n * (n + 1)


@njit(RHS, cache=True, error_model="numpy")
def rhs(params, work, y, dy):
    """dy/dt, see :mod:`theory.committee`; params by :func:`pack`, work of :func:`work_size`.

    Plain twin: tests/naive_committee.py.
    """
    K, M, activation, small_rate = int(params[0]), int(params[1]), int(params[2]), params[3] != 0.0
    eta, eta_v, noise = params[4], params[5], params[6]
    A, T = params[7:7 + M], params[7 + M:].reshape((M, M))
    n = K + M
    # scratch, one after the other: C (n, n), S (K, n), three rows for a unit or a pair, u, drive, u u^T and arcsines of pairs
    pairs = n * (n + 1) // 2
    C, work = work[:n * n].reshape((n, n)), work[n * n:]
    S, work = work[:K * n].reshape((K, n)), work[K * n:]
    rows, work = work[:3 * n].reshape((3, n)), work[3 * n:]
    u, drive, uu, flat = work[:n], work[n:n + K], work[n + K:n + K + pairs], work[n + K + pairs:]

    # 1. covariance of all units' pre-activations, and the weights u of their outputs
    unpack(y, K, M, T, C)
    tail = K * (K + 1) // 2 + K * M
    for i in range(K):
        u[i] = y[tail + i]
    for m in range(M):
        u[K + m] = -A[m]
    # 2. averages with one slope: dR/dt, dv/dt and the first half of dQ/dt are sums over them
    if activation == Activation.ERF:
        _erf_means(C, u, K, n, S, drive, rows, flat)
    else:
        _relu_means(C, u, K, n, S, drive, rows, flat)
    # 3. dQ_ik/dt = −η (v_i S_ik + v_k S_ki) + η² v_i v_k J2(i,k) [<(y − ŷ)²> under the weight g'(i) g'(k), plus σ²]
    if not small_rate:
        p = 0
        for a in range(n):
            for b in range(a):
                uu[p + b] = 2.0 * u[a] * u[b]
            uu[p + a] = u[a] * u[a]
            p += a + 1
    p = 0
    for i in range(K):
        for k in range(i, K):
            change = -eta * (u[i] * S[i, k] + u[k] * S[k, i])
            if not small_rate:
                det = max(C[i, i] * C[k, k] - C[i, k] * C[i, k], 0.0)
                weight = _TWO_OVER_PI / math.sqrt(1.0 + C[i, i] + C[k, k] + det)
                square = _erf_square(C, u, uu, i, k, n, rows, flat)
                change += eta * eta * u[i] * u[k] * weight * (square + noise)
            dy[p] = change
            p += 1
    # 4. dR_im/dt = −η v_i S_im and dv_i/dt = −η_v Σ_b u_b I2(i,b)
    for i in range(K):
        for m in range(M):
            dy[p] = -eta * u[i] * S[i, K + m]
            p += 1
    for i in range(K):
        dy[p] = -eta_v * drive[i]
        p += 1
