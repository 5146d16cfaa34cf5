"""Derivations of the landscape formulas. Their inputs: the slopes of the activation, and the input variance."""

import sympy as sp

from lab.errors import ArgumentError
from theory.derivation import derivation, named

T = sp.Symbol("theta", positive=True)
A, B = sp.symbols("|w| |v|", positive=True)
_SYMBOLS = {"w, v": "weights of two units; |w|, |v| their norms, theta their angle",
            "w^, n": "unit vectors: w/|w|, and the part of v orthogonal to w, normalised",
            "relu-like": "activation phi(z) = p z for z > 0, q z for z < 0; default p = 1, q = 0"}


def _sector(p, q, variance):
    """f(w, v)/(|w||v|) as a function of theta, by polar coordinates in the plane of w and v."""
    phi, r = sp.symbols("phi r", positive=True)
    radial = sp.integrate(r**3 * sp.exp(-(r**2) / (2 * variance)), (r, 0, sp.oo)) / (2 * sp.pi * variance)
    inside = sp.expand_trig(sp.cos(phi) * sp.cos(phi - T))
    pieces = [(p * p, T - sp.pi / 2, sp.pi / 2), (p * q, -sp.pi / 2, T - sp.pi / 2), (p * q, sp.pi / 2, T + sp.pi / 2),
              (q * q, T + sp.pi / 2, 3 * sp.pi / 2)]
    angular = sum(c * sp.integrate(sp.expand(inside), (phi, low, high)) for c, low, high in pieces)
    return radial, sp.simplify(sp.expand_trig(sp.expand(angular)))


def _inputs(slopes, variance):
    p, q = map(sp.sympify, slopes)
    variance = sp.sympify(variance)
    if variance.is_positive is False:
        raise ArgumentError(f"the input variance must be positive, got {variance}")
    return p, q, variance


@derivation("landscape-loss",
            "overlap f(w, v) = <phi(w.x) phi(v.x)> of two relu-like units over x ~ N(0, variance I): the loss is F = "
            "1/2 sum f(w,w) - sum f(w,v) + 1/2 sum f(v,v)",
            "Cho & Saul 2009; derived here", symbols=_SYMBOLS)
def derive_loss(d, slopes=(1, 0), variance=1):
    p, q, variance = _inputs(slopes, variance)
    u, s = sp.symbols("yhat y")
    d.step("Half the squared error between sums of students and of teachers is linear in the overlaps of pairs.",
           sp.Eq((u - s) ** 2 / 2, sp.expand((u - s) ** 2 / 2)))
    radial, angular = _sector(p, q, variance)
    d.step("Only the plane of w and v matters; in it w = |w|(1, 0), v = |v|(cos theta, sin theta), x = r(cos phi, sin "
           "phi). The radius integrates to", radial)
    d.step("The signs of w.x and v.x divide the circle into four sectors, with weights p^2, pq, pq, q^2. Their "
           "integrals of cos(phi) cos(phi - theta) sum to", angular)
    f = sp.simplify(A * B * sp.expand(radial * angular))
    d.step("Check of the limits: for relu, parallel units give half of <z^2>, antiparallel units give 0.",
           sp.Tuple(sp.simplify(f.subs(T, 0)), sp.simplify(f.subs(T, sp.pi))))
    return d.conclude(sp.Eq(named("f"), f))


def overlap_in_products(slopes=(1, 0), variance=1):
    """(f, a, b, c): the derived overlap as a function of a = |w|^2, b = |v|^2, c = w.v."""
    a, b = sp.symbols("a b", positive=True)
    c = sp.Symbol("c", real=True)
    f = derive_loss(slopes=slopes, variance=variance).result.rhs
    f = sp.expand_trig(f).subs({A: sp.sqrt(a), B: sp.sqrt(b)})
    cosine = c / sp.sqrt(a * b)
    return f.subs(sp.sin(T), sp.sqrt(1 - cosine**2)).subs(sp.cos(T), cosine).subs(T, sp.acos(cosine)), a, b, c


def _in_angle(expression, a, b, c):
    """Back from products to norms and the angle 0 < theta < pi."""
    expression = sp.simplify(expression.subs(c, sp.sqrt(a * b) * sp.cos(T)).subs({a: A**2, b: B**2}))
    expression = expression.replace(sp.acos(sp.cos(T)), T).replace(sp.Abs(sp.sin(T)), sp.sin(T))
    return sp.simplify(expression)


@derivation("landscape-gradient",
            "gradient of the overlap with respect to w: g = (its w^ part) w^ + (its v part) v, and dF/dw_i = (own "
            "term) + sum over other students - sum over teachers",
            "Safran & Shamir 2018; derived here",
            symbols=_SYMBOLS)
def derive_gradient(d, slopes=(1, 0), variance=1):
    f, a, b, c = overlap_in_products(slopes, variance)
    d.step("The overlap as a function of the products a = w.w, b = v.v, c = w.v.", f)
    d.step("Chain rule: grad_w f = 2 f_a w + f_c v.")
    radial = d.step("Along w^: 2 f_a |w|.", _in_angle(2 * sp.diff(f, a) * sp.sqrt(a), a, b, c))
    along_v = d.step("Along v: f_c.", _in_angle(sp.diff(f, c), a, b, c))
    own = sp.simplify(derive_loss(slopes=slopes, variance=variance).result.rhs.subs(T, 0) / (A * B))
    d.step("The own term: 1/2 f(w, w) has gradient (own) w, own =", own)
    return d.conclude(sp.Tuple(sp.Eq(named("g_along_w"), radial), sp.Eq(named("g_along_v"), along_v),
                               sp.Eq(named("own"), own)))


@derivation("landscape-hessian",
            "second derivatives of the overlap in the frame (w^, n, anything orthogonal to both): the block h1 = "
            "d2f/dw dw and the block h2 = d2f/dw dv^T",
            "Safran & Shamir 2018; derived here", symbols=_SYMBOLS)
def derive_hessian(d, slopes=(1, 0), variance=1):
    f, a, b, c = overlap_in_products(slopes, variance)
    W = sp.Matrix([A, 0, 0])
    V = sp.Matrix([B * sp.cos(T), B * sp.sin(T), 0])
    d.step("In the frame (w^, n, m): w and v are", sp.Tuple(W, V))
    second = {x + y: _in_angle(sp.diff(f, s1, s2), a, b, c)
              for x, s1 in (("a", a), ("b", b), ("c", c)) for y, s2 in (("a", a), ("b", b), ("c", c))}
    fa, fc = _in_angle(sp.diff(f, a), a, b, c), _in_angle(sp.diff(f, c), a, b, c)
    one = sp.eye(3)
    h1 = (2 * fa * one + 4 * second["aa"] * W * W.T + 2 * second["ac"] * (W * V.T + V * W.T)
          + second["cc"] * V * V.T).applyfunc(sp.simplify)
    d.step("d2f/dw dw = 2 f_a I + 4 f_aa w w^T + 2 f_ac (w v^T + v w^T) + f_cc v v^T.", h1)
    h2 = (fc * one + 4 * second["ab"] * W * V.T + 2 * second["ac"] * W * W.T + 2 * second["bc"] * V * V.T
          + second["cc"] * V * W.T).applyfunc(sp.simplify)
    d.step("d2f/dw dv^T = f_c I + 4 f_ab w v^T + 2 f_ac w w^T + 2 f_bc v v^T + f_cc v w^T.", h2)
    hat_w, n = sp.Matrix([1, 0, 0]), sp.Matrix([0, 1, 0])
    hat_v = V / B
    n_wv = (hat_w - sp.cos(T) * hat_v) / sp.sin(T)
    p, q, variance = _inputs(slopes, variance)
    amount = (p - q) ** 2 * variance  # relu-like units differ from a linear one by (p - q) relu
    stated1 = amount * B * sp.sin(T) / (2 * sp.pi * A) * (one - hat_w * hat_w.T + n * n.T)
    stated2 = amount / (2 * sp.pi) * ((sp.pi - T) * one + n_wv * hat_v.T + n * hat_w.T) + p * q * variance * one
    differences = [(h - s).applyfunc(lambda e: sp.simplify(sp.expand_trig(e)))
                   for h, s in ((h1, stated1), (h2, stated2))]
    d.vanishes("The closed forms (p - q)^2 |v| sin/(2 pi |w|)(I - w^ w^T + n n^T) and (p - q)^2/(2 pi)[(pi - theta) I + "
               "n_wv v^^T + n w^^T] + p q I, times the variance, are the same.", sp.Tuple(*differences))
    d.step("As the units merge (theta -> 0), the mixed block tends to the second moment on a half-space.",
           h2.applyfunc(lambda e: sp.limit(e, T, 0)))
    return d.conclude(sp.Tuple(sp.Eq(named("h1"), sp.Matrix(h1), evaluate=False),
                               sp.Eq(named("h2"), sp.Matrix(h2), evaluate=False)))


@derivation("landscape-split",
            "Hessian form of a network in which a unit of a critical point is replaced by copies of shares alpha_a: "
            "it is the old form in the summed perturbation plus sum_a t_a^T H' t_a/alpha_a in the relative ones",
            "derived here", symbols={"alpha_a": "share of copy a, sum 1", "u_a": "perturbation of copy a", "s": "sum_a u_a",
                                     "t_a": "u_a - alpha_a s, they sum to 0", "H'": "own_curvature of the unit"})
def derive_split(d, copies=2):
    if copies < 2:
        raise ArgumentError("a split needs at least two copies")
    h1 = derive_hessian().result[0].rhs
    share = sp.Symbol("alpha", positive=True)
    ratio = sp.simplify(h1.subs(A, share * A)[1, 1] / h1[1, 1])
    d.step("h1 has a factor 1/|w|: with everything outside its group, a copy of share alpha has H'/alpha (the lengths "
           "of the other groups still add up to the old ones). Copies of one unit are parallel, sin theta = 0, and "
           "contribute nothing.",
           sp.Eq(named("h1(alpha w)") / named("h1(w)"), ratio))
    d.step("Mixed blocks depend on directions only, and between copies of one unit they are I/2, like the I/2 of the "
           "diagonal block: all of these together act on the sum s = sum u_a only, exactly as in the narrow network.")
    size = 2
    H = sp.Matrix(size, size, lambda i, j: sp.Symbol(f"H_{min(i, j)}{max(i, j)}", real=True))
    alphas = list(sp.symbols(f"alpha_1:{copies}", positive=True))
    alphas.append(1 - sum(alphas))
    us = [sp.Matrix(sp.symbols(f"u_{a}_0:{size}", real=True)) for a in range(copies)]
    s = sum(us[1:], us[0])
    form = sum(((u.T * H * u)[0] / alpha for u, alpha in zip(us, alphas)), sp.S.Zero)
    d.step("This leaves the form sum_a u_a^T H' u_a/alpha_a (written out for H' of size 2; the algebra is the same "
           "for every size).", form)
    ts = [u - alpha * s for u, alpha in zip(us, alphas)]
    separated = (s.T * H * s)[0] + sum(((t.T * H * t)[0] / alpha for t, alpha in zip(ts, alphas)), sp.S.Zero)
    difference = sp.simplify(sp.together(sp.expand(form - separated)))
    d.vanishes("With u_a = alpha_a s + t_a, sum t_a = 0, the cross terms 2 s^T H' sum t_a vanish, and the form is s^T H' s + "
               "sum_a t_a^T H' t_a/alpha_a.", difference, "form - [s^T H' s + sum_a t_a^T H' t_a/alpha_a]")
    d.step("The change of variables is invertible, so by Sylvester's law of inertia the eigenvalues of the widened "
           "Hessian have the signs of the narrow one's and, for each added copy, those of H': index = index(H) + "
           "(copies - 1) n_-(H').",
           sp.Eq(named("index_wide"), named("index_narrow") + (copies - 1) * named("n_-")))
    u = sp.Matrix(sp.symbols(f"u_0:{size}", real=True))
    alpha = sp.Symbol("alpha", positive=True)
    direction = [u / sp.sqrt(2), -u / sp.sqrt(2)]
    curvature = sum((v.T * H * v)[0] / x for v, x in zip(direction, (alpha, 1 - alpha)))
    quotient = sp.simplify(curvature / (u.T * H * u)[0])
    d.step("Two copies alpha, 1 - alpha, moved apart along (u, -u)/sqrt 2: curvature over u^T H' u is", quotient)
    return d.conclude(sp.Eq(named("curvature") / named("u^T H' u"), quotient))


@derivation("landscape-tickets",
            "failure of a network of width n if its C(n, k) sub-networks of width k were independent tickets, and the "
            "number of tickets that corresponds to an observed failure rate",
            "derived here",
            symbols={"P_k": "probability that width k fails", "P_n": "probability that width n fails"})
def derive_tickets(d):
    n, k = sp.symbols("n k", positive=True, integer=True)
    narrow, wide = sp.symbols("P_k P_n", positive=True)
    count = sp.Symbol("N", positive=True)
    d.step("The wide network fails if every ticket fails; independent failures multiply.", sp.Eq(wide, narrow**count))
    d.step("Under the null each k-subset of its n neurons is a ticket.", sp.Eq(count, sp.binomial(n, k)))
    solved = sp.solve(sp.Eq(sp.log(wide), count * sp.log(narrow)), count)[0]
    d.step("Solved for the number of tickets.", sp.Eq(named("N_eff"), solved))
    d.step("A multi-start of floor(n/k) separate networks has as many tickets as networks.",
           sp.Eq(named("P_multistart"), narrow ** sp.floor(n / k)))
    return d.conclude(sp.Eq(named("N_eff"), solved))


DERIVATIONS = {f.name: f for f in (derive_loss, derive_gradient, derive_hessian, derive_split, derive_tickets)}
