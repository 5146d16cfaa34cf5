"""The compiled integrator behind :mod:`lab.flow`: the Runge–Kutta–Chebyshev method in eight lanes.

Equations and source are in :mod:`lab.flow`. A lane is a small machine with three phases: *start* (f at the initial state),
*power* (an iteration for the spectral radius), *stage* (Y_j of a step). One call of the model serves whatever the eight lanes
ask for; then each lane decides by itself what it needs next, and one vector update

    Y_{j−1}, Y_{j−2} <- a y + b Y_{j−1} + c Y_{j−2} + d f(Y_{j−1}) + e f(y), Y_{j−1}

with coefficients of each lane's own prepares the next call. So every function below is one thing that a lane does between two
calls of the model, and :func:`integrate` is the order in which it does them.

Arrays are [coordinate, lane]; ``me`` is the record of a lane (:mod:`lab.flow_lanes`), changed in place.
"""

import numpy as np

from lab.compiled import njit
from lab.flow_lanes import INTEGRATE, LANES, MAX_STAGES, Blocks, Phase, Status, block

_EPS = float(np.finfo(np.float64).eps)
_RENEW = 25  # accepted steps between two estimates of the spectral radius
_RESOLVED = 0.1  # error of a step over its length: keeps following the decay below atol and rtol, down to rounding
_SAFETY = 1.2  # on the estimate of the spectral radius
_TRIES = 40  # power iterations after which the estimate is taken as it is

# The steps below are inlined, so that dividing the integrator into them costs no time.
_step = njit(error_model="numpy", forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_step
def _largest(x, lane):
    top = 0.0
    for i in range(x.shape[0]):
        # NaN must propagate, which max() does not ensure
        if not abs(x[i, lane]) <= top:
            top = abs(x[i, lane])
    return top


@_step
def _hermite(x, h):
    """Weights at the fraction x of the step h: of value and slope at its start, then of value and slope at its end."""
    return (1 + 2 * x) * (1 - x) ** 2, x * (1 - x) ** 2 * h, x * x * (3 - 2 * x), x * x * (x - 1) * h


@_step
def _update(coefficients, lane, a, b, c, d, e):
    """Coefficients of the lane's next vector update; 0, 1, 0, 0, 0 leaves Y_{j−1} as it is."""
    coefficients[0, lane], coefficients[1, lane], coefficients[2, lane] = a, b, c
    coefficients[3, lane], coefficients[4, lane] = d, e


@_step
def _enter(me, lane, r, start, blocks):
    """Put replica r into the lane. An idle lane keeps a valid state, since the model is evaluated there, too."""
    me.replica, me.evaluations = r, 0
    for i in range(start.shape[1]):
        blocks.y1[i, lane] = start[r, i]
        blocks.y2[i, lane] = blocks.f1[i, lane] = blocks.f0[i, lane] = blocks.y0[i, lane] = 0.0


@_step
def _next_stage(me, lane, c, table):
    """Y_j = (1−μ_j−ν_j) Y_0 + μ_j Y_{j−1} + ν_j Y_{j−2} + μ̃_j h f(Y_{j−1}) + γ̃_j h f_0."""
    me.stage += 1
    s, j = me.stages, me.stage
    mu, nu = table[s, j, 0], table[s, j, 1]
    _update(c, lane, 1.0 - mu - nu, mu, nu, table[s, j, 2] * me.h, table[s, j, 3] * me.h)


@_step
def _begin(me, lane, value, blocks, problem, control, written):
    """End of phase *start*: f and L at the initial state are known; the replica may end here already."""
    y0, f0, y1, f1, vector = blocks.y0, blocks.f0, blocks.y1, blocks.f1, blocks.vector
    r, n = me.replica, y0.shape[0]
    me.t = me.h = me.radius = 0.0
    me.sample = 0
    me.end = -1
    written.counts[r, 2] = written.counts[r, 3] = 0
    slope = 0.0
    for i in range(n):
        y0[i, lane] = y1[i, lane]
        f0[i, lane] = f1[i, lane]
        vector[i, lane] = f1[i, lane]  # the flow turns into the stiffest direction first
        slope += f1[i, lane] * f1[i, lane]
    me.value, me.slope, me.size = value[lane], -slope, _largest(f0, lane)
    while me.sample < problem.times.size and problem.times[me.sample] <= 0.0:
        written.values[r, me.sample] = me.value
        if written.states.shape[0] > 0:
            for i in range(n):
                written.states[r, me.sample, i] = y0[i, lane]
        me.sample += 1
    if not me.size < np.inf:
        me.end = Status.DIVERGED
    elif me.size <= control.gradient_tol:
        me.end = Status.CONVERGED
    elif me.value <= problem.target[r]:
        me.end = Status.REACHED
    elif control.time_cap <= 0.0:
        me.end = Status.TIME_CAP


@_step
def _estimate_radius(me, lane, blocks):
    """Begin phase *power* with Y_1 = y + v |shift|/|v|, v the eigenvector of the last estimate."""
    y0, f0, y1, f1, vector = blocks.y0, blocks.f0, blocks.y1, blocks.f1, blocks.vector
    norm, size = 0.0, 0.0
    for i in range(y0.shape[0]):
        norm += vector[i, lane] * vector[i, lane]
        size += y0[i, lane] * y0[i, lane]
    norm = np.sqrt(norm)
    me.shift = np.sqrt(_EPS) * (np.sqrt(size) if size > 1e-20 else 1e-10)
    for i in range(y0.shape[0]):
        y1[i, lane] = y0[i, lane] + vector[i, lane] * (me.shift / norm)
        f1[i, lane] = f0[i, lane]
    me.phase, me.tries = Phase.POWER, 0


@_step
def _iterate_radius(me, lane, blocks):
    """One power iteration, radius <- |f(y + v) − f(y)|/|v|; True once the estimate has settled to 2 %."""
    y0, f0, y1, f1, y2, vector = blocks.y0, blocks.f0, blocks.y1, blocks.f1, blocks.y2, blocks.vector
    n = y0.shape[0]
    norm = 0.0
    for i in range(n):
        y2[i, lane] = f1[i, lane] - f0[i, lane]
        norm += y2[i, lane] * y2[i, lane]
    norm = np.sqrt(norm)
    new = norm / me.shift
    settled = False
    me.tries += 1
    if not new < np.inf:
        me.end = Status.DIVERGED
    else:
        settled = norm == 0.0 or (me.tries > 1 and abs(new - me.radius) <= 0.02 * new) or me.tries >= _TRIES
        me.radius = new
        if settled:
            me.since = 0
        else:
            for i in range(n):
                y1[i, lane] = y0[i, lane] + y2[i, lane] * (me.shift / norm)
    if norm > 0.0 and norm < np.inf:
        for i in range(n):
            vector[i, lane] = y2[i, lane]
    return settled


@_step
def _begin_step(me, lane, c, blocks, control, table):
    """Y_1 = y + μ̃_1 h f_0 with the fewest stages s that are stable, 0.653 (s² − 1) >= h radius."""
    bound = _SAFETY * me.radius + 1e-30
    if me.h <= 0.0:
        me.h = 0.1 / bound
    if me.t + me.h > control.time_cap:
        me.h = control.time_cap - me.t
    elif me.t + 2.0 * me.h > control.time_cap:  # two even steps, not a long and a tiny one
        me.h = 0.5 * (control.time_cap - me.t)
    need = 1.54 * me.h * bound + 1.0
    if need >= float((MAX_STAGES - 1) ** 2):
        s = MAX_STAGES
        most = (float((MAX_STAGES - 1) ** 2) - 1.0) / (1.54 * bound)
        if me.h > most:
            me.h = most
    else:
        s = 1 + int(np.sqrt(need))
        s = s if s > 2 else 2
    me.phase, me.stages, me.stage = Phase.STAGE, s, 1
    for i in range(blocks.y0.shape[0]):
        blocks.y1[i, lane] = blocks.y0[i, lane]
    _update(c, lane, 1.0, 0.0, 0.0, 0.0, table[s, 1, 2] * me.h)


@_step
def _error_of_step(me, lane, blocks, control):
    """Error of the candidate Y_s relative to the allowed one; |f_new|², max|f_new|.

    e = (12 (y − y_new) + 6 h (f_0 + f_new))/15 must be below atol + rtol |y| in the mean square over coordinates, and below a
    tenth of the step's length: then the decay towards a minimum is followed down to rounding.
    """
    y0, f0, y1, f1 = blocks.y0, blocks.f0, blocks.y1, blocks.f1
    n = y0.shape[0]
    error, miss, move, size, slope = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        a, b = abs(y0[i, lane]), abs(y1[i, lane])
        a = a if a > b else b
        b = y0[i, lane] - y1[i, lane]
        e = 0.8 * b + 0.4 * me.h * (f0[i, lane] + f1[i, lane])
        miss += e * e
        move += b * b
        size += a * a
        e /= control.atol + control.rtol * a
        error += e * e
        slope += f1[i, lane] * f1[i, lane]
    error = np.sqrt(error / n)
    miss = np.sqrt(miss) / (_RESOLVED * np.sqrt(move) + 1e-13 * np.sqrt(size) + 1e-300)
    if not miss <= error:  # NaN propagates
        error = miss
    return error, slope, _largest(f1, lane)


@_step
def _loss_within(me, x, value, slope):
    """L at the fraction x of the step: cubic Hermite between L and dL/dt = −|f|² at both ends."""
    p0, q0, p1, q1 = _hermite(x, me.h)
    return p0 * me.value + q0 * me.slope + p1 * value - q1 * slope


@_step
def _crossing(me, value, slope, target):
    """The fraction of the step at which the loss crosses its target, by bisection; 1 if it does not."""
    low, high = 0.0, 1.0
    if value <= target:
        for _ in range(60):
            x = 0.5 * (low + high)
            if _loss_within(me, x, value, slope) > target:
                low = x
            else:
                high = x
    return high


@_step
def _sample_step(me, lane, end, value, slope, blocks, times, written):
    """Loss and state at the requested times up to ``end``; the loss is clipped to the range of those at the ends of the step."""
    y0, f0, y1, f1 = blocks.y0, blocks.f0, blocks.y1, blocks.f1
    r = me.replica
    while me.sample < times.size and times[me.sample] <= end:
        x = (times[me.sample] - me.t) / me.h
        x = x if x < 1.0 else 1.0
        guess = _loss_within(me, x, value, slope)
        guess = guess if guess < me.value else me.value
        written.values[r, me.sample] = guess if guess > value else value
        if written.states.shape[0] > 0:
            p0, q0, p1, q1 = _hermite(x, me.h)
            for i in range(y0.shape[0]):
                written.states[r, me.sample, i] = (p0 * y0[i, lane] + q0 * f0[i, lane]
                                                   + p1 * y1[i, lane] + q1 * f1[i, lane])
        me.sample += 1


@_step
def _accept(me, lane, error, slope, top, value, blocks, problem, control, written):
    """y <- Y_s, or the state in between at which the loss crosses its target; then the next step's length."""
    y0, f0, y1, f1 = blocks.y0, blocks.f0, blocks.y1, blocks.f1
    r, n = me.replica, y0.shape[0]
    written.counts[r, 2] += 1
    me.since += 1
    new_t = me.t + me.h
    if new_t >= control.time_cap * (1.0 - 1e-12):
        new_t = control.time_cap
    part = _crossing(me, value, slope, problem.target[r])
    _sample_step(me, lane, me.t + part * (new_t - me.t), value, slope, blocks, problem.times, written)
    if part < 1.0:  # the gradient is the candidate's
        p0, q0, p1, q1 = _hermite(part, me.h)
        for i in range(n):
            y1[i, lane] = p0 * y0[i, lane] + q0 * f0[i, lane] + p1 * y1[i, lane] + q1 * f1[i, lane]
        me.t += part * me.h
        me.value = problem.target[r]
    else:
        me.t = new_t
        me.value = value
    for i in range(n):
        y0[i, lane] = y1[i, lane]
        f0[i, lane] = f1[i, lane]
    me.slope, me.size = -slope, top
    if part < 1.0 or me.value <= problem.target[r]:
        me.end = Status.REACHED
    elif top <= control.gradient_tol:
        me.end = Status.CONVERGED
    elif me.t >= control.time_cap:
        me.end = Status.TIME_CAP
    me.h *= 5.0 if error < 0.004096 else 0.8 * error ** (-1.0 / 3.0)


@_step
def _reject(me, lane, error, blocks, written):
    """Back to y, with a shorter step."""
    written.counts[me.replica, 3] += 1
    me.h *= 0.8 * error ** (-1.0 / 3.0) if error < 512.0 else 0.1
    for i in range(blocks.y0.shape[0]):  # also removes values that are not finite
        blocks.y1[i, lane] = blocks.y0[i, lane]
        blocks.f1[i, lane] = blocks.f0[i, lane]
    if me.h <= 16.0 * _EPS * (me.t + _EPS):
        me.end = Status.DIVERGED


@_step
def _leave(me, lane, blocks, written):
    """Write the end state of the replica. Times that it did not reach: its last loss and state if it has converged, or NaN."""
    r, n, wanted, y0 = me.replica, blocks.y0.shape[0], written.values.shape[1], blocks.y0
    for i in range(n):
        written.state[r, i] = y0[i, lane]
    written.ends[r, 0], written.ends[r, 1], written.ends[r, 2] = me.t, me.size, me.value
    written.counts[r, 0], written.counts[r, 1] = me.end, me.evaluations
    stays = me.end == Status.CONVERGED
    for k in range(me.sample, wanted):
        written.values[r, k] = me.value if stays else np.nan
        if written.states.shape[0] > 0:
            for i in range(n):
                written.states[r, k, i] = y0[i, lane] if stays else np.nan


@njit(INTEGRATE, cache=True, error_model="numpy", nogil=True)
def integrate(rhs, params, problem, control, table, work, lanes, written, stop):
    """Integrate the replicas of a problem.

    rhs, params : the model. control : a :class:`Control`. table : :func:`coefficients`. work : the model's scratch. lanes :
    :func:`fresh_lanes`. written : a :class:`Written`. stop : (1,), not 0 once the integration should stop.

    Plain twin: for one replica, the exact solutions of tests/lab/test_flow.py.
    """
    replicas, n = problem.start.shape
    blocks = Blocks(block(n), block(n), block(n), block(n), block(n), block(n))
    y0, f0, y1, f1, y2 = blocks.y0, blocks.f0, blocks.y1, blocks.f1, blocks.y2
    value = np.zeros(LANES)
    c = block(5)  # rows: coefficients of the vector update
    queue = active = min(replicas, LANES)
    for lane in range(active):
        lanes[lane].phase = Phase.START
        _enter(lanes[lane], lane, lane, problem.start, blocks)

    while active > 0:
        # 1. f(Y_{j−1}) and the loss, for all lanes
        rhs(params, work, y1, f1, value)
        interrupted = stop[0] != 0
        # 2. each lane: the next stage, or what follows the phase that it has completed
        for lane in range(LANES):
            me = lanes[lane]
            if me.phase == Phase.STAGE and me.stage < me.stages:
                me.evaluations += 1
                _next_stage(me, lane, c, table)
                continue
            _update(c, lane, 0.0, 1.0, 0.0, 0.0, 0.0)
            if me.phase == Phase.IDLE:
                continue
            me.evaluations += 1
            renew = step = False  # whether another estimate of the spectral radius comes next, or a step
            if me.phase == Phase.START:
                _begin(me, lane, value, blocks, problem, control, written)
                renew = True
            elif me.phase == Phase.POWER:
                step = _iterate_radius(me, lane, blocks)
            else:
                error, slope, top = _error_of_step(me, lane, blocks, control)
                if error <= 1.0 and top < np.inf:
                    _accept(me, lane, error, slope, top, value[lane], blocks, problem, control, written)
                    renew = me.since >= _RENEW
                else:  # the spectral radius may have grown
                    _reject(me, lane, error, blocks, written)
                    renew = me.since > 0
                step = not renew
            if me.end < 0 and me.evaluations >= control.max_evaluations:
                me.end = Status.EVALUATION_CAP
            if me.end < 0 and interrupted:
                me.end = Status.STOPPED

            if me.end >= 0:
                _leave(me, lane, blocks, written)
                if queue < replicas and not interrupted:
                    me.phase, me.replica = Phase.START, queue
                    queue += 1
                else:
                    me.phase = Phase.IDLE
                    active -= 1
                _enter(me, lane, me.replica, problem.start, blocks)
            elif renew:
                _estimate_radius(me, lane, blocks)
            elif step:
                _begin_step(me, lane, c, blocks, control, table)

        # 3. the next Y_{j−1} = a y + b Y_{j−1} + c Y_{j−2} + d f(Y_{j−1}) + e f(y), and Y_{j−2}, for all lanes
        ca, cb, cc, cd, ce = c[0], c[1], c[2], c[3], c[4]
        for i in range(n):
            for lane in range(LANES):
                old = y1[i, lane]
                y1[i, lane] = (ca[lane] * y0[i, lane] + cb[lane] * old + cc[lane] * y2[i, lane]
                               + cd[lane] * f1[i, lane] + ce[lane] * f0[i, lane])
                y2[i, lane] = old

    if stop[0] != 0:
        for r in range(queue, replicas):
            written.counts[r, 0] = Status.STOPPED
