"""The order-parameter equations and the final errors, derived.

``activation`` (an erf-like expression in one symbol, see :mod:`theory.gaussian.derive`) replaces erf(z/√2) throughout.

Source: Saad & Solla (1995); Goldt et al. (2019), arXiv 1906.08632. The expansions, the form (η σ²/4) Σ v_i² J2(i,i) that
covers both of Goldt's results, its sum over all orders of η and the drift along flat directions are derived here.
"""

import sympy as sp

from theory.committee.expansion import ETA, Ansatz, averages, first_order, free_directions
from theory.derivation import derivation, named
from theory.gaussian import derive as gaussian

_SIGMA = sp.Symbol("sigma", positive=True)
_M, _L, _Z = sp.symbols("M L Z", positive=True)

_SYMBOLS = {
    "K, M, L": "students, teachers, superfluous students (K = M + L)",
    "λ_i, ρ_m": "pre-activations of students and teachers, jointly Gaussian with covariance [[Q, R], [Rᵀ, T]]",
    "u": "the vector (v, −A) of output weights",
    "η, σ": "learning rate, standard deviation of the label noise",
    "eg": "generalisation error ½ <(y − ŷ)²> without the noise",
}


@derivation("committee-equations", "The order-parameter equations of online SGD for a two-layer network, from its update.",
            "Saad & Solla (1995); Goldt et al. (2019), arXiv 1906.08632", symbols=_SYMBOLS)
def derive_equations(d):
    """Expand one update for two students and one teacher, average term by term, compare with the sums over u."""
    lam1, lam2, rho, zeta = sp.symbols("lambda_1 lambda_2 rho zeta", real=True)
    g1, g2, gt, s1, s2 = sp.symbols("g_1 g_2 g_t g'_1 g'_2", real=True)
    v1, v2, A = sp.symbols("v_1 v_2 A", real=True)
    size = sp.Symbol("x.x/N", positive=True)
    error = A * gt + _SIGMA * zeta - v1 * g1 - v2 * g2
    d.step("Two students and one teacher (the general case has the same terms). The error on a fresh example is",
           sp.Eq(named("y−ŷ", r"y-\hat y"), error))
    step1, step2 = (ETA * v * s * error for v, s in ((v1, s1), (v2, s2)))
    d.step("The update moves w_i by (η/√N) v_i g'(λ_i) (y−ŷ) x. With Q = w·w/N, R = w·B/N, x·w = √N λ, x·B = √N ρ the "
           "change of R_1 and of Q_12, times N, is", sp.Eq(named("N ΔR_1"), step1 * rho))
    change = sp.expand((step1 * lam2 + step2 * lam1) + step1 * step2 * size)
    d.step("and", sp.Eq(named("N ΔQ_12"), step1 * lam2 + step2 * lam1 + step1 * step2 * size))
    d.step("For N → ∞ x·x/N → 1, changes self-average and time runs as t = steps/N. ζ is independent with mean 0 and "
           "variance 1; every other product is one of the averages I3 = <g'(i) b g(c)>, I4 = <g'(i) g'(k) g(a) g(b)>, "
           "J2 = <g'(i) g'(k)>.")
    letters = {g1: "1", g2: "2", gt: "t"}
    poly = sp.Poly(change.subs(size, 1), zeta)
    even = sp.expand(poly.coeff_monomial(1) + poly.coeff_monomial(zeta**2))
    averaged = sp.S.Zero
    for term in even.as_ordered_terms():
        powers = term.as_powers_dict()
        outputs = [letters[g] for g in (g1, g2, gt) for _ in range(int(powers.get(g, 0)))]
        factor = term / sp.prod([g ** powers.get(g, 0) for g in (g1, g2, gt)])
        slopes = [str(i) for i, s in ((1, s1), (2, s2)) if powers.get(s, 0)]
        factor /= sp.prod([s for s in (s1, s2) if powers.get(s, 0)])
        fields = [("1", lam1), ("2", lam2)]
        middle = next(((name, x) for name, x in fields if powers.get(x, 0)), None)
        if middle:
            factor /= middle[1]
        key = {(1, True): "I3", (2, False): "I4", (0, False): "J2"}[(len(outputs), middle is not None)]
        inside = slopes + ([middle[0]] if middle else []) + sorted(outputs)
        averaged += factor * sp.Symbol(f"{key}({','.join(inside)})")
    d.step("The averages, term by term.", sp.Eq(named("dQ_12/dt"), averaged))
    u = {"1": v1, "2": v2, "t": -A}

    def average(key, *inside):
        return sp.Symbol(f"{key}({','.join(inside)})")

    compact = -ETA * v1 * sum(u[b] * average("I3", "1", "2", b) for b in u) \
        - ETA * v2 * sum(u[b] * average("I3", "2", "1", b) for b in u) \
        + ETA**2 * v1 * v2 * (sum(u[a] * u[b] * average("I4", "1", "2", *sorted((a, b))) for a in u for b in u)
                               + _SIGMA**2 * average("J2", "1", "2"))
    d.vanishes("With u = (v, −A) this is −η v_1 Σ_b u_b I3(1,2,b) − η v_2 Σ_b u_b I3(2,1,b) + η² v_1 v_2 [Σ_ab u_a u_b "
               "I4(1,2,a,b) + σ² J2(1,2)].", sp.expand(averaged - compact))
    d.step("In the same way dR_in/dt = −η v_i Σ_b u_b I3(i,n,b). The output weights move by (η_v/N) g(λ_i)(y−ŷ), whose "
           "fluctuations are of order 1/N: dv_i/dt = −η_v Σ_b u_b I2(i,b). The error is eg = ½ uᵀ I2 u. At small η "
           "the term in η² drops out.")
    return d.conclude(sp.Eq(named("dQ_12/dt"), compact))


@derivation("committee-final-first-layer",
            "Final error, first layer only (v = A = 1, T = 1, K = M + L), to first order in η: M students copy the "
            "teachers, and L superfluous ones stay near zero.",
            "Goldt et al. (2019), arXiv 1906.08632, eq. for eg*", symbols=_SYMBOLS)
def derive_final_first_layer(d, activation=gaussian.ERF):
    """Expand every order parameter to first order in η and solve the linear equations of the fixed point."""
    q, a, r, b, l, s, c, e = unknowns = sp.symbols("q a r b l s c e", real=True)

    def covariance(x, y):
        (kind1, one), (kind2, two) = sorted((x, y), key=lambda unit: "SET".index(unit[0]))
        same = one == two
        return {"SS": 1 + ETA * q if same else ETA * a, "ST": 1 + ETA * r if same else ETA * b,
                "TT": sp.Integer(1 if same else 0), "EE": ETA * l if same else ETA * s,
                "SE": ETA * c, "ET": ETA * e}[kind1 + kind2]

    def classes(*used):
        groups = sorted({index for kind, index in used if kind in "ST"})
        extras = sorted({index for kind, index in used if kind == "E"})
        units = []
        for kind, sign in (("S", 1), ("T", -1)):
            units += [((kind, g), 1, sign) for g in groups] + [((kind, 99), _M - len(groups), sign)]
        return units + [(("E", x), 1, 1) for x in extras] + [(("E", 99), _L - len(extras), 1)]

    ansatz = Ansatz(averages(activation), covariance, classes)
    d.step("By symmetry the fixed point has eight overlaps. To first order in η: Q = 1 + ηq on the diagonal of the copying "
           "students and ηa off it, R = 1 + ηr and ηb, Q = ηl, ηs for superfluous students, ηc and ηe across.")
    S0, S1, E0, E1, T0, T1 = ("S", 0), ("S", 1), ("E", 0), ("E", 1), ("T", 0), ("T", 1)
    equations = []
    for i, n in ((S0, T0), (S0, T1), (E0, T0)):
        equations.append(ansatz.drive(i, n))
    for i, k in ((S0, S0), (S0, S1), (S0, E0), (E0, E0), (E0, E1)):
        equations.append(sp.expand(-ansatz.drive(i, k) - ansatz.drive(k, i) + _SIGMA**2 * ansatz.gate(i, k)))
    d.step("Insert into dR/dt = 0 and dQ/dt = 0 (committee-equations). At first order the term of I4 is absent: it is η² "
           "times an error of order η. For the diagonal of a copying student:", sp.Eq(equations[3], 0))
    d.step("For a superfluous student:", sp.Eq(equations[6], 0))
    free = free_directions(equations, unknowns, {_M: 3, _L: 2, _SIGMA: 1})
    d.step(f"The eight equations are linear and consistent (row reduction at M = 3, L = 2; it leaves {len(free)} direction "
           "free, the one in which superfluous students cancel each other).")
    weights = [(S0, _M), (T0, -_M), (E0, _L)]
    error = sp.expand(sum(w * ansatz.output(unit) for unit, w in weights) / 2)
    d.step("eg = ½ uᵀ I2 u to first order in η:", sp.Eq(named("eg/η"), error))
    pull = sp.expand((_M * (ansatz.drive(S0, S0) - ansatz.drive(S0, T0)) + _L * ansatz.drive(E0, E0)) / 2)
    d.vanishes("With S_in = Σ_b u_b I3(i,n,b) this is, term by term, ½ Σ_i (S_ii − S_it), t the teacher that i copies (no "
               "S_it for superfluous students): to first order Σ_i g'(λ_i)(λ_i − ρ_t) is the output error itself.",
               sp.simplify(error - pull))
    result = sp.expand((_M * _SIGMA**2 * ansatz.gate(S0, S0) + _L * _SIGMA**2 * ansatz.gate(E0, E0)) / 4)
    if any(sp.expand(equations[row] + 2 * ansatz.drive(x, x) - _SIGMA**2 * ansatz.gate(x, x)) != 0
           for row, x in ((3, S0), (6, E0))) or sp.expand(equations[0] - ansatz.drive(S0, T0)) != 0:
        raise AssertionError("the equations used are not those of the fixed point")
    d.step("At the fixed point S_it = 0 (from dR/dt) and 2 S_ii = η σ² J2(i,i) (from dQ/dt): eg = (ησ²/4) Σ_i J2(i,i), J2 at "
           "norm 1 for copies and at norm 0 for superfluous students.")
    return d.conclude(sp.Eq(named("eg*"), ETA * result))


@derivation("committee-final-copies",
            "Final error, both layers, K = Z M students, Z copies of every teacher unit (A = 1, T = 1), to first order in η.",
            "Goldt et al. (2019), arXiv 1906.08632 (denoiser solution); derived here", symbols=_SYMBOLS)
def derive_final_copies(d, activation=gaussian.ERF):
    """Expand about v = 1/Z, w_i = B_m(i), solve the linear equations of the fixed point."""
    q, p, a, r, b, w = unknowns = sp.symbols("q p a r b w", real=True)

    def covariance(x, y):
        (kind1, one, first), (kind2, two, second) = sorted((x, y), key=lambda unit: "ST".index(unit[0]))
        same = one == two
        if kind1 + kind2 == "SS":
            return 1 + ETA * (q if first == second else p) if same else ETA * a
        if kind1 + kind2 == "ST":
            return 1 + ETA * r if same else ETA * b
        return sp.Integer(1 if same else 0)

    def classes(*used):
        groups = sorted({unit[1] for unit in used})
        out = 1 / _Z + ETA * w
        units = [(("S", 99, 0), (_M - len(groups)) * _Z, out), (("T", 99, 0), _M - len(groups), -1)]
        for g in groups:
            copies = sorted({unit[2] for unit in used if unit[0] == "S" and unit[1] == g})
            units += [(("S", g, copy), 1, out) for copy in copies]
            units += [(("S", g, 99), _Z - len(copies), out), (("T", g, 0), 1, -1)]
        return units

    ansatz = Ansatz(averages(activation), covariance, classes)
    d.step("By symmetry: Q = 1 + ηq on the diagonal, 1 + ηp between copies, ηa across groups, R = 1 + ηr and ηb, "
           "v = 1/Z + ηw.")
    S, copy, other, T0, T1 = ("S", 0, 0), ("S", 0, 1), ("S", 1, 0), ("T", 0, 0), ("T", 1, 0)
    equations = [ansatz.drive(S, T0), ansatz.drive(S, T1), ansatz.output(S)]
    for k in (S, copy, other):
        both = ansatz.drive(S, k) + ansatz.drive(k, S)
        equations.append(sp.expand(-both / _Z + _SIGMA**2 * ansatz.gate(S, k) / _Z**2))
    d.step("dR/dt = 0, dv/dt = 0 and dQ/dt = 0 to first order; for the diagonal of Q:", sp.Eq(equations[3], 0))
    free = free_directions(equations, unknowns, {_M: 2, _Z: 3, _SIGMA: 1})
    d.step(f"The six equations are linear and consistent (row reduction at M = 2, Z = 3; it leaves {len(free)} direction "
           "free, the one in which copies drift apart while their sum stays).")
    error = sp.expand((_M * ansatz.output(S) - _M * ansatz.output(T0)) / 2)  # Σ v over a group is 1 at order 0
    d.step("eg = ½ uᵀ I2 u to first order in η:", sp.Eq(named("eg/η"), error))
    pull = sp.expand(_M * (ansatz.drive(S, S) - ansatz.drive(S, T0)) / 2)
    d.vanishes("With S_in = Σ_b u_b I3(i,n,b) this is ½ Σ_i v_i (S_ii − S_it), t the teacher that i copies (w enters "
               "neither).", sp.simplify(error - pull))
    K = sp.Symbol("K", positive=True)
    result = sp.expand(_M * _Z * _SIGMA**2 * ansatz.gate(S, S) / _Z**2 / 4)
    d.step("At the fixed point S_it = 0 (from dR/dt) and 2 v_i S_ii = η v_i² σ² J2(i,i) (from dQ/dt): eg = (ησ²/4) Σ_i "
           "v_i² J2(i,i) with v = 1/Z.", sp.Eq(named("eg*"), ETA * result))
    return d.conclude(sp.Eq(named("eg*"), sp.simplify(ETA * result.subs(_Z, K / _M))))


@derivation("committee-final-general",
            "Final error near any student that equals the teacher, to first order in σ²: at small η (η σ²/4) Σ_i v_i² "
            "J2(i,i); at any η below the largest stable rate by one linear system.",
            "derived here", symbols={**_SYMBOLS, "X_ik": "overlap per direction of the deviations of students i and k",
                                     "H_ik": "v_i v_k J2(i,k)", "J4": "<g'(i) g'(k) g'(a) g'(b)>"})
def derive_final_general(d, activation=gaussian.ERF):
    """Linearise in the deviations: drift and noise share one matrix."""
    x, y, z = sp.symbols("X_11 X_12 X_22", real=True)
    h, k, m = sp.symbols("H_11 H_12 H_22", real=True)
    X, H = sp.Matrix([[x, y], [y, z]]), sp.Matrix([[h, k], [k, m]])
    d.step("Let w_i = (its final value) + δ_i, all but finitely many components of δ lying outside the span of the final "
           "values; there <g'(i) x_μ x_ν g'(k)> = J2(i,k) δ_μν. The output error is Σ_k v_k g'(λ_k) δ_k·x, so X = δδᵀ/N "
           "obeys dX/dt = −η (H X + X H) + η² (noise), the noise being σ² H from the labels.",
           sp.Eq(sp.Matrix([[sp.Symbol("dX/dt")]]), -ETA * (H * X + X * H) + ETA**2 * _SIGMA**2 * H, evaluate=False))
    solution = sp.solve(list(-(H * X + X * H) + ETA * _SIGMA**2 * H), [x, y, z], dict=True)[0]
    solved = X.subs(solution)
    d.step("Stationary: H X + X H = η σ² H (two students shown). Solved entry by entry:", sp.simplify(solved))
    if sp.simplify(solved - ETA * _SIGMA**2 / 2 * sp.eye(2)) != sp.zeros(2):
        raise AssertionError("the stationary overlap is not (η σ²/2) times the identity")
    small = sp.simplify((H * solved).trace() / 2)
    d.step("eg = ½ tr(H X). The form of H did not matter: where H is singular the identity becomes the projector on its "
           "range and the trace is the same. So eg* = (ησ²/4) tr H.", sp.Eq(named("eg*"), small))
    _, J2, _ = averages(activation)
    q, v, s = sp.symbols("Q_ii v_i S", positive=True)
    term = sp.simplify(v**2 * J2(q, q, q))
    d.step("One student's share of tr H:", sp.Eq(named("H_ii"), term))
    d.step("Beyond small η the error itself is noise: (y−ŷ)² adds η² v_i v_k Σ_ab v_a v_b J4(i,k,a,b) X_ab. "
           "For one student and one teacher of squared norm S the weight is a Gaussian integral of the fourth power of g'.")
    kappa, s2, _ = gaussian._slope(activation)
    t = sp.Symbol("t", real=True)
    p = sp.Symbol("p", positive=True)
    j4 = sp.integrate(sp.exp(-p * t**2 / 2), (t, -sp.oo, sp.oo)).subs(p, 1 / s + 4 * s2)
    j4 = sp.simplify(kappa**4 * j4 / sp.sqrt(2 * sp.pi * s))
    d.step("It is", sp.Eq(named("J4"), j4))
    j2 = J2(s, s, s)
    balance = sp.Eq((-2 * ETA * v**2 * j2 + ETA**2 * v**4 * j4) * x + ETA**2 * _SIGMA**2 * v**2 * j2, 0)
    d.step("One student, output weight v: the balance of one direction.", balance)
    stationary = sp.solve(balance, x)[0]
    critical = sp.simplify(2 * j2 / (v**2 * j4))
    d.step("The overlap is stable while the bracket is negative: the largest stable learning rate.",
           sp.Eq(sp.Symbol("eta_c"), critical))
    error = sp.simplify(v**2 * j2 * stationary / 2)
    rate = sp.Symbol("eta_c", positive=True)
    short = ETA * _SIGMA**2 * v**2 * j2 / 4 / (1 - ETA / rate)
    if sp.simplify(short.subs(rate, critical) - error) != 0:
        raise AssertionError("the resummed error is not of the form (ησ²/4) H/(1 − η/η_c)")
    return d.conclude(sp.Eq(named("eg*"), short))


@derivation("committee-pair-drift",
            "First layer only, L ≥ 2 superfluous students: label noise drives a pair apart along w, −w, where their "
            "outputs cancel, so the value with L in it is left on times of order 1/(η² σ²).",
            "derived here (an instance of label-noise regularisation, Blanc et al. 2020)", symbols={
                **_SYMBOLS, "Q": "squared norm of either member of the pair", "h": "sum of Q_11 and Q_12, of order η"})
def derive_pair_drift(d, activation=gaussian.ERF):
    """A fast variable (the sum of the pair) slaved to a slow one (its norm)."""
    _, J2, I3 = averages(activation)
    Q, h = sp.symbols("Q h", positive=True)
    cross = -Q + ETA * h
    d.step("Two students with v = 1, Q_11 = Q_22 = Q and Q_12 = −Q + ηh; h = 0 gives no output at all, for any Q.")
    own = I3(Q, Q, Q, Q, Q) + I3(Q, Q, Q, cross, cross)  # Σ_b I3(1, 1, b)
    other = I3(Q, Q, cross, Q, cross) + I3(Q, Q, cross, cross, Q)  # Σ_b I3(1, 2, b)
    fast = sp.simplify(first_order(-2 * own - 2 * other) + _SIGMA**2 * sp.simplify(J2(Q, Q, Q) + J2(Q, Q, -Q)))
    d.step("The sum Q_11 + Q_12 relaxes at rate η; at order η² its balance is", sp.Eq(fast, 0))
    slaved = sp.simplify(sp.solve(fast, h)[0])
    d.step("so it follows the norm:", sp.Eq(h, slaved))
    slow = sp.simplify(sp.simplify(-first_order(2 * own) + _SIGMA**2 * J2(Q, Q, Q)).subs(h, slaved))
    d.step("What is left of dQ_11/dt is of order η²: a slow outward drift.", sp.Eq(named("dQ/dt"), ETA**2 * slow))
    rate = sp.limit(slow / Q, Q, 0)
    d.step("At small norm the pair grows exponentially, at the rate", ETA**2 * rate)
    potential = _SIGMA**2 / 4 * J2(Q, Q, Q)
    if sp.simplify(slow + 4 * Q * sp.diff(potential, Q)) != 0:
        raise AssertionError("the drift is not down the slope of (ησ²/4) J2")
    d.step("It is gradient descent in w on (ησ²/4) J2(i,i), the student's share of the final error: dQ/dt = −4ηQ d/dQ of "
           "that share (the difference is 0). Noise makes its own effect smaller.")
    return d.conclude(sp.Eq(named("dQ/dt"), sp.factor(ETA**2 * slow)))


@derivation("committee-next-order",
            "The next order of the final errors at small η, K = Z M copies: a share of order ησ²/Z, large when both "
            "layers are trained.",
            "derived here", symbols={**_SYMBOLS, "ε": "ησ²/Z", "V": "sum of the output weights of the Z copies of a teacher",
                                     "r, b": "w_i = r B_m + b (sum of the other teachers) + deviations",
                                     "x, y": "overlaps of the deviations of one student, of two students"})
def derive_next_order(d, layers=2, teachers=1, activation=gaussian.ERF):
    """Second-order perturbation of the fixed point. ``layers``: 1 or 2 trained; ``teachers``: M, a number."""
    I2, J2, _ = averages(activation)
    V, r, b, x, y = everything = sp.symbols("V r b x y", real=True)
    eps = sp.Symbol("epsilon", positive=True)
    M = sp.Integer(teachers)
    own, cross = r**2 + (M - 1) * b**2 + x, 2 * r * b + (M - 2) * b**2 + y
    error = M * (V**2 * I2(own, own, own) / 2 - V * I2(own, 1, r) + I2(1, 1, 1) / 2) \
        + M * (M - 1) * (V**2 * I2(own, own, cross) / 2 - V * I2(own, 1, b))
    d.step("Copies of one teacher get the same noise and stay together, so Z copies act as one student of output weight V "
           "under the noise ε = ησ²/Z. The error is a function of five numbers:", sp.Eq(sp.Symbol("eg"), error))
    variables = ([V] if layers == 2 else []) + ([r, b] if teachers > 1 else [r])
    spread = [x, y] if teachers > 1 else [x]
    point = {V: 1, r: 1, b: 0, x: 0, y: 0}
    G1 = 2 / M * sp.diff(error, x)
    if teachers > 1:
        G2 = 2 / (M * (M - 1)) * sp.diff(error, y)
        balance = [2 * (G1 * x + (M - 1) * G2 * y) - eps * V**2 * J2(own, own, own),
                   2 * (G1 * y + G2 * x + (M - 2) * G2 * y) - eps * V**2 * J2(own, own, cross)]
    else:
        balance = [2 * G1 * x - eps * V**2 * J2(own, own, own)]
    d.step("Small η: the means stand where the error is stationary in V, r, b; the deviations where G X + X G = ε V² J2, "
           "G_ik the derivative of the error in the overlap X_ik (twice that on the diagonal). Expand all to second order "
           "in ε about V = r = 1, b = x = y = 0.")
    equations = [sp.diff(error, z) for z in variables] + balance
    unknowns = variables + spread
    first = sp.symbols(f"f0:{len(unknowns)}", real=True)
    second = sp.symbols(f"s0:{len(unknowns)}", real=True)
    path = {z: point[z] + eps * f + eps**2 * s for z, f, s in zip(unknowns, first, second)}
    path.update({z: value for z, value in point.items() if z not in path})

    def orders(expression):
        """Coefficients of ε and ε² along the path, by the chain rule at the point."""
        names = [*everything, eps]
        values = {**point, eps: 0}
        along = [sp.diff(path[z], eps).subs(eps, 0) for z in everything] + [1]
        bend = [sp.diff(path[z], eps, 2).subs(eps, 0) for z in everything] + [0]
        slopes = [sp.radsimp(sp.diff(expression, z).subs(values)) for z in names]
        one = sum(g * t for g, t in zip(slopes, along))
        two = sum(g * t for g, t in zip(slopes, bend))
        for i, p in enumerate(names):
            for j, q in enumerate(names):
                if along[i] != 0 and along[j] != 0:
                    two += along[i] * along[j] * sp.radsimp(sp.diff(expression, p, q).subs(values))
        return sp.expand(one), sp.expand(two / 2)

    expanded = [orders(e) for e in equations]
    at_first = sp.solve([one for one, _ in expanded], first, dict=True)[0]
    at_first = {f: sp.radsimp(sp.simplify(value)) for f, value in at_first.items()}
    for z, f in zip(unknowns, first):
        d.step(f"First order of {z}:", sp.Eq(named(f"{z}/ε"), at_first[f]))
    at_second = sp.solve([two.subs(at_first) for _, two in expanded], second, dict=True)[0]
    one, two = orders(error)
    one = sp.radsimp(sp.simplify(one.subs(at_first)))
    two = sp.radsimp(sp.simplify(two.subs(at_first).subs(at_second)))
    d.step("The error to second order is", sp.Eq(sp.Symbol("eg"), eps * one + eps**2 * two))
    share = sp.radsimp(sp.simplify(two / one))
    d.step("In numbers, the share of the second order is", sp.Eq(named("share"), sp.N(share, 6) * eps))
    return d.conclude(sp.Eq(named("share"), share * eps))


DERIVATIONS = {f.name: f for f in (derive_equations, derive_final_first_layer, derive_final_copies, derive_final_general,
                                   derive_pair_drift, derive_next_order)}
