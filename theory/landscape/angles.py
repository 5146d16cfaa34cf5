"""Sine and angle of many cosines at once, the expensive half of :mod:`theory.landscape.axes`.

For u = cos θ: s = √(1−u²) and p = (π − θ)/2π. The point (x, s) of the first quadrant, x = |u|, rotated by an eighth of a
turn has cosine C = (x + s)/√2 ≥ √½ and sine (s − x)/√2. Its angle is the sine times arccos C/√(1−C²), which is smooth
enough there for a polynomial P of degree 10 (absolute error of p below 3e-17; in x itself, it would need degree 19):

    p = ¼ + sign(u) [⅛ + (x − s) P(x + s)],   P(x + s) = arccos C/√(1−C²)/(2√2 π).

Loss and gradient computed from a rounded u are off by about one rounding error even where units merge and θ itself has
lost half of its digits (∂g/∂θ is of order sin θ, and the error of θ is ε/sin θ), provided that s and p come from the same u.
Only directions, in the Hessian, need more precision (:mod:`theory.landscape`).

Speed. In Horner's rule each step waits for the previous one, so eight cosines go through it together, in a true loop over
the coefficients (if it were unrolled, LLVM would serialise the eight chains again). A root alone is a chain of eight steps,
so each block computes the roots of the *next* block, spread over the polynomial, by :func:`lab.vector_roots.root`; those that
come first begin with it, so that no root is waited for when the block ends (0.96 of the time that it takes otherwise).
"""

import numpy as np

from lab.compiled import njit
from lab.vector import absolute, copysign, load, maximum, splat, store
from lab.vector_roots import root

# P in powers of x + s − _MIDDLE, highest first: interpolated at Chebyshev nodes of [1, √2] in 50-digit arithmetic
_MIDDLE = 1.2071067811865475
_P = np.array([
    2.0987173089867527e-06, -5.7766391761037096e-06, 1.5736671952985875e-05, -4.383919049772724e-05,
    0.00012317167636091396, -0.00034991207594587466, 0.001009481398314378, -0.0029791977103410592, 0.009121876912779433,
    -0.02995377804853901, 0.11837663605123766])

_LEAST = 1e-300  # for 1 − u²: parallel units have a sine of 1e-150


@njit(forceinline=True, error_model="numpy")
def _room(u):
    return maximum(1.0 - u * u, splat(_LEAST))


@njit(forceinline=True, error_model="numpy")
def _sum(u, s):
    return (absolute(u) - _MIDDLE) + s


@njit(forceinline=True, error_model="numpy")
def _finish(u, s, q):
    return 0.25 + copysign(0.125 + (absolute(u) - s) * q, u)


@njit(forceinline=True, error_model="numpy")
def first_sines(work, u, stride, s):
    """Rows s … s + 7 <- sin θ of one block (:func:`coangles`)."""
    for i in range(4):
        store(work, s + 2 * i, root(_room(load(work, u + i * stride))))
        store(work, s + 2 * i + 1, root(_room(load(work, u + i * stride + 1))))


@njit(forceinline=True, error_model="numpy")
def coangles(work, u, stride, s, next_u, next_stride, next_s, opaque):
    """(π − θ)/2π of a block of eight cosines, rows u, u + 1, u + stride, u + stride + 1, … u + 3 stride + 1.

    Their sines, in this order, are already in rows s … s + 7; those of the next block are written to rows next_s … (|u| may
    exceed 1 by rounding). ``opaque`` is any whole number ≥ 0 that the compiler does not know.
    """
    x0, x1 = _sum(load(work, u), load(work, s)), _sum(load(work, u + 1), load(work, s + 1))
    x2, x3 = _sum(load(work, u + stride), load(work, s + 2)), _sum(load(work, u + stride + 1), load(work, s + 3))
    x4, x5 = _sum(load(work, u + 2 * stride), load(work, s + 4)), _sum(load(work, u + 2 * stride + 1), load(work, s + 5))
    x6, x7 = _sum(load(work, u + 3 * stride), load(work, s + 6)), _sum(load(work, u + 3 * stride + 1), load(work, s + 7))
    a, c = _P[0], _P[1]
    q0, q1, q2, q3 = a * x0 + c, a * x1 + c, a * x2 + c, a * x3 + c
    q4, q5, q6, q7 = a * x4 + c, a * x5 + c, a * x6 + c, a * x7 + c
    store(work, next_s, root(_room(load(work, next_u))))
    store(work, next_s + 1, root(_room(load(work, next_u + 1))))
    up = next_u
    for k in range(2, _P.size + min(opaque, 0), 3):  # LLVM does not unroll a loop whose end it does not know
        next_s += 2
        up += next_stride
        store(work, next_s, root(_room(load(work, up))))
        c = _P[k]
        q0, q1, q2, q3 = q0 * x0 + c, q1 * x1 + c, q2 * x2 + c, q3 * x3 + c
        q4, q5, q6, q7 = q4 * x4 + c, q5 * x5 + c, q6 * x6 + c, q7 * x7 + c
        c = _P[k + 1]
        q0, q1, q2, q3 = q0 * x0 + c, q1 * x1 + c, q2 * x2 + c, q3 * x3 + c
        q4, q5, q6, q7 = q4 * x4 + c, q5 * x5 + c, q6 * x6 + c, q7 * x7 + c
        store(work, next_s + 1, root(_room(load(work, up + 1))))
        c = _P[k + 2]
        q0, q1, q2, q3 = q0 * x0 + c, q1 * x1 + c, q2 * x2 + c, q3 * x3 + c
        q4, q5, q6, q7 = q4 * x4 + c, q5 * x5 + c, q6 * x6 + c, q7 * x7 + c
    return (_finish(load(work, u), load(work, s), q0), _finish(load(work, u + 1), load(work, s + 1), q1),
            _finish(load(work, u + stride), load(work, s + 2), q2),
            _finish(load(work, u + stride + 1), load(work, s + 3), q3),
            _finish(load(work, u + 2 * stride), load(work, s + 4), q4),
            _finish(load(work, u + 2 * stride + 1), load(work, s + 5), q5),
            _finish(load(work, u + 3 * stride), load(work, s + 6), q6),
            _finish(load(work, u + 3 * stride + 1), load(work, s + 7), q7))
