"""The data of the integrator of :mod:`lab.flow`: eight lanes side by side, and the coefficients of its method.

Arrays are [coordinate, lane]; the numbers of a lane are the fields of a record of :data:`LANE`.
"""

import math
from enum import IntEnum
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import typeof, types

from lab.compiled import njit

LANES = 8
MAX_STAGES = 200


class Status(IntEnum):
    """Why a replica stopped."""

    CONVERGED = 0
    TIME_CAP = 1
    DIVERGED = 2
    EVALUATION_CAP = 3
    REACHED = 4  # the target loss
    STOPPED = 5  # from outside


CONVERGED, TIME_CAP, DIVERGED, EVALUATION_CAP, REACHED, STOPPED = Status
STATUS = ("converged", "time cap", "diverged", "evaluation cap", "value reached", "stopped")


class Phase(IntEnum):
    """The purpose of the last call of the model."""

    IDLE = 0
    START = 1
    POWER = 2
    STAGE = 3


LANE = np.dtype([
    ("phase", np.int64),  # a Phase
    ("replica", np.int64),
    ("end", np.int64),  # a Status; -1 as long as the replica runs
    ("stage", np.int64), ("stages", np.int64),  # j and s of the step
    ("evaluations", np.int64),  # calls of the model for this replica
    ("since", np.int64),  # accepted steps since the spectral radius was estimated
    ("tries", np.int64),  # power iterations of this estimate
    ("sample", np.int64),  # index of the next of ``times``
    ("t", np.float64), ("h", np.float64),  # time reached, and step
    ("radius", np.float64),  # estimate of the spectral radius
    ("shift", np.float64),  # length of the power iteration's finite difference
    ("value", np.float64), ("slope", np.float64), ("size", np.float64),  # L, dL/dt and max|∇L| at y
    ("target", np.float64),  # L at which the replica stops
])


class Control(NamedTuple):
    """Tolerances and caps, see :func:`lab.flow.solve`."""

    gradient_tol: float
    time_cap: float
    rtol: float
    atol: float
    max_evaluations: int


# What the integrator keeps for its lanes, (n, LANES) each
Y0 = 0  # y, the last accepted state
F0 = 1  # f(y)
Y1 = 2  # Y_{j−1}, where the model is called next
F1 = 3  # f(Y_{j−1})
Y2 = 4  # Y_{j−2}
VECTOR = 5  # eigenvector of the power iteration

# Rows of numbers of the lanes: first the five coefficients of the update
H = 5  # length of the step
ERROR, SLOPE, TOP = 6, 7, 8  # of a candidate: error, |f|², max|f|
MOVED = 9  # 1 where the candidate has been accepted
ROWS = 10


def fresh_lanes(count: int = LANES) -> np.recarray:
    """Lanes without replicas."""
    return np.zeros(count, LANE).view(np.recarray)


_f8, _i8 = types.float64, types.int64
RHS = types.void(_f8[::1], _f8[:, ::1], _f8[:, ::1], _f8[:, ::1], _f8[::1])
INTEGRATE = types.void(
    types.FunctionType(RHS), _f8[::1], _f8[:, ::1], _f8[::1], _f8[::1], types.NamedTuple((_f8, _f8, _f8, _f8, _i8), Control),
    _f8[:, :, ::1], _f8[:, ::1], _f8[:, :, ::1], _f8[:, ::1], _f8[::1], typeof(fresh_lanes()), typeof(fresh_lanes()),
    _f8[:, ::1], _f8[:, ::1], _f8[:, :, ::1], _i8[::1])

_DAMPING = 2.0 / 13.0  # of the RKC paper: loses 2 % of the stable interval, keeps |R| < 1 inside it


@cache
def coefficients() -> np.ndarray:
    """(MAX_STAGES + 1, MAX_STAGES + 1, 4): μ_j, ν_j, μ̃_j, γ̃_j of the s-stage method at [s, j]; row j = 1 holds μ̃_1."""
    s = np.arange(2, MAX_STAGES + 1)
    w0 = 1 + _DAMPING / s**2
    t, d, dd = (np.zeros((MAX_STAGES + 1, s.size)) for _ in range(3))  # T_j(w0), T'_j, T''_j
    t[0], t[1], d[1] = 1, w0, 1
    for j in range(2, MAX_STAGES + 1):
        t[j] = 2 * w0 * t[j - 1] - t[j - 2]
        d[j] = 2 * w0 * d[j - 1] - d[j - 2] + 2 * t[j - 1]
        dd[j] = 2 * w0 * dd[j - 1] - dd[j - 2] + 4 * d[j - 1]
    pick = np.arange(s.size)
    w1 = d[s, pick] / dd[s, pick]
    b = np.empty_like(t)
    b[2:] = dd[2:] / d[2:] ** 2
    b[0] = b[1] = b[2]
    a = 1 - b * t
    table = np.zeros((MAX_STAGES + 1, MAX_STAGES + 1, 4))
    table[2:, 1, 2] = b[1] * w1
    for j in range(2, MAX_STAGES + 1):
        table[2:, j, 0] = 2 * b[j] * w0 / b[j - 1]
        table[2:, j, 1] = -b[j] / b[j - 2]
        table[2:, j, 2] = 2 * b[j] * w1 / b[j - 1]
        table[2:, j, 3] = -a[j - 1] * table[2:, j, 2]
    return table


def aligned(*shape: int) -> np.ndarray:
    """Zeros of a shape that start on a cache line: a vector that straddles two costs twice."""
    size = math.prod(shape)
    flat = np.zeros(size + LANES)
    skip = (-flat.ctypes.data // 8) % LANES
    return flat[skip:skip + size].reshape(shape)


@njit(_f8[:, ::1](_i8), cache=True, error_model="numpy", nogil=True)
def block(rows):
    """As :func:`aligned`, (rows, LANES), for a kernel."""
    flat = np.zeros((rows + 1) * LANES)
    skip = (-flat.ctypes.data // 8) % LANES
    return flat[skip:skip + rows * LANES].reshape((rows, LANES))
