"""Derivations of the graded teacher's formulas, in SymPy (loaded on demand)."""

import sympy as sp

from theory.derivation import derivation


def erf_pair_average(overlap, own, other):
    """⟨g(λ_a) g(λ_b)⟩ of two erf units from C_ab, C_aa, C_bb (derived in ``theory.gaussian``: erf-i2)."""
    return 2 / sp.pi * sp.asin(overlap / sp.sqrt((1 + own) * (1 + other)))


@derivation(
    "graded-gradient",
    "Gradient of a two-layer student's population loss with respect to one direction, from the average of two units.",
    "the average: Saad & Solla 1995; the gradient: derived here",
    symbols={"w, B": "directions of a student's unit and of any other unit, in the plane that they span", "v, u": "their output "
             "weights (u = −A for the teacher's units)", "Λ": "(1 + w·w)(1 + B·B) − (w·B)²"},
)
def derive_gradient(d, pair_average=erf_pair_average):
    """``pair_average(C_ab, C_aa, C_bb)``: the average of two units, which may be that of another activation."""
    w = sp.Matrix(sp.symbols("w1 w2", real=True))
    B = sp.Matrix(sp.symbols("B1 B2", real=True))
    v, u, s, q, r = sp.symbols("v u s q r", positive=True)
    d.step("The loss is ½ Σ_ab u_a u_b I2(a, b); the pair (w, B), counted twice, contributes v u I2(w, B).",
           sp.Eq(sp.Symbol("I2"), pair_average(s, q, r)))
    d.step("I2 depends on w only through s = w·B and q = w·w: ∂(v u I2)/∂w = v u [∂I2/∂s B + 2 ∂I2/∂q w].")
    by_overlap = d.step("Along B:", sp.simplify(sp.diff(pair_average(s, q, r), s)))
    by_own = d.step("Along w:", sp.simplify(2 * sp.diff(pair_average(s, q, r), q)))
    ratio = d.step("The ratio of the two, which must be −s/(1 + q) for erf:", sp.simplify(by_own / by_overlap))
    gradient = sp.simplify(by_overlap) * (sp.Symbol("B") + ratio * sp.Symbol("w"))
    direct = sp.diff(v * u * pair_average(w.dot(B), w.dot(w), B.dot(B)), w[0])
    formula = v * u * (by_overlap * B[0] + by_own * w[0]).subs({s: w.dot(B), q: w.dot(w), r: B.dot(B)})
    point = {w[0]: sp.Rational(3, 10), w[1]: sp.Rational(-1, 2), B[0]: 1, B[1]: sp.Rational(1, 4), v: 2, u: -1}
    d.vanishes("Differentiating in coordinates gives the same, at a rational point.",
               sp.N((direct - formula).subs(point), 30, chop=True))
    d.conclude(v * u * gradient)


@derivation(
    "graded-growth",
    "Rate λ0 at which small weights grow, and the mean time to half of the first plateau.",
    "derived here",
    symbols={"A": "norm of the strengths, (Σ A_m²)^½", "b": "norm of the teacher's directions",
             "σ": "standard deviation of the initial weights", "s": "v|w| of the width-1 solution", "K": "width",
             "ψ": "digamma function"},
)
def derive_growth(d, pair_average=erf_pair_average):
    """``pair_average``: as in graded-gradient."""
    A, b, eps, w, t, sigma, s, K = sp.symbols("A b epsilon w t sigma s K", positive=True)
    lam = sp.Symbol("lambda0", positive=True)
    angle = sp.Symbol("c", real=True)
    one = d.step("A small unit εw at cosine c to the direction Σ A_m B_m, one teacher unit: I2 to first order in ε.",
                 sp.series(pair_average(eps * w * b * angle, eps**2 * w**2, b**2), eps, 0, 2).removeO())
    rate = sp.simplify(sp.diff(one, eps).subs(eps, 0) / (w * angle))
    d.step("It is linear in the overlap, so all teacher units add up to one direction of length A. The student's "
           "own I2 is of fourth order in the weights: L = const − λ0 v (w·â).", sp.Eq(lam, A * rate))
    flow = sp.Matrix([[0, lam], [lam, 0]])
    d.step("dv/dt = λ0 w·â and d(w·â)/dt = λ0 v: growth rates", sp.Matrix(list(flow.eigenvals())))
    S = sp.Function("S")
    d.step("The growing half of (v, w·â) is z = (v + w·â)/√2 ~ N(0, σ²): S = Σ v_i w_i·â starts as ½ e^{2λ0 t} Σ z_i². "
           "With logistic saturation at s:", sp.Eq(sp.Derivative(S(t), t), 2 * lam * S(t) * (1 - S(t) / s)))
    solved = sp.dsolve(sp.Eq(S(t).diff(t), 2 * lam * S(t) * (1 - S(t) / s)), S(t))
    S0 = sp.Symbol("S0", positive=True)
    half = sp.log(s / S0 - 1) / (2 * lam)
    check = sp.simplify(s / (1 + (s / S0 - 1) * sp.exp(-2 * lam * half)) - s / 2)
    d.step("The general solution:", solved)
    d.vanishes("From S0 it is s/(1 + (s/S0 − 1) e^{−2λ0 t}), and half of s is reached at t1 = ln(s/S0 − 1)/(2λ0).", check,
               "S(t1) − s/2")
    mean_log = sp.log(sigma**2 / 2) + sp.polygamma(0, K / 2) + sp.log(2)
    d.step("S0 = ½σ²χ²_K, and the mean of ln χ²_K is ψ(K/2) + ln 2; s ≫ S0.", sp.Eq(sp.Symbol("E[ln S0]"), mean_log))
    d.conclude(sp.Tuple(sp.Eq(lam, A * rate), sp.Eq(sp.Symbol("t1"), sp.simplify((sp.log(s) - mean_log) / (2 * lam)))))


@derivation(
    "graded-one-neuron",
    "Equal strengths, width 1: the symmetric solution, and its span error on every teacher unit.",
    "derived here",
    symbols={"M": "teacher units of strength 1", "b": "norm of their directions",
             "ω": "|w| of the student, along Σ B_m", "v": "its output weight"},
)
def derive_one_neuron(d, pair_average=erf_pair_average, units=4, norm=3):
    """``units``, ``norm``: at which the numbers at the end are computed; ``pair_average``: as in graded-gradient."""
    M, b, omega, v = sp.symbols("M b omega v", positive=True)
    cross = pair_average(omega * b / sp.sqrt(M), omega**2, b**2)
    own = pair_average(omega**2, omega**2, omega**2)
    unit = pair_average(b**2, b**2, b**2)
    L = d.step("The overlap with each unit is ωb/√M, and orthogonal units do not interact.",
               v**2 * own / 2 - v * M * cross + M * unit / 2)
    best = d.step("The loss is quadratic in v, with its minimum at", sp.Eq(v, sp.solve(sp.diff(L, v), v)[0]))
    reduced = d.step("Inserted, this leaves a loss that depends on ω only:", sp.simplify(L.subs(v, best.rhs)))
    share = d.step("One feature leaves the share 1 − I2(w,B)²/(I2(w,w) I2(B,B)) of a unit's variance unexplained.",
                   1 - cross**2 / (own * unit))
    slope = sp.diff(reduced.subs({M: units, b: norm}), omega)
    root = sp.nsolve(slope, omega, 0.5)
    d.step(f"M = {units}, b = {norm}: the stationary ω, v, the loss and the share:",
           sp.Tuple(root, *(sp.N(x.subs({M: units, b: norm, omega: root}), 8) for x in (best.rhs, reduced, share))))
    d.conclude(sp.Eq(sp.Symbol("FSE"), share))


@derivation(
    "graded-escape",
    "Curvature of the loss when n identical neurons that replace a single one move apart: the escape rate from a plateau.",
    "derived here (for one split in two: the splitting of S2's escape directions)",
    symbols={"δ": "f − y, the residual at the critical point", "λ, μ": "w·x and u·x",
             "v": "output weight of the single neuron; each of the n neurons has v/n",
             "D": "∂²/∂w² of ⟨δ g(w·x)⟩ at fixed δ", "u": "unit direction of escape"},
)
def derive_escape(d):
    """For any activation g and any number of neurons."""
    e, v, n, lam, mu, eta, delta = sp.symbols("epsilon v n lambda mu eta delta", real=True)
    g = sp.Function("g")
    pair = (v / n + e * eta) * g(lam + e * mu) + (v / n - e * eta) * g(lam - e * mu)
    expanded = d.step("Two of the n neurons move apart, in w by ±εu and in v by ±εη: their sum to second order in ε is",
                      sp.expand(sp.series(pair, e, 0, 3).removeO().doit()))
    first = sp.simplify(sp.diff(expanded, e).subs(e, 0))
    d.vanishes("There is no term of first order, so the square of the change is of fourth order.", first,
               "first order")
    second = d.step("Second order:", sp.simplify(sp.diff(expanded, e, 2).subs(e, 0) / 2))
    d.step("L = ½⟨(δ + change)²⟩ changes by ε²⟨δ × second order⟩. The term in η is 2η⟨δ μ g'(λ)⟩, which vanishes at a "
           "critical point in w (v ≠ 0). With φ = ⟨δ μ² g''(λ)⟩ = uᵀDu:")
    phi = sp.Symbol("phi", real=True)
    change = sp.simplify(second.subs(eta, 0) * delta)
    coefficient = sp.simplify(change / (delta * mu**2))
    d.step("Coefficient of δ μ² g''(λ) (in SymPy's notation for g''):", coefficient)
    d.step("The displacement (εu, −εu) has length √2 ε, so ε² (v/n) φ = ½ curvature (√2 ε)²:",
           sp.Eq(sp.Symbol("curvature"), v / n * phi))
    d.conclude(sp.Eq(sp.Symbol("rate"), -v / n * sp.Symbol("lambda_min(D)")))


@derivation(
    "coupon-law",
    "Equal strengths: the law of the number of teacher units that c narrow students all miss.",
    "derived here (inclusion and exclusion)",
    symbols={"M": "units", "s": "units isolated by each student, a uniform subset", "c": "students"},
)
def derive_coupons(d, units=4, isolated=2):
    """``units``, ``isolated``: at which the law is written out."""
    M, s, i, j = sp.symbols("M s i j", integer=True, nonnegative=True)
    c = sp.Symbol("c", integer=True, positive=True)
    none = d.step("One student misses i given units if its subset lies in the other M − i; students are independent.",
                  (sp.binomial(M - i, s) / sp.binomial(M, s)) ** c)
    law = sp.binomial(M, j) * sp.Sum((-1) ** i * sp.binomial(M - j, i) * none.subs(i, i + j), (i, 0, M - j))
    d.step("Exactly j units are missed: choose them, and subtract the cases in which more are missed.", law)
    written = [sp.simplify(law.subs({M: units, s: isolated, j: k}).doit()) for k in range(units + 1)]
    d.step(f"M = {units}, s = {isolated}, j = 0 … {units}:", sp.Matrix(written))
    d.step("They add up to", sp.simplify(sum(written)))
    mean = sp.simplify(sum(k * p for k, p in enumerate(written)) / units)
    d.vanishes("and their mean over M is (1 − s/M)^c.", sp.simplify(mean - (1 - sp.Rational(isolated, units)) ** c))
    d.conclude(law)


DERIVATIONS = {f.name: f for f in (derive_gradient, derive_growth, derive_one_neuron, derive_escape, derive_coupons)}
