"""The last phase of a descent: once plain steps have chosen the minimum, accelerated steps converge to it.

Near a minimum of smallest curvature λ, plain descent needs about ln(1/tolerance)/(ηλ) steps; with λ = 0.01 and the published
criterion, these are most of the steps of a run. Plain descent therefore runs until max_i |∇_i F| is small (the *handover* W),
restarted Nesterov descent continues to some W*, and W* is accepted only if plain descent would also have converged to it:

    F is convex on the ball of radius ρ = |W − W*| about W* if λ ≥ M ρ, M a Lipschitz constant of the Hessian there;
    on it a step η ≤ 1/L takes no point farther from W*, so that plain descent from W stays inside and ends in W*.

λ is the smallest eigenvalue of the Hessian at W*, M is estimated by ‖H(W) − H(W*)‖/ρ, and the certificate requires
λ ≥ ``SAFETY`` M ρ. Minima of equal loss are images of each other under permutations, so λ and M are computed once per loss level
(M as the largest over a few members). The handover at which a replica is certified may therefore depend on the other replicas;
the minimum it reaches does not, up to the stopping tolerance. Uncertified replicas continue with plain steps from W to a later
handover, and in the end to the criterion itself; from the second handover on they take many steps at once
(:mod:`toy.relu_landscape.tail`). Where F falls below the success level on the way, plain descent decides, too. Derived here.
"""

import time

import numpy as np

from theory.landscape import hessian
from toy.relu_landscape import descent as gd
from toy.relu_landscape import tail

HANDOVERS = (1e6, 1e5, 1e4, 1e3, 1e2)  # times the tolerance
CREEPING = 1e5  # times the tolerance, and below: plain steps are taken many at once
SAFETY = 3.0
MEMBERS = 3  # replicas of a level from which M is estimated
LEVEL = 1e-7  # losses closer than this belong to one level


def certified(handed, reached, loss, teacher_width: int) -> np.ndarray:
    """Whether plain descent from each handover ends in the minimum that accelerated descent has reached.

    Parameters
    ----------
    handed, reached : (replicas, n, d) W and W*.
    loss : (replicas,) F(W*).
    teacher_width : k, units along the first k axes.

    Returns
    -------
    (replicas,) bool
    """
    target = np.eye(teacher_width, handed.shape[2])
    far = np.linalg.norm(handed - reached, axis=(1, 2))
    order = np.argsort(loss, kind="stable")
    sure = np.zeros(len(handed), dtype=bool)
    for level in np.split(order, np.flatnonzero(np.diff(loss[order]) > LEVEL) + 1):
        if level.size == 0:
            continue
        level = level[np.argsort(far[level])]
        lowest, lipschitz = np.inf, 0.0
        for r in level[np.unique(np.linspace(0, level.size - 1, MEMBERS).astype(int))]:
            curvature = hessian(reached[r], target)
            if lowest == np.inf:
                lowest = np.linalg.eigvalsh(curvature)[0]
            change = np.abs(np.linalg.eigvalsh(hessian(handed[r], target) - curvature)).max()
            lipschitz = max(lipschitz, change / max(far[r], np.finfo(float).tiny))
            if SAFETY * lipschitz * far[level[0]] > lowest:
                break  # not even the nearest one is certified, and M only grows
        sure[level] = SAFETY * lipschitz * far[level] <= lowest
    return sure


def descend(params, start, *, learning_rate, tolerance, target_loss, max_steps, threads=None, time_limit=None, progress=None):
    """:func:`toy.relu_landscape.descent.descend` with plain steps, and an accelerated last phase where that is certified.

    Parameters and results are those of that function; steps count both kinds, the rise of F counts plain steps only.
    """
    began = time.monotonic()
    n, k, d = (int(p) for p in params)
    state, ends, counts = np.array(start, dtype=np.float64), np.full((len(start), 3), np.nan), None
    running = np.arange(len(state))
    for goal in (*(factor * tolerance for factor in HANDOVERS), tolerance):
        left = None if time_limit is None else max(0.0, time_limit - (time.monotonic() - began))
        cap = max_steps if counts is None else max_steps - int(counts[running, 1].min(initial=max_steps))
        common = dict(tolerance=goal, target_loss=target_loss, threads=threads, time_limit=left)
        common |= dict(learning_rate=learning_rate, max_steps=max(1, cap), progress=progress)
        if goal < CREEPING * tolerance:
            moved, end, count = tail.descend(params, state[running], leave=2 * CREEPING * tolerance, **common)
        else:
            moved, end, count = gd.descend(params, state[running], **common)
        progress = None  # replicas that leave the first stage are almost finished
        if counts is None:
            counts = count.copy()
        else:
            counts[running, 0] = count[:, 0]
            counts[running, 1] += count[:, 1]
        end[:, 2] = np.fmax(end[:, 2], ends[running, 2])
        state[running], ends[running] = moved, end
        running = running[count[:, 0] == gd.CONVERGED]
        if goal == tolerance or running.size == 0:
            break
        common |= dict(tolerance=tolerance, learning_rate=min(learning_rate, 2.2 / (n + 2)), max_steps=max_steps, progress=None)
        reached, end, count = gd.descend(params, state[running], nesterov=True, **common)
        sure = np.flatnonzero(count[:, 0] == gd.CONVERGED)
        shape = (sure.size, n, d)
        sure = sure[certified(state[running[sure]].reshape(shape), reached[sure].reshape(shape), end[sure, 0], k)]
        done = running[sure]
        state[done], ends[done, :2] = reached[sure], end[sure, :2]
        counts[done, 1] += count[sure, 1]
        running = np.setdiff1d(running, done)
        if running.size == 0:
            break
    return state, ends, counts
