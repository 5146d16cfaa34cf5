"""Adaptive integration of one system that is not stiff: the Runge–Kutta pair 5(4) of Dormand & Prince, compiled.

    Y_1 = y,  Y_s = y + h Σ_{q<s} a_sq k_q,  k_q = f(Y_q),      y_new = Y_7,      error = h Σ_q e_q k_q,

with f at the end of one step as k_1 of the next (first same as last), a proportional–integral control of the step and the
fourth-order continuous extension of the pair for the requested times. A step costs six evaluations of f. Stiff gradient flows,
many replicas at a time, are for :mod:`lab.flow`.

A model is one function compiled with ``RHS`` as its signature::

    @njit(RHS, cache=True, error_model="numpy")
    def rhs(params, work, y, out):
        # params: 1-d, the model's constants; work: 1-d scratch; y: (N,) state; out: (N,) <- f(y)

It is passed to the compiled integrator as a first-class function, as the models of :mod:`lab.flow` are.

Source: Dormand & Prince (1980), J. Comput. Appl. Math. 6, 19; Hairer, Nørsett & Wanner (1993), Solving Ordinary Differential
Equations I, II.4–II.6.
"""

import math
from enum import IntEnum

import numpy as np
from numba import types

from lab.compiled import njit


class Status(IntEnum):
    """How an integration ended."""

    DONE = 0
    STEADY = 1
    DIVERGED = 2
    STEP_LIMIT = 3


_f8, _i8 = types.float64, types.int64
RHS = types.void(_f8[::1], _f8[::1], _f8[::1], _f8[::1])
_SIGNATURE = types.Tuple((_i8, _f8, _i8))(types.FunctionType(RHS), _f8[::1], _f8[::1], _f8[::1], _f8[::1], _f8[:, ::1],
                                          _f8, _f8, _f8, _i8)

# a_sq of the stages 2 … 7 (the last is the solution itself), e_q, weights of the continuous extension
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

_step = njit(error_model="numpy", forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_step
def _copy(source, target):
    """target <- source; slice assignments take long to compile."""
    for j in range(source.size):
        target[j] = source[j]


@_step
def _stage(stage, h, y, k, w):
    """w <- y + h Σ_q a_sq k_q; ``stage`` counts from 0."""
    for j in range(y.size):
        w[j] = 0.0
    for q in range(stage):
        weight = h * _STAGES[stage - 1, q]
        if weight != 0.0:
            for j in range(y.size):
                w[j] += weight * k[q, j]
    for j in range(y.size):
        w[j] += y[j]


@_step
def _error_norm(h, y, k, w, rtol, atol):
    """Root mean square of the error over atol + rtol max(|y|, |y_new|); NaN if the candidate w is not finite."""
    total, finite = 0.0, True
    for j in range(y.size):
        error = 0.0
        for q in range(7):
            error += _ERROR[q] * k[q, j]
        ratio = h * error / (atol + rtol * max(abs(y[j]), abs(w[j])))
        total += ratio * ratio
        finite = finite and np.isfinite(w[j]) and np.isfinite(k[6, j])
    return math.sqrt(total / y.size) if finite else np.nan


@_step
def _within(theta, h, y, k, w, out):
    """out <- the solution at the fraction theta of the step from y to w."""
    left = 1.0 - theta
    for j in range(y.size):
        step = w[j] - y[j]
        bend = h * k[0, j] - step
        late = step - h * k[6, j] - bend
        fifth = 0.0
        for q in range(7):
            fifth += h * _DENSE[q] * k[q, j]
        out[j] = y[j] + theta * (step + left * (bend + theta * (late + left * fifth)))


@njit(_SIGNATURE, cache=True, error_model="numpy", nogil=True)
def integrate(rhs, params, work, y, times, saved, rtol, atol, steady, limit):
    """Integrate y (changed in place) from times[0] over the increasing ``times``; states at them into ``saved``.

    Stops early once max |dy/dt| ≤ ``steady`` (later rows of ``saved`` then hold the last state), when the step becomes too
    small, or after ``limit`` steps (later rows are NaN). Returns (status, time reached, steps tried).

    k : (7, N), f of the stages; saved : (times, N). Plain twin: SciPy's DOP853 in tests/theory/test_committee.py.
    """
    k = np.zeros((7, y.size))
    w = y.copy()
    rhs(params, work, y, k[0])
    t, row, steps = times[0], 0, 0
    while row < times.size and times[row] <= t:
        _copy(y, saved[row])
        row += 1
    top = np.max(np.abs(k[0]))
    h = min(0.01 / (top + 1e-8), times[-1] - t)
    previous = 1e-4  # error of the last step
    status = Status.DONE
    while row < times.size:
        if top <= steady:
            status = Status.STEADY
            break
        if steps >= limit:
            status = Status.STEP_LIMIT
            break
        if not h > 1e-14 * max(abs(t), 1e-3):
            status = Status.DIVERGED
            break
        steps += 1
        if t + 1.01 * h >= times[-1]:
            h = times[-1] - t
        # 1. Y_s and k_s; the last is the candidate y_new and f there
        for stage in range(1, 7):
            _stage(stage, h, y, k, w)
            rhs(params, work, w, k[stage])

        # 2. the error, in units of atol + rtol |y|; too large: again with a shorter step
        norm = _error_norm(h, y, k, w, rtol, atol)
        if not np.isfinite(norm):
            h *= 0.1
            continue
        if norm > 1.0:
            h *= max(0.2, 0.9 * norm ** -0.2)
            continue

        # 3. requested times within the step; y <- y_new, k_1 <- k_7, and the next step's length
        last = t + h if t + h < times[-1] and h < times[-1] - t else times[-1]
        while row < times.size and times[row] <= last:
            _within(min((times[row] - t) / h, 1.0), h, y, k, w, saved[row])
            row += 1
        t = last
        _copy(w, y)
        _copy(k[6], k[0])
        top = np.max(np.abs(k[0]))
        h *= min(5.0, max(0.2, 0.9 * (norm + 1e-10) ** -0.14 * previous ** 0.08))
        previous = max(norm, 1e-4)
    for r in range(row, times.size):
        for j in range(y.size):
            saved[r, j] = y[j] if status == Status.STEADY else np.nan
    return status, t, steps
