"""The compiled integrator behind :mod:`lab.flow`: the Runge–Kutta–Chebyshev method in eight lanes.

Equations and source are in :mod:`lab.flow`. A lane is a small machine: *start* (f at the initial state), *power* (an
iteration for the spectral radius), *stage* (Y_j of a step). One call of the model serves whatever the eight lanes ask
for; then each lane decides by itself what it needs next, and one vector update
    y1 <- ca y0 + cb y1 + cc y2 + cd f1 + ce f0
with coefficients of each lane's own prepares the next call.
"""

from functools import cache

import numpy as np
from numba import types

from lab.compiled import njit

LANES = 8
MAX_STAGES = 200
CONVERGED, TIME_CAP, DIVERGED, EVALUATION_CAP, REACHED, STOPPED = range(6)
STATUS = ("converged", "time cap", "diverged", "evaluation cap", "value reached", "stopped")

_f8, _i8 = types.float64, types.int64
RHS = types.void(_f8[::1], _f8[:, ::1], _f8[:, ::1], _f8[:, ::1], _f8[::1])
_RHS_TYPE = types.FunctionType(RHS)

_DAMPING = 2.0 / 13.0  # of the RKC paper: loses 2 % of the stable interval, keeps |R| < 1 inside it
_RENEW = 25  # accepted steps between two estimates of the spectral radius
_RESOLVED = 0.1  # error of a step over its length: keeps following the decay below atol and rtol, down to rounding
_SAFETY = 1.2  # on the estimate of the spectral radius

# phases of a lane
_IDLE, _START, _POWER, _STAGE = range(4)


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


@njit(_f8[:, ::1](_i8), cache=True, error_model="numpy", nogil=True)
def block(rows):
    """Zeros (rows, LANES) that start on a cache line: a vector that straddles two costs twice."""
    flat = np.zeros((rows + 1) * LANES)
    skip = (-flat.ctypes.data // 8) % LANES
    return flat[skip:skip + rows * LANES].reshape((rows, LANES))


@njit(_f8(_f8[:, ::1], _i8), cache=True, error_model="numpy", nogil=True)
def _largest(x, lane):
    top = 0.0
    for i in range(x.shape[0]):
        # a NaN must come through: max() would lose it
        if not abs(x[i, lane]) <= top:
            top = abs(x[i, lane])
    return top


@njit("UniTuple(f8, 4)(f8, f8)", cache=True, error_model="numpy", nogil=True)
def _hermite(x, h):
    """Weights of value and slope at the start of a step, value and slope at its end, at the fraction x of the step h."""
    return (1 + 2 * x) * (1 - x) ** 2, x * (1 - x) ** 2 * h, x * x * (3 - 2 * x), x * x * (x - 1) * h


@njit(
    types.void(_RHS_TYPE, _f8[::1], _i8, _f8[:, ::1], _f8[::1], _f8[::1], _f8[:, :, ::1], _f8[::1],
               _f8[:, ::1], _f8[:, ::1], _f8[:, ::1], _f8[:, :, ::1], _i8[:, ::1], _i8[::1]),
    cache=True, error_model="numpy", nogil=True,
)
def integrate(rhs, params, work_rows, start, target, times, table, control, state, ends, values, states, counts, flag):
    """Integrate the replicas of ``start``; see :func:`solve`.

    control : gradient_tol, time_cap, rtol, atol, max_evaluations. ends[r] <- time, max|∇|, value; counts[r] <- status,
    evaluations, steps, rejections. flag[0] != 0 stops everything.
    """
    replicas, n = start.shape
    gradient_tol, time_cap, rtol, atol = control[0], control[1], control[2], control[3]
    max_evaluations = int(control[4])
    wanted = times.size
    keep = states.shape[0] > 0
    eps = 2.220446049250313e-16

    work = block(work_rows)
    y0 = block(n)  # last accepted state
    f0 = block(n)  # its right-hand side
    y1 = block(n)  # Y_{j-1}: where the model is evaluated next
    y2 = block(n)  # Y_{j-2}
    f1 = block(n)
    vector = block(n)  # eigenvector of the power iteration
    value = np.zeros(LANES)
    phase = np.zeros(LANES, np.int64)
    replica = np.zeros(LANES, np.int64)
    stage = np.zeros(LANES, np.int64)
    stages = np.zeros(LANES, np.int64)
    evaluations = np.zeros(LANES, np.int64)
    since = np.zeros(LANES, np.int64)  # accepted steps since the spectral radius was estimated
    tries = np.zeros(LANES, np.int64)
    sample = np.zeros(LANES, np.int64)
    t = np.zeros(LANES)
    h = np.zeros(LANES)
    radius = np.zeros(LANES)
    shift = np.zeros(LANES)
    value0 = np.zeros(LANES)
    slope0 = np.zeros(LANES)
    size0 = np.zeros(LANES)  # max|∇| at y0
    # the vector update y1 <- ca y0 + cb y1 + cc y2 + cd f1 + ce f0
    ca, cb, cc, cd, ce = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)

    queue = 0
    active = 0
    for lane in range(LANES):
        if queue < replicas:
            phase[lane] = _START
            replica[lane] = queue
            for i in range(n):
                y1[i, lane] = start[queue, i]
            queue += 1
            active += 1

    while active > 0:
        rhs(params, work, y1, f1, value)
        interrupted = flag[0] != 0
        for lane in range(LANES):
            if phase[lane] == _IDLE:
                ca[lane], cb[lane], cc[lane], cd[lane], ce[lane] = 0.0, 1.0, 0.0, 0.0, 0.0
                continue
            evaluations[lane] += 1
            if phase[lane] == _STAGE and stage[lane] < stages[lane]:
                stage[lane] += 1
                s, j = stages[lane], stage[lane]
                mu, nu = table[s, j, 0], table[s, j, 1]
                ca[lane], cb[lane], cc[lane] = 1.0 - mu - nu, mu, nu
                cd[lane], ce[lane] = table[s, j, 2] * h[lane], table[s, j, 3] * h[lane]
                continue

            r = replica[lane]
            end = -1  # status, once the replica has one
            estimate = False  # the spectral radius next?
            begin = False  # a step next?

            if phase[lane] == _START:
                t[lane] = 0.0
                h[lane] = 0.0
                radius[lane] = 0.0
                sample[lane] = 0
                counts[r, 2] = 0
                counts[r, 3] = 0
                value0[lane] = value[lane]
                slope = 0.0
                for i in range(n):
                    y0[i, lane] = y1[i, lane]
                    f0[i, lane] = f1[i, lane]
                    vector[i, lane] = f1[i, lane]
                    slope += f1[i, lane] * f1[i, lane]
                slope0[lane] = -slope
                size0[lane] = _largest(f0, lane)
                while sample[lane] < wanted and times[sample[lane]] <= 0.0:
                    values[r, sample[lane]] = value[lane]
                    if keep:
                        for i in range(n):
                            states[r, sample[lane], i] = y0[i, lane]
                    sample[lane] += 1
                if not size0[lane] < np.inf:
                    end = DIVERGED
                elif size0[lane] <= gradient_tol:
                    end = CONVERGED
                elif value0[lane] <= target[r]:
                    end = REACHED
                elif time_cap <= 0.0:
                    end = TIME_CAP
                else:
                    estimate = True

            elif phase[lane] == _POWER:
                norm = 0.0
                for i in range(n):
                    y2[i, lane] = f1[i, lane] - f0[i, lane]
                    norm += y2[i, lane] * y2[i, lane]
                norm = np.sqrt(norm)
                new = norm / shift[lane]
                tries[lane] += 1
                if not new < np.inf:
                    end = DIVERGED
                elif norm == 0.0 or (tries[lane] > 1 and abs(new - radius[lane]) <= 0.02 * new) or tries[lane] >= 40:
                    radius[lane] = new
                    since[lane] = 0
                    begin = True
                else:
                    radius[lane] = new
                    for i in range(n):
                        y1[i, lane] = y0[i, lane] + y2[i, lane] * (shift[lane] / norm)
                if norm > 0.0 and norm < np.inf:
                    for i in range(n):
                        vector[i, lane] = y2[i, lane]

            else:  # the last stage: f1 is the right-hand side at the candidate y1
                error, miss, move, size, slope = 0.0, 0.0, 0.0, 0.0, 0.0
                for i in range(n):
                    a, b = abs(y0[i, lane]), abs(y1[i, lane])
                    a = a if a > b else b
                    b = y0[i, lane] - y1[i, lane]
                    e = 0.8 * b + 0.4 * h[lane] * (f0[i, lane] + f1[i, lane])
                    miss += e * e
                    move += b * b
                    size += a * a
                    e /= atol + rtol * a
                    error += e * e
                    slope += f1[i, lane] * f1[i, lane]
                error = np.sqrt(error / n)
                miss = np.sqrt(miss) / (_RESOLVED * np.sqrt(move) + 1e-13 * np.sqrt(size) + 1e-300)
                if not miss <= error:
                    error = miss
                top = _largest(f1, lane)
                if error <= 1.0 and top < np.inf:
                    counts[r, 2] += 1
                    since[lane] += 1
                    new_t = t[lane] + h[lane]
                    if new_t >= time_cap * (1.0 - 1e-12):
                        new_t = time_cap
                    # where in the step does the loss cross its target?
                    part = 1.0
                    if value[lane] <= target[r]:
                        low, high = 0.0, 1.0
                        for _ in range(60):
                            x = 0.5 * (low + high)
                            p0, q0, p1, q1 = _hermite(x, h[lane])
                            guess = p0 * value0[lane] + q0 * slope0[lane] + p1 * value[lane] - q1 * slope
                            if guess > target[r]:
                                low = x
                            else:
                                high = x
                        part = high
                    while sample[lane] < wanted and times[sample[lane]] <= t[lane] + part * (new_t - t[lane]):
                        x = (times[sample[lane]] - t[lane]) / h[lane]
                        x = x if x < 1.0 else 1.0
                        p0, q0, p1, q1 = _hermite(x, h[lane])
                        guess = p0 * value0[lane] + q0 * slope0[lane] + p1 * value[lane] - q1 * slope
                        guess = guess if guess < value0[lane] else value0[lane]
                        values[r, sample[lane]] = guess if guess > value[lane] else value[lane]
                        if keep:
                            for i in range(n):
                                states[r, sample[lane], i] = (p0 * y0[i, lane] + q0 * f0[i, lane]
                                                              + p1 * y1[i, lane] + q1 * f1[i, lane])
                        sample[lane] += 1
                    if part < 1.0:  # the state where the target was crossed; the gradient is the candidate's
                        p0, q0, p1, q1 = _hermite(part, h[lane])
                        for i in range(n):
                            y1[i, lane] = p0 * y0[i, lane] + q0 * f0[i, lane] + p1 * y1[i, lane] + q1 * f1[i, lane]
                        t[lane] += part * h[lane]
                        value0[lane] = target[r]
                    else:
                        t[lane] = new_t
                        value0[lane] = value[lane]
                    for i in range(n):
                        y0[i, lane] = y1[i, lane]
                        f0[i, lane] = f1[i, lane]
                    slope0[lane] = -slope
                    size0[lane] = top
                    if part < 1.0 or value0[lane] <= target[r]:
                        end = REACHED
                    elif top <= gradient_tol:
                        end = CONVERGED
                    elif t[lane] >= time_cap:
                        end = TIME_CAP
                    factor = 5.0 if error < 0.004096 else 0.8 * error ** (-1.0 / 3.0)
                    h[lane] *= factor
                    estimate = since[lane] >= _RENEW
                    begin = not estimate
                else:
                    counts[r, 3] += 1
                    factor = 0.8 * error ** (-1.0 / 3.0) if error < 512.0 else 0.1
                    h[lane] *= factor
                    for i in range(n):  # also clears what is not finite
                        y1[i, lane] = y0[i, lane]
                        f1[i, lane] = f0[i, lane]
                    if h[lane] <= 16.0 * eps * (t[lane] + eps):
                        end = DIVERGED
                    estimate = since[lane] > 0
                    begin = not estimate

            if end < 0 and evaluations[lane] >= max_evaluations:
                end = EVALUATION_CAP
            if end < 0 and interrupted:
                end = STOPPED
            if end >= 0:
                for i in range(n):
                    state[r, i] = y0[i, lane]
                ends[r, 0] = t[lane]
                ends[r, 1] = size0[lane]
                ends[r, 2] = value0[lane]
                counts[r, 0] = end
                counts[r, 1] = evaluations[lane]
                for k in range(sample[lane], wanted):
                    values[r, k] = value0[lane] if end == CONVERGED else np.nan
                    if keep:
                        for i in range(n):
                            states[r, k, i] = y0[i, lane] if end == CONVERGED else np.nan
                evaluations[lane] = 0
                ca[lane], cb[lane], cc[lane], cd[lane], ce[lane] = 0.0, 1.0, 0.0, 0.0, 0.0
                if queue < replicas and not interrupted:
                    phase[lane] = _START
                    replica[lane] = queue
                    queue += 1
                else:
                    phase[lane] = _IDLE
                    active -= 1
                r = replica[lane]
                for i in range(n):  # an idle lane keeps a harmless state
                    y1[i, lane] = start[r, i]
                    y2[i, lane] = f1[i, lane] = f0[i, lane] = y0[i, lane] = 0.0
                continue

            ca[lane], cb[lane], cc[lane], cd[lane], ce[lane] = 0.0, 1.0, 0.0, 0.0, 0.0
            if estimate:
                norm, size = 0.0, 0.0
                for i in range(n):
                    norm += vector[i, lane] * vector[i, lane]
                    size += y0[i, lane] * y0[i, lane]
                norm = np.sqrt(norm)
                shift[lane] = np.sqrt(eps) * (np.sqrt(size) if size > 1e-20 else 1e-10)
                for i in range(n):
                    y1[i, lane] = y0[i, lane] + vector[i, lane] * (shift[lane] / norm)
                    f1[i, lane] = f0[i, lane]
                phase[lane] = _POWER
                tries[lane] = 0
            elif begin:
                bound = _SAFETY * radius[lane] + 1e-30
                if h[lane] <= 0.0:
                    h[lane] = 0.1 / bound
                if t[lane] + h[lane] > time_cap:
                    h[lane] = time_cap - t[lane]
                elif t[lane] + 2.0 * h[lane] > time_cap:  # two even steps, not a long and a tiny one
                    h[lane] = 0.5 * (time_cap - t[lane])
                s = 2
                need = 1.54 * h[lane] * bound + 1.0
                if need >= float((MAX_STAGES - 1) ** 2):
                    s = MAX_STAGES
                    most = (float((MAX_STAGES - 1) ** 2) - 1.0) / (1.54 * bound)
                    if h[lane] > most:
                        h[lane] = most
                else:
                    s = 1 + int(np.sqrt(need))
                    s = s if s > 2 else 2
                stages[lane] = s
                stage[lane] = 1
                phase[lane] = _STAGE
                for i in range(n):
                    y1[i, lane] = y0[i, lane]
                ca[lane], cb[lane], ce[lane] = 1.0, 0.0, table[s, 1, 2] * h[lane]

        for i in range(n):
            for lane in range(LANES):
                old = y1[i, lane]
                y1[i, lane] = (ca[lane] * y0[i, lane] + cb[lane] * old + cc[lane] * y2[i, lane]
                               + cd[lane] * f1[i, lane] + ce[lane] * f0[i, lane])
                y2[i, lane] = old

    if flag[0] != 0:
        for r in range(queue, replicas):
            counts[r, 0] = STOPPED
