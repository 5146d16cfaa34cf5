r"""Wolfe's minimum-norm-point method on a small working set of points, many queries at a time.

With the points of the working set relative to one of them, ``a_j = d_j - o``, and ``r = q - x``, the projection
``min |q - o - sum_j alpha_j a_j|^2, alpha >= 0, sum alpha = 1`` is optimal when ``a_j . r <= (x - o) . r`` for every j.
A *passive* set P of affinely independent points holds the positive weights. On P the minimiser over the affine hull is

    (K + gamma^2 1 1^T) delta = t + lambda 1,  1^T delta = 1 - sum_P alpha,   K = A A^T,  t_j = a_j . r,

which one triangular factor ``R^T R = K_PP + gamma^2 1 1^T`` (P. Wolfe, "Finding the nearest point in a polytope", 1976;
any gamma > 0) solves for both right-hand sides. A point is appended by a forward substitution and removed by plane
rotations; several violating points enter at once, one at a time where a block made no progress.

Everything is solved for the *change* ``delta`` of the weights about weights whose residual r was computed from the
points themselves in float64. So K may be rounded (float32 products in high dimension): repeating the solve about the
new weights is iterative refinement, and what is reported never depends on K.

Lengths inside are in units of a power of two at least the radius of the points (``max |d - mean|``).
"""

import numba as nb
import numpy as np
from numba import njit, prange

# No nnan/ninf: NaN must stay visible. Reassociation lets the dot products use vector registers.
FLAGS = {"reassoc", "contract", "nsz", "arcp"}
EPS = 2.0**-53
CONTINUE, CONVERGED, STALLED, OVERFLOW = 0, 1, 2, 3
NEAR = 1e-5  # below this |r| the direction is polished: q - x itself has lost its digits to cancellation
VANISHED = 1e-13  # below this |r| there is no direction left to speak of


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def _forward(R, k, v):
    """v <- R^-T v for the leading k x k upper triangle."""
    for c in range(k):
        v[c] /= R[c, c]
        f = v[c]
        for e in range(c + 1, k):
            v[e] -= f * R[c, e]


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def _backward(R, k, v):
    """v <- R^-1 v."""
    for c in range(k - 1, -1, -1):
        f = v[c]
        for e in range(c + 1, k):
            f -= R[c, e] * v[e]
        v[c] = f / R[c, c]


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def _append(K, R, ones, y, order, column, k, j, b, gamma2, pivot, v):
    """Add point j as column k of the factor; False if it is affinely dependent on the others to within ``pivot``."""
    for c in range(k):
        v[c] = K[order[c], j] + gamma2
    _forward(R, k, v)
    own = K[j, j] + gamma2
    rest = own
    one = 1.0
    rhs = b[j]
    for c in range(k):
        rest -= v[c] * v[c]
        one -= v[c] * ones[c]
        rhs -= v[c] * y[c]
    if not rest > pivot * own:
        return False
    root = np.sqrt(rest)
    for c in range(k):
        R[c, k] = v[c]
    R[k, k] = root
    ones[k] = one / root
    y[k] = rhs / root
    order[k] = j
    column[j] = k
    return True


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def _remove(R, ones, y, order, column, k, p):
    """Take column p out of the factor and restore its triangle by plane rotations."""
    column[order[p]] = -1
    for c in range(p, k - 1):
        order[c] = order[c + 1]
        column[order[c]] = c
    for row in range(k):
        for c in range(max(p, row - 1), k - 1):
            R[row, c] = R[row, c + 1]
    for c in range(p, k - 1):
        f, g = R[c, c], R[c + 1, c]
        length = np.sqrt(f * f + g * g)
        cos, sin = f / length, g / length
        R[c, c] = length
        for e in range(c + 1, k - 1):
            f, g = R[c, e], R[c + 1, e]
            R[c, e] = cos * f + sin * g
            R[c + 1, e] = cos * g - sin * f
        ones[c], ones[c + 1] = cos * ones[c] + sin * ones[c + 1], cos * ones[c + 1] - sin * ones[c]
        y[c], y[c + 1] = cos * y[c] + sin * y[c + 1], cos * y[c + 1] - sin * y[c]


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def _solve(K, R, ones, order, column, k, w, alpha, t, rr, target, gamma2, pivot, work):
    """Wolfe's method on the working set, from feasible weights whose gradients ``t`` and ``rr = |r|^2`` are given.

    Stops when no point violates optimality by more than ``target * |r|``. Returns the size of the passive set and
    whether a violating point was refused for its small pivot.
    """
    base, b, y, hat, s, v = work[0], work[1], work[2], work[3], work[4], work[5]
    start = work[6]
    banned = work[7]
    total = 0.0
    for j in range(w):
        start[j] = alpha[j]
        base[j] = alpha[j]
        b[j] = t[j]
        banned[j] = 0.0
        if column[j] >= 0:
            total += alpha[j]
    missing = 1.0 - total
    for c in range(k):
        y[c] = b[order[c]]
    _forward(R, k, y)
    single = False
    refused = False
    previous = np.inf
    for _ in range(20 * w + 100):
        # the minimiser over the affine hull of the passive points; points whose weight would turn negative leave
        for _ in range(4 * w + 10):
            oo = 0.0
            oy = 0.0
            for c in range(k):
                oo += ones[c] * ones[c]
                oy += ones[c] * y[c]
            lam = (missing - oy) / oo
            for c in range(k):
                hat[c] = y[c] + lam * ones[c]
            _backward(R, k, hat)
            theta = 1.0
            worst = -1
            for c in range(k):
                hat[c] += base[order[c]]
                if hat[c] <= 0.0:
                    a = alpha[order[c]]
                    step = a / (a - hat[c]) if a > hat[c] else 0.0
                    if worst < 0 or step < theta:
                        theta = step
                        worst = c
            if worst < 0:
                for c in range(k):
                    alpha[order[c]] = hat[c]
                break
            for c in range(k):
                j = order[c]
                alpha[j] += theta * (hat[c] - alpha[j])
            refresh = False
            alpha[order[worst]] = 0.0
            for c in range(k - 1, -1, -1):
                j = order[c]
                if alpha[j] <= 1e-16 and hat[c] <= 0.0 and k > 1:
                    alpha[j] = 0.0
                    _remove(R, ones, y, order, column, k, c)
                    k -= 1
                    if base[j] != 0.0:
                        f = base[j]
                        for i in range(w):
                            b[i] += f * K[j, i]
                        missing += f
                        base[j] = 0.0
                        refresh = True
            if refresh:
                for c in range(k):
                    y[c] = b[order[c]]
                _forward(R, k, y)
        # gradients of the whole working set
        for i in range(w):
            s[i] = b[i]
        for c in range(k):
            j = order[c]
            f = alpha[j] - base[j]
            for i in range(w):
                s[i] -= f * K[j, i]
        now = rr
        level = 0.0
        for i in range(w):
            now -= (alpha[i] - start[i]) * (t[i] + s[i])
            level += alpha[i] * s[i]
        now = max(now, 0.0)
        threshold = target * np.sqrt(now)
        if not now < previous * (1.0 - 4 * EPS):
            if single:
                break
            single = True
        else:
            single = False
        previous = now
        largest = threshold
        chosen = -1
        for i in range(w):
            if column[i] < 0 and banned[i] == 0.0 and s[i] - level > largest:
                largest = s[i] - level
                chosen = i
        if chosen < 0:
            break
        before = k
        if not single:
            bar = level + 0.25 * largest
            for i in range(w):
                if i != chosen and column[i] < 0 and banned[i] == 0.0 and s[i] > bar:
                    alpha[i] = 0.0
                    if _append(K, R, ones, y, order, column, k, i, b, gamma2, pivot, v):
                        k += 1
                    else:
                        banned[i] = 1.0
                        refused = True
        alpha[chosen] = 0.0
        if _append(K, R, ones, y, order, column, k, chosen, b, gamma2, pivot, v):
            k += 1
        else:
            banned[chosen] = 1.0
            refused = True
        if k == before:
            previous = np.inf  # nothing entered: look for the next violator
    return k, refused


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def _residual(points, index, w, alpha, origin, inv, q, r, t):
    """r = q - o - sum alpha (d - o) and t_j = (d_j - o) . r from the points themselves, in float64; returns |r|^2."""
    d = r.shape[0]
    for e in range(d):
        r[e] = q[e]
    for j in range(w):
        if alpha[j] > 0.0:
            row = points[index[j]]
            f = alpha[j] * inv
            for e in range(d):
                r[e] -= f * (np.float64(row[e]) - origin[e])
    rr = 0.0
    for e in range(d):
        rr += r[e] * r[e]
    for j in range(w):
        t[j] = _score(points[index[j]], origin, inv, r)
    return rr


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def _score(row, origin, inv, r):
    total = 0.0
    for e in range(r.shape[0]):
        total += (np.float64(row[e]) - origin[e]) * r[e]
    return total * inv


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def _gather(points, index, first, last, origin, inv, rows):
    for j in range(first, last):
        row = points[index[j]]
        for e in range(origin.shape[0]):
            rows[j, e] = (np.float64(row[e]) - origin[e]) * inv


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def _gram(rows, first, last, K):
    """Inner products of rows first..last-1 with all rows before ``last``, mirrored."""
    block = np.dot(rows[first:last], rows[:last].T)
    for i in range(first, last):
        for j in range(last):
            K[i, j] = block[i - first, j]
            K[j, i] = block[i - first, j]


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def _rebuild(K, R, ones, y, order, column, w, alpha, pivot, work):
    """Factor of the points that carry weight; points that depend on the others give theirs up."""
    gamma2 = 0.0
    for j in range(w):
        gamma2 += K[j, j]
        column[j] = -1
    gamma2 = gamma2 / w if gamma2 > 0.0 else 1.0
    k = 0
    b = work[1]
    total = 0.0
    for j in range(w):
        b[j] = 0.0
    for j in range(w):
        if alpha[j] > 0.0:
            if _append(K, R, ones, y, order, column, k, j, b, gamma2, pivot, work[5]):
                k += 1
                total += alpha[j]
            else:
                alpha[j] = 0.0
    for j in range(w):
        alpha[j] /= total
    return k, gamma2


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def _polish(points, index, R, ones, order, k, origin, inv, u, work):
    """Make the unit vector u orthogonal to the face of the passive points, to full relative precision."""
    d = u.shape[0]
    delta = work[3]
    for _ in range(2):
        for c in range(k):
            delta[c] = _score(points[index[order[c]]], origin, inv, u)
        _forward(R, k, delta)
        oo = 0.0
        oy = 0.0
        for c in range(k):
            oo += ones[c] * ones[c]
            oy += ones[c] * delta[c]
        for c in range(k):
            delta[c] -= oy / oo * ones[c]
        _backward(R, k, delta)
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


@njit(cache=True, error_model="numpy", parallel=True, fastmath=FLAGS)
def advance(points, inv, tol, small, active, fresh, candidates, counts, rest, exhaustive, block,
            index, size, passive, alpha, K, R, ones, order, column, gamma2, precise,
            origin, query, direction, hx, hr, shift, upper, lower, best, rounds, tries, fine, code,
            rows32, rows64, works):
    """One round for each active slot: certify with the priced candidates, add violators, solve, new direction.

    Parameters
    ----------
    points : (n, d) float32 or float64. ``inv``: 1 / unit of length. ``small``: 1e-3 radius, in units.
    active : slots to work on. ``fresh[s]`` 1: candidates are the first working set (the nearest points, or with
        ``alpha`` already set a working set carried over); 0: candidates are priced violators.
    candidates, counts, rest : per active slot the point numbers, how many, and an upper bound on
        ``(d_i - o) . u`` for every point that is neither in the working set nor among them (unit lengths).
    exhaustive : per active slot, True if pricing was in float64.
    block : most points added in one round.

    The other arrays are the slots' state, see :class:`theory.hull.batches.Pool`.
    """
    d = points.shape[1]
    capacity = index.shape[1]
    for a in prange(active.shape[0]):
        slot = active[a]
        work = works[nb.get_thread_id()]
        X32 = rows32[nb.get_thread_id()]
        X64 = rows64[nb.get_thread_id()]
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
            score = work[3]
            top = max(rest[a], hx[slot, 1])
            most = -np.inf
            for j in range(n):
                score[j] = _score(points[candidates[a, j]], o, inv, u)
                most = max(most, score[j])
            top = max(top, most)
            slack = EPS * ((d + 8) * (upper[slot] + 4.0) + 4.0 * (k + 8))
            bound = hr[slot] - (top - hx[slot, 0]) - slack
            if bound > lower[slot]:
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
                if score[j] > least:
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
                    if score[j] > high:
                        high = score[j]
                        pick = j
                if pick < 0:
                    break
                ids[w] = candidates[a, pick]
                al[w] = 0.0
                col[w] = -1
                score[pick] = -np.inf
                w += 1
                added += 1
            size[slot] = w
            if added == 0:
                inner = hx[slot, 1] - hx[slot, 0] > least - hx[slot, 0]
                if not exhaustive[a]:
                    fine[slot] = 1
                    if not inner:
                        continue  # same direction, priced in float64
                else:
                    tries[slot] += 1
                    if tries[slot] > 5:
                        code[slot] = CONVERGED if upper[slot] <= floor else STALLED
                        continue
        # inner products with the new points
        if precise[slot]:
            _gather(points, ids, 0, w, o, inv, X64)
            if w > first:
                _gram(X64, first, w, Ks)
        elif w > first:
            _gather(points, ids, 0, w, o, inv, X32)
            _gram(X32, first, w, Ks)
        pivot = 1e-13 if precise[slot] else 1e-4
        if first == 0:
            k, gamma2[slot] = _rebuild(Ks, Rs, one, y, odr, col, w, al, pivot, work)
        rr = _residual(points, ids, w, al, o, inv, q, r, t)
        repeat = 0
        while True:
            norm = np.sqrt(rr)
            target = 0.2 * tol * max(norm, small if norm > small * tol else 0.0)
            k, refused = _solve(Ks, Rs, one, odr, col, k, w, al, t, rr, target, gamma2[slot], pivot, work)
            total = 0.0
            for j in range(w):
                total += al[j]
            for j in range(w):
                al[j] /= total
            rr = _residual(points, ids, w, al, o, inv, q, r, t)
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
                pivot = 1e-13
                _gather(points, ids, 0, w, o, inv, X64)
                _gram(X64, 0, w, Ks)
                k, gamma2[slot] = _rebuild(Ks, Rs, one, y, odr, col, w, al, pivot, work)
                rr = _residual(points, ids, w, al, o, inv, q, r, t)
                repeat = 0
            elif good:
                break
        size[slot], passive[slot] = w, k
        reach = 0.0
        for j in range(w):
            reach += al[j] * np.sqrt(Ks[j, j])
        upper[slot] = norm + EPS * (2 * (k + 4) * (reach + EPS) + (d + 4) * norm)
        if norm < VANISHED:
            code[slot] = CONVERGED
            continue
        for e in range(d):
            u[e] = r[e] / norm
        if norm < NEAR:
            fine[slot] = 1
            if not _polish(points, ids, Rs, one, odr, k, o, inv, u, work):
                code[slot] = CONVERGED if upper[slot] <= tol * small else STALLED
                continue
            for j in range(w):
                t[j] = _score(points[ids[j]], o, inv, u)
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
