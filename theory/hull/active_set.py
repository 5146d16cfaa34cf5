r"""One round of column generation for each slot of a batch: certify, add violators, solve, find the next direction.

The small problems are those of :mod:`theory.hull.wolfe`. A round starts from the candidates that pricing found in the
slot's direction u, and from a bound on the scores ``(d_i - o) . u`` of all other points. Candidates are scored again in
float64; the largest of all scores bounds the hull's reach in direction u, and so the distance from below:

    dist(q) >= (q - x) . u - (max_i (d_i - o) . u - (x - o) . u).

If that does not close the gap the violating candidates join the working set. :func:`advance` is a round; the functions
below it are its steps, in their order.
"""

from typing import NamedTuple

import numpy as np

from lab.compiled import njit
from theory.hull.factor import rebuild
from theory.hull.slots import FACE, FLAGS, PULL, RESIDUAL, SAFE, Outcome, Precision, helper, slot_of
from theory.hull.wolfe import EPS, PIVOT, gather, gram, polish, residual, score, solve

NEAR = 1e-5  # below this |r| the direction is polished: q - x itself has lost its digits to cancellation
VANISHED = 1e-13  # below this |r| the direction is undefined
PATIENCE = 5  # rounds without progress in either bound before a query is given up
REFINED = 4  # most solves of one working set, each about the weights of the previous one


class Problem(NamedTuple):
    """What all queries share.

    Attributes
    ----------
    points : (n, d) float32 or float64.
    inv : 1 / unit of length.
    tol : relative accuracy.
    small : 1e-3 radius, in units: the smallest length that accuracy is relative to.
    block : largest number of points added in one round.
    """

    points: np.ndarray
    inv: float
    tol: float
    small: float
    block: int


class Priced(NamedTuple):
    """Candidates of the active slots, from pricing.

    Attributes
    ----------
    candidates : (active, most) int64 point numbers.
    counts : (active,) how many.
    others : (active,) bound on ``(d_i - o) . u`` of every point that is neither in the working set nor a candidate.
    exhaustive : True if pricing was in float64.
    """

    candidates: np.ndarray
    counts: np.ndarray
    others: np.ndarray
    exhaustive: bool


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FLAGS)
def advance(problem, slots, active, priced, scratch):
    """One round for each active slot.

    Parameters
    ----------
    problem : Problem
    slots : theory.hull.slots.Slots, changed in place
    active : (active,) int64, slots to work on. In their first round candidates are the first working set (the nearest
        points, unless one was carried over); later they are priced violators.
    priced : Priced
    scratch : theory.hull.slots.Scratch of the calling thread.
    """
    for a in range(active.shape[0]):
        state, slot = slots.state[active[a]], slot_of(slots, active[a])
        candidates = priced.candidates[a, : priced.counts[a]]
        state.code = Outcome.CONTINUE
        state.rounds += 1
        known = 0  # points whose inner products are known
        if state.fresh == 1:
            _begin(problem, state, slot, candidates)
        else:
            scores = scratch.work[FACE]
            if _certify(problem, state, slot, candidates, priced.others[a], scores):
                continue
            known = _admit(problem, state, slot, candidates, scores, priced.exhaustive)
            if known < 0:
                continue
        _multiply(problem, state, slot, known, scratch)
        norm = _minimise(problem, state, slot, scratch)
        _bound_above(state, slot, norm)
        if norm < VANISHED:
            state.code = Outcome.CONVERGED
        else:
            _turn(problem, state, slot, norm, scratch.work)


@helper
def _begin(problem, state, slot, candidates):
    """The first working set, relative to its first point, which has all the weight unless weights were carried over."""
    state.fresh = 0
    if state.members == 0:
        state.members = candidates.shape[0]
        for j in range(state.members):
            slot.index[j] = candidates[j]
            slot.alpha[j] = 0.0
        slot.alpha[0] = 1.0
    for e in range(slot.origin.shape[0]):
        slot.origin[e] = problem.points[slot.index[0], e]
        slot.query[e] = (slot.query[e] - slot.origin[e]) * problem.inv  # until now the query itself


@helper
def _certify(problem, state, slot, candidates, others, scores):
    """The lower bound that direction u proves; True if the query is finished. Fills the candidates' scores."""
    u = slot.direction
    d = u.shape[0]
    # no point scores above `top`: neither those in the working set, nor the candidates, nor any other
    most = -np.inf
    for j in range(candidates.shape[0]):
        scores[j] = score(problem.points[candidates[j]], slot.origin, problem.inv, u)
        most = max(most, scores[j])
    top = max(max(others, state.reach), most)
    rounding = EPS * ((d + 8) * (state.upper + 4.0) + 4.0 * (state.passive + 8))
    bound = state.along - (top - state.level) - rounding
    if bound > state.lower:
        if bound - state.lower > 0.01 * (state.upper - bound):
            state.tries = 0
        state.lower = bound
        for e in range(d):
            slot.best[e] = u[e]
    floor = problem.tol * max(state.upper, problem.small)
    if state.lower > 0.0 and state.upper - state.lower <= floor:
        state.code = Outcome.CONVERGED
        return True
    if state.upper <= floor:
        # inside the hull up to the floor; a few more rounds may still prove it outside
        state.tries += 1
        if state.tries > PATIENCE:
            state.code = Outcome.CONVERGED
            return True
    return False


@helper
def _admit(problem, state, slot, candidates, scores, exhaustive):
    """Violators join the working set, best first.

    Returns the number of points whose inner products are known, -1 if there is nothing to solve in this round.
    """
    capacity = slot.index.shape[0]
    floor = problem.tol * max(state.upper, problem.small)
    least = state.level + 0.3 * problem.tol * max(state.upper, 0.0 if state.upper <= floor else problem.small)
    violators = 0
    for j in range(candidates.shape[0]):
        if scores[j] > least:
            violators += 1
    limit = min(problem.block, violators)
    if state.members + limit > capacity:
        _drop_idle(state, slot)
        if state.members + min(limit, 16) > capacity:
            state.code = Outcome.OVERFLOW
            return -1
    known = state.members
    _take_best(state, slot, candidates, scores, least, limit)
    if state.members == known:  # nothing to add: price in float64, or count the round as lost
        inner = state.reach - state.level > least - state.level
        if exhaustive:
            state.tries += 1
        else:
            state.fine = 1
            if not inner:
                return -1  # the same direction is priced again
    if state.tries > PATIENCE and state.upper > floor:
        if state.precise == Precision.PIVOTS:
            state.code = Outcome.STALLED
            return -1
        _put_aside(state, slot)
        return 0
    return known


@helper
def _drop_idle(state, slot):
    """Points without weight leave the working set; the others move up, with their inner products."""
    K, _, _, order, column = slot.factor
    w = state.members
    keep = 0
    for j in range(w):
        if column[j] >= 0:
            if keep != j:
                slot.index[keep] = slot.index[j]
                slot.alpha[keep] = slot.alpha[j]
                order[column[j]] = keep
                column[keep] = column[j]
                for i in range(w):
                    K[keep, i] = K[j, i]
                for i in range(w):
                    K[i, keep] = K[i, j]
            keep += 1
    state.members = keep


@helper
def _take_best(state, slot, candidates, scores, least, limit):
    """Up to `limit` candidates above `least` join with weight zero, the highest score first."""
    added = 0
    while added < limit and state.members < slot.index.shape[0]:
        pick = -1
        high = least
        for j in range(candidates.shape[0]):
            if scores[j] > high:
                high = scores[j]
                pick = j
        if pick < 0:
            break
        w = state.members
        slot.index[w] = candidates[pick]
        slot.alpha[w] = 0.0
        slot.factor.column[w] = -1
        scores[pick] = -np.inf
        state.members = w + 1
        added += 1


@helper
def _put_aside(state, slot):
    """Nearly dependent points: keep the present working set, then try again with more accurate pivots."""
    state.precise, state.tries = state.precise + 1, 0
    state.kept_size, state.kept_upper = state.members, state.upper
    for j in range(state.members):
        slot.kept_index[j] = slot.index[j]
        slot.kept_alpha[j] = slot.alpha[j]


@helper
def _multiply(problem, state, slot, known, scratch):
    """Compute the inner products of new points; if none was known, build the factor as well."""
    w, K = state.members, slot.factor.K
    if state.precise:
        gather(problem.points, slot.index, 0, w, slot.origin, problem.inv, scratch.rows64)
        if w > known:
            gram(scratch.rows64, known, w, K)
    elif w > known:
        gather(problem.points, slot.index, 0, w, slot.origin, problem.inv, scratch.rows32)
        gram(scratch.rows32, known, w, K)
    if known == 0:
        _refactor(state, slot, scratch)


@helper
def _refactor(state, slot, scratch):
    rebuild(state, slot.factor, slot.alpha, scratch.rows64, PIVOT * min(state.upper, 1.0), scratch.work)


@helper
def _minimise(problem, state, slot, scratch):
    """Solve on the working set, again about the new weights until they are accurate; returns |r|, never more than before.

    This is iterative refinement: each solve begins with a residual computed from the points themselves. Where float32
    products do not lead there, or refuse a point, float64 ones take over.
    """
    alpha, work = slot.alpha, scratch.work
    r, t, safe = work[RESIDUAL][: slot.origin.shape[0]], work[PULL], work[SAFE]
    rr = residual(problem.points, problem.inv, slot, state.members, r, t)
    for j in range(state.members):
        safe[j] = alpha[j]
    entered = norm = np.sqrt(rr)
    repeat = 0
    while True:
        target = 0.2 * problem.tol * _scale(problem, norm)
        refused = solve(state, slot.factor, alpha, rr, target, scratch.rows64, work)
        total = 0.0
        for j in range(state.members):
            total += alpha[j]
        for j in range(state.members):
            alpha[j] /= total
        rr = residual(problem.points, problem.inv, slot, state.members, r, t)
        norm = np.sqrt(rr)
        level, largest = _level_and_reach(state, alpha, t)
        repeat += 1
        good = largest - level <= 0.4 * problem.tol * _scale(problem, norm) * norm or norm < VANISHED
        if (good and not refused) or (state.precise and repeat >= REFINED):
            break
        if not state.precise and (refused or repeat >= REFINED):
            state.precise = Precision.DOUBLE
            _multiply(problem, state, slot, 0, scratch)
            rr = residual(problem.points, problem.inv, slot, state.members, r, t)
            norm = np.sqrt(rr)
            repeat = 0
        elif good:
            break
    if not norm <= entered * (1.0 + 1e-12) + EPS:  # rounding outweighs progress, or NaN: back to the weights before the round
        for j in range(state.members):
            alpha[j] = safe[j]
        _refactor(state, slot, scratch)
        norm = np.sqrt(residual(problem.points, problem.inv, slot, state.members, r, t))
        state.tries += 1
    return norm


@helper
def _scale(problem, norm):
    """What accuracy is relative to: |r|, but no less than `small` unless r has all but vanished."""
    return max(norm, problem.small if norm > problem.small * problem.tol else 0.0)


@helper
def _level_and_reach(state, alpha, t):
    """Mean under the weights, and largest, of the scores t of the working set."""
    level = 0.0
    largest = -np.inf
    for j in range(state.members):
        level += alpha[j] * t[j]
        largest = max(largest, t[j])
    return level, largest


@helper
def _bound_above(state, slot, norm):
    """The upper bound: |r| and its rounding."""
    before = state.upper
    extent = 0.0  # sum alpha_j |a_j|, what cancels in r
    for j in range(state.members):
        extent += slot.alpha[j] * np.sqrt(slot.factor.K[j, j])
    d = slot.origin.shape[0]
    state.upper = norm + EPS * (2 * (state.passive + 4) * (extent + EPS) + (d + 4) * norm)
    if not state.upper < before * (1 - 1e-6):
        state.tries += 1


@helper
def _turn(problem, state, slot, norm, work):
    """The next direction u = r / |r|, and the scores of the working set in it."""
    u, t = slot.direction, work[PULL]
    d = u.shape[0]
    r = work[RESIDUAL][:d]
    for e in range(d):
        u[e] = r[e] / norm
    if norm < NEAR:
        state.fine = 1
        if not polish(problem.points, problem.inv, state, slot, u, work[FACE]):
            state.code = Outcome.CONVERGED if state.upper <= problem.tol * problem.small else Outcome.STALLED
            return
        for j in range(state.members):
            t[j] = score(problem.points[slot.index[j]], slot.origin, problem.inv, u)
    else:
        for j in range(state.members):
            t[j] /= norm
    state.level, state.reach = _level_and_reach(state, slot.alpha, t)
    along = 0.0
    shift = 0.0
    for e in range(d):
        along += r[e] * u[e]
        shift += slot.origin[e] * u[e]
    state.along, state.shift = along, shift
