"""Online SGD exactly in law, in the span of teacher and students: input dimension 10**6 at the cost of 64.

For inputs x ~ N(0, I_d) a step needs x only through its products with students and teacher and through |x|. Write the
students in an orthonormal basis of the teacher's span (k directions) and of what remains of their own span (m more),

    w_i = sum_c A_ic a_c + sum_j L_ij e_j,     L lower triangular,

then x = (alpha, beta, r): k + m independent Gaussians and, along one new direction, the length r of what is left, a chi
variable with d - k - m degrees of freedom. The step (batch of one, delta_i as in :mod:`toy.teacher_student.kernels`)

    A += delta alpha^T,     [L | 0] += delta (beta, r)^T

leaves an m x (m + 1) matrix. Only inner products of students matter, so it may be multiplied by any rotation from the
right: a first sweep of Givens rotations turns (beta, r) into (|(beta, r)|, 0, ..., 0) and L into a lower Hessenberg
matrix, a second sweep makes that triangular again. O(m (m + k)) operations a step, whatever d (derived here; the same
argument as for the order-parameter equations of Saad & Solla 1995, before their limit of large d). The law of all order
parameters is that of the full simulator for every d >= k + m, not only for large d.

Lanes are replicas: everything below is sixteen replicas wide.
"""

import numpy as np
from numba import prange

from lab import kernel_streams as streams
from lab.compiled import njit
from lab.vector import LANES, fma, load, select, sqrt, store
from toy.teacher_student.kernels import DECAY_V, DECAY_W, NOISE, RATE_V, RATE_W, activation

_f = np.float32


@njit(cache=True, error_model="numpy")
def _hypotenuse(a, b):
    """sqrt(a**2 + b**2), and a, b over it (1, 0 where both vanish)."""
    square = fma(a, a, b * b)
    zero = square < _f(1e-30)
    size = sqrt(square)
    inverse = _f(1) / select(zero, _f(1), size)
    return size, select(zero, _f(1), a * inverse), select(zero, _f(0), b * inverse)


@njit(cache=True, error_model="numpy")
def _rotate(H, at, row, first, last, cosine, sine):
    """Columns (j, j+1) of rows first .. last - 1 of H, j at `at`: (x, y) -> (c x + s y, c y - s x)."""
    for i in range(first, last):
        place = at + i * row
        x, y = load(H, place), load(H, place + LANES)
        store(H, place, fma(cosine, x, sine * y))
        store(H, place + LANES, fma(cosine, y, -sine * x))


@njit("void(f4[:, ::1], f4[:, ::1], f4[:, ::1], u4[:, ::1], u4[:, ::1], u4[:, ::1], f4[:, ::1], f4[::1], f4[::1], i8, i8,"
      " i8, i8)", cache=True, error_model="numpy", parallel=True)
def advance_span(A, L, V, data_streams, noise_streams, radius_streams, teacher, amplitudes, parameters, rest, steps, kind,
                 teacher_kind):
    """Advance every replica by `steps` steps of batch one. Arrays are changed in place.

    Parameters
    ----------
    A : (groups, m * k * 16) float32 as [student][teacher direction][replica]; L : (groups, m * (m + 1) * 16) as
        [student][direction][replica], lower triangular (the last column is working space); V : (groups, m * 16).
    data_streams, noise_streams, radius_streams : (groups, 64) uint32, streams of lanes.
    teacher : (k, k) lower triangular, teacher units in the orthonormal basis of their span; amplitudes : (k,).
    parameters : rates, decays and noise (see ``kernels``). rest : d - k - m.
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
        last = (k + m) * LANES  # where x holds the length of what is left
        for _ in range(steps):
            # the input: x = (alpha, beta, r)
            streams.fill_normal_at(data, 0, x, 0, pairs)
            if rest > 0:
                store(x, last, streams.next_chi(radius, load(x, last), rest))
            else:
                store(x, last, _f(0))
            error = load(x, 0) * _f(0)
            if noise > _f(0):
                streams.fill_normal_at(other, 0, zeta, 0, 32)
                error = load(zeta, 0) * noise
            # the label: noise and sum_m A_m g(t_m . alpha)
            for t in range(k):
                rho = load(x, 0) * teacher[t, 0]
                for c in range(1, t + 1):
                    rho = fma(load(x, c * LANES), teacher[t, c], rho)
                value, _slope = activation(teacher_kind, rho)
                error = fma(value, amplitudes[t], error)
            # the error: less sum_i v_i g(A_i . alpha + L_i . beta)
            for i in range(m):
                z = load(x, 0) * load(a, i * k * LANES)
                for c in range(1, k):
                    z = fma(load(x, c * LANES), load(a, (i * k + c) * LANES), z)
                for j in range(i + 1):
                    z = fma(load(x, (k + j) * LANES), load(H, i * row + j * LANES), z)
                value, slope = activation(kind, z)
                readout = load(v, i * LANES)
                error = error - readout * value
                store(g, i * LANES, value)
                store(delta, i * LANES, readout * slope)
            # A += delta alpha^T and v += rate_v e g, with decay; L decays, too
            step, step_v = error * rate_w, error * rate_v
            for i in range(m):
                change = load(delta, i * LANES) * step
                store(delta, i * LANES, change)
                for c in range(k):
                    place = (i * k + c) * LANES
                    store(a, place, fma(change, load(x, c * LANES), load(a, place) * keep_w))
                store(v, i * LANES, fma(step_v, load(g, i * LANES), load(v, i * LANES) * keep_v))
            if keep_w != _f(1):
                for i in range(m):
                    for j in range(i + 1):
                        store(H, i * row + j * LANES, load(H, i * row + j * LANES) * keep_w)
            # (beta, r) -> (its length, 0, ..., 0), from the last entry up; L becomes lower Hessenberg
            tail = load(x, last)
            for j in range(m - 1, -1, -1):
                tail, cosine, sine = _hypotenuse(load(x, (k + j) * LANES), tail)
                _rotate(H, j * LANES, row, j, m, cosine, sine)
            for i in range(m):
                store(H, i * row, fma(load(delta, i * LANES), tail, load(H, i * row)))
            # and triangular again, from the first row down
            for j in range(m):
                place = j * row + j * LANES
                size, cosine, sine = _hypotenuse(load(H, place), load(H, place + LANES))
                store(H, place, size)
                store(H, place + LANES, _f(0))
                _rotate(H, j * LANES, row, j + 1, m, cosine, sine)
