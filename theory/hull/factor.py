"""The triangular factor of the points that carry weight: solving with it, adding a point, removing a point.

With ``a_j = d_j - o`` the passive points of a working set and K their inner products, the factor is

    R^T R = K + gamma^2 1 1^T,

the Gram matrix of the lifted points (a_j, gamma), which are independent whenever the points are affinely so; any
gamma > 0 will do. Beside it stand R^-T 1 and, while a change of the weights is solved for, y = R^-T b. The kernels take
a slot's record ``state`` and its ``factor`` (:mod:`theory.hull.slots`) and change them in place.
"""

import numpy as np

from theory.hull.slots import COLUMN, LIFTED, PROJECTED, REDUCED, RHS, Precision, helper


@helper
def forward(R, k, v):
    """v <- R^-T v for the leading k x k upper triangle."""
    for c in range(k):
        v[c] /= R[c, c]
        f = v[c]
        for e in range(c + 1, k):
            v[e] -= f * R[c, e]


@helper
def backward(R, k, v):
    """v <- R^-1 v."""
    for c in range(k - 1, -1, -1):
        f = v[c]
        for e in range(c + 1, k):
            f -= R[c, e] * v[e]
        v[c] = f / R[c, c]


@helper
def _orthogonalise(rows, R, order, k, j, gamma, v, c, e):
    """Column v = Q^T (a_j, gamma) of the factor from the points themselves; returns the pivot's square.

    Three passes of Gram-Schmidt subtract from the lifted point its combination of the passive ones,
    ``e -= A^T R^-1 R^-T A e``. Needed if the others determine a point to more than half of its digits, since K - v.v then
    has none left.
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
        forward(R, k, c)
        for i in range(k):
            v[i] += c[i]
        backward(R, k, c)
        for i in range(k):
            for f in range(d):
                e[f] -= c[i] * rows[order[i], f]
            last -= c[i] * gamma
    total = last * last
    for f in range(d):
        total += e[f] * e[f]
    return total


@helper
def append(state, factor, j, rows, least, work):
    """Add point j of the working set to the factor; False if it depends affinely on the others to within rounding.

    Gradients are known to about ``eps |r|``, so a pivot (squared distance to the others' affine hull) must lie well
    above that, above ``least``, for a weight to mean anything. A nearer point violates by less than its square root.
    """
    K, R, ones, order, column = factor
    b, y, v = work[RHS], work[REDUCED], work[COLUMN]
    k, gamma2, precise = state.passive, state.gamma2, state.precise
    # the new column of R is (v, sqrt(pivot)): v = R^-T (K_Pj + gamma^2), pivot = K_jj + gamma^2 - v.v
    for i in range(k):
        v[i] = K[order[i], j] + gamma2
    forward(R, k, v)
    own = K[j, j] + gamma2
    pivot = own
    for i in range(k):
        pivot -= v[i] * v[i]
    # the pivot must stand above the rounding of K: float32 products leave it seven digits, float64 sixteen
    if precise == Precision.PIVOTS and not pivot > 1e-7 * own:
        pivot = _orthogonalise(rows, R, order, k, j, np.sqrt(gamma2), v, work[PROJECTED], work[LIFTED])
        if not pivot > max(least, 1e-24 * own):
            return False
    elif not pivot > (1e-13 if precise else 1e-4) * own:
        return False
    # R^-T 1 and R^-T b grow by one entry each
    one = 1.0
    rhs = b[j]
    for i in range(k):
        one -= v[i] * ones[i]
        rhs -= v[i] * y[i]
    root = np.sqrt(pivot)
    for i in range(k):
        R[i, k] = v[i]
    R[k, k] = root
    ones[k] = one / root
    y[k] = rhs / root
    order[k] = j
    column[j] = k
    state.passive = k + 1
    return True


@helper
def remove(state, factor, y, p):
    """Take column p out of the factor and restore its triangle by plane rotations."""
    _, R, ones, order, column = factor
    k = state.passive
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
    state.passive = k - 1


@helper
def rebuild(state, factor, alpha, rows, least, work):
    """Factor the points that carry weight from scratch; points that depend on the others lose their weight."""
    K, column, b = factor.K, factor.column, work[RHS]
    w = state.members
    # gamma^2 of the size of the inner products keeps the lifted points (a_j, gamma) well apart
    gamma2 = 0.0
    for j in range(w):
        gamma2 += K[j, j]
        column[j] = -1
    state.gamma2 = gamma2 / w if gamma2 > 0.0 else 1.0
    state.passive = 0
    total = 0.0
    for j in range(w):
        b[j] = 0.0
    for j in range(w):
        if alpha[j] > 0.0:
            if append(state, factor, j, rows, least, work):
                total += alpha[j]
            else:
                alpha[j] = 0.0
    for j in range(w):
        alpha[j] /= total
