"""Double descent, derived."""

import sympy as sp

from lab.errors import InputError
from theory.derivation import derivation, named

G, LAM = sp.symbols("gamma lambda", positive=True)
R2, S2 = sp.symbols("r^2 sigma^2", positive=True)
_SYMBOLS = {"gamma": "features per sample, p/n", "lambda": "ridge in (X^T X/n + lambda)^-1", "r^2": "|beta|^2",
            "sigma^2": "variance of the noise", "m": "trace of (X^T X/n + lambda)^-1 over p", "u": "lambda m"}


def _resolvent(d, variance):
    """u = lambda m, solved from the self-consistent equation."""
    m = sp.Symbol("m", positive=True)
    d.step("Trace of (X^T X/n + lambda)(X^T X/n + lambda)^-1 = 1, sample by sample: lambda m + (1/p) sum_i (1/n) "
           "x_i^T Q x_i = 1, Q the inverse. Take sample i out of Q (Sherman-Morrison): (1/n) x_i^T Q x_i = q/(1 + q), "
           "q = (1/n) x_i^T Q_-i x_i -> variance * gamma * m, since x_i is independent of Q_-i.")
    equation = sp.Eq(LAM * m + variance * m / (1 + variance * G * m), 1)
    d.step("Hence, for entries of the given variance (Marchenko-Pastur):", equation)
    roots = sp.solve(equation, m)
    m_value = next(r for r in roots if r.subs({G: sp.Rational(1, 2), LAM: 1}).evalf() > 0)
    return d.step("Its positive root gives u = lambda m:", sp.simplify(LAM * m_value))


def ridge_risk_expression(d, variance=sp.S.One):
    """(risk, u) as expressions in gamma, lambda, r^2, sigma^2."""
    u = _resolvent(d, variance)
    u1 = sp.Function("u")(LAM)
    general = variance * (R2 * (u1 - LAM * u1.diff(LAM)) + S2 * G * u1.diff(LAM))
    d.step("beta_hat - beta = -lambda Q beta + Q X^T noise/n. Bias: r^2 lambda^2 tr Q^2/p with tr Q^2/p = "
           "-dm/dlambda; noise: sigma^2/n tr(Q - lambda Q^2) = sigma^2 gamma (m + lambda dm/dlambda). In terms of u "
           "(times the variance of x):",
           sp.Eq(named("R"), general))
    return sp.simplify(general.subs(u1, u).doit()), u


@derivation("regression-ridge",
            "excess risk of ridge regression on isotropic features, its ridgeless limits and its optimum",
            "Hastie et al. 2019; Dobriban & Wager 2018; derived here", symbols=_SYMBOLS)
def derive_ridge(d, variance=1):
    """Inputs: variance of the entries of x (the normalisation of the features)."""
    variance = sp.sympify(variance)
    if variance.is_positive is False:
        raise InputError(f"the variance must be positive, got {variance}")
    risk, u = ridge_risk_expression(d, variance)
    d.step("Written out:", risk)
    slope = sp.diff(u, LAM)
    compact = variance * slope * (R2 * (LAM + variance * G * u) ** 2 / variance + S2 * G)
    if sp.simplify(sp.expand(sp.simplify(risk - compact))) != 0:
        raise ArithmeticError("the compact form does not follow")
    d.step("The same without cancellation: R = u' [r^2 (lambda + gamma u)^2 + sigma^2 gamma] at unit variance "
           "(difference 0).")
    low, high = sp.symbols("delta Delta", positive=True)
    limits = []
    for text, value in (("below", low / (1 + low)), ("above", 1 + high)):
        # gamma = delta/(1+delta) < 1, gamma = 1 + Delta > 1: signs of the roots are then known
        limit = sp.simplify(sp.limit(sp.simplify(risk.subs(G, value)), LAM, 0, "+"))
        back = {low: G / (1 - G), high: G - 1}
        limits.append(sp.factor(sp.simplify(limit.subs(back))))
        d.step(f"lambda -> 0, gamma {text} 1:", limits[-1])
    best = variance * 0 + S2 * G / R2
    slope = sp.simplify(sp.diff(risk, LAM).subs(LAM, best))
    d.vanishes("The derivative of R in lambda is u'' (sigma^2 gamma - r^2 lambda) times the variance, and u'' < 0: the "
               "optimum is lambda* = sigma^2 gamma/r^2.", slope, "dR/dlambda at lambda*")
    at_best = sp.simplify(variance * R2 * u.subs(LAM, best))
    d.step("Risk at the optimum, variance r^2 u(lambda*):", at_best)
    if sp.simplify(risk.subs(LAM, best) - at_best).equals(0) is False:
        raise ArithmeticError("the optimal risk does not follow")
    return d.conclude(sp.Tuple(sp.Eq(named("R_below"), limits[0]), sp.Eq(named("R_above"), limits[1]),
                               sp.Eq(named("lambda*"), best), sp.Eq(named("R*"), at_best)))


@derivation("regression-finite", "expected risk of least squares on p of D Gaussian features, n samples, exactly",
            "Belkin, Hsu & Xu 2019, theorem 1; derived here",
            symbols={"tau^2": "|beta_out|^2 + sigma^2: unused features are noise to the used ones",
                     "b": "|beta_in|^2", "nu": "degrees of freedom"})
def derive_finite(d, power=-1):
    """Inputs: power of the chi-square variable whose mean is needed (-1 for the risk; others check the integral)."""
    n, p, nu, x = sp.symbols("n p nu x", positive=True)
    tau, b = sp.symbols("tau^2 b", positive=True)
    density = x ** (nu / 2 - 1) * sp.exp(-x / 2) / (2 ** (nu / 2) * sp.gamma(nu / 2))
    d.step("The unused features are independent of the used ones: y = x_in.beta_in + noise of variance tau^2.")
    # nu = 2 + 2 k with k > 0 makes the integral converge for SymPy
    k = sp.Symbol("k", positive=True)
    inverse = sp.simplify(sp.gammasimp(sp.integrate(sp.simplify((x**sp.sympify(power) * density).subs(nu, 2 + 2 * k)),
                                                    (x, 0, sp.oo), conds="none")))
    inverse = sp.factor(inverse.subs(k, (nu - 2) / 2))
    d.step("For Gaussian X the diagonal entry [(X^T X)^-1]_jj is 1 over the residual sum of squares of column j "
           f"regressed on the p - 1 others: 1/chi^2 with nu = n - p + 1. Mean of (chi^2)^({power}):", inverse)
    under = sp.simplify(tau * (1 + p * inverse.subs(nu, n - p + 1)))
    d.step("p <= n - 2: risk = tau^2 (1 + E tr (X^T X)^-1), p such terms.", sp.factor(under))
    over_noise = tau * (1 + n * inverse.subs(nu, p - n + 1))
    d.step("p >= n + 2: beta_hat = X^T (X X^T)^-1 y. The noise enters as tau^2 E tr (X X^T)^-1, n terms with nu = p - "
           "n + 1; the projection on the row space, uniform among n-dimensional ones, keeps a share n/p of "
           "|beta_in|^2.",
           sp.factor(over_noise))
    over = b * (1 - n / p) + sp.factor(over_noise)
    d.step("For p in {n-1, n, n+1} nu <= 2 and the mean of 1/chi^2 diverges.")
    return d.conclude(sp.Tuple(sp.Eq(named("R_under"), sp.factor(under)), sp.Eq(named("R_over"), over)))


@derivation("regression-peak",
            "height and width of the double-descent peak at small ridge, and where ridgeless least squares is worse "
            "than predicting zero",
            "derived here", symbols={**_SYMBOLS, "x": "(gamma - 1)/sqrt(lambda)"})
def derive_peak(d, fraction="1/2"):
    """Inputs: fraction of the height at which the width is taken (1/2: full width at half maximum)."""
    fraction = sp.sympify(fraction)
    if not 0 < fraction < 1:
        raise InputError("the fraction of the height must lie between 0 and 1")
    risk, _ = ridge_risk_expression(d)
    x, e = sp.Symbol("x", real=True), sp.Symbol("epsilon", positive=True)
    scaled = sp.simplify(risk.subs({G: 1 + e * x, LAM: e**2}))
    leading = sp.simplify(sp.limit(sp.simplify(e * scaled), e, 0, "+"))
    d.step("With lambda = epsilon^2 and gamma = 1 + epsilon x, R epsilon -> ", leading)
    height = sp.simplify(leading.subs(x, 0))
    d.step("Height (at x = 0) times sqrt(lambda):", height)
    half = sp.Symbol("X", positive=True)
    width = 2 * sp.solve(sp.Eq(leading.subs(x, half), fraction * height), half)[0]
    d.step("Full width in x at the given fraction of the height:", sp.simplify(width))
    below, above = S2 * G / (1 - G), R2 * (1 - 1 / G) + S2 / (G - 1)
    ends = [sp.simplify(sp.solve(sp.Eq(r, R2), G)[0]) for r in (below, above)]
    d.step("Ridgeless risk equals r^2, that of predicting zero, at", sp.Tuple(*ends))
    return d.conclude(sp.Tuple(sp.Eq(named("height"), height / sp.sqrt(LAM)),
                               sp.Eq(named("width"), sp.simplify(width) * sp.sqrt(LAM)),
                               sp.Eq(named("gamma_low"), ends[0]), sp.Eq(named("gamma_high"), ends[1])))


@derivation("regression-random-features",
            "risk of ridge regression on random features, R = F1^2 E1/E0 + (tau^2 + F*^2) E2/E0 + F*^2, and its "
            "limiting cases",
            "Mei & Montanari 2019, theorem 2", status="cited",
            symbols={"psi1, psi2": "N/d and n/d", "zeta": "mu1/mu*", "chi": "nu1 nu2 at the imaginary argument",
                     "P": "-chi", "H": "1 + zeta^2/(1 + zeta^2 P)", "xi^2": "psi1 psi2 lambda/mu*^2"})
def derive_random_features(d, activation=None):
    """Inputs: activation, an expression in one symbol (default relu)."""
    from theory.regression.random_features import polynomials

    t = sp.Symbol("z", real=True)
    activation = sp.Max(t, 0) if activation is None else sp.sympify(activation)
    activation = activation.subs({v: t for v in activation.free_symbols})
    density = sp.exp(-(t**2) / 2) / sp.sqrt(2 * sp.pi)

    def mean(g):
        left = sp.integrate(sp.simplify(g.subs(t, -sp.Symbol("y", positive=True)))
                            * density.subs(t, sp.Symbol("y", positive=True)), (sp.Symbol("y", positive=True), 0, sp.oo))
        right = sp.integrate(sp.simplify(g.subs(t, sp.Symbol("y", positive=True)))
                             * density.subs(t, sp.Symbol("y", positive=True)), (sp.Symbol("y", positive=True), 0, sp.oo))
        return sp.simplify(left + right)

    mu0, mu1 = mean(activation), mean(t * activation)
    star2 = sp.simplify(mean(activation**2) - mu0**2 - mu1**2)
    if star2 == 0:
        raise InputError("the activation is linear: mu* = 0")
    d.step("Gaussian coefficients of the activation: mu0, mu1, mu*^2.", sp.Tuple(mu0, mu1, star2))
    zeta2 = sp.simplify(mu1**2 / star2)
    d.step("zeta^2 =", zeta2)
    z2, psi, P, psi1, psi2 = sp.symbols("zeta^2 psi P psi_1 psi_2", positive=True)
    d.step("The theorem (cited): nu1 = psi1/(-xi - nu2 H), nu2 = psi2/(-xi - nu1 H). At xi = i |xi| both are i times "
           "a positive number; with P = -nu1 nu2: nu1 |xi| + P H = psi1, nu2 |xi| + P H = psi2, so (psi1 - PH)(psi2 - "
           "PH) = P |xi|^2.",
           sp.Eq((psi1 - P * named("H")) * (psi2 - P * named("H")), P * named("|xi|^2")))
    ridgeless = sp.Eq(P * (1 + z2 / (1 + z2 * P)), psi)
    d.step("Ridgeless, |xi| -> 0: P H = min(psi1, psi2) =: psi.", ridgeless)
    root = next(r for r in sp.solve(ridgeless, P) if r.subs({z2: 1, psi: 1}).evalf() > 0)
    d.step("chi = -P, the closed form of Mei & Montanari:", sp.Eq(named("chi"), -sp.simplify(root)))
    c, z = sp.symbols("chi zeta", real=True)
    e0, e1, e2 = polynomials(c, z, psi1, psi2)
    d.step("The polynomials (cited):", sp.Tuple(sp.Eq(named("E0"), e0), sp.Eq(named("E1"), e1), sp.Eq(named("E2"), e2)))
    small = -psi1 / (1 + z2)
    none = [sp.limit((e / e0).subs(c, small.subs(z2, z**2)), psi1, 0, "+") for e in (e1, e2)]
    d.step("No features, psi1 -> 0: chi -> 0, E1/E0 and E2/E0 tend to (the target's whole norm is missed, no noise "
           "is fitted)",
           sp.Tuple(*none))
    # parametrise the threshold psi1 = psi2 = psi(P) by P itself
    threshold = ridgeless.lhs.subs(z2, z**2)
    at_peak = sp.simplify(e0.subs({psi1: threshold, psi2: threshold, c: -P}))
    d.vanishes("Interpolation threshold, psi1 = psi2: with psi written through P, E0 vanishes identically - the peak.", at_peak,
               "E0")
    kernel = [sp.simplify(sp.limit((e / e0).subs(c, -P), psi1, sp.oo)) for e in (e1, e2)]
    d.step("Infinitely many features, psi1 -> oo (chi stays at its value for psi2): the kernel limit of E1/E0 and "
           "E2/E0",
           sp.Tuple(*kernel))
    if none != [1, 0]:
        raise ArithmeticError("the limit without features is wrong")
    return d.conclude(sp.Tuple(sp.Eq(named("zeta^2"), zeta2), sp.Eq(named("chi"), -sp.simplify(root))))


DERIVATIONS = {f.name: f for f in (derive_ridge, derive_finite, derive_peak, derive_random_features)}
