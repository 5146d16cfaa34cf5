"""Derivations of the laws of sliding and covering bumps."""

import sympy as sp

from theory.derivation import derivation, named


@derivation("bumps-sliding",
            "how a Gaussian bump slides towards a target bump under the gradient of half the squared error",
            "derived here", symbols={"s, w": "widths of model and target", "A": "height of the target", "D": "distance",
                                     "Ei": "exponential integral"})
def derive_sliding(d, target_width=None, height=1):
    """Inputs: target_width (default equal widths), height of the target."""
    x = sp.Symbol("x", real=True)
    s, D, D0, D1 = sp.symbols("s D D_0 D_1", positive=True)
    w = s if target_width is None else sp.sympify(target_width)
    A = sp.sympify(height)
    model, target = sp.exp(-((x - D) ** 2) / (2 * s**2)), A * sp.exp(-(x**2) / (2 * w**2))
    terms = [sp.simplify(sp.integrate(sp.expand(f), (x, -sp.oo, sp.oo))) for f in (
        sp.exp(-((x - D) ** 2) / s**2), sp.powsimp(model * target), A**2 * sp.exp(-(x**2) / w**2))]
    L = sp.simplify(terms[0] / 2 - terms[1] + terms[2] / 2)
    d.step("Loss 1/2 int (model - target)^2 dx, with D the distance of the centres.", sp.Eq(named("L"), L))
    speed = d.step("Gradient flow of the centre: dD/dt = -dL/dD =", sp.simplify(-sp.diff(L, D)))
    where = [r for r in sp.solve(sp.diff(speed, D), D) if r.is_positive is not False]
    d.step("The pull is strongest at D =", where[-1])
    u, v = sp.symbols("u v", positive=True)
    rate = sp.simplify(-D * sp.diff(sp.log(-speed / D), D) / D**2)  # 1/q: the exponent is -D^2/2q
    q = sp.simplify(1 / rate)
    inverse = sp.simplify((1 / -speed).subs(D, sp.sqrt(2 * q * u)) * sp.diff(sp.sqrt(2 * q * u), u))
    d.step("Time = int dD/|dD/dt|. With u = D^2/2q, q the sum of the squared widths, the integrand in u is", inverse)
    coefficient = sp.simplify(inverse * u * sp.exp(-u))
    if coefficient.has(u):
        raise ArithmeticError("the integrand is not e^u/u")
    time = coefficient * (sp.Ei(D0**2 / (2 * q)) - sp.Ei(D1**2 / (2 * q)))
    d.step("The primitive of e^u/u is Ei(u); its derivative:", sp.Eq(sp.Derivative(sp.Ei(v), v), sp.diff(sp.Ei(v), v)))
    return d.conclude(sp.Tuple(sp.Eq(named("dD/dt"), speed), sp.Eq(named("time"), time)))


@derivation("bumps-success",
            "probability that one of m bumps, started uniformly on an interval, comes within reach, and by when",
            "derived here",
            symbols={"l": "half length of the interval", "rho": "reach", "m": "bumps", "tau": "target, |tau| <= l"})
def derive_success(d, target=0):
    """Inputs: target, the position of the target (0 for the centre, l for the edge of the interval)."""
    l, rho, m = sp.symbols("l rho m", positive=True)
    tau = sp.sympify(target)
    x = sp.Symbol("x", real=True)
    high = l if sp.simplify(tau - l) == 0 else tau + rho
    low = tau - rho
    share = d.step("Share of starts within reach (an interval of length 2 rho, cut off if the target is at the edge):",
                   sp.simplify(sp.integrate(1 / (2 * l), (x, low, high))))
    d.step("All m miss with probability (1 - share)^m, if they do not interact.", (1 - share) ** m)
    d.step("The reach grows with time (bumps-sliding), so the same expression with reach(t) is P(time to converge <= t).")
    failure = sp.log((1 - share) ** m) / (m * sp.log(1 - share))
    d.step("As in the null of independent tickets: ln P_fail(m)/(m ln P_fail(1)) "
           "=", sp.simplify(sp.expand_log(failure, force=True)))
    return d.conclude(sp.Eq(named("P_success"), 1 - (1 - share) ** m))


@derivation("bumps-coverage", "loss of a dense lattice of bumps with trained heights", "derived here",
            symbols={"h": "spacing", "s": "width", "b": "Fourier transform of one bump", "a": "2 rate(0) t"})
def derive_coverage(d, scale=1):
    """Inputs: scale, multiplies the width of bumps and target."""
    x, k, y = sp.symbols("x k y", real=True)
    s, h, t, a = sp.symbols("s h t a", positive=True)
    width = sp.sympify(scale) * s
    transform = sp.simplify(sp.integrate(sp.exp(-(x**2) / (2 * width**2)) * sp.cos(k * x), (x, -sp.oo, sp.oo)))
    d.step("Transform of one bump.", sp.Eq(named("b(k)"), transform))
    d.step("Gradient flow of the heights moves the residual by r' = -sum_j b_j <b_j, r>. On a lattice it couples k "
           "only with k + 2 pi j/h, and in each such family only the vector b(k + 2 pi j/h) decays, at the rate (1/h) "
           "sum_j |b|^2.")
    rate = sp.simplify(transform**2 / h)
    d.step("Dense lattice: one term of the sum.", sp.Eq(named("rate(k)"), rate))
    start = sp.integrate(transform**2, (k, -sp.oo, sp.oo)) / (2 * sp.pi)
    d.step("At the start the residual is the target: int |b|^2 dk/2pi =", sp.simplify(start))
    load = sp.simplify(2 * rate.subs(k, 0) * t)
    ratio = sp.simplify(transform**2 / (2 * sp.pi) / start).subs(k, y / width) / width
    integrand = sp.simplify(ratio) * sp.exp(-a * sp.exp(-(y**2)))
    d.step("With y = s k, L(t)/L(0) is the integral over y of", integrand)
    d.step("where a =", load)
    orders = [sp.simplify(sp.integrate(sp.simplify(ratio) * (-sp.exp(-(y**2))) ** n / sp.factorial(n), (y, -sp.oo, sp.oo)))
              for n in range(4)]
    n = sp.Symbol("n", integer=True, nonnegative=True)
    d.step("Small times, power by power in a: sum_n (-a)^n/(n! sqrt(n + 1)).", sp.Tuple(*orders))
    d.step("Large times: with v = e^(-y^2) the integral is pi^(-1/2) int_0^1 e^(-a v)/sqrt(-ln v) dv; only v ~ 1/a "
           "counts, where -ln v ~ ln a: L(t)/L(0) ~ 1/(a sqrt(pi ln a)). Neither law depends on where the target is.")
    if any(sp.simplify(o - (-1) ** i / (sp.factorial(i) * sp.sqrt(i + 1))) != 0 for i, o in enumerate(orders)):
        raise ArithmeticError("the series does not follow")
    return d.conclude(sp.Tuple(sp.Eq(named("a"), load), sp.Eq(named("L(t)/L(0)"), sp.Sum(
        (-a) ** n / (sp.factorial(n) * sp.sqrt(n + 1)), (n, 0, sp.oo)))))


DERIVATIONS = {f.name: f for f in (derive_sliding, derive_success, derive_coverage)}
