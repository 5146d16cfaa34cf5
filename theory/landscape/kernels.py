"""The gradient of :mod:`theory.landscape` at speed: small matrix products around one vectorised pass over the pairs.

Every gradient is S W - T V with S (n, n), T (n, k) the (pi - theta)/2pi of each pair and, on the diagonal of S, 1/2
plus the radial part. The pass that turns the scalar products W W^T and W V^T into S and T visits each pair once and
pays one square root (for the sine) and one polynomial (for the angle, :func:`_angles`), without branches, because
Numba cannot vectorise ``math.acos``. A cosine taken from scalar products has an absolute error of about 1e-16, hence
an angle an error of 1e-16/sin(theta): pairs nearer than ``NEAR`` to parallel or antiparallel are taken again from
their unit vectors, as
:func:`theory.landscape.closed_form.angle_parts` does.
"""

import math

import numpy as np

from lab.compiled import njit

NEAR = 1e-4
FASTMATH = {"contract", "reassoc", "nsz", "arcp"}  # not nnan/ninf: a zero norm is recognised by its NaN cosine
_HALF_OVER_PI = 0.5 / math.pi
_BLOCK = 64  # replicas at a time: their pair arrays stay in the second-level cache


@njit("UniTuple(f8, 2)(f8[::1], f8[::1], f8, f8)", cache=True, error_model="numpy")
def _careful(a, b, a_inverse, b_inverse):
    """((pi - theta)/2pi, sin(theta)/2pi) from unit vectors; theta = 0 where a norm is zero (its inverse is inf)."""
    if not (a_inverse < 1e300 and b_inverse < 1e300):
        return 0.5, 0.0
    x = 0.0
    y = 0.0
    for c in range(a.size):
        u = a[c] * a_inverse
        v = b[c] * b_inverse
        x += (u - v) * (u - v)
        y += (u + v) * (u + v)
    x = math.sqrt(x)
    y = math.sqrt(y)
    return (math.pi - 2.0 * math.atan2(x, y)) * _HALF_OVER_PI, 0.5 * x * y * _HALF_OVER_PI


@njit("i8(f8[::1], f8[::1])", cache=True, error_model="numpy", fastmath=FASTMATH)
def _angles(cosine, sine):
    """In place: cosine -> (pi - theta)/2pi; sine <- sin(theta)/2pi. Returns how many pairs are near (or NaN).

    The smaller of |cos| and sin, at most sqrt(1/2), is the argument x of asin(x) = x + x^3 P(x^2); P is a Chebyshev
    fit of degree 17 on [0, 1/2] (1.2e-16 relative error; made with mpmath.chebyfit).
    """
    near = 0
    for j in range(cosine.size):
        c = cosine[j]
        size = abs(c)
        near += 0 if size < 1.0 - NEAR else 1
        s = math.sqrt(max((1.0 - size) * (1.0 + size), 0.0))
        x = min(size, s)
        z = x * x
        p = 0.6629484523759105
        p = p * z - 2.2779941739617198
        p = p * z + 3.7316543688298003
        p = p * z - 3.7416070600669626
        p = p * z + 2.5735139443835897
        p = p * z - 1.2586844660557077
        p = p * z + 0.4658118580798443
        p = p * z - 0.11747877891550673
        p = p * z + 0.03382405714408454
        p = p * z + 0.005891949463995025
        p = p * z + 0.01198556057000002
        p = p * z + 0.013929824170095672
        p = p * z + 0.017354730676767252
        p = p * z + 0.02237208630338444
        p = p * z + 0.030381946078030974
        p = p * z + 0.04464285712358507
        p = p * z + 0.07500000000008983
        p = p * z + 0.1666666666666666
        r = x + x * z * p
        upper = 0.5 * math.pi - r if size < s else r  # arccos |c|
        cosine[j] = (math.pi - upper if c > 0.0 else upper) * _HALF_OVER_PI
        sine[j] = s * _HALF_OVER_PI
    return near


@njit("void(f8[:,:,::1], f8[:,::1], f8[:,:,::1], f8[:,:,::1])", cache=True, error_model="numpy", fastmath=FASTMATH)
def shares(W, V, S, T):
    """In place, for each replica: S = W W^T and T = W V^T become S and -T of the module's docstring.

    W (replicas, n, d), V (k, d), S (replicas, n, n), T (replicas, n, k). Pairs of a replica lie one after the other in two flat
    arrays, ``share`` and ``sine``: first the students' triangle row by row, then each student with the teacher's units; so
    :func:`_angles` is one loop over all of them.

    Plain twin: ``theory.landscape.closed_form.gradient``, pair by pair.
    """
    replicas, n, d = W.shape
    k = V.shape[0]
    triangle = n * (n - 1) // 2
    share = np.empty(triangle + n * k)
    sine = np.empty(triangle + n * k)
    norm = np.empty(n)
    inverse = np.empty(n)
    radial = np.empty(n)
    teacher_norm = np.empty(k)
    teacher_inverse = np.empty(k)
    for j in range(k):
        s = 0.0
        for a in range(d):
            s += V[j, a] * V[j, a]
        teacher_norm[j] = math.sqrt(s)
        teacher_inverse[j] = 1.0 / teacher_norm[j]
    for r in range(replicas):
        # 1. norms, and the cosine of every pair
        for i in range(n):
            norm[i] = math.sqrt(S[r, i, i])
            inverse[i] = 1.0 / norm[i]
            radial[i] = 0.0
        p = 0
        for i in range(n):
            own = inverse[i]
            for j in range(i):
                share[p + j] = S[r, i, j] * own * inverse[j]
            p += i
        for i in range(n):
            own = inverse[i]
            for j in range(k):
                share[p + j] = T[r, i, j] * own * teacher_inverse[j]
            p += k
        # 2. cosine -> (pi - theta)/2pi, and sin(theta)/2pi; nearly parallel pairs once more from their unit vectors
        near = _angles(share, sine)
        if near > 0:
            # the sine gives the nearness back; a zero norm has left NaN
            limit = math.sqrt(2.0 * NEAR) * _HALF_OVER_PI
            p = 0
            for i in range(n):
                for j in range(i):
                    if not sine[p] > limit:
                        share[p], sine[p] = _careful(W[r, i], W[r, j], inverse[i], inverse[j])
                    p += 1
            for i in range(n):
                for j in range(k):
                    if not sine[p] > limit:
                        share[p], sine[p] = _careful(W[r, i], V[j], inverse[i], teacher_inverse[j])
                    p += 1
        # 3. into the matrices; on the diagonal of S 1/2 + (sum_j |w_j| sin theta_ij - sum_m |v_m| sin theta_im)/(2pi |w_i|)
        p = 0
        for i in range(n):
            own = norm[i]
            total = 0.0
            for j in range(i):
                S[r, i, j] = share[p + j]
                S[r, j, i] = share[p + j]
                total += sine[p + j] * norm[j]
                radial[j] += sine[p + j] * own
            radial[i] += total
            p += i
        for i in range(n):
            total = 0.0
            for j in range(k):
                T[r, i, j] = -share[p + j]
                total += sine[p + j] * teacher_norm[j]
            p += k
            S[r, i, i] = 0.5 + (radial[i] - total) * inverse[i] if norm[i] > 0.0 else 0.5


def gradient_replicas(students: np.ndarray, teachers: np.ndarray) -> np.ndarray:
    """Gradients (replicas, n, d) at students (replicas, n, d) for teachers (k, d); float64, not validated."""
    students, teachers = np.ascontiguousarray(students), np.ascontiguousarray(teachers)
    transposed = np.ascontiguousarray(teachers.T)
    replicas, n, d = students.shape
    k = len(teachers)
    out = np.empty_like(students)
    S, T, extra = (np.empty((min(replicas, _BLOCK), n, m)) for m in (n, k, d))
    for first in range(0, replicas, _BLOCK):
        W = students[first:first + _BLOCK]
        size = len(W)
        s, t = S[:size], T[:size]
        np.matmul(W, W.transpose(0, 2, 1), out=s)
        np.matmul(W.reshape(-1, d), transposed, out=t.reshape(-1, k))
        shares(W, teachers, s, t)
        gradient = out[first:first + _BLOCK]
        np.matmul(s, W, out=gradient)
        gradient += np.matmul(t.reshape(-1, k), teachers, out=extra[:size].reshape(-1, d)).reshape(gradient.shape)
    return out
