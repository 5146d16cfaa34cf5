"""Gradient descent and restarted Nesterov descent on the ReLU landscape, eight replicas at a time.

    gradient descent   W ← W − η ∇F(W)
    Nesterov           X' = W − η ∇F(W),  W = X' + β_t (X' − X),  β_t = t/(t+3), t counted from the last restart;
                       restart (β = 0) where ∇F(W)·(X' − X) > 0   (O'Donoghue & Candès 2015, arXiv 1204.3982)

Each lane of a vector is a replica of its own; every ``CHECK`` steps finished lanes are written out and refilled from the
queue. A lane's steps are counted from its own start, and lanes do not mix: a replica's path is the same bit for bit
whatever the number of threads and whichever replicas share its vector.
"""

import time
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np

from lab.compiled import njit
from lab.errors import InputError
from lab.flow_kernel import LANES, block
from lab.threads import offered
from lab.vector import load, store
from theory.landscape.axes import descent, work_rows

CHECK = 16  # steps between two looks at the stopping rules
FIRST_ROUND = 8192  # steps after which what still runs is gathered anew; then four times as many, and so on
CONVERGED, BELOW, UNFINISHED, DIVERGED, STOPPED = range(5)
STATUS = ("converged", "below the success level", "step cap", "diverged", "stopped")


@njit("void(f8[::1], f8[:, ::1], f8[::1], f8[:, ::1], f8[:, ::1], i8[:, ::1], i8[::1])",
      cache=True, error_model="numpy", nogil=True)
def _descend(params, start, control, state, ends, counts, flag):
    """Run the replicas of ``start``.

    control : learning_rate, tolerance on max_i |∇_i|, target_loss, step cap, 1.0 for Nesterov, rows of scratch. ends[r] <- F,
    max_i |∇_i|, largest rise of F between two checks; counts[r] <- status, steps. flag[0] != 0 stops everything.
    """
    n, d = int(params[0]), int(params[2])
    replicas, size = start.shape
    learning_rate, tolerance, target_loss, cap = control[0], control[1], control[2], int(control[3])
    nesterov = control[4] != 0.0
    y, out, work = block(size), block(size), block(int(control[5]))
    x = block(size if nesterov else 1)  # the last X of Nesterov
    value, last, rise = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    beta, along, age = block(1), block(1), np.full(LANES, -1, np.int64)
    replica, steps = np.full(LANES, -1, np.int64), np.full(LANES, -1, np.int64)
    queue, active, check = 0, 0, CHECK
    for lane in range(LANES):
        r = min(queue, replicas - 1)
        if queue < replicas:
            replica[lane] = queue
            queue += 1
            active += 1
        last[lane] = np.inf
        for i in range(size):
            y[i, lane] = start[r, i]
            if nesterov:
                x[i, lane] = start[r, i]

    while active > 0:
        # before the first evaluation of a lane its `out` is zero, and this move none
        if nesterov:
            dot = load(along, 0) * 0.0
            for i in range(size):
                move = load(out, i) * learning_rate
                dot += load(out, i) * (load(y, i) + move - load(x, i))
            store(along, 0, dot)
            for lane in range(LANES):
                if along[0, lane] < 0.0:
                    age[lane] = 0
                beta[0, lane] = age[lane] / (age[lane] + 3.0)
                age[lane] += 1
            b = load(beta, 0)
            for i in range(size):
                new = load(y, i) + load(out, i) * learning_rate
                store(y, i, new + b * (new - load(x, i)))
                store(x, i, new)
        else:
            for i in range(size):
                store(y, i, load(y, i) + load(out, i) * learning_rate)
        for lane in range(LANES):
            steps[lane] += 1
        descent(params, work, y, out, value)
        check -= 1
        if check == 0:
            check = CHECK
            interrupted = flag[0] != 0
            for lane in range(LANES):
                r = replica[lane]
                if r < 0:
                    continue
                slope = 0.0
                for i in range(n):
                    square = 0.0
                    for m in range(d):
                        square += out[i * d + m, lane] ** 2
                    if not square <= slope:  # lets a NaN through
                        slope = square
                slope = np.sqrt(slope)
                if value[lane] - last[lane] > rise[lane]:
                    rise[lane] = value[lane] - last[lane]
                last[lane] = value[lane]
                status = -1
                if not (slope < np.inf and value[lane] < np.inf):
                    status = DIVERGED
                elif slope <= tolerance:
                    status = CONVERGED
                elif value[lane] < target_loss:
                    status = BELOW
                elif steps[lane] >= cap:
                    status = UNFINISHED
                elif interrupted:
                    status = STOPPED
                if status < 0:
                    continue
                ends[r, 0], ends[r, 1], ends[r, 2] = value[lane], slope, rise[lane]
                counts[r, 0], counts[r, 1] = status, steps[lane]
                for i in range(size):
                    state[r, i] = y[i, lane]
                if queue < replicas and not interrupted:
                    replica[lane] = queue
                    queue += 1
                else:
                    replica[lane] = -1
                    active -= 1
                r = max(replica[lane], 0)
                for i in range(size):  # the next one, or harmless numbers
                    y[i, lane] = start[r, i]
                    out[i, lane] = 0.0
                    if nesterov:
                        x[i, lane] = start[r, i]
                age[lane], steps[lane] = -1, -1
                last[lane], rise[lane] = np.inf, 0.0
    if flag[0] != 0:
        for r in range(queue, replicas):
            counts[r, 0] = STOPPED


def descend(params, start, *, learning_rate, tolerance, target_loss=-np.inf, max_steps=1_000_000, nesterov=False, threads=None,
            time_limit=None, progress=None):
    """Run many replicas until each meets one of the stopping rules (looked at every ``CHECK`` steps).

    Parameters
    ----------
    params : (n, k, d). start : (replicas, n d).
    learning_rate : η. tolerance : converged once max_i |∇_i F| is at most this. target_loss : stop once F is below this.
    max_steps : then a replica is unfinished. nesterov : accelerate.
    threads : default ``NUMBA_NUM_THREADS``. time_limit : wall time in seconds after which what still runs is
        stopped.
    progress : called with the number of replicas that just ended.

    Returns
    -------
    state : (replicas, n d). ends : (replicas, 3) F, max_i |∇_i F|, largest rise of F between two checks.
    counts : (replicas, 2) status (``STATUS``) and steps.

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
    threads = max(1, int(threads or offered()))
    flag = np.zeros(1, dtype=np.int64)
    deadline = None if time_limit is None else time.monotonic() + time_limit
    running, done, cap = np.arange(replicas), 0, 0
    with ThreadPoolExecutor(threads) as pool:
        while running.size:
            # the slow replicas of a round share the next one's lanes: alone, each would keep seven lanes empty
            before, cap = cap, min(max_steps, max(FIRST_ROUND, 4 * cap))
            control = np.array([learning_rate, tolerance, target_loss, cap - before, float(nesterov),
                                work_rows(int(params[0]), int(params[1]), int(params[2]))])
            piece = max(LANES, -(-running.size // threads))
            parts = [running[i:i + piece] for i in range(0, running.size, piece)]
            blocks = [(state[part], np.full((part.size, 3), np.nan), np.full((part.size, 2), STOPPED))
                      for part in parts]
            try:
                jobs = [pool.submit(_descend, params, first.copy(), control, first, end, count, flag)
                        for first, end, count in blocks]
                if wait(jobs, timeout=deadline and max(0.0, deadline - time.monotonic())).not_done:
                    flag[0] = 1
                for job in jobs:
                    job.result()
            except BaseException:  # Ctrl-C too: let the kernels return
                flag[0] = 1
                raise
            for part, (last, end, count) in zip(parts, blocks):
                state[part], counts[part, 0] = last, count[:, 0]
                counts[part, 1] += count[:, 1]
                rise = np.fmax(ends[part, 2], end[:, 2])
                ends[part] = end
                ends[part, 2] = rise
            running = np.flatnonzero(counts[:, 0] == UNFINISHED) if cap < max_steps and not flag[0] else running[:0]
            if progress is not None:
                progress(replicas - running.size - done)
                done = replicas - running.size
    return state, ends, counts
