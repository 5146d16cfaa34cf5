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

import numpy as np

from lab.compiled import njit

# No nnan/ninf: NaN must stay visible. Reassociation lets the dot products use vector registers.
FLAGS = {"reassoc", "contract", "nsz", "arcp"}
EPS = 2.0**-53
PIVOT = 1e-14


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
def _orthogonalise(rows, R, order, k, j, gamma, v, c, e):
    """Column v = Q^T (a_j, gamma) of the factor from the points themselves; returns the pivot's square.

    Two passes of: take from the lifted point its combination of the passive ones, ``e -= A^T R^-1 R^-T A e``. For
    points that depend on the others to more than half of the digits, where K - v.v has none left.
    """
    d = rows.shape[1]
    for f in range(d):
        e[f] = rows[j, f]
    last = gamma
    for i in range(k):
        v[i] = 0.0
    for _ in range(3):
        for i in range(k):
            total = last * gamma
            for f in range(d):
                total += rows[order[i], f] * e[f]
            c[i] = total
        _forward(R, k, c)
        for i in range(k):
            v[i] += c[i]
        _backward(R, k, c)
        for i in range(k):
            for f in range(d):
                e[f] -= c[i] * rows[order[i], f]
            last -= c[i] * gamma
    total = last * last
    for f in range(d):
        total += e[f] * e[f]
    return total


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def _append(K, R, ones, y, order, column, k, j, b, gamma2, rows, precise, least, v, c, e):
    """Add point j as column k of the factor; False if it depends affinely on the others to within rounding.

    ``precise`` 0: K is rounded to float32, 1: K is float64, 2: pivots K cannot give are computed from the points.
    Gradients are known to about ``eps |r|``, so a pivot (squared distance to the others' affine hull) must lie well
    above that, above ``least``, for a weight to mean anything. A nearer point violates by less than its square root.
    """
    for i in range(k):
        v[i] = K[order[i], j] + gamma2
    _forward(R, k, v)
    own = K[j, j] + gamma2
    rest = own
    for i in range(k):
        rest -= v[i] * v[i]
    if precise == 2 and not rest > 1e-7 * own:
        rest = _orthogonalise(rows, R, order, k, j, np.sqrt(gamma2), v, c, e)
        if not rest > max(least, 1e-24 * own):
            return False
    elif not rest > (1e-13 if precise else 1e-4) * own:
        return False
    one = 1.0
    rhs = b[j]
    for i in range(k):
        one -= v[i] * ones[i]
        rhs -= v[i] * y[i]
    root = np.sqrt(rest)
    for i in range(k):
        R[i, k] = v[i]
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
def solve(K, R, ones, order, column, k, w, alpha, t, rr, target, gamma2, rows, precise, work):
    """Wolfe's method on the working set, from feasible weights whose gradients ``t`` and ``rr = |r|^2`` are given.

    Stops when no point violates optimality by more than ``target * |r|``. ``rows`` holds the points relative to the
    origin in float64, unless ``precise`` is 0. Returns the size of the passive set and
    whether a violating point was refused for its small pivot.
    """
    base, b, y, hat, s, v = work[0], work[1], work[2], work[3], work[4], work[5]
    start, banned, c1, e1 = work[6], work[7], work[10], work[11]
    total = 0.0
    level = 0.0  # taken off the gradients: weights that sum to one do not feel it, rounding does
    for j in range(w):
        level += alpha[j] * t[j]
    for j in range(w):
        start[j] = alpha[j]
        base[j] = alpha[j]
        t[j] -= level
        b[j] = t[j]
        banned[j] = 0.0
        if column[j] >= 0:
            total += alpha[j]
    missing = 1.0 - total
    least = max(PIVOT * np.sqrt(rr), (0.5 * target) ** 2)
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
                    if _append(K, R, ones, y, order, column, k, i, b, gamma2, rows, precise, least, v, c1, e1):
                        k += 1
                    else:
                        banned[i] = 1.0
                        refused = True
        alpha[chosen] = 0.0
        if _append(K, R, ones, y, order, column, k, chosen, b, gamma2, rows, precise, least, v, c1, e1):
            k += 1
        else:
            banned[chosen] = 1.0
            refused = True
        if k == before:
            previous = np.inf  # nothing entered: look for the next violator
    return k, refused


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def residual(points, index, w, alpha, origin, inv, q, r, t):
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
        t[j] = score(points[index[j]], origin, inv, r)
    return rr


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def score(row, origin, inv, r):
    total = 0.0
    for e in range(r.shape[0]):
        total += (np.float64(row[e]) - origin[e]) * r[e]
    return total * inv


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def gather(points, index, first, last, origin, inv, rows):
    for j in range(first, last):
        row = points[index[j]]
        for e in range(origin.shape[0]):
            rows[j, e] = (np.float64(row[e]) - origin[e]) * inv


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def gram(rows, first, last, K):
    """Inner products of rows first..last-1 with all rows before ``last``, mirrored."""
    block = np.dot(rows[first:last], rows[:last].T)
    for i in range(first, last):
        for j in range(last):
            K[i, j] = block[i - first, j]
            K[j, i] = block[i - first, j]


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def rebuild(K, R, ones, y, order, column, w, alpha, rows, precise, least, work):
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
            if _append(K, R, ones, y, order, column, k, j, b, gamma2, rows, precise, least, work[5],
                       work[10], work[11]):
                k += 1
                total += alpha[j]
            else:
                alpha[j] = 0.0
    for j in range(w):
        alpha[j] /= total
    return k, gamma2


@njit(cache=True, error_model="numpy", fastmath=FLAGS)
def polish(points, index, R, ones, order, k, origin, inv, u, work):
    """Make the unit vector u orthogonal to the face of the passive points, to full relative precision."""
    d = u.shape[0]
    delta = work[3]
    for _ in range(2):
        for c in range(k):
            delta[c] = score(points[index[order[c]]], origin, inv, u)
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
