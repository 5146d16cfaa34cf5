r"""Wolfe's minimum-norm-point method on a small working set of points, many queries at a time.

With the points of the working set relative to one of them, ``a_j = d_j - o``, and ``r = q - x``, the projection
``min |q - o - sum_j alpha_j a_j|^2, alpha >= 0, sum alpha = 1`` is optimal when ``a_j . r <= (x - o) . r`` for every j.
A *passive* set P of affinely independent points holds the positive weights. On P the minimiser over the affine hull is

    (K + gamma^2 1 1^T) delta = t + lambda 1,  1^T delta = 1 - sum_P alpha,   K = A A^T,  t_j = a_j . r,

which one triangular factor ``R^T R = K_PP + gamma^2 1 1^T`` (:mod:`theory.hull.factor`; P. Wolfe, "Finding the nearest
point in a polytope", 1976; any gamma > 0) solves for both right-hand sides. A point is appended by a forward substitution
and removed by plane rotations; several violating points enter at once, one at a time where a block made no progress.

Everything is solved for the *change* ``delta`` of the weights about weights whose residual r was computed from the
points themselves in float64. So K may be rounded (float32 products in high dimension): repeating the solve about the
new weights is iterative refinement, and what is reported never depends on K.

Lengths inside are in units of a power of two at least the radius of the points (``max |d - mean|``). The kernels below
take a slot's record ``state`` and its ``factor`` (:mod:`theory.hull.slots`), which they change in place.
"""

import numpy as np

from theory.hull.factor import append, backward, forward, remove
from theory.hull.slots import BASE, FACE, GRADIENT, PULL, REDUCED, REFUSED, RHS, START, helper, owner

EPS = 2.0**-53
PIVOT = 1e-14  # smallest usable pivot, in units of |r|


@helper
def solve(state, factor, alpha, rr, target, rows, work):
    """Wolfe's method on the working set: minimise |q - o - sum alpha_j a_j|^2 over convex weights.

    Parameters
    ----------
    state, factor : of the slot; the factor holds the points with positive weight.
    alpha : (W,) feasible weights, improved in place.
    rr : |r|^2 at these weights; their gradients t_j = a_j . r stand in ``work[PULL]``.
    target : stop when no point violates optimality by more than ``target * |r|``.
    rows : (W, d) float64, the points relative to the origin; not used at single precision.
    work : scratch (:mod:`theory.hull.slots`).

    Returns
    -------
    bool : whether a violating point was refused for its small pivot.
    """
    missing = _start(state, factor, alpha, work)
    least = max(PIVOT * np.sqrt(rr), (0.5 * target) ** 2)
    single = refused = False
    previous = np.inf
    for _ in range(20 * state.members + 100):
        missing = _face_minimum(state, factor, alpha, missing, work)
        now, level = _gradients(state, factor, alpha, rr, work)
        # |r| falls with every change of face, up to rounding: if it did not, points enter one at a time; if it still
        # does not, the solve ends
        if not now < previous * (1.0 - 4 * EPS):
            if single:
                break
            single = True
        else:
            single = False
        previous = now
        chosen, largest = _worst_violator(state, factor, level, target * np.sqrt(now), work)
        if chosen < 0:
            break
        before = state.passive
        if _enter(state, factor, alpha, chosen, np.inf if single else level + 0.25 * largest, rows, least, work):
            refused = True
        if state.passive == before:
            previous = np.inf  # nothing entered: look for the next violator
    return refused


@helper
def _start(state, factor, alpha, work):
    """Prepare to solve for the change of the given weights, b = t; returns what they lack to a sum of one."""
    start, base, b, y, t, refused = work[START], work[BASE], work[RHS], work[REDUCED], work[PULL], work[REFUSED]
    w, k = state.members, state.passive
    total = 0.0
    level = 0.0  # subtracted from the gradients: no effect on weights that sum to one, but less rounding
    for j in range(w):
        level += alpha[j] * t[j]
    for j in range(w):
        start[j] = alpha[j]
        base[j] = alpha[j]
        t[j] -= level
        b[j] = t[j]
        refused[j] = 0.0
        if factor.column[j] >= 0:
            total += alpha[j]
    for c in range(k):
        y[c] = b[factor.order[c]]
    forward(factor.R, k, y)
    return 1.0 - total


@helper
def _face_minimum(state, factor, alpha, missing, work):
    """Walk to the minimiser on the passive points' face; points whose weight would turn negative on the way leave it.

    Returns what the weights ``work[BASE]`` then lack to a sum of one.
    """
    K, R, ones, order, _ = factor
    base, b, y, face = work[BASE], work[RHS], work[REDUCED], work[FACE]
    w = state.members
    for _ in range(4 * w + 10):
        # minimiser over the affine hull: delta = R^-1 (y + lambda R^-T 1), lambda such that the weights sum to one
        k = state.passive
        oo = 0.0
        oy = 0.0
        for c in range(k):
            oo += ones[c] * ones[c]
            oy += ones[c] * y[c]
        lam = (missing - oy) / oo
        for c in range(k):
            face[c] = y[c] + lam * ones[c]
        backward(R, k, face)
        # how far towards it all weights stay non-negative: theta, bounded by point `first`
        theta = 1.0
        first = -1
        for c in range(k):
            face[c] += base[order[c]]
            if face[c] <= 0.0:
                a = alpha[order[c]]
                step = a / (a - face[c]) if a > face[c] else 0.0
                if first < 0 or step < theta:
                    theta = step
                    first = c
        if first < 0:
            for c in range(k):
                alpha[order[c]] = face[c]
            break
        for c in range(k):
            j = order[c]
            alpha[j] += theta * (face[c] - alpha[j])
        alpha[order[first]] = 0.0
        # points without weight leave; where the change was solved about a positive weight, b moves to weight zero
        moved = False
        for c in range(k - 1, -1, -1):
            j = order[c]
            if alpha[j] <= 1e-16 and face[c] <= 0.0 and state.passive > 1:
                alpha[j] = 0.0
                remove(state, factor, y, c)
                if base[j] != 0.0:
                    f = base[j]
                    for i in range(w):
                        b[i] += f * K[j, i]
                    missing += f
                    base[j] = 0.0
                    moved = True
        if moved:
            k = state.passive
            for c in range(k):
                y[c] = b[order[c]]
            forward(R, k, y)
    return missing


@helper
def _gradients(state, factor, alpha, rr, work):
    """Gradients s = b - K (alpha - base) of the whole working set; returns |r|^2 and sum alpha_j s_j.

    |r|^2 falls by (alpha - start) . (t + s), since the gradient is linear in the weights.
    """
    K, order = factor.K, factor.order
    base, b, start, t, s = work[BASE], work[RHS], work[START], work[PULL], work[GRADIENT]
    w = state.members
    for i in range(w):
        s[i] = b[i]
    for c in range(state.passive):
        j = order[c]
        f = alpha[j] - base[j]
        for i in range(w):
            s[i] -= f * K[j, i]
    now = rr
    level = 0.0
    for i in range(w):
        now -= (alpha[i] - start[i]) * (t[i] + s[i])
        level += alpha[i] * s[i]
    return max(now, 0.0), level


@helper
def _worst_violator(state, factor, level, threshold, work):
    """The point outside the face that most violates a_j . r <= (x - o) . r, and by how much; -1 if none exceeds the threshold."""
    column, s, refused = factor.column, work[GRADIENT], work[REFUSED]
    largest = threshold
    chosen = -1
    for i in range(state.members):
        if column[i] < 0 and refused[i] == 0.0 and s[i] - level > largest:
            largest = s[i] - level
            chosen = i
    return chosen, largest


@helper
def _enter(state, factor, alpha, chosen, bar, rows, least, work):
    """The worst violator joins the face, after all others above the bar; True if one was refused for its pivot."""
    column, s, refused = factor.column, work[GRADIENT], work[REFUSED]
    any_refused = False
    for i in range(state.members):
        if i != chosen and column[i] < 0 and refused[i] == 0.0 and s[i] > bar:
            alpha[i] = 0.0
            if not append(state, factor, i, rows, least, work):
                refused[i] = 1.0
                any_refused = True
    alpha[chosen] = 0.0
    if not append(state, factor, chosen, rows, least, work):
        refused[chosen] = 1.0
        any_refused = True
    return any_refused


@helper
def residual(points, inv, slot, size, r, t):
    """r = q - o - sum alpha (d - o) and t_j = (d_j - o) . r from the points themselves, in float64; returns |r|^2."""
    index, alpha, origin = slot.index, slot.alpha, slot.origin
    d = r.shape[0]
    for e in range(d):
        r[e] = slot.query[e]
    for j in range(size):
        if alpha[j] > 0.0:
            row = points[index[j]]
            f = alpha[j] * inv
            for e in range(d):
                r[e] -= f * (np.float64(row[e]) - origin[e])
    rr = 0.0
    for e in range(d):
        rr += r[e] * r[e]
    for j in range(size):
        t[j] = score(points[index[j]], origin, inv, r)
    return rr


@helper
def score(row, origin, inv, r):
    """(row - o) . r in units, in float64 from the point itself."""
    total = 0.0
    for e in range(r.shape[0]):
        total += (np.float64(row[e]) - origin[e]) * r[e]
    return total * inv


@helper
def gather(points, index, first, last, origin, inv, rows):
    """rows[j] = (d_j - o) in units, for points first..last-1 of the working set."""
    for j in range(first, last):
        row = points[index[j]]
        for e in range(origin.shape[0]):
            rows[j, e] = (np.float64(row[e]) - origin[e]) * inv


@owner
def gram(rows, first, last, K):
    """Inner products of rows first..last-1 with all rows before ``last``, mirrored."""
    block = np.dot(rows[first:last], rows[:last].T)
    for i in range(first, last):
        for j in range(last):
            K[i, j] = block[i - first, j]
            K[j, i] = block[i - first, j]


@helper
def polish(points, inv, state, slot, u, delta):
    """Make the unit vector u orthogonal to the face of the passive points, to full relative precision.

    Two passes of u <- u - A^T delta, (K + gamma^2 1 1^T) delta = A u + lambda 1, 1^T delta = 0. False if nothing is left.
    """
    R, ones, order = slot.factor.R, slot.factor.ones, slot.factor.order
    index, origin = slot.index, slot.origin
    d, k = u.shape[0], state.passive
    for _ in range(2):
        for c in range(k):
            delta[c] = score(points[index[order[c]]], origin, inv, u)
        forward(R, k, delta)
        oo = 0.0
        oy = 0.0
        for c in range(k):
            oo += ones[c] * ones[c]
            oy += ones[c] * delta[c]
        for c in range(k):
            delta[c] -= oy / oo * ones[c]
        backward(R, k, delta)
        for c in range(k):
            row = points[index[order[c]]]
            f = delta[c] * inv
            for e in range(d):
                u[e] -= f * (np.float64(row[e]) - origin[e])
        length = 0.0
        for e in range(d):
            length += u[e] * u[e]
        length = np.sqrt(length)
        if not length > 1e-9:
            return False
        for e in range(d):
            u[e] /= length
    return True
