"""Online SGD exactly in law, in the span of teacher and students: input dimension 10**6 at the cost of 64.

For inputs x ~ N(0, I_d) a step depends on x only through its products with students and teacher and through |x|. Write the
students in an orthonormal basis of the teacher's span (k directions) and of the part of their own span orthogonal to it (m more),

    w_i = sum_c A_ic a_c + sum_j L_ij e_j,     L lower triangular,

then x = (alpha, beta, r): k + m independent Gaussians and, along one new direction, the length r of the remainder, a chi
variable with d - k - m degrees of freedom. The step (batch of one, delta_i as in :mod:`toy.teacher_student.kernels`)

    A += delta alpha^T,     [L | 0] += delta (beta, r)^T

leaves an m x (m + 1) matrix. Only inner products of students matter, so it may be multiplied by any rotation from the
right: a first sweep of Givens rotations turns (beta, r) into (|(beta, r)|, 0, ..., 0) and L into a lower Hessenberg
matrix, a second sweep makes that triangular again. A step takes O(m (m + k)) operations, whatever d (derived here; the argument
is that of the order-parameter equations of Saad & Solla 1995, before their limit of large d). The law of all order
parameters is that of the full simulator for every d >= k + m, not only for large d.

Lanes are replicas: every vector below is one number of sixteen replicas. ``fma(a, b, c)`` is a b + c, rounded once. It is
written as a call on purpose: a * b + c with operators rounds twice, in two instructions, and would change the last bits of
all stored runs.
"""

import numpy as np
from numba import prange

from lab import kernel_streams as streams
from lab.compiled import njit
from lab.vector import LANES, fma, load, select, sqrt, store
from toy.teacher_student.block import DECAY_V, DECAY_W, NOISE, RATE_V, RATE_W, activation

_f = np.float32
_step = njit(cache=True, error_model="numpy")


@_step
def _weighted(total, x, at, w, w_at, count):
    """total + Σ_c x_c w_c."""
    for c in range(count):
        total = fma(load(x, at + c * LANES), load(w, w_at + c * LANES), total)
    return total


@_step
def _field(x, a, H, i, k, row):
    """λ_i = A_i·α + L_i·β."""
    first = load(x, 0) * load(a, i * k * LANES)
    along = _weighted(first, x, LANES, a, (i * k + 1) * LANES, k - 1)
    return _weighted(along, x, k * LANES, H, i * row, i + 1)


@_step
def _label(x, teacher, amplitudes, kind, noise):
    """y = noise + Σ_m A_m g(t_m·α)."""
    y = noise
    for m in range(amplitudes.size):
        rho = load(x, 0) * teacher[m, 0]
        for c in range(1, m + 1):
            rho = fma(load(x, c * LANES), teacher[m, c], rho)
        value, _slope = activation(kind, rho)
        y = fma(value, amplitudes[m], y)
    return y


@_step
def _learn(a, v, x, g, delta, step_w, step_v, keep_w, keep_v, m, k):
    """delta_i <- rate_w e v_i g'(λ_i); A <- keep_w A + delta α^T, v <- keep_v v + rate_v e g."""
    for i in range(m):
        change = load(delta, i * LANES) * step_w
        store(delta, i * LANES, change)
        for c in range(k):
            place = (i * k + c) * LANES
            store(a, place, fma(change, load(x, c * LANES), load(a, place) * keep_w))
        store(v, i * LANES, fma(step_v, load(g, i * LANES), load(v, i * LANES) * keep_v))


@_step
def _shrink(H, row, m, keep):
    """L <- keep L."""
    for i in range(m):
        for j in range(i + 1):
            store(H, i * row + j * LANES, load(H, i * row + j * LANES) * keep)


@_step
def _hypotenuse(a, b):
    """√(a² + b²), and a, b over it (1, 0 where both vanish)."""
    square = fma(a, a, b * b)
    zero = square < _f(1e-30)
    size = sqrt(square)
    inverse = _f(1) / select(zero, _f(1), size)
    return size, select(zero, _f(1), a * inverse), select(zero, _f(0), b * inverse)


@_step
def _rotate(H, at, row, first, last, cosine, sine):
    """Columns (j, j+1) of rows first … last − 1 of H, j at ``at``: (x, y) -> (c x + s y, c y − s x)."""
    for i in range(first, last):
        place = at + i * row
        x, y = load(H, place), load(H, place + LANES)
        store(H, place, fma(cosine, x, sine * y))
        store(H, place + LANES, fma(cosine, y, -sine * x))


@_step
def _add_input(H, row, m, k, x, last, delta):
    """[L | 0] + delta (β, r)^T in axes in which (β, r) = (|(β, r)|, 0, …, 0), from its last entry up: lower Hessenberg."""
    length = load(x, last)
    for j in range(m - 1, -1, -1):
        length, cosine, sine = _hypotenuse(load(x, (k + j) * LANES), length)
        _rotate(H, j * LANES, row, j, m, cosine, sine)
    for i in range(m):
        store(H, i * row, fma(load(delta, i * LANES), length, load(H, i * row)))


@_step
def _make_triangular(H, row, m):
    """Lower Hessenberg -> lower triangular, from the first row down."""
    for j in range(m):
        place = j * row + j * LANES
        size, cosine, sine = _hypotenuse(load(H, place), load(H, place + LANES))
        store(H, place, size)
        store(H, place + LANES, _f(0))
        _rotate(H, j * LANES, row, j + 1, m, cosine, sine)


@njit("void(f4[:, ::1], f4[:, ::1], f4[:, ::1], u4[:, ::1], u4[:, ::1], u4[:, ::1], f4[:, ::1], f4[::1], f4[::1], i8, i8,"
      " i8, i8)", cache=True, error_model="numpy", parallel=True)
def advance_span(A, L, V, data_streams, noise_streams, radius_streams, teacher, amplitudes, parameters, rest, steps, kind,
                 teacher_kind):
    """Advance every replica by ``steps`` steps of batch one. Arrays are changed in place.

    Its plain twin is the full simulator, with which it agrees in law (tests/toy/test_teacher_student.py).

    Parameters
    ----------
    A : (groups, m k 16) float32 array
        [student][teacher direction][replica].
    L : (groups, m (m + 1) 16) float32 array
        [student][direction][replica], lower triangular; the last column is working space.
    V : (groups, m 16) float32 array
        [student][replica].
    data_streams, noise_streams, radius_streams : (groups, 64) uint32 arrays
        Streams of lanes.
    teacher : (k, k) float32 array
        Lower triangular: the teacher's units in the orthonormal basis of their span.
    amplitudes : (k,) float32 array
        A_m.
    parameters : (5,) float32 array
        Rates, decays and noise (see ``kernels``).
    rest : int
        d − k − m.
    steps : int
        Number of steps.
    kind, teacher_kind : int
        Activations.
    """
    groups, k = A.shape[0], amplitudes.size
    m = V.shape[1] // LANES
    rate_w, rate_v, noise = parameters[RATE_W], parameters[RATE_V], parameters[NOISE]
    keep_w, keep_v = _f(1) - parameters[DECAY_W], _f(1) - parameters[DECAY_V]
    row = (m + 1) * LANES
    pairs = -(-(k + m + 1) // 2) * 32
    for group in prange(groups):
        a, H, v = A[group], L[group], V[group]
        data, radius, other = data_streams[group], radius_streams[group], noise_streams[group]
        x, zeta = np.zeros(pairs, _f), np.zeros(32, _f)
        g, delta = np.zeros(m * LANES, _f), np.zeros(m * LANES, _f)
        last = (k + m) * LANES  # place of r, the length of the remainder, in x
        for _ in range(steps):
            # 1. the input x = (α, β, r)
            streams.fill_normal_at(data, 0, x, 0, pairs)
            if rest > 0:
                store(x, last, streams.next_chi(radius, load(x, last), rest))
            else:
                store(x, last, _f(0))
            # 2. the error e = y − Σ_i v_i g(λ_i)
            error = load(x, 0) * _f(0)
            if noise > _f(0):
                streams.fill_normal_at(other, 0, zeta, 0, 32)
                error = load(zeta, 0) * noise
            error = _label(x, teacher, amplitudes, teacher_kind, error)
            for i in range(m):
                value, slope = activation(kind, _field(x, a, H, i, k, row))
                readout = load(v, i * LANES)
                error = error - readout * value
                store(g, i * LANES, value)
                store(delta, i * LANES, readout * slope)
            # 3. the step: A and v at once, L in axes in which it stays triangular
            _learn(a, v, x, g, delta, error * rate_w, error * rate_v, keep_w, keep_v, m, k)
            if keep_w != _f(1):
                _shrink(H, row, m, keep_w)
            _add_input(H, row, m, k, x, last, delta)
            _make_triangular(H, row, m)
