"""Loss and gradient where the teachers are axes, for eight replicas at a time, and their plain twin.

Student Σ_{i≤n} relu(w_i·x), teacher Σ_{m≤k} relu(e_m·x) with orthonormal e_m (the first k axes), x ~ N(0, I_d); equations
in :mod:`theory.landscape`. With a_i = |w_i|, ŵ_i = w_i/a_i, u = ŵ_i·ŵ_j = cos θ, s = sin θ, p = (π − θ)/2π, and
S_i = Σ_j a_j s_ij, T_i = Σ_m s_im,

    ∇_i = Σ_j p_ij a_j ŵ_j − Σ_m p_im e_m + ŵ_i (S_i − T_i)/2π      (p_ii = ½, s_ii = 0),
    F   = ¼ Σ_i a_i² + Σ_i a_i [½ S_i/2π + Σ_{j>i} p_ij a_j u_ij − T_i/2π − Σ_m p_im u_im] + constant:

a Gram matrix, a sine and an angle (:mod:`theory.landscape.angles`) for each of the n(n−1)/2 + nk pairs, and a product
with the matrix p a. Where the teacher is an axis, u = ŵ_im needs no product.

Speed. Gram matrix and product go through one 4×4 register tile (:func:`_tile`). Neurons come in fours, and all that a
four needs between its cosines and its gradient stays in the first-level cache; rows of the work area beyond the width
are zero, so that the tile has no tail: a zero unit has size 0, whatever its angles.
"""

import math

import numpy as np

from lab.compiled import njit
from lab.flow import LANES, RHS
from lab.vector import load, splat, store
from lab.vector_math import rsqrt
from theory.landscape.angles import coangles, first_sines

_PI = math.pi
_TINY = 1e-300  # on |w|²: a zero unit counts as orthogonal to everything, and its own direction as zero


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
def _put_row(work, out, at, taught, left, axes, c):
    """out[at …] <- taught − c: four columns, or ``left`` of them; the first ``axes`` have a teacher."""
    if axes >= 4:
        store(out, at, load(work, taught) - c[0])
        store(out, at + 1, load(work, taught + 1) - c[1])
        store(out, at + 2, load(work, taught + 2) - c[2])
        store(out, at + 3, load(work, taught + 3) - c[3])
    else:
        for m in range(min(4, left)):
            x = c[0] if m == 0 else c[1] if m == 1 else c[2] if m == 2 else c[3]
            store(out, at + m, load(work, taught + m) - x if m < axes else -1.0 * x)


@njit(forceinline=True, error_model="numpy")
def _pair(work, pair, mirror, u, p, s, a, b, t, g, f):
    """One pair of students of sizes a and b: fills its two places of the matrix p a.

    Returns Σ s a of both (t and g), and Σ b p u (f), with this pair's part.
    """
    pb = p * b
    store(work, pair, pb)
    store(work, mirror, p * a)
    return t + s * b, g + s * a, f + pb * load(work, u)


@njit(forceinline=True, error_model="numpy")
def _taught(work, at, u, p, s, t, f):
    """One pair of a student and an axis: keeps p; Σ s (t) and −Σ p u (f, to which :func:`_pair` adds) with its part."""
    store(work, at, p)
    return t + s, f - p * load(work, u)


def _layout(n, k, d):
    """First rows of what the work area holds, and its end.

    ŵ[i, m]; p_ij a_j; a_i; S_i; of four neurons: u with the students after them, u among them, p with
    the teacher; sines of two blocks.
    """
    rows = -(-n // 4) * 4
    pairs = rows * d + 4
    size = pairs + rows * rows
    along = size + rows
    cosines = along + rows
    among = cosines + 4 * rows
    taught = among + 8
    sines = taught + 4 * (k + k % 2)
    return pairs, size, along, cosines, among, taught, sines, sines + 16


_layout_compiled = njit(forceinline=True)(_layout)


def work_rows(width: int, teacher: int, dim: int) -> int:
    """Rows of scratch, zero at first, that :func:`descent` needs."""
    return _layout(width, teacher, dim)[-1]


@njit(forceinline=True, error_model="numpy")
def _normalise(work, y, size, n, d):
    """ŵ and a; Σ a²."""
    total = splat(0.0)
    for i in range(n):
        q0, q1, q2, q3 = splat(_TINY), splat(0.0), splat(0.0), splat(0.0)
        at, end = i * d, i * d + d
        while at + 4 <= end:
            w0, w1, w2, w3 = load(y, at), load(y, at + 1), load(y, at + 2), load(y, at + 3)
            q0, q1, q2, q3 = q0 + w0 * w0, q1 + w1 * w1, q2 + w2 * w2, q3 + w3 * w3
            at += 4
        while at < end:
            w0 = load(y, at)
            q0 += w0 * w0
            at += 1
        q0 = (q0 + q1) + (q2 + q3)
        total += q0
        store(work, size + i, q0)
    for i in range(n):
        square = load(work, size + i)
        inverse = rsqrt(square)
        store(work, size + i, square * inverse)
        for m in range(i * d, i * d + d):
            store(work, m, load(y, m) * inverse)
    return total


@njit(forceinline=True, error_model="numpy")
def _cosines(work, cosines, among, i, rows, d):
    """u of neurons i … i + 3 with those that follow, row by row, and with each other (two by two: 01 02 | 03 12 | 13 23)."""
    c01, c02, c03, c12, c13, c23 = splat(0.0), splat(0.0), splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    for at in range(i * d, i * d + d):
        w0, w1, w2, w3 = load(work, at), load(work, at + d), load(work, at + 2 * d), load(work, at + 3 * d)
        c01, c02, c03 = c01 + w0 * w1, c02 + w0 * w2, c03 + w0 * w3
        c12, c13, c23 = c12 + w1 * w2, c13 + w1 * w3, c23 + w2 * w3
    store(work, among, c01)
    store(work, among + 1, c02)
    store(work, among + 2, c03)
    store(work, among + 3, c12)
    store(work, among + 4, c13)
    store(work, among + 5, c23)
    for j in range(i + 4, rows, 4):
        c0, c1, c2, c3 = _tile(work, i * d, d, j * d, d, 1, d)
        _store_row(work, cosines + j, c0)
        _store_row(work, cosines + rows + j, c1)
        _store_row(work, cosines + 2 * rows + j, c2)
        _store_row(work, cosines + 3 * rows + j, c3)


@njit(RHS, cache=True, error_model="numpy")
def descent(params, work, y, out, value):
    """out <- −∇F, value <- F of eight students (``lab.flow.RHS``); params = (n, k, d), y[i d + m] = w_im.

    Pairs come in blocks of eight. Each call of ``coangles`` gives the p of one block and leaves the sines of the next; then the
    block is added to S (t), to Σ_j p_ij a_j u_ij (f) and to the matrix p a. The rows of ``work`` are in :func:`_layout`.

    It is one function because F's last bits depend on which products the compiler fuses: divided into inlined steps, it rounds
    differently.

    Plain twins: :func:`gradient_plain`, and ``loss`` in tests/naive_relu_landscape.py.
    """
    n, k, d = int(params[0]), int(params[1]), int(params[2])
    rows, even = -(-n // 4) * 4, k + k % 2
    pairs, size, along, cosines, among, taught, s, _ = _layout_compiled(n, k, d)
    later = s + 8  # sines of the next block of eight pairs
    turn = 0.5 / _PI
    # 1. ŵ, a and ¼ Σ a²; cosines of the first four neurons, and the sines of their first block
    total = _normalise(work, y, size, n, d) * 0.25
    for i in range(rows):
        store(work, along + i, splat(0.0))
    _cosines(work, cosines, among, 0, rows, d)
    first_sines(work, among, 2, s)
    for i in range(0, rows, 4):
        a0, a1 = load(work, size + i), load(work, size + i + 1)
        a2, a3 = load(work, size + i + 2), load(work, size + i + 3)
        t0, t1 = load(work, along + i), load(work, along + i + 1)
        t2, t3 = load(work, along + i + 2), load(work, along + i + 3)
        f0, f1, f2, f3 = splat(0.0), splat(0.0), splat(0.0), splat(0.0)

        # 2. the six pairs among four neurons
        ahead, stride = (cosines + i + 4, rows) if i + 4 < rows else (i * d, d)
        p = coangles(work, among, 2, s, ahead, stride, later, n)
        r = pairs + i * rows + i
        t0, t1, f0 = _pair(work, r + 1, r + rows, among, p[0], load(work, s), a0, a1, t0, t1, f0)
        t0, t2, f0 = _pair(work, r + 2, r + 2 * rows, among + 1, p[1], load(work, s + 1), a0, a2, t0, t2, f0)
        t0, t3, f0 = _pair(work, r + 3, r + 3 * rows, among + 2, p[2], load(work, s + 2), a0, a3, t0, t3, f0)
        t1, t2, f1 = _pair(work, r + rows + 2, r + 2 * rows + 1, among + 3, p[3], load(work, s + 3), a1, a2, t1, t2, f1)
        t1, t3, f1 = _pair(work, r + rows + 3, r + 3 * rows + 1, among + 4, p[4], load(work, s + 4), a1, a3, t1, t3, f1)
        t2, t3, f2 = _pair(work, r + 2 * rows + 3, r + 3 * rows + 2, among + 5, p[5], load(work, s + 5), a2, a3, t2, t3, f2)
        s, later = later, s

        # 3. the four with all that follow, two at a time; S of those grows, too
        for j in range(i + 4, rows, 2):
            u = cosines + j
            ahead, stride = (u + 2, rows) if j + 2 < rows else (i * d, d)
            p = coangles(work, u, rows, s, ahead, stride, later, n)
            b0, g0, b1, g1 = load(work, size + j), load(work, along + j), load(work, size + j + 1), load(work, along + j + 1)
            r, c = pairs + i * rows + j, pairs + j * rows + i
            t0, g0, f0 = _pair(work, r, c, u, p[0], load(work, s), a0, b0, t0, g0, f0)
            t0, g1, f0 = _pair(work, r + 1, c + rows, u + 1, p[1], load(work, s + 1), a0, b1, t0, g1, f0)
            r, c, u = r + rows, c + 1, u + rows
            t1, g0, f1 = _pair(work, r, c, u, p[2], load(work, s + 2), a1, b0, t1, g0, f1)
            t1, g1, f1 = _pair(work, r + 1, c + rows, u + 1, p[3], load(work, s + 3), a1, b1, t1, g1, f1)
            r, c, u = r + rows, c + 1, u + rows
            t2, g0, f2 = _pair(work, r, c, u, p[4], load(work, s + 4), a2, b0, t2, g0, f2)
            t2, g1, f2 = _pair(work, r + 1, c + rows, u + 1, p[5], load(work, s + 5), a2, b1, t2, g1, f2)
            r, c, u = r + rows, c + 1, u + rows
            t3, g0, f3 = _pair(work, r, c, u, p[6], load(work, s + 6), a3, b0, t3, g0, f3)
            t3, g1, f3 = _pair(work, r + 1, c + rows, u + 1, p[7], load(work, s + 7), a3, b1, t3, g1, f3)
            store(work, along + j, g0)
            store(work, along + j + 1, g1)
            s, later = later, s

        if i + 4 < rows:
            _cosines(work, cosines, among, i + 4, rows, d)
        total += (a0 * t0 + a1 * t1 + a2 * t2 + a3 * t3) * (0.5 * turn)
        # 4. the four with the teacher, two axes at a time: p, T (h) and −Σ_m p_im u_im
        h0, h1, h2, h3 = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
        for m in range(0, k, 2):
            u = i * d + m
            ahead, stride = (u + 2, d) if m + 2 < k else (among, 2)
            p = coangles(work, u, d, s, ahead, stride, later, n)
            at = taught + m
            h0, f0 = _taught(work, at, u, p[0], load(work, s), h0, f0)
            h1, f1 = _taught(work, at + even, u + d, p[2], load(work, s + 2), h1, f1)
            h2, f2 = _taught(work, at + 2 * even, u + 2 * d, p[4], load(work, s + 4), h2, f2)
            h3, f3 = _taught(work, at + 3 * even, u + 3 * d, p[6], load(work, s + 6), h3, f3)
            if m + 1 < k:
                at, u = at + 1, u + 1
                h0, f0 = _taught(work, at, u, p[1], load(work, s + 1), h0, f0)
                h1, f1 = _taught(work, at + even, u + d, p[3], load(work, s + 3), h1, f1)
                h2, f2 = _taught(work, at + 2 * even, u + 2 * d, p[5], load(work, s + 5), h2, f2)
                h3, f3 = _taught(work, at + 3 * even, u + 3 * d, p[7], load(work, s + 7), h3, f3)
            s, later = later, s
        # 5. F's part of the four, and ½ a_i + (S_i − T_i)/2π on the diagonal: ŵ_i goes through the product, too
        total += a0 * (f0 - h0 * turn) + a1 * (f1 - h1 * turn) + a2 * (f2 - h2 * turn) + a3 * (f3 - h3 * turn)
        r = pairs + i * rows + i
        store(work, r, a0 * 0.5 + (t0 - h0) * turn)
        store(work, r + rows + 1, a1 * 0.5 + (t1 - h1) * turn)
        store(work, r + 2 * rows + 2, a2 * 0.5 + (t2 - h2) * turn)
        store(work, r + 3 * rows + 3, a3 * 0.5 + (t3 - h3) * turn)

        # 6. −∇_i = Σ_m p_im e_m − Σ_j (p a)_ij ŵ_j: four rows of the matrix are complete
        for m in range(0, d, 4):
            c0, c1, c2, c3 = _tile(work, pairs + i * rows, rows, m, 1, d, n)
            at = i * d + m
            _put_row(work, out, at, taught + m, d - m, k - m, c0)
            if i + 1 < n:
                _put_row(work, out, at + d, taught + even + m, d - m, k - m, c1)
            if i + 2 < n:
                _put_row(work, out, at + 2 * d, taught + 2 * even + m, d - m, k - m, c2)
            if i + 3 < n:
                _put_row(work, out, at + 3 * d, taught + 3 * even + m, d - m, k - m, c3)

    store(work, size, total)
    constant = 0.25 * k + k * (k - 1) / (4.0 * _PI)  # ½ Σ_mm' f(e_m, e_m')
    for lane in range(LANES):
        value[lane] = constant + work[size, lane]


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
    _blocks(students, k, np.zeros((work_rows(n, k, d), LANES)), y, slope, np.empty(LANES), out)
    return out
