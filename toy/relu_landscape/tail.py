"""Many plain steps at once: where a descent creeps, it is followed as a flow.

Beside a bifurcation a minimum can have curvatures of 4e-5 (k = 17, n = 18), and plain steps of 0.1 take up to a million to get
there. A step η is η of time on the gradient flow, but for a part O(ηλ) of its length in a direction of curvature λ; once the
gradient is small, only directions of tiny λ still move. :mod:`lab.flow` follows them with steps that stand for thousands of
plain ones, at a hundredth of the cost. Replicas that speed up again, because they leave a saddle, go back to plain steps. The
tolerances below keep a path within 1e-6 of the plain one, which tests/toy/test_relu_landscape.py compares.
"""

import math
import time

import numpy as np

from lab import flow
from theory.landscape import loss
from theory.landscape.axes import descent as model
from theory.landscape.axes import gradient_axes, work_rows
from toy.relu_landscape import descent as gd

RTOL, ATOL = 1e-9, 1e-12  # of a step of the flow
FIRST_WINDOW, GROWTH = 1024, 1.5  # plain steps until the integrator starts anew, and by how much they grow
LOOKS = 8  # in a window, at the stopping rules


def _first(found: np.ndarray) -> np.ndarray:
    """Index of the first True of each row; the length of a row without any."""
    return np.where(found.any(axis=1), found.argmax(axis=1), found.shape[1])


def descend(params, start, *, learning_rate, tolerance, leave, target_loss, max_steps, threads=None, time_limit=None,
            progress=None):
    """:func:`toy.relu_landscape.descent.descend` with plain steps, for starts where these steps are tiny.

    Parameters and results are those of that function; steps are the plain steps that the path stands for. Where max_i |∇_i F|
    exceeds ``leave``, or F falls below the target loss, plain steps go on from the look before.
    """
    began = time.monotonic()

    def left():
        return None if time_limit is None else max(0.0, time_limit - (time.monotonic() - began))

    n, k, d = (int(p) for p in params)

    def slopes_at(states):
        return np.linalg.norm(gradient_axes(states.reshape(-1, n, d), k), axis=2).max(axis=1).reshape(states.shape[:-1])

    state, ends = np.array(start, dtype=np.float64), np.zeros((len(start), 3))  # no rise of F along a flow
    ends[:, 0], ends[:, 1] = loss(state.reshape(-1, n, d), np.eye(k, d)), slopes_at(state)
    counts = np.zeros((len(start), 2), dtype=np.int64)
    counts[:, 0] = gd.UNFINISHED
    speeding = np.zeros(len(start), dtype=bool)
    running, window, done = np.arange(len(start)), FIRST_WINDOW, 0
    while running.size and done < max_steps:
        if left() == 0.0:
            counts[running, 0] = gd.STOPPED
            break
        # 1. the flow for as long as a number of plain steps; F cannot fall by more than this while max_i |∇_i F| <= leave
        window = min(window, max_steps - done)
        looks = window * np.arange(1, LOOKS + 1) // LOOKS
        fall = n * leave**2 * window * learning_rate
        path = flow.solve(model, params, state[running], work_rows=work_rows(n, k, d), times=looks * learning_rate,
                          keep_states=True, gradient_tol=tolerance / (2 * math.sqrt(d)), time_cap=window * learning_rate,
                          target_loss=np.maximum(target_loss, ends[running, 0] - fall), rtol=RTOL, atol=ATOL,
                          threads=threads, time_limit=left())
        # 2. the looks at which a path is there, or away (it has no numbers after it has stopped)
        slopes = slopes_at(path.states)
        near = _first(slopes <= tolerance)
        away = _first(~(slopes <= leave) | (path.values < target_loss))
        stopped = path.status == flow.STOPPED
        for r, i in enumerate(running):
            last = min(near[r], away[r] - 1, LOOKS - 1)
            speeding[i] = away[r] <= min(near[r], LOOKS - 1)
            if stopped[r]:
                counts[i, 0] = gd.STOPPED
            elif last >= 0:
                steps, before = (looks[last - 1], slopes[r, last - 1]) if last > 0 else (0, ends[i, 1])
                state[i], ends[i, 0], ends[i, 1] = path.states[r, last], path.values[r, last], slopes[r, last]
                part = 1.0
                if near[r] == last:  # between two looks, the slope falls like an exponential
                    part = math.log(before / tolerance) / math.log(before / ends[i, 1]) if before > tolerance else 0.0
                    counts[i, 0] = gd.CONVERGED
                counts[i, 1] = done + math.ceil(steps + part * (looks[last] - steps))
        if progress is not None:
            progress(int(np.sum(near < away)))
        running = running[~stopped & ~speeding[running] & (near == LOOKS)]
        done += window
        window = int(window * GROWTH) // LOOKS * LOOKS
    # 3. plain steps for what has left
    again = np.flatnonzero(speeding & (counts[:, 0] == gd.UNFINISHED) & (counts[:, 1] < max_steps))
    if again.size:
        state[again], ends[again], count = gd.descend(
            params, state[again], learning_rate=learning_rate, tolerance=tolerance, target_loss=target_loss,
            max_steps=max_steps - int(counts[again, 1].min()), threads=threads, time_limit=left(), progress=progress)
        counts[again, 0] = count[:, 0]
        counts[again, 1] += count[:, 1]
    return state, ends, counts
