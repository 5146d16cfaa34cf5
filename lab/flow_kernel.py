"""The compiled integrator behind :mod:`lab.flow`: the Runge–Kutta–Chebyshev method in eight lanes.

Equations and source are in :mod:`lab.flow`. A lane is a small machine with three phases: *start* (f at the initial state),
*power* (an iteration for the spectral radius), *stage* (Y_j of a step). One call of the model serves whatever the eight lanes
ask for; then each lane decides by itself what it needs next, and one vector update

    Y_{j−1}, Y_{j−2} <- a y + b Y_{j−1} + c Y_{j−2} + d f(Y_{j−1}) + e f(y), Y_{j−1}

with coefficients of each lane's own prepares the next call. So every function below is one thing that a lane does between two
calls of the model, and :func:`integrate` is the order in which it does them.

``u`` holds states and right-hand sides, [Y0 … VECTOR, coordinate, lane]; ``me`` is the record of a lane, changed in place
(:mod:`lab.flow_lanes`); ``c`` has a row for each number that a lane gives to what is done for all lanes at once, or takes from
it (:mod:`lab.flow_vectors`). ``u`` is one array because each array that a function is given adds nine arguments to what is
compiled: with one for each state and result the integrator took twice as long to compile.
"""

import numpy as np

from lab.compiled import njit
from lab.flow_lanes import (
    ERROR,
    F0,
    F1,
    INTEGRATE,
    LANES,
    MAX_STAGES,
    MOVED,
    SLOPE,
    TOP,
    VECTOR,
    Y0,
    Y1,
    Y2,
    H,
    Phase,
    Status,
)
from lab.flow_vectors import errors_of_steps, move

_EPS = float(np.finfo(np.float64).eps)
_RENEW = 25  # accepted steps between two estimates of the spectral radius
_SAFETY = 1.2  # on the estimate of the spectral radius
_TRIES = 40  # power iterations after which the estimate is taken as it is
_MOST = float((MAX_STAGES - 1) ** 2)

# The steps below are inlined, so that dividing the integrator into them costs no time.
_step = njit(error_model="numpy", forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_step
def _largest(u, what, lane):
    top = 0.0
    for i in range(u.shape[1]):
        # NaN must propagate, which max() does not ensure
        if not abs(u[what, i, lane]) <= top:
            top = abs(u[what, i, lane])
    return top


@_step
def _hermite(x, h):
    """Weights at the fraction x of the step h: of value and slope at its start, then of value and slope at its end."""
    rest = (1 - x) * (1 - x)
    return (1 + 2 * x) * rest, x * rest * h, x * x * (3 - 2 * x), x * x * (x - 1) * h


@_step
def _update(coefficients, lane, a, b, c, d, e):
    """Coefficients of the lane's next vector update; 0, 1, 0, 0, 0 leaves Y_{j−1} as it is."""
    coefficients[0, lane] = a
    coefficients[1, lane] = b
    coefficients[2, lane] = c
    coefficients[3, lane] = d
    coefficients[4, lane] = e


@_step
def _enter(me, lane, r, start, target, u):
    """Put replica r into the lane. An idle lane keeps a valid state, since the model is evaluated there, too."""
    me.replica = r
    me.target = target[r]
    me.evaluations = 0
    for i in range(u.shape[1]):
        u[Y1, i, lane] = start[r, i]
        u[Y2, i, lane] = u[F1, i, lane] = u[F0, i, lane] = u[Y0, i, lane] = 0.0


@_step
def _next_stage(me, lane, c, table):
    """Y_j = (1−μ_j−ν_j) Y_0 + μ_j Y_{j−1} + ν_j Y_{j−2} + μ̃_j h f(Y_{j−1}) + γ̃_j h f_0."""
    me.stage += 1
    s = me.stages
    j = me.stage
    mu = table[s, j, 0]
    nu = table[s, j, 1]
    _update(c, lane, 1.0 - mu - nu, mu, nu, table[s, j, 2] * me.h, table[s, j, 3] * me.h)


@_step
def _begin(me, lane, value, u, control):
    """End of phase *start*: f and L at the initial state are known; the replica may end here already."""
    me.t = me.h = me.radius = 0.0
    me.sample = 0
    me.end = -1
    slope = 0.0
    for i in range(u.shape[1]):
        u[Y0, i, lane] = u[Y1, i, lane]
        f = u[F1, i, lane]
        u[F0, i, lane] = f
        u[VECTOR, i, lane] = f  # the flow turns into the stiffest direction first
        slope += f * f
    me.value = value
    me.slope = -slope
    me.size = _largest(u, F0, lane)
    if not me.size < np.inf:
        me.end = Status.DIVERGED
    elif me.size <= control.gradient_tol:
        me.end = Status.CONVERGED
    elif me.value <= me.target:
        me.end = Status.REACHED
    elif control.time_cap <= 0.0:
        me.end = Status.TIME_CAP


@_step
def _sample_start(me, lane, u, times, values, states):
    """Loss and state at the requested times that are not after the start."""
    while me.sample < times.size and times[me.sample] <= 0.0:
        values[me.replica, me.sample] = me.value
        if states.shape[0] > 0:
            for i in range(u.shape[1]):
                states[me.replica, me.sample, i] = u[Y0, i, lane]
        me.sample += 1


@_step
def _estimate_radius(me, lane, u):
    """Begin phase *power* with Y_1 = y + v |shift|/|v|, v the eigenvector of the last estimate."""
    norm = size = 0.0
    for i in range(u.shape[1]):
        norm += u[VECTOR, i, lane] * u[VECTOR, i, lane]
        size += u[Y0, i, lane] * u[Y0, i, lane]
    me.shift = np.sqrt(_EPS) * (np.sqrt(size) if size > 1e-20 else 1e-10)
    length = me.shift / np.sqrt(norm)
    for i in range(u.shape[1]):
        u[Y1, i, lane] = u[Y0, i, lane] + u[VECTOR, i, lane] * length
        u[F1, i, lane] = u[F0, i, lane]
    me.phase = Phase.POWER
    me.tries = 0


@_step
def _iterate_radius(me, lane, u):
    """One power iteration, radius <- |f(y + v) − f(y)|/|v|; True once the estimate has settled to 2 %."""
    norm = 0.0
    for i in range(u.shape[1]):
        difference = u[F1, i, lane] - u[F0, i, lane]
        u[Y2, i, lane] = difference
        norm += difference * difference
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
            length = me.shift / norm
            for i in range(u.shape[1]):
                u[Y1, i, lane] = u[Y0, i, lane] + u[Y2, i, lane] * length
    if norm > 0.0 and norm < np.inf:
        for i in range(u.shape[1]):
            u[VECTOR, i, lane] = u[Y2, i, lane]
    return settled


@_step
def _begin_step(me, lane, c, u, control, table):
    """Y_1 = y + μ̃_1 h f_0 with the fewest stages s that are stable, 0.653 (s² − 1) >= h radius."""
    bound = _SAFETY * me.radius + 1e-30
    if me.h <= 0.0:
        me.h = 0.1 / bound
    if me.t + me.h > control.time_cap:
        me.h = control.time_cap - me.t
    elif me.t + 2.0 * me.h > control.time_cap:  # two even steps, not a long and a tiny one
        me.h = 0.5 * (control.time_cap - me.t)
    need = 1.54 * me.h * bound + 1.0
    if need >= _MOST:
        s = MAX_STAGES
        most = (_MOST - 1.0) / (1.54 * bound)
        if me.h > most:
            me.h = most
    else:
        s = 1 + int(np.sqrt(need))
        s = s if s > 2 else 2
    me.stages = s
    me.stage = 1
    if me.phase == Phase.POWER:  # after a step Y_{j−1} is y
        for i in range(u.shape[1]):
            u[Y1, i, lane] = u[Y0, i, lane]
    me.phase = Phase.STAGE
    _update(c, lane, 1.0, 0.0, 0.0, 0.0, table[s, 1, 2] * me.h)


@_step
def _loss_within(me, x, value, slope):
    """L at the fraction x of the step: cubic Hermite between L and dL/dt = −|f|² at both ends."""
    p0, q0, p1, q1 = _hermite(x, me.h)
    return p0 * me.value + q0 * me.slope + p1 * value - q1 * slope


@_step
def _crossing(me, value, slope):
    """The fraction of the step at which the loss crosses its target, by bisection; 1 if it does not."""
    low = 0.0
    high = 1.0
    if value <= me.target:
        for _ in range(60):
            x = 0.5 * (low + high)
            if _loss_within(me, x, value, slope) > me.target:
                low = x
            else:
                high = x
    return high


@_step
def _end_of_step(me, control):
    """The time that the step leads to."""
    end = me.t + me.h
    return control.time_cap if end >= control.time_cap * (1.0 - 1e-12) else end


@_step
def _sample_step(me, lane, end, value, slope, u, times, values, states):
    """Loss and state at the requested times up to ``end``; the loss is clipped to the range of those at the ends of the step."""
    r = me.replica
    while me.sample < times.size and times[me.sample] <= end:
        x = (times[me.sample] - me.t) / me.h
        x = x if x < 1.0 else 1.0
        guess = _loss_within(me, x, value, slope)
        guess = guess if guess < me.value else me.value
        values[r, me.sample] = guess if guess > value else value
        if states.shape[0] > 0:
            p0, q0, p1, q1 = _hermite(x, me.h)
            for i in range(u.shape[1]):
                states[r, me.sample, i] = (p0 * u[Y0, i, lane] + q0 * u[F0, i, lane]
                                           + p1 * u[Y1, i, lane] + q1 * u[F1, i, lane])
        me.sample += 1


@_step
def _accept(me, lane, part, end, error, value, slope, top, u, control):
    """Y_s, or the state in between at which the loss crosses its target, will be y; then the next step's length."""
    me.since += 1
    if part < 1.0:  # the gradient is the candidate's
        p0, q0, p1, q1 = _hermite(part, me.h)
        for i in range(u.shape[1]):
            u[Y1, i, lane] = p0 * u[Y0, i, lane] + q0 * u[F0, i, lane] + p1 * u[Y1, i, lane] + q1 * u[F1, i, lane]
        me.t += part * me.h
        me.value = me.target
    else:
        me.t = end
        me.value = value
    me.slope = -slope
    me.size = top
    if part < 1.0 or me.value <= me.target:
        me.end = Status.REACHED
    elif top <= control.gradient_tol:
        me.end = Status.CONVERGED
    elif me.t >= control.time_cap:
        me.end = Status.TIME_CAP
    me.h *= 5.0 if error < 0.004096 else 0.8 * error ** (-1.0 / 3.0)


@_step
def _advance(lane, u):
    """y <- Y_s, f(y) <- f(Y_s) at once, for a lane that does not simply go on."""
    for i in range(u.shape[1]):
        u[Y0, i, lane] = u[Y1, i, lane]
        u[F0, i, lane] = u[F1, i, lane]


@_step
def _reject(me, lane, error, u):
    """Back to y, with a shorter step."""
    me.h *= 0.8 * error ** (-1.0 / 3.0) if error < 512.0 else 0.1
    for i in range(u.shape[1]):  # also removes values that are not finite
        u[Y1, i, lane] = u[Y0, i, lane]
        u[F1, i, lane] = u[F0, i, lane]
    if me.h <= 16.0 * _EPS * (me.t + _EPS):
        me.end = Status.DIVERGED


@_step
def _leave(me, lane, u, ends, state, values, states):
    """Write the end state of the replica. Times that it did not reach: its last loss and state if it has converged, or NaN."""
    r = me.replica
    ends[r] = me
    for i in range(u.shape[1]):
        state[r, i] = u[Y0, i, lane]
    stays = me.end == Status.CONVERGED
    for k in range(me.sample, values.shape[1]):
        values[r, k] = me.value if stays else np.nan
        if states.shape[0] > 0:
            for i in range(u.shape[1]):
                states[r, k, i] = u[Y0, i, lane] if stays else np.nan


@njit(INTEGRATE, cache=True, error_model="numpy", nogil=True)
def integrate(rhs, params, start, target, times, control, table, work, u, c, value, lanes, ends, state, values, states, stop):
    """Integrate the replicas of a problem.

    rhs, params : the model. start : (replicas, n) initial states. target : (replicas,) losses at which they stop. times : (T,)
    when the path is wanted. control : a :class:`Control`. table : :func:`coefficients`. work : the model's scratch. u : (6, n,
    LANES), c : (ROWS, LANES), value : (LANES,) scratch. lanes : :func:`fresh_lanes`. Written: ends : (replicas,) last records;
    state : (replicas, n) last states; values : (replicas, T) losses and states : (replicas, T, n) states at the times, (0, T,
    n) where they are not wanted. stop : (1,), not 0 once the integration should stop.

    Plain twin: for one replica, the exact solutions of tests/lab/test_flow.py.
    """
    replicas = start.shape[0]
    y0, f0, y1, f1, y2 = u[Y0], u[F0], u[Y1], u[F1], u[Y2]
    queue = active = replicas if replicas < LANES else LANES
    for lane in range(active):
        lanes[lane].phase = Phase.START
        _enter(lanes[lane], lane, lane, start, target, u)

    while active > 0:
        # 1. f(Y_{j−1}) and the loss, for all lanes
        rhs(params, work, y1, f1, value)
        interrupted = stop[0] != 0
        ends_step = False  # in some lane
        some = False  # lanes go on from an accepted step
        for lane in range(LANES):
            me = lanes[lane]
            c[H, lane] = me.h
            c[MOVED, lane] = 0.0
            ends_step = ends_step or (me.phase == Phase.STAGE and me.stage == me.stages)
        if ends_step:
            errors_of_steps(y0, f0, y1, f1, c, control)
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
            renew = step = accepted = False  # whether another estimate of the spectral radius comes next, or a step
            if me.phase == Phase.START:
                _begin(me, lane, value[lane], u, control)
                _sample_start(me, lane, u, times, values, states)
                renew = True
            elif me.phase == Phase.POWER:
                step = _iterate_radius(me, lane, u)
            else:
                error = c[ERROR, lane]
                slope = c[SLOPE, lane]
                top = c[TOP, lane]
                accepted = error <= 1.0 and top < np.inf
                if accepted:
                    end = _end_of_step(me, control)
                    part = _crossing(me, value[lane], slope)
                    last = me.t + part * (end - me.t) if part < 1.0 else end  # rounding must not lose a time at the cap
                    _sample_step(me, lane, last, value[lane], slope, u, times, values, states)
                    _accept(me, lane, part, end, error, value[lane], slope, top, u, control)
                    renew = me.since >= _RENEW
                else:  # the spectral radius may have grown
                    _reject(me, lane, error, u)
                    renew = me.since > 0
                step = not renew
            if me.end < 0 and me.evaluations >= control.max_evaluations:
                me.end = Status.EVALUATION_CAP
            if me.end < 0 and interrupted:
                me.end = Status.STOPPED

            if accepted and (me.end >= 0 or renew):
                _advance(lane, u)
            elif accepted:
                c[MOVED, lane] = 1.0
                some = True
            if me.end >= 0:
                _leave(me, lane, u, ends, state, values, states)
                if queue < replicas and not interrupted:
                    me.phase = Phase.START
                    me.replica = queue
                    queue += 1
                else:
                    me.phase = Phase.IDLE
                    active -= 1
                _enter(me, lane, me.replica, start, target, u)
            elif renew:
                _estimate_radius(me, lane, u)
            elif step:
                _begin_step(me, lane, c, u, control, table)

        # 3. the next Y_{j−1} = a y + b Y_{j−1} + c Y_{j−2} + d f(Y_{j−1}) + e f(y), and Y_{j−2}, for all lanes
        move(y0, f0, y1, y2, f1, c, some)
