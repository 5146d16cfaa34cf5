"""Hull probabilities, derived."""

import sympy as sp

from lab.errors import ArgumentError
from theory.derivation import derivation, named

H = sp.Symbol("h", real=True)


def _ball_volume(d):
    return sp.pi ** sp.Rational(d, 2) / sp.gamma(sp.Rational(d, 2) + 1)


def _simplex_second_moment(k):
    """E Delta^2 of a simplex with k + 1 independent vertices of covariance s^2 I in R^k, by expanding the determinant."""
    s2 = sp.Symbol("s^2", positive=True)
    x = sp.Matrix(k + 1, k, lambda i, j: sp.Symbol(f"x_{i}{j}", real=True))
    edges = sp.Matrix(k, k, lambda i, j: x[i + 1, j] - x[0, j])
    square = sp.expand(edges.det() ** 2 / sp.factorial(k) ** 2) if k else sp.S.One
    symbols = list(x)
    total = sp.S.Zero
    for powers, coefficient in (sp.Poly(square, *symbols).terms() if k else [((), square)]):
        # every coordinate occurs at most twice in a squared multilinear form: only all-even terms survive
        if all(p % 2 == 0 for p in powers):
            total += coefficient * s2 ** (sum(powers) // 2)
    return sp.expand(total), s2


@derivation("extrapolation-ball",
            "probability that a fresh uniform point of the d-ball lies in the hull of N others: expected volume of "
            "the hull over that of the ball",
            "derived here; Affentranger 1991; Kabluchko, Temesvari & Thaele 2019",
            symbols={"h": "distance of a facet's hyperplane from the centre", "F": "distribution function of one coordinate",
                     "kappa_d": "volume of the unit ball", "Delta": "volume of a facet"})
def derive_ball(d, dimension=2, points=3):
    """Inputs: dimension 1 ... 3 (the second moment of a simplex is expanded in full), points N > dimension."""
    if dimension not in (1, 2, 3) or points <= dimension:
        raise ArgumentError("this derivation needs dimension 1, 2 or 3 and more points than dimensions")
    n, k = points, dimension - 1
    kd, kk = _ball_volume(dimension), _ball_volume(k)
    d.step("The hull is a sum of cones from the centre over its facets (signed by the side the centre is on): volume = "
           "sum over facets of h Delta/d.")
    d.step("d of the N points span a facet with outer normal u if the N - d others lie below: probability F(h)^(N-d). "
           "Change variables from the d points to their hyperplane and their places in it (Blaschke-Petkantschin): "
           "dx_1 ... dx_d = (d-1)! Delta dx^H_1 ... dx^H_d dh du.")
    density = kk / kd * (1 - H**2) ** sp.Rational(k, 2)
    lower = sp.Symbol("y", real=True)
    F = sp.simplify(sp.integrate(density.subs(H, lower), (lower, -1, H)))
    d.step("Density of one coordinate of a point, and its distribution function F:", sp.Tuple(density, F))
    moment, s2 = _simplex_second_moment(k)
    d.step(f"In the hyperplane the points are uniform in a ball of radius sqrt(1 - h^2), dimension {k}. E Delta^2 by "
           "expanding the squared determinant for independent coordinates of variance s^2:", moment)
    variance = (1 - H**2) / (k + 2)
    second = sp.simplify(moment.subs(s2, variance))
    d.step(f"s^2 = (1 - h^2)/{k + 2} for the uniform law on that ball, so E Delta^2 =", second)
    mass = (kk / kd) ** dimension * (1 - H**2) ** sp.Rational(k * dimension, 2)
    sphere = dimension * kd  # area of the unit sphere
    integrand = sp.simplify(sp.binomial(n, dimension) * sp.factorial(k) * sphere / dimension * H * mass * second
                            * F ** (n - dimension) / kd)
    d.step("Collect: (1/d) C(N, d) (d-1)! times the area of the sphere, times h F^(N-d) (mass in the hyperplane)^d E "
           "Delta^2, over kappa_d:", integrand)
    if dimension == 2:
        t = sp.Symbol("t", real=True)  # h = sin t makes F elementary
        integrand = sp.simplify(integrand.subs(H, sp.sin(t)))
        integrand = sp.simplify(integrand.replace(sp.asin(sp.sin(t)), t).replace(
            lambda e: isinstance(e, sp.Abs), lambda e: e.args[0])) * sp.cos(t)
        integrand = integrand.subs(sp.sqrt(sp.cos(t) ** 2), sp.cos(t))
        terms = sp.Add.make_args(sp.expand(sp.expand(integrand).rewrite(sp.exp)))  # powers of t times exp(i m t)
        result = sp.re(sp.expand(sum(sp.integrate(sp.powsimp(term), (t, -sp.pi / 2, sp.pi / 2)) for term in terms)))
    else:
        result = sp.integrate(sp.expand(integrand), (H, -1, 1))
    result = sp.simplify(result)
    d.step(f"Integrate over -1 < h < 1, N = {n}:", result)
    return d.conclude(sp.Eq(named(f"P_inside({n}, {dimension})"), result))


@derivation("extrapolation-wendel",
            "probability that the centre of a symmetric law lies in the hull of N points in R^d; also that N points "
            "with fair labels are linearly separable in R^d",
            "Wendel 1962; Cover 1965; Schlaefli",
            symbols={"R(N, d)": "number of regions into which N generic hyperplanes through 0 cut R^d"})
def derive_wendel(d, dimension=3):
    """Inputs: dimension."""
    if dimension < 1:
        raise ArgumentError("the dimension must be >= 1")
    N = sp.Symbol("N", positive=True, integer=True)
    d.step("0 is outside the hull if some w has w.x_i > 0 for all i. Flip the points' signs at random (the law is "
           "symmetric): P(outside) = (number of sign patterns that some w achieves)/2^N, and achievable patterns are "
           "the regions cut out by the hyperplanes w.x_i = 0. With labels in place of signs the same count gives "
           "separability.")
    d.step("A new hyperplane cuts those regions that it meets, and they are the regions of its own R^(d-1): "
           "R(N+1, d) = R(N, d) + R(N, d-1), R(1, d) = 2, R(N, 1) = 2.")

    def regions(n, dim):
        return 2 * sum((sp.expand_func(sp.binomial(n - 1, j)) for j in range(dim)), sp.S.Zero)

    differences = [sp.simplify(sp.expand(regions(N + 1, j) - regions(N, j) - regions(N, j - 1)))
                   for j in range(2, dimension + 1)]
    if any(regions(sp.Integer(1), j) != 2 for j in range(1, dimension + 1)):
        raise ArithmeticError("the recursion does not start at 2")
    d.vanishes(f"2 sum_(k<d) C(N-1, k) satisfies it for every N, in dimensions 2 ... {dimension} (Pascal's rule), and "
               "R(1, d) = 2.", sp.Tuple(*differences), "R(N+1, d) - R(N, d) - R(N, d-1)")
    outside = sp.factor(regions(N, dimension)) / 2**N
    d.step("P(outside) =", outside)
    return d.conclude(sp.Eq(named("P_inside"), 1 - outside))


@derivation("extrapolation-gaussian",
            "probability that a Gaussian point, sigma times as wide, lies outside the hull of N Gaussian points: 2 "
            "sum_{k=d-1,d-3,...} C(N, k) g_k(-v) g_{N-k}(v), v = sigma^2/(1 + k sigma^2)",
            "Kabluchko & Zaporozhets 2020, theorem 1.2", status="cited",
            symbols={"g_n(r)": "P(n Gaussians of covariance delta + r are all negative)", "Phi, phi": "normal distribution"})
def derive_gaussian(d, dimension=3, points=5):
    """Inputs: dimension, points of the two limits that are worked out."""
    n, dim = points, dimension
    if n <= dim or dim < 1:
        raise ArgumentError("more points than dimensions are needed")
    N = sp.Symbol("N", positive=True, integer=True)
    d.step("For r >= 0 write the Gaussians as z_i + sqrt(r) z_0: g_n(r) = int phi(x) Phi(sqrt(r) x)^n dx.")
    u = sp.Symbol("u", positive=True)
    one = sp.integrate(u**N, (u, 0, 1))
    d.step("r = 1: u = Phi(x) makes it int_0^1 u^n du =", one)
    d.step("d = 1, sigma = 1: only k = 0 remains, P(outside) = 2 g_N(1), as exchangeability requires: of N + "
           "1 points on a line two are extreme.", sp.Eq(named("P_outside"), 2 * one))
    limit = 2 * sum(sp.binomial(n, k) * sp.Rational(1, 2) ** n for k in range(dim - 1, -1, -2))
    wendel = sp.Rational(2) ** (1 - n) * sum(sp.binomial(n - 1, k) for k in range(dim))
    d.step(f"sigma = 0, N = {n}, d = {dim}: g_n(0) = 2^-n, the sum becomes", limit)
    d.step("By C(N, k) = C(N-1, k) + C(N-1, k-1) this is Wendel's 2^(1-N) sum_{k<d} C(N-1, "
           "k):", sp.Eq(named("Wendel"), wendel))
    if limit != wendel:
        raise ArithmeticError("Wendel's limit is missed")
    rho = -sp.Rational(1, 3)
    orthant = sp.Rational(1, 4) + sp.asin(rho / (1 + rho)) / (2 * sp.pi)
    d.step("Two Gaussians, r = -1/3: correlation r/(1 + r) = -1/2 and Sheppard's formula give the corner of the "
           "equilateral triangle as a share of the full angle.", sp.Eq(named("g_2(-1/3)"), sp.simplify(orthant)))
    plane = 2 * 3 * _g1() * _g2(sp.Rational(1, 2))
    d.step("d = 2, N = 3, sigma = 1: P(outside) = 2 C(3, 1) g_1 g_2(1/2), correlation (1/2)/(3/2) = 1/3; so "
           "P(inside) =",
           sp.simplify(1 - plane))
    return d.conclude(sp.Tuple(sp.Eq(named("P_outside(d=1)"), 2 * one), sp.Eq(named(f"P_outside({n}, {dim}; "
                                                                                    f"sigma=0)"), limit),
                               sp.Eq(named("P_inside(3, 2)"), sp.simplify(1 - plane))))


def _g1():
    return sp.Rational(1, 2)


def _g2(r):
    return sp.Rational(1, 4) + sp.asin(r / (1 + r)) / (2 * sp.pi)


@derivation("extrapolation-thresholds",
            "growth with d of the number N of points up to which all are vertices, and from which on a fresh point "
            "lies inside (uniform ball, leading exponential order)",
            "derived here; the first is Barany & Furedi's (1988)",
            symbols={"nu": "ln(N)/d", "h": "radius that the hull nearly fills", "c": "-ln P(inside)"})
def derive_thresholds(d, probability="1/2"):
    """Inputs: probability that the fresh point lies inside, for the second threshold."""
    nu, dim, c = sp.symbols("nu d c", positive=True)
    p = sp.sympify(probability)
    if not 0 < p < 1:
        raise ArgumentError("the probability must lie between 0 and 1")
    h2 = sp.Symbol("h^2", positive=True)
    d.step("A cap beyond height h holds a share (1 - h^2)^(d/2) of the ball (powers of d aside). The N points reach "
           "in every direction about as far as N (1 - h^2)^(d/2) = 1 allows:")
    radius = sp.solve(sp.Eq(nu + sp.log(1 - h2) / 2, 0), h2)[0]
    d.step("h^2 =", radius)
    log_p = dim / 2 * sp.log(radius)
    d.step("The hull nearly fills the ball of radius h; a fresh point lies inside with probability h^d:",
           sp.Eq(named("ln P(inside)"), log_p))
    y = sp.Symbol("y", positive=True)  # y = exp(2 nu)
    crossing = sp.solve(sp.Eq(y * (1 - 1 / y), 1), y)[0]
    vertices = sp.log(crossing) / 2
    d.step("Points that are not vertices: N P(inside) on average. It passes 1 where nu + ln(h^2)/2 = 0; with y = "
           "exp(2 nu): y (1 - 1/y) = 1, y = 2, N = 2^(d/2).", sp.Eq(named("nu_vertices"), vertices))
    inside = -sp.log(1 - p ** (2 / dim)) / 2
    d.step("A fresh point: h^d = p, N = (1 - p^(2/d))^(-d/2).", sp.Eq(named("nu_inside"), inside))
    large = sp.series(1 - sp.exp(-2 * c / dim), dim, sp.oo, 2).removeO()
    d.step("For large d, with p = exp(-c), 1 - p^(2/d) ->", large)
    ratio = sp.limit((-sp.log(large) / 2) / (sp.log(dim) / 2), dim, sp.oo)
    d.step("so N ~ (d/2c)^(d/2): ln N over (d/2) ln d tends to", ratio)
    return d.conclude(sp.Tuple(sp.Eq(named("N_vertices"), crossing ** (dim / 2)),
                               sp.Eq(named("N_inside"), (1 - p ** (2 / dim)) ** (-dim / 2))))


DERIVATIONS = {f.name: f for f in (derive_ball, derive_wendel, derive_gaussian, derive_thresholds)}
