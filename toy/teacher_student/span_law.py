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
from lab import vector as vec
from lab.compiled import njit
from toy.teacher_student.kernels import DECAY_V, DECAY_W, NOISE, RATE_V, RATE_W, activation

LANES = vec.LANES
_f = np.float32


@njit(cache=True, error_model="numpy")
def _hypotenuse(a, b):
    """sqrt(a**2 + b**2), and a, b over it (1, 0 where both vanish)."""
    square = vec.fma(a, a, vec.mul(b, b))
    zero = vec.less(square, _f(1e-30))
    size = vec.sqrt(square)
    inverse = vec.div(_f(1), vec.select(zero, _f(1), size))
    return size, vec.select(zero, _f(1), vec.mul(a, inverse)), vec.select(zero, _f(0), vec.mul(b, inverse))


@njit(cache=True, error_model="numpy")
def _rotate(H, at, row, first, last, cosine, sine):
    """Columns (j, j+1) of rows first .. last - 1 of H, j at `at`: (x, y) -> (c x + s y, c y - s x)."""
    for i in range(first, last):
        place = at + i * row
        x, y = vec.load(H, place), vec.load(H, place + LANES)
        vec.store(H, place, vec.fma(cosine, x, vec.mul(sine, y)))
        vec.store(H, place + LANES, vec.fma(cosine, y, vec.mul(vec.mul(sine, x), _f(-1))))


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
            streams.fill_normal_at(data, 0, x, 0, pairs)
            if rest > 0:
                vec.store(x, last, streams.next_chi(radius, vec.load(x, last), rest))
            else:
                vec.store(x, last, _f(0))
            error = vec.mul(vec.load(x, 0), _f(0))
            if noise > _f(0):
                streams.fill_normal_at(other, 0, zeta, 0, 32)
                error = vec.mul(vec.load(zeta, 0), noise)
            for t in range(k):
                rho = vec.mul(vec.load(x, 0), teacher[t, 0])
                for c in range(1, t + 1):
                    rho = vec.fma(vec.load(x, c * LANES), teacher[t, c], rho)
                value, _slope = activation(teacher_kind, rho)
                error = vec.fma(value, amplitudes[t], error)
            for i in range(m):
                z = vec.mul(vec.load(x, 0), vec.load(a, i * k * LANES))
                for c in range(1, k):
                    z = vec.fma(vec.load(x, c * LANES), vec.load(a, (i * k + c) * LANES), z)
                for j in range(i + 1):
                    z = vec.fma(vec.load(x, (k + j) * LANES), vec.load(H, i * row + j * LANES), z)
                value, slope = activation(kind, z)
                readout = vec.load(v, i * LANES)
                error = vec.fma(vec.mul(readout, value), _f(-1), error)
                vec.store(g, i * LANES, value)
                vec.store(delta, i * LANES, vec.mul(readout, slope))
            step, step_v = vec.mul(error, rate_w), vec.mul(error, rate_v)
            for i in range(m):
                change = vec.mul(vec.load(delta, i * LANES), step)
                vec.store(delta, i * LANES, change)
                for c in range(k):
                    place = (i * k + c) * LANES
                    vec.store(a, place, vec.fma(change, vec.load(x, c * LANES), vec.mul(vec.load(a, place), keep_w)))
                vec.store(v, i * LANES, vec.fma(step_v, vec.load(g, i * LANES), vec.mul(vec.load(v, i * LANES), keep_v)))
            if keep_w != _f(1):
                for i in range(m):
                    for j in range(i + 1):
                        vec.store(H, i * row + j * LANES, vec.mul(vec.load(H, i * row + j * LANES), keep_w))
            # (beta, r) -> (its length, 0, ..., 0), from the last entry up; L becomes lower Hessenberg
            tail = vec.load(x, last)
            for j in range(m - 1, -1, -1):
                tail, cosine, sine = _hypotenuse(vec.load(x, (k + j) * LANES), tail)
                _rotate(H, j * LANES, row, j, m, cosine, sine)
            for i in range(m):
                vec.store(H, i * row, vec.fma(vec.load(delta, i * LANES), tail, vec.load(H, i * row)))
            # and triangular again, from the first row down
            for j in range(m):
                place = j * row + j * LANES
                size, cosine, sine = _hypotenuse(vec.load(H, place), vec.load(H, place + LANES))
                vec.store(H, place, size)
                vec.store(H, place + LANES, _f(0))
                _rotate(H, j * LANES, row, j + 1, m, cosine, sine)
