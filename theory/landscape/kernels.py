"""The gradient of :mod:`theory.landscape` at speed: two small matrix products around one vectorised pass over the
pairs.

With Z the students above the teachers, every gradient is A Z, where A (n, n + k) holds (pi - theta)/2pi of each pair,
minus for teachers, and on its diagonal 1/2 plus the radial part. The pass that turns W Z^T into A has one square root
and one arccosine a pair; the arccosine is fdlibm's rational approximation (within 1 ulp), written without branches
because Numba cannot vectorise ``math.acos``. A cosine taken from scalar products has an absolute error of about 1e-16,
hence an angle an error of 1e-16/sin(theta): pairs nearer than ``NEAR`` to parallel or antiparallel are taken again from
their unit vectors, as :func:`theory.landscape.closed_form.angle_parts` does.
"""

import math

import numpy as np
from numba import njit

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


@njit("i8(f8[::1], f8, f8[::1], f8[::1])", cache=True, error_model="numpy", fastmath=FASTMATH)
def _row(products, own_inverse, inverse, sine):
    """In place, for one student: scalar products -> (pi - theta)/2pi; sine <- sin(theta)/2pi. Returns near pairs."""
    half_pi = 0.5 * math.pi
    near = 0
    for j in range(products.size):
        c = products[j] * own_inverse * inverse[j]
        near += 0 if abs(c) < 1.0 - NEAR else 1
        size = min(abs(c), 1.0)
        far = size > 0.5
        z = 0.5 * (1.0 - size) if far else c * c
        # fdlibm e_asin.c: asin(s) = s + s z P(z)/Q(z), z = s^2 <= 1/4; arccos c = pi/2 - asin c = 2 asin sqrt((1-c)/2)
        top = z * (0.16666666666666666 + z * (-0.3255658186224009 + z * (0.20121253213486293 + z * (
            -0.04005553450067941 + z * (0.0007915349942898145 + z * 3.479331075960212e-05)))))
        bottom = 1.0 + z * (-2.403394911734414 + z * (2.0209457602335057 + z * (
            -0.6882839716054533 + z * 0.07703815055590194)))
        # one root serves both: sin(theta) = 2 sqrt(z) sqrt(1 - z) where far, sqrt(1 - c^2) = sqrt(1 - z) elsewhere
        co_root = math.sqrt(1.0 - z)
        s = math.sqrt(z) if far else size
        r = s + s * (top / bottom)
        upper = 2.0 * r if far else half_pi - r  # arccos |c|
        products[j] = (math.pi - upper if c > 0.0 else upper) * _HALF_OVER_PI
        sine[j] = (2.0 * s * co_root if far else co_root) * _HALF_OVER_PI
    return near


@njit("void(f8[:,:,::1], f8[:,:,::1], f8[:,:,::1])", cache=True, error_model="numpy", fastmath=FASTMATH)
def shares(W, Z, products):
    """In place: products (replicas, n, n + k) = W Z^T becomes the matrix A of the module's docstring."""
    replicas, n, total = products.shape
    norm = np.empty(total)
    inverse = np.empty(total)
    sine = np.empty(total)
    for r in range(replicas):
        for j in range(total):
            s = 0.0
            for a in range(Z.shape[2]):
                s += Z[r, j, a] * Z[r, j, a]
            norm[j] = math.sqrt(s)
            inverse[j] = 1.0 / norm[j]
        for i in range(n):
            row = products[r, i]
            row[i] = 0.0
            near = _row(row, inverse[i], inverse, sine)
            if near > 0:
                for j in range(total):
                    # (pi - theta)/2pi and sin give the nearness back; a zero norm has left NaN
                    if j != i and not sine[j] > math.sqrt(2.0 * NEAR) * _HALF_OVER_PI:
                        row[j], sine[j] = _careful(W[r, i], Z[r, j], inverse[i], inverse[j])
            radial = 0.0
            for j in range(n, total):
                row[j] = -row[j]
                radial -= sine[j] * norm[j]
            for j in range(i):
                radial += sine[j] * norm[j]
            for j in range(i + 1, n):
                radial += sine[j] * norm[j]
            row[i] = 0.5 + radial * inverse[i] if norm[i] > 0.0 else 0.5


def gradient_replicas(students: np.ndarray, teachers: np.ndarray) -> np.ndarray:
    """Gradients (replicas, n, d) at students (replicas, n, d) for teachers (k, d); float64, not validated."""
    students = np.ascontiguousarray(students)
    replicas, n, d = students.shape
    out = np.empty_like(students)
    stacked = np.empty((min(replicas, _BLOCK), n + len(teachers), d))
    stacked[:, n:] = teachers
    products = np.empty((len(stacked), n, n + len(teachers)))
    for first in range(0, replicas, _BLOCK):
        W = students[first:first + _BLOCK]
        Z = stacked[:len(W)]
        A = products[:len(W)]
        Z[:, :n] = W
        np.matmul(W, Z.transpose(0, 2, 1), out=A)
        shares(W, Z, A)
        np.matmul(A, Z, out=out[first:first + _BLOCK])
    return out
