"""Compiled right-hand side and integrator of the order-parameter equations (see :mod:`theory.committee`).

State y: Q above and on the diagonal row by row (K(K+1)/2), R row by row (K·M), v (K). Work: C = [[Q, R], [Rᵀ, T]],
n = K + M, u = (v, −A).

Cost of one evaluation: K n for the roots of I3 and I2, K n² multiply-adds for the sums over the third index, and, for
finite learning rate, K(K+1)/2 · n(n+1)/2 arcsines. Nothing of a pair's 4×4 covariance is rebuilt: under the weight
g'(i) g'(k) the covariance is C''_ab = C_ab − x_a C_ib − y_a C_kb with x, y computed once a pair, and the arcsines of a
pair are one flat loop that vectorises.

Integrator: Dormand & Prince 5(4) with first-same-as-last, a proportional–integral step control and the fourth-order
continuous extension of Hairer, Nørsett & Wanner (1993, II.6) for the saved times.
"""

import math

import numpy as np

from lab.compiled import njit
from lab.vector_math import FAST, asin64

ERF, RELU = 0, 1
DONE, STEADY, DIVERGED, STEP_LIMIT = range(4)

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
            if activation == ERF:
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


_RHS = f"void({_F8}, {_F8}, i8, i8, i8, b1, f8, f8, f8, {_FF}, {_F8}, {_FF}, {_FF}, {_F8}, {_F8}, {_FF}, {_F8}, {_F8})"


@njit(_RHS, cache=True, error_model="numpy")
def rhs(y, dy, K, M, activation, small_rate, eta, eta_v, noise, T, A, C, S, drive, u, rows, uu, flat):
    """dy/dt. noise = σ²; everything after A is scratch (sizes: see ``scratch``)."""
    n = K + M
    unpack(y, K, M, T, C)
    tail = K * (K + 1) // 2 + K * M
    for i in range(K):
        u[i] = y[tail + i]
    for m in range(M):
        u[K + m] = -A[m]
    if activation == ERF:
        _erf_means(C, u, K, n, S, drive, rows, flat)
    else:
        _relu_means(C, u, K, n, S, drive, rows, flat)
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
    for i in range(K):
        for m in range(M):
            dy[p] = -eta * u[i] * S[i, K + m]
            p += 1
    for i in range(K):
        dy[p] = -eta_v * drive[i]
        p += 1


@njit("f8(f8[::1], f8[::1], f8, f8)", cache=True, error_model="numpy")
def _scaled(error, size, rtol, atol):
    total = 0.0
    for j in range(error.size):
        ratio = error[j] / (atol + rtol * size[j])
        total += ratio * ratio
    return math.sqrt(total / error.size)


# Dormand & Prince's tableau: stages 2 … 7 (the last is the solution itself), error weights, continuous extension
_STAGES = np.array([
    [1 / 5, 0, 0, 0, 0, 0],
    [3 / 40, 9 / 40, 0, 0, 0, 0],
    [44 / 45, -56 / 15, 32 / 9, 0, 0, 0],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
])
_ERROR = np.array([71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])
_DENSE = np.array([-12715105075 / 11282082432, 0, 87487479700 / 32700410799, -10690763975 / 1880347072,
                   701980252875 / 199316789632, -1453857185 / 822651844, 69997945 / 29380423])


@njit(f"Tuple((i8, f8, i8))({_F8}, {_F8}, {_FF}, i8, i8, i8, b1, f8, f8, f8, {_FF}, {_F8}, f8, f8, f8, i8)",
      cache=True, error_model="numpy")
def dopri5(y, times, saved, K, M, activation, small_rate, eta, eta_v, noise, T, A, rtol, atol, steady, limit):
    """Integrate y (changed in place) over the increasing ``times`` from times[0]; states at them into ``saved``.

    Stops early once max |dy/dt| ≤ steady (the remaining rows of ``saved`` then hold the last state).
    Returns (status, time reached, steps tried).
    """
    N = y.size
    n = K + M
    C = np.empty((n, n))
    S = np.empty((K, n))
    drive = np.empty(K)
    u = np.empty(n)
    rows = np.empty((3, n))
    uu = np.empty(n * (n + 1) // 2)
    flat = np.empty(n * (n + 1) // 2)
    k = np.zeros((7, N))
    w, error, size = y.copy(), np.empty(N), np.empty(N)

    t = times[0]
    saved[0] = y
    row = 1
    h = 0.0
    top = np.inf
    previous = 1e-4
    steps = 0
    status = DONE
    first = True
    while row < times.size:
        if not first:
            if top <= steady:
                status = STEADY
                break
            if steps >= limit:
                status = STEP_LIMIT
                break
            if not h > 1e-14 * max(abs(t), 1e-3):
                status = DIVERGED
                break
            steps += 1
            if t + 1.01 * h >= times[-1]:
                h = times[-1] - t
        for stage in range(0 if first else 1, 1 if first else 7):
            for j in range(N):
                w[j] = 0.0
            for q in range(stage):
                weight = h * _STAGES[stage - 1, q]
                if weight != 0.0:
                    for j in range(N):
                        w[j] += weight * k[q, j]
            for j in range(N):
                w[j] += y[j]
            rhs(w, k[stage], K, M, activation, small_rate, eta, eta_v, noise, T, A, C, S, drive, u, rows, uu, flat)
        if first:
            first = False
            top = np.max(np.abs(k[0]))
            h = min(0.01 / (top + 1e-8), times[-1] - t)
            while row < times.size and times[row] <= t:
                saved[row] = y
                row += 1
            continue
        finite = True
        for j in range(N):
            total = 0.0
            for q in range(7):
                total += _ERROR[q] * k[q, j]
            error[j] = h * total
            size[j] = max(abs(y[j]), abs(w[j]))
            finite = finite and np.isfinite(w[j]) and np.isfinite(k[6, j])
        norm = _scaled(error, size, rtol, atol)
        if not finite or not np.isfinite(norm):
            h *= 0.1
            continue
        if norm > 1.0:
            h *= max(0.2, 0.9 * norm ** -0.2)
            continue
        last = t + h if t + h < times[-1] and h < times[-1] - t else times[-1]
        while row < times.size and times[row] <= last:
            theta = min((times[row] - t) / h, 1.0)
            rest = 1.0 - theta
            for j in range(N):
                step = w[j] - y[j]
                bend = h * k[0, j] - step
                late = step - h * k[6, j] - bend
                fifth = 0.0
                for q in range(7):
                    fifth += h * _DENSE[q] * k[q, j]
                saved[row, j] = y[j] + theta * (step + rest * (bend + theta * (late + rest * fifth)))
            row += 1
        t = last
        for j in range(N):
            y[j] = w[j]
            k[0, j] = k[6, j]
        top = np.max(np.abs(k[0]))
        h *= min(5.0, max(0.2, 0.9 * (norm + 1e-10) ** -0.14 * previous ** 0.08))
        previous = max(norm, 1e-4)
    for r in range(row, times.size):
        for j in range(N):
            saved[r, j] = y[j] if status == STEADY else np.nan
    return status, t, steps
