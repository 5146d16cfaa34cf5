"""Loss and gradient where the teachers are axes, for eight replicas at a time, and their plain twin.

Student Σ_{i≤n} relu(w_i·x), teacher Σ_{m≤k} relu(e_m·x) with orthonormal e_m (the first k axes), x ~ N(0, I_d); equations
in :mod:`theory.landscape`. With c = w_i·w_j, a_i = |w_i|, u = c/(a_i a_j) = cos θ, s = sin θ and p = π − θ,

    2π ∇_i = Σ_j p_ij w_j − Σ_m p_im e_m + ŵ_i (Σ_j a_j s_ij − Σ_m s_im)      (p_ii = π, s_ii = 0),
    2π F   = ¼·2π Σ_i a_i² + Σ_{i<j} (a_i a_j s_ij + p_ij c_ij) − Σ_im (a_i s_im + p_im w_im) + constant:

a Gram matrix, a sine and an angle for each of the n(n−1)/2 + nk pairs, and a product with the matrix p. u = w_im/a_i needs
no product where the teacher is an axis.

The angle. A loss and a gradient of θ computed from a rounded u err by about one rounding even where units merge and θ
itself has lost half of its digits (∂g/∂θ is of order sin θ, and θ errs by ε/sin θ), provided that s and p come from the
same u: s = √(1−u²), and arccos|u| = s P(|u|), P a polynomial of degree 19 (relative error 5e-16), so one root serves both.
Only directions, in the Hessian, need more (:mod:`theory.landscape`).

Speed. A pair costs one hardware root of 8 lanes, behind which its polynomial hides; Gram matrix and product go through
one 4×4 register tile (:func:`_tile`), for which weights are copied to a zero-padded work area: a zero row or column adds
nothing, and the tile has no tail.
"""

import math

import numpy as np
from numba import njit

from lab.flow import LANES, RHS
from lab.lanes import fabs, load, maximum, select_less, splat, sqrt, store

# arccos(u)/√(1−u²) on 0 ≤ u ≤ 1 at Chebyshev nodes in 60-digit arithmetic
(_P0, _P1, _P2, _P3, _P4, _P5, _P6, _P7, _P8, _P9, _P10, _P11, _P12, _P13, _P14, _P15, _P16, _P17, _P18, _P19) = (
    1.5707963267948963, -0.9999999999997775, 0.7853981633671603, -0.6666666650247917, 0.5890485752918622,
    -0.5333324983411412, 0.4908639719169578, -0.45705995477966277, 0.4290012027180554, -0.4039327395557971,
    0.3777253554781287, -0.3438431299304309, 0.2949592877696068, -0.22853381895257877, 0.15249149043927626,
    -0.08330453165245856, 0.03519214945422063, -0.010664764627237098, 0.0020478176480743294, -0.000186238014363442)
_PI = math.pi
_TINY = 1e-150  # a zero unit counts as orthogonal to everything, and its own direction as zero


@njit(forceinline=True, error_model="numpy")
def sine_and_coangle(u):
    """sin θ and π − θ of eight cosines u = cos θ (|u| may exceed 1 by rounding)."""
    x = fabs(u)
    s = sqrt(maximum(1.0 - x * x, splat(0.0)))
    p = ((((((((_P19 * x + _P18) * x + _P17) * x + _P16) * x + _P15) * x + _P14) * x + _P13) * x + _P12) * x + _P11) * x
    p = (((((((((p + _P10) * x + _P9) * x + _P8) * x + _P7) * x + _P6) * x + _P5) * x + _P4) * x + _P3) * x + _P2) * x
    q = s * ((p + _P1) * x + _P0)
    return s, select_less(u, splat(0.0), q, _PI - q)


@njit(forceinline=True, error_model="numpy")
def _tile(work, x, x_row, y, y_column, y_step, count):
    """The 4×4 block Σ_l X[a, l] Y[l, b] of a product; X[a, l] in row x + a x_row + l, Y[l, b] in y + b y_column + l y_step.

    16 sums in registers: eight loads for sixteen multiplications.
    """
    zero = splat(0.0)
    c00, c01, c02, c03 = zero, zero, zero, zero
    c10, c11, c12, c13 = zero, zero, zero, zero
    c20, c21, c22, c23 = zero, zero, zero, zero
    c30, c31, c32, c33 = zero, zero, zero, zero
    for _ in range(count):
        y0, y1 = load(work, y), load(work, y + y_column)
        y2, y3 = load(work, y + 2 * y_column), load(work, y + 3 * y_column)
        v = load(work, x)
        c00, c01, c02, c03 = c00 + v * y0, c01 + v * y1, c02 + v * y2, c03 + v * y3
        v = load(work, x + x_row)
        c10, c11, c12, c13 = c10 + v * y0, c11 + v * y1, c12 + v * y2, c13 + v * y3
        v = load(work, x + 2 * x_row)
        c20, c21, c22, c23 = c20 + v * y0, c21 + v * y1, c22 + v * y2, c23 + v * y3
        v = load(work, x + 3 * x_row)
        c30, c31, c32, c33 = c30 + v * y0, c31 + v * y1, c32 + v * y2, c33 + v * y3
        x += 1
        y += y_step
    return (c00, c01, c02, c03), (c10, c11, c12, c13), (c20, c21, c22, c23), (c30, c31, c32, c33)


@njit(forceinline=True, error_model="numpy")
def _store_row(work, row, c):
    store(work, row, c[0])
    store(work, row + 1, c[1])
    store(work, row + 2, c[2])
    store(work, row + 3, c[3])


@njit(forceinline=True, error_model="numpy")
def _put_row(work, row, out, i, m, n, d, c):
    """out[i, m:m+4] <- −(c − what the teacher takes)/2π, but for the padding."""
    if i < n:
        at = i * d + m
        store(out, at, (load(work, row) - c[0]) * (0.5 / _PI))
        if m + 1 < d:
            store(out, at + 1, (load(work, row + 1) - c[1]) * (0.5 / _PI))
        if m + 2 < d:
            store(out, at + 2, (load(work, row + 2) - c[2]) * (0.5 / _PI))
        if m + 3 < d:
            store(out, at + 3, (load(work, row + 3) - c[3]) * (0.5 / _PI))


def padded(count: int) -> int:
    """The next multiple of four."""
    return -(-count // 4) * 4


def work_rows(width: int, dim: int) -> int:
    """Rows of scratch, zero at first, that :func:`descent` needs."""
    return padded(width) * (2 * padded(dim) + padded(width) + 3)


@njit(RHS, cache=True, error_model="numpy")
def descent(params, work, y, out, value):
    """out <- −∇F, value <- F of eight students (``lab.flow.RHS``); params = (n, k, d), y[i d + m] = w_im."""
    n, k, d = int(params[0]), int(params[1]), int(params[2])
    rows, columns = -(-n // 4) * 4, -(-d // 4) * 4
    # rows of work: the padded W[i, m]; p_im of the teacher; c_ij, then p_ij; a_i; 1/a_i; Σ_j a_j s_ij
    taught, pairs = rows * columns, 2 * rows * columns
    size, inverse, along = pairs + rows * rows, pairs + rows * rows + rows, pairs + rows * rows + 2 * rows
    zero = splat(0.0)
    total = zero

    for i in range(n):
        q0, q1 = zero, zero
        for m in range(0, d - 1, 2):
            w0, w1 = load(y, i * d + m), load(y, i * d + m + 1)
            q0 += w0 * w0
            q1 += w1 * w1
            store(work, i * columns + m, w0)
            store(work, i * columns + m + 1, w1)
        if d % 2:
            w0 = load(y, i * d + d - 1)
            q0 += w0 * w0
            store(work, i * columns + d - 1, w0)
        q0 += q1
        total += q0 * (0.5 * _PI)
        a = sqrt(q0)
        store(work, size + i, a)
        store(work, inverse + i, 1.0 / maximum(a, splat(_TINY)))
        store(work, along + i, zero)

    for i in range(0, rows, 4):
        for j in range(i, rows, 4):
            at = pairs + i * rows + j
            c0, c1, c2, c3 = _tile(work, i * columns, columns, j * columns, columns, 1, d)
            _store_row(work, at, c0)
            _store_row(work, at + rows, c1)
            _store_row(work, at + 2 * rows, c2)
            _store_row(work, at + 3 * rows, c3)
        for r in range(i, min(i + 4, n)):
            a, v, t = load(work, size + r), load(work, inverse + r), load(work, along + r)
            for j in range(r + 1, n):
                c = load(work, pairs + r * rows + j)
                s, p = sine_and_coangle(c * v * load(work, inverse + j))
                e = s * load(work, size + j)
                t += e
                total += a * e + p * c
                store(work, along + j, load(work, along + j) + s * a)
                store(work, pairs + r * rows + j, p)
                store(work, pairs + j * rows + r, p)
            store(work, along + r, t)

    for i in range(0, rows, 4):
        for r in range(i, min(i + 4, n)):
            a, v, t = load(work, size + r), load(work, inverse + r), load(work, along + r)
            for m in range(k):
                w = load(work, r * columns + m)
                s, p = sine_and_coangle(w * v)
                t -= s
                total -= a * s + p * w
                store(work, taught + r * columns + m, p)
            store(work, pairs + r * rows + r, t * v + _PI)  # ŵ_i (…) as a multiple of w_i
        for m in range(0, columns, 4):
            c0, c1, c2, c3 = _tile(work, pairs + i * rows, rows, m, 1, columns, n)
            at = taught + i * columns + m
            _put_row(work, at, out, i, m, n, d, c0)
            _put_row(work, at + columns, out, i + 1, m, n, d, c1)
            _put_row(work, at + 2 * columns, out, i + 2, m, n, d, c2)
            _put_row(work, at + 3 * columns, out, i + 3, m, n, d, c3)

    store(work, size, total)
    constant = 0.25 * k + k * (k - 1) / (4.0 * _PI)  # ½ Σ_mm' f(e_m, e_m')
    for lane in range(LANES):
        value[lane] = constant + work[size, lane] * (0.5 / _PI)


@njit("f8(f8[::1])", cache=True, error_model="numpy")
def sum_of_squares(x):
    """Σ x²."""
    total = 0.0
    for i in range(x.size):
        total += x[i] * x[i]
    return total


@njit("void(f8[:, ::1], i8, f8[:, ::1])", cache=True, error_model="numpy")
def gradient_plain(weights, k, gradient):
    """The plain twin: ∇F of one student (n, d), pair by pair with the library's arctangent."""
    n, d = weights.shape
    for i in range(n):
        a = math.sqrt(sum_of_squares(weights[i]))
        along = 0.0
        for m in range(d):
            gradient[i, m] = 0.5 * weights[i, m]
        for j in range(n):
            if j != i:
                b = math.sqrt(sum_of_squares(weights[j]))
                c = 0.0
                for m in range(d):
                    c += weights[i, m] * weights[j, m]
                sine = math.sqrt(max(a * a * b * b - c * c, 0.0))
                p = (math.pi - math.atan2(sine, c)) / (2 * math.pi)
                along += sine / (2 * math.pi * a * a)
                for m in range(d):
                    gradient[i, m] += p * weights[j, m]
        for m in range(k):
            c = weights[i, m]
            sine = math.sqrt(max(a * a - c * c, 0.0))
            along -= sine / (2 * math.pi * a * a)
            gradient[i, m] -= (math.pi - math.atan2(sine, c)) / (2 * math.pi)
        for m in range(d):
            gradient[i, m] += along * weights[i, m]


@njit("void(f8[:, :, ::1], i8, f8[:, ::1], f8[:, ::1], f8[:, ::1], f8[::1], f8[:, :, ::1])", cache=True, error_model="numpy")
def _blocks(students, k, work, y, slope, value, out):
    """Gradients of all replicas, eight at a time; the last block is filled up with its first replica."""
    replicas, n, d = students.shape
    params = np.array([n, k, d], dtype=np.float64)
    for first in range(0, replicas, LANES):
        for i in range(n):
            for m in range(d):
                for lane in range(LANES):
                    r = first + lane
                    y[i * d + m, lane] = students[r if r < replicas else first, i, m]
        descent(params, work, y, slope, value)
        for i in range(n):
            for m in range(d):
                for lane in range(min(LANES, replicas - first)):
                    out[first + lane, i, m] = -slope[i * d + m, lane]


def gradient_axes(students: np.ndarray, k: int) -> np.ndarray:
    """Gradients (replicas, n, d) where the teachers are the first k axes; float64, not validated."""
    students = np.ascontiguousarray(students)
    _, n, d = students.shape
    out = np.empty_like(students)
    y, slope = np.empty((2, n * d, LANES))
    _blocks(students, k, np.zeros((work_rows(n, d), LANES)), y, slope, np.empty(LANES), out)
    return out
