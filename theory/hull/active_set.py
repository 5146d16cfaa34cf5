r"""One round of column generation for each slot of a batch: certify, add violators, solve, find the next direction.

The small problems are those of :mod:`theory.hull.wolfe`. A round starts from the candidates that pricing found in the
slot's direction u, and from a bound on the scores ``(d_i - o) . u`` of all other points. Candidates are scored again in
float64; the largest of all bounds the hull's reach in direction u, hence the distance from below. If that does not
close the gap the violating candidates join the working set.
"""

import numpy as np

from lab.compiled import njit
from theory.hull.wolfe import EPS, FLAGS, PIVOT, gather, gram, polish, rebuild, residual, score, solve

CONTINUE, CONVERGED, STALLED, OVERFLOW = 0, 1, 2, 3
NEAR = 1e-5  # below this |r| the direction is polished: q - x itself has lost its digits to cancellation
VANISHED = 1e-13  # below this |r| there is no direction left to speak of


@njit(cache=True, error_model="numpy", nogil=True, fastmath=FLAGS)
def advance(points, inv, tol, small, active, fresh, candidates, counts, rest, exhaustive, block,
            index, size, passive, alpha, K, R, ones, order, column, gamma2, precise,
            origin, query, direction, hx, hr, shift, upper, lower, best, rounds, tries, fine, code,
            kept_index, kept_alpha, kept_size, kept_upper,
            X32, X64, work):
    """One round for each active slot: certify with the priced candidates, add violators, solve, new direction.

    Parameters
    ----------
    points : (n, d) float32 or float64. ``inv``: 1 / unit of length. ``small``: 1e-3 radius, in units.
    active : slots to work on. ``fresh[s]`` 1: candidates are the first working set (the nearest points, or with
        ``alpha`` already set a working set carried over); 0: candidates are priced violators.
    candidates, counts, rest : per active slot the point numbers, how many, and an upper bound on
        ``(d_i - o) . u`` for every point that is neither in the working set nor among them (unit lengths).
    exhaustive : True if pricing was in float64.
    block : most points added in one round.

    X32, X64, work : scratch of the calling thread.

    The other arrays are the slots' state, see :class:`theory.hull.batches.Pool`.
    """
    d = points.shape[1]
    capacity = index.shape[1]
    for a in range(active.shape[0]):
        slot = active[a]
        ids, al, o, q, u = index[slot], alpha[slot], origin[slot], query[slot], direction[slot]
        Ks, Rs, one, odr, col = K[slot], R[slot], ones[slot], order[slot], column[slot]
        t, y, r = work[8], work[2], work[9][:d]
        w, k = size[slot], passive[slot]
        code[slot] = CONTINUE
        rounds[slot] += 1
        first = w
        if fresh[slot] == 1:
            if w == 0:
                w = counts[a]
                for j in range(w):
                    ids[j] = candidates[a, j]
                    al[j] = 0.0
                al[0] = 1.0
            first = 0
            fresh[slot] = 0
            for e in range(d):
                o[e] = points[ids[0], e]
                q[e] = (q[e] - o[e]) * inv  # comes as the query itself
        else:
            # certificate: no point scores above `top` in direction u
            floor = tol * max(upper[slot], small)
            n = counts[a]
            values = work[3]
            top = max(rest[a], hx[slot, 1])
            most = -np.inf
            for j in range(n):
                values[j] = score(points[candidates[a, j]], o, inv, u)
                most = max(most, values[j])
            top = max(top, most)
            slack = EPS * ((d + 8) * (upper[slot] + 4.0) + 4.0 * (k + 8))
            bound = hr[slot] - (top - hx[slot, 0]) - slack
            if bound > lower[slot]:
                if bound - lower[slot] > 0.01 * (upper[slot] - bound):
                    tries[slot] = 0
                lower[slot] = bound
                for e in range(d):
                    best[slot, e] = u[e]
            if lower[slot] > 0.0 and upper[slot] - lower[slot] <= floor:
                code[slot] = CONVERGED
                continue
            if upper[slot] <= floor:
                # a member to within the floor; a few rounds more may still prove it outside
                tries[slot] += 1
                if tries[slot] > 5:
                    code[slot] = CONVERGED
                    continue
            # violators, best first
            added = 0
            least = hx[slot, 0] + 0.3 * tol * max(upper[slot], 0.0 if upper[slot] <= floor else small)
            violators = 0
            for j in range(n):
                if values[j] > least:
                    violators += 1
            limit = min(block, violators)
            if w + limit > capacity:  # points without weight leave
                keep = 0
                for j in range(w):
                    if col[j] >= 0:
                        if keep != j:
                            ids[keep] = ids[j]
                            al[keep] = al[j]
                            odr[col[j]] = keep
                            col[keep] = col[j]
                            for i in range(w):
                                Ks[keep, i] = Ks[j, i]
                            for i in range(w):
                                Ks[i, keep] = Ks[i, j]
                        keep += 1
                w = keep
                first = w
                if w + min(limit, 16) > capacity:
                    size[slot] = w
                    code[slot] = OVERFLOW
                    continue
            while added < limit and w < capacity:
                pick = -1
                high = least
                for j in range(n):
                    if values[j] > high:
                        high = values[j]
                        pick = j
                if pick < 0:
                    break
                ids[w] = candidates[a, pick]
                al[w] = 0.0
                col[w] = -1
                values[pick] = -np.inf
                w += 1
                added += 1
            size[slot] = w
            if added == 0:
                inner = hx[slot, 1] - hx[slot, 0] > least - hx[slot, 0]
                if not exhaustive:
                    fine[slot] = 1
                    if not inner:
                        continue  # same direction, priced in float64
                else:
                    tries[slot] += 1
            if tries[slot] > 5 and upper[slot] > floor:
                if precise[slot] == 2:
                    code[slot] = STALLED
                    continue
                # nearly dependent points: once more with better pivots, and what was reached is kept
                precise[slot], tries[slot], first = precise[slot] + 1, 0, 0
                kept_size[slot], kept_upper[slot] = w, upper[slot]
                for j in range(w):
                    kept_index[slot, j] = ids[j]
                    kept_alpha[slot, j] = al[j]
        # inner products with the new points
        if precise[slot]:
            gather(points, ids, 0, w, o, inv, X64)
            if w > first:
                gram(X64, first, w, Ks)
        elif w > first:
            gather(points, ids, 0, w, o, inv, X32)
            gram(X32, first, w, Ks)
        if first == 0:
            k, gamma2[slot] = rebuild(Ks, Rs, one, y, odr, col, w, al, X64, precise[slot],
                                      PIVOT * min(upper[slot], 1.0), work)
        rr = residual(points, ids, w, al, o, inv, q, r, t)
        safe = work[12]
        for j in range(w):
            safe[j] = al[j]
        entered = np.sqrt(rr)
        repeat = 0
        while True:
            norm = np.sqrt(rr)
            target = 0.2 * tol * max(norm, small if norm > small * tol else 0.0)
            k, refused = solve(Ks, Rs, one, odr, col, k, w, al, t, rr, target, gamma2[slot],
                               X64, precise[slot], work)
            total = 0.0
            for j in range(w):
                total += al[j]
            for j in range(w):
                al[j] /= total
            rr = residual(points, ids, w, al, o, inv, q, r, t)
            norm = np.sqrt(rr)
            level = 0.0
            largest = -np.inf
            for j in range(w):
                level += al[j] * t[j]
                largest = max(largest, t[j])
            repeat += 1
            gap = 0.4 * tol * max(norm, small if norm > small * tol else 0.0)
            good = largest - level <= gap * norm or norm < VANISHED
            if (good and not refused) or (precise[slot] and repeat >= 4):
                break
            if not precise[slot] and (refused or repeat >= 4):
                precise[slot] = 1
                gather(points, ids, 0, w, o, inv, X64)
                gram(X64, 0, w, Ks)
                k, gamma2[slot] = rebuild(Ks, Rs, one, y, odr, col, w, al, X64, precise[slot],
                                          PIVOT * min(upper[slot], 1.0), work)
                rr = residual(points, ids, w, al, o, inv, q, r, t)
                repeat = 0
            elif good:
                break
        if not norm <= entered * (1.0 + 1e-12) + EPS:  # rounding has won (NaN counts): back to where the round began
            for j in range(w):
                al[j] = safe[j]
            k, gamma2[slot] = rebuild(Ks, Rs, one, y, odr, col, w, al, X64, precise[slot],
                                      PIVOT * min(upper[slot], 1.0), work)
            rr = residual(points, ids, w, al, o, inv, q, r, t)
            norm = np.sqrt(rr)
            tries[slot] += 1
        size[slot], passive[slot] = w, k
        before = upper[slot]
        reach = 0.0
        for j in range(w):
            reach += al[j] * np.sqrt(Ks[j, j])
        upper[slot] = norm + EPS * (2 * (k + 4) * (reach + EPS) + (d + 4) * norm)
        if not upper[slot] < before * (1 - 1e-6):
            tries[slot] += 1  # six rounds that bring neither bound on are enough
        if norm < VANISHED:
            code[slot] = CONVERGED
            continue
        for e in range(d):
            u[e] = r[e] / norm
        if norm < NEAR:
            fine[slot] = 1
            if not polish(points, ids, Rs, one, odr, k, o, inv, u, work):
                code[slot] = CONVERGED if upper[slot] <= tol * small else STALLED
                continue
            for j in range(w):
                t[j] = score(points[ids[j]], o, inv, u)
        else:
            for j in range(w):
                t[j] /= norm
        level = 0.0
        largest = -np.inf
        for j in range(w):
            level += al[j] * t[j]
            largest = max(largest, t[j])
        hx[slot, 0] = level
        hx[slot, 1] = largest
        along = 0.0
        offset = 0.0
        for e in range(d):
            along += r[e] * u[e]
            offset += o[e] * u[e]
        hr[slot] = along
        shift[slot] = offset
