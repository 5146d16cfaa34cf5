"""Gradient descent and restarted Nesterov descent on the ReLU landscape, eight replicas at a time.

    gradient descent   W ← W − η ∇F(W)
    Nesterov           X' = W − η ∇F(W),  W = X' + β_t (X' − X),  β_t = t/(t+3), t counted from the last restart;
                       restart (β = 0) where ∇F(W)·(X' − X) > 0   (O'Donoghue & Candès 2015, arXiv 1204.3982)

Each lane of a vector is a replica of its own; every ``CHECK`` steps finished lanes are written out and refilled from the
queue. A lane's steps are counted from its own start, and lanes do not mix: a replica's path is the same bit for bit
whatever the number of threads and whichever replicas share its vector.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numba import typeof, types

from lab.compile_ahead import ready
from lab.compiled import njit
from lab.errors import InputError
from lab.flow_lanes import LANES, RHS, aligned, block
from lab.shared_queue import take
from lab.team import Team
from lab.vector import load, select, some, splat, sqrt, store
from theory.landscape.axes import descent, work_rows

CHECK = 16  # steps between two looks at the stopping rules
FIRST_ROUND = 8192  # steps after which unfinished replicas are repacked into full lanes; then four times as many, and so on


class Status(IntEnum):
    """How a replica ended."""

    CONVERGED = 0
    BELOW = 1  # the target loss
    UNFINISHED = 2
    DIVERGED = 3
    STOPPED = 4  # from outside


CONVERGED, BELOW, UNFINISHED, DIVERGED, STOPPED = Status
STATUS = ("converged", "below the success level", "step cap", "diverged", "stopped")

LANE = np.dtype([
    ("replica", np.int64),  # -1 in an idle lane
    ("status", np.int64),  # a Status; -1 as long as the replica runs
    ("steps", np.int64),
    ("age", np.int64),  # t of Nesterov's β_t
    ("last", np.float64), ("rise", np.float64),  # F at the last check; its largest rise between two
])


class Control(NamedTuple):
    """Arguments of :func:`descend` of these names."""

    learning_rate: float
    tolerance: float
    target_loss: float
    max_steps: int
    nesterov: bool


_f8, _i8 = types.float64, types.int64
_SIGNATURE = types.void(
    types.FunctionType(RHS), _f8[::1], types.NamedTuple((_f8, _f8, _f8, _i8, types.boolean), Control), _f8[:, ::1],
    typeof(np.zeros(LANES, LANE).view(np.recarray)), _f8[:, ::1], _f8[:, ::1], _f8[:, ::1], _i8[:, ::1], _i8[::1],
    _i8[::1])

_step = njit(error_model="numpy", forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_step
def _plain_step(y, out, learning_rate):
    """W <- W − η ∇F."""
    for i in range(y.shape[0]):
        store(y, i, load(y, i) + load(out, i) * learning_rate)


@_step
def _nesterov_step(y, x, out, lanes, along, beta, learning_rate):
    """X' = W − η ∇F, W <- X' + β (X' − X), X <- X'; but W <- X', t <- 0 where −∇F·(X' − X) < 0. along, beta : (1, LANES) scratch.

    Whether to restart is known after the update only, and restarts are rare: to undo it there takes one pass over the arrays
    instead of two.
    """
    for lane in range(LANES):
        me = lanes[lane]
        beta[0, lane] = me.age / (me.age + 3.0)
        me.age += 1
    b, dot = load(beta, 0), load(beta, 0) * 0.0
    for i in range(y.shape[0]):
        new = load(y, i) + load(out, i) * learning_rate
        move = new - load(x, i)
        dot += load(out, i) * move
        store(y, i, new + b * move)
        store(x, i, new)
    restart = dot < 0.0
    if some(restart):
        for i in range(y.shape[0]):
            store(y, i, select(restart, load(x, i), load(y, i)))
        store(along, 0, dot)
        for lane in range(LANES):
            if along[0, lane] < 0.0:
                lanes[lane].age = 1


@_step
def _enter(me, lane, r, start, y, x, out, nesterov):
    """Take replica r on; an idle lane (r = −1) has harmless numbers. The first move, with a gradient of 0, is none."""
    me.replica, me.status, me.age, me.steps = r, -1, -1, -1
    me.last, me.rise = np.inf, 0.0
    for i in range(start.shape[1]):
        y[i, lane] = start[max(r, 0), i]
        out[i, lane] = 0.0
        if nesterov:
            x[i, lane] = start[max(r, 0), i]


@_step
def _largest_slopes(out, slopes, n, d):
    """slopes[0] <- max_i |∇_i F| of every lane: a column of one lane would be a cache line for each of its numbers."""
    top = splat(0.0)
    for i in range(n):
        square = splat(0.0)
        for m in range(i * d, i * d + d):
            square += load(out, m) * load(out, m)
        top = select(square <= top, top, square)  # lets a NaN through
    store(slopes, 0, sqrt(top))


@_step
def _judge(me, value, slope, control, interrupted):
    """The stopping rules."""
    if value - me.last > me.rise:
        me.rise = value - me.last
    me.last = value
    if not (slope < np.inf and value < np.inf):
        me.status = Status.DIVERGED
    elif slope <= control.tolerance:
        me.status = Status.CONVERGED
    elif value < control.target_loss:
        me.status = Status.BELOW
    elif me.steps >= control.max_steps:
        me.status = Status.UNFINISHED
    elif interrupted:
        me.status = Status.STOPPED


@njit(_SIGNATURE, cache=True, error_model="numpy", nogil=True)
def _descend(rhs, params, control, work, lanes, start, state, ends, counts, queue, stop):
    """Run the replicas of ``start`` that this thread takes from the queue.

    rhs : :func:`theory.landscape.axes.descent`, passed so that the two are compiled side by side. params : (n, k, d). work :
    scratch of the loss. lanes : (LANES,) records of :data:`LANE`. state[r] <- where it ended; ends[r] <- F, max_i |∇_i|, largest
    rise of F between two checks; counts[r] <- status, steps. queue : shared by all threads (:mod:`lab.shared_queue`). stop : not
    0 at [0] once everything should stop. Arrays in between are [coordinate, lane].

    Plain twin: ``descend`` in tests/naive_relu_landscape.py.
    """
    n, d = int(params[0]), int(params[2])
    replicas, size = start.shape
    y, out, value = block(size), block(size), np.zeros(LANES)  # W, −∇F, F
    x = block(size if control.nesterov else 1)  # the last X of Nesterov
    along, beta, slopes = block(1), block(1), block(1)
    active = 0
    for lane in range(LANES):
        r = take(queue)
        r = r if r < replicas else -1
        active += r >= 0
        _enter(lanes[lane], lane, r, start, y, x, out, control.nesterov)

    check = 0
    while active > 0:
        # 1. a step of every lane, and the gradient there
        if control.nesterov:
            _nesterov_step(y, x, out, lanes, along, beta, control.learning_rate)
        else:
            _plain_step(y, out, control.learning_rate)
        for lane in range(LANES):
            lanes[lane].steps += 1
        rhs(params, work, y, out, value)
        check += 1
        if check < CHECK:
            continue
        # 2. every CHECK steps: write out what has ended, and take the next replica on
        check = 0
        interrupted = stop[0] != 0
        _largest_slopes(out, slopes, n, d)
        for lane in range(LANES):
            me = lanes[lane]
            r = me.replica
            if r < 0:
                continue
            _judge(me, value[lane], slopes[0, lane], control, interrupted)
            if me.status < 0:
                continue
            ends[r, 0], ends[r, 1], ends[r, 2] = value[lane], slopes[0, lane], me.rise
            counts[r, 0], counts[r, 1] = me.status, me.steps
            for i in range(size):
                state[r, i] = y[i, lane]
            r = replicas if interrupted else take(queue)
            if r >= replicas:
                r = -1
                active -= 1
            _enter(me, lane, r, start, y, x, out, control.nesterov)


def descend(params, start, *, learning_rate, tolerance, target_loss=-np.inf, max_steps=1_000_000, nesterov=False, threads=None,
            time_limit=None, progress=None):
    """Run many replicas until each meets one of the stopping rules (looked at every ``CHECK`` steps).

    Parameters
    ----------
    params : (3,) array
        n, k, d.
    start : (replicas, n d) array
        Weights to start from.
    learning_rate : float > 0
        η.
    tolerance : float ≥ 0
        Converged once max_i |∇_i F| is at most this.
    target_loss : float, default −inf
        Stop once F is below this.
    max_steps : int ≥ 1, default 1000000
        Steps after which a replica is given up as unfinished.
    nesterov : bool, default False
        Accelerate.
    threads : int ≥ 1, optional
        Default: as many as Numba would use.
    time_limit : float ≥ 0, optional
        Seconds of wall time after which unfinished replicas are stopped.
    progress : callable, optional
        Called with the number of replicas that just ended.

    Returns
    -------
    state : (replicas, n d) float array
        Weights at the end.
    ends : (replicas, 3) float array
        F, max_i |∇_i F|, largest rise of F between two checks.
    counts : (replicas, 2) int array
        A :class:`Status`, and steps.

    Raises
    ------
    InputError
        Starts that are not finite or do not fit.
    """
    params = np.array(params, dtype=np.float64)
    start = np.ascontiguousarray(start, dtype=np.float64)
    if not np.all(np.isfinite(start)):
        raise InputError("initial weights must be finite")
    if start.ndim != 2 or start.shape[1] != params[0] * params[2]:
        raise InputError(f"starts must be (replicas, {params[0] * params[2]:.0f}), got shape {start.shape}")
    replicas = len(start)
    state, ends = start.copy(), np.full((replicas, 3), np.nan)
    counts = np.zeros((replicas, 2), dtype=np.int64)
    rows = work_rows(int(params[0]), int(params[1]), int(params[2]))
    running, done, cap = np.arange(replicas), 0, 0
    ready(_descend, descent)  # the time limit is for descending
    with Team(threads, time_limit) as team:
        while running.size:
            # the slow replicas of a round share the next one's lanes: alone, each would keep seven lanes empty
            before, cap = cap, min(max_steps, max(FIRST_ROUND, 4 * cap))
            control = Control(float(learning_rate), float(tolerance), float(target_loss), int(cap - before), bool(nesterov))
            first, queue = state[running], np.zeros(1, dtype=np.int64)
            last, end, count = first.copy(), np.full((running.size, 3), np.nan), np.zeros((running.size, 2), dtype=np.int64)
            count[:, 0] = STOPPED  # of replicas that nobody takes

            def work(_, arguments=(control, first, last, end, count, queue)):
                control, *arrays = arguments
                _descend(descent, params, control, aligned(rows, LANES), np.zeros(LANES, LANE).view(np.recarray), *arrays,
                         team.stop)

            team.run(work, range(min(team.threads, -(-running.size // LANES))))
            state[running], counts[running, 0] = last, count[:, 0]
            counts[running, 1] += count[:, 1]
            end[:, 2] = np.fmax(ends[running, 2], end[:, 2])
            ends[running] = end
            running = np.flatnonzero(counts[:, 0] == UNFINISHED) if cap < max_steps and not team.stopped else running[:0]
            if progress is not None:
                progress(replicas - running.size - done)
                done = replicas - running.size
    return state, ends, counts
