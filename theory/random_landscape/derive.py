"""Random landscapes, derived."""

import sympy as sp

from lab.errors import ArgumentError
from theory.derivation import derivation, named
from theory.random_landscape.goe import (
    LARGEST_SYMBOLIC,
    half_line,
    index_polynomial_exact,
    positive_probability_exact,
)


def _entry(d, i, j):
    """A++_ij by integration in polar coordinates."""
    r, t = sp.symbols("r t", positive=True)
    radial = sp.integrate(r ** (i + j + 1) * sp.exp(-(r**2) / 2), (r, 0, sp.oo))
    inside = sp.cos(t) ** i * sp.sin(t) ** j
    angle = sp.integrate(inside, (t, sp.pi / 4, sp.pi / 2)) - sp.integrate(inside, (t, 0, sp.pi / 4))
    return sp.expand(sp.simplify(radial * angle))


@derivation("random-goe-positive", "probability that all N eigenvalues of a GOE matrix are positive, exactly",
            "de Bruijn 1955 for the Pfaffian; derived here",
            symbols={"A_ij": "iint sign(y-x) x^i y^j exp(-(x^2+y^2)/2) over x, y > 0", "m_i": "int_0^oo x^i exp(-x^2/2) dx",
                     "Pf": "Pfaffian: Pf(A)^2 = det(A)"})
def derive_positive(d, n=3):
    """Inputs: n, the size of the matrix, 1 ... 8."""
    if not 1 <= n <= LARGEST_SYMBOLIC:
        raise ArgumentError(f"symbolic sizes are 1 ... {LARGEST_SYMBOLIC}, got {n}")
    d.step("Ordered eigenvalues x_1 < ... < x_N have density proportional to prod_{i<j} (x_j - x_i) exp(-sum "
           "x^2/2): the "
           "Vandermonde determinant det[x_j^i]. (Scale of the matrix: diagonal variance 1, off-diagonal 1/2; "
           "positivity "
           "does not depend on the scale.)")
    d.step("de Bruijn: the integral of det[x_j^i] prod phi(x_j) over an ordered domain is the Pfaffian of A_ij = iint "
           "sign(y - x) x^i y^j phi(x) phi(y), for odd N bordered by int x^i phi.")
    A = sp.Matrix(n, n, lambda i, j: _entry(d, i, j) if i < j else 0)
    A = A - A.T
    d.step("On x, y > 0, in polar coordinates (the sign changes at t = pi/4), by integration:", A)
    x = sp.Symbol("x", positive=True)
    m = [sp.integrate(x**i * sp.exp(-(x**2) / 2), (x, 0, sp.oo)) for i in range(n)]
    d.step("The moments m_i:", sp.Tuple(*m))
    recurrence, moments = half_line(n, sp.Integer, sp.sqrt(2), lambda k: sp.gamma(sp.Rational(k, 2)))
    if any(sp.simplify(A[i, j] - recurrence[i][j]) != 0 for i in range(n) for j in range(n)) or any(
            sp.simplify(a - b) != 0 for a, b in zip(m, moments)):
        raise ArithmeticError("the integrals and the recurrence of theory.random_landscape.goe disagree")
    size = n + n % 2

    def pfaffian(z):
        full = sp.zeros(size)
        for i in range(n):
            for j in range(n):
                full[i, j] = A[i, j] * (1 - (-1) ** (i + j) * z) + z * m[i] * m[j] * ((-1) ** i - (-1) ** j)
            if n % 2:
                full[i, n] = m[i] * (1 + (-1) ** i * z)
                full[n, i] = -full[i, n]
        return sp.expand(_pfaffian(full))

    half = d.step("Pfaffian over the half-line.", pfaffian(0))
    whole = d.step("Pfaffian over the line: the three other quadrants follow by reflection.", pfaffian(1))
    result = sp.expand(sp.radsimp(sp.expand(half / whole)))
    if result != positive_probability_exact(n):
        raise ArithmeticError("the derivation and positive_probability_exact disagree")
    d.step("As a decimal:", sp.N(result, 12))
    return d.conclude(sp.Eq(named(f"P_{n}"), result))


def _pfaffian(A):
    if A.rows == 0:
        return sp.S.One
    total = sp.S.Zero
    for j in range(1, A.rows):
        minor = A.copy()
        for k in sorted((0, j), reverse=True):
            minor.row_del(k)
            minor.col_del(k)
        total += (-1) ** (j - 1) * A[0, j] * _pfaffian(minor)
    return total


@derivation("random-goe-index", "distribution of the number of negative eigenvalues of a GOE matrix", "derived here",
            symbols={"z": "marks a negative eigenvalue"})
def derive_index(d, n=3):
    """Inputs: n, the size of the matrix, 1 ... 8."""
    d.step("Give each negative eigenvalue a factor z: phi(x) = exp(-x^2/2) (z for x < 0). The ordered integral is "
           "still a Pfaffian (random-goe-positive), and its coefficient of z^k is the weight of index k.")
    polynomial = index_polynomial_exact(n)
    d.step("E[z^index] =", polynomial.as_expr())
    z = polynomial.gen
    d.step("Coefficients sum to 1 and are symmetric (M and -M are alike):",
           sp.Tuple(sp.simplify(polynomial.eval(1)),
                    sp.simplify(sp.expand(polynomial.as_expr() - z**n * polynomial.as_expr().subs(z, 1 / z)))))
    mean = sp.simplify(polynomial.diff().eval(1))
    variance = sp.simplify(polynomial.diff().diff().eval(1) + mean - mean**2)
    d.step("Mean and variance of the index; N fair coins would have N/2 and N/4.", sp.Tuple(mean, variance, sp.N(variance, 8)))
    return d.conclude(sp.Eq(named("E[z^index]"), polynomial.as_expr()))


@derivation("random-goe-rate", "rate of P(all N eigenvalues positive) ~ exp(-rate N^2) for the Gaussian beta-ensemble",
            "Dean & Majumdar 2006; that P is governed by the least energy of the charge density is theirs, the "
            "energies are worked out here", status="cited",
            symbols={"beta": "1 for real symmetric, 2 for Hermitian matrices", "mu": "eigenvalue/sqrt(N)",
                     "rho": "density of mu", "E": "energy int mu^2 rho - iint rho rho ln|mu - mu'|, weight exp(-beta N^2 E/2)",
                     "G": "resolvent int rho/(z - mu)"})
def derive_rate(d, beta=1):
    """Inputs: beta, the ensemble."""
    beta = sp.sympify(beta)
    L, s, a, big = sp.symbols("L s a Z", positive=True)
    d.step("Density prod|x_i - x_j|^beta exp(-beta sum x^2/2), x = sqrt(N) mu: charges in a parabola. Least energy: "
           "PV int rho(y)/(x - y) dy = x on the support, so G(z) = z - (z + a) sqrt((z - L)/z) for charges held at mu "
           ">= 0 by a wall (free end at L, charges pile up at the wall).")
    w = sp.Symbol("w", positive=True)  # 1/z
    expansion = sp.series((1 - (1 + a * w) * sp.sqrt(1 - L * w)) / w, w, 0, 3).removeO()
    equations = [sp.expand(expansion).coeff(w, 0), sp.expand(expansion).coeff(w, 1) - 1]
    d.step("G(z) -> 1/z fixes a and L: constant term 0, coefficient of 1/z equal 1.", sp.Tuple(*equations))
    solution = next(x for x in sp.solve(equations, [a, L], dict=True) if x[L] > 0)
    d.step("Hence", sp.Tuple(sp.Eq(a, solution[a]), sp.Eq(L, solution[L])))
    L_value, a_value = solution[L], solution[a]
    second = sp.simplify(sp.expand(expansion_order(a_value, L_value)))
    d.step("Second moment of rho, from the coefficient of 1/z^3.", second)
    # s = sqrt((z - L)/z): z = L/(1 - s^2) makes the integrand rational
    zs = L / (1 - s**2)
    primitive = sp.integrate(sp.apart(sp.simplify((zs - (zs + L / 2) * s) * sp.diff(zs, s)), s), s)
    d.step("int rho ln(L - y) dy = lim_{Z->oo} ln Z - int_L^Z G dz; with z = L/(1 - s^2) the integrand is rational "
           "and has "
           "the primitive", sp.simplify(primitive))
    s_of_z = sp.sqrt((big - L) / big)
    log_moment = sp.log(big) - (primitive.subs(s, s_of_z) - primitive.subs(s, 0))
    log_moment = _limit_at_infinity(log_moment.subs(L, L_value), big)
    d.step("int rho ln(L - y) dy =", log_moment)
    chemical = L_value**2 - 2 * log_moment
    constrained = sp.simplify(second / 2 + chemical / 2)
    d.step("On the support mu^2 - 2 int rho ln|mu - y| is a constant C (take mu = L); the energy is (second moment "
           "+ C)/2:",
           constrained)
    r = sp.sqrt(2)
    u = sp.Symbol("u", positive=True)
    zu = r / 2 * (u + 1 / u)
    free_primitive = sp.integrate(sp.expand((zu - r / 2 * (u - 1 / u)) * sp.diff(zu, u)), u)
    u_of_z = (big + sp.sqrt(big**2 - 2)) / r
    free_log = _limit_at_infinity(sp.log(big) - (free_primitive.subs(u, u_of_z) - free_primitive.subs(u, 1)), big)
    free = sp.simplify(sp.Rational(1, 2) / 2 + (2 - 2 * free_log) / 2)
    d.step("The same without the wall: semicircle on [-sqrt 2, sqrt 2], G = z - sqrt(z^2 - 2), second moment 1/2, "
           "energy", free)
    rate = sp.simplify(sp.expand_log(beta / 2 * (constrained - free), force=True))
    rate = sp.simplify(sp.logcombine(rate, force=True))
    d.step("P ~ exp(-beta N^2 (E - E_free)/2).", sp.Eq(named("rate"), rate))
    d.step("Independent signs would give exp(-N ln 2): no N^2 at all. Exact values at finite N (random-goe-positive) "
           "approach the rate: half the second difference of -ln P is 0.27465 at N = 40 for beta = 1.")
    return d.conclude(sp.Eq(named("rate"), rate))


def expansion_order(a, L):
    """Coefficient of 1/z^3 in z - (z + a) sqrt(1 - L/z)."""
    w = sp.Symbol("w", positive=True)
    return sp.expand(sp.series((1 - (1 + a * w) * sp.sqrt(1 - L * w)) / w, w, 0, 5).removeO()).coeff(w, 3)


def _limit_at_infinity(expression, z):
    """Limit by series in w = 1/z (sp.limit is slow on nested logarithms)."""
    w = sp.Symbol("w", positive=True)
    expression = sp.expand_log(sp.simplify(expression.subs(z, 1 / w)), force=True)
    return sp.simplify(sp.limit(expression, w, 0, "+"))


@derivation("random-index-energy",
            "share alpha of negative Hessian eigenvalues at a critical point of energy N eps of a Gaussian field with "
            "covariance N f(|x - y|^2/2N), N -> oo",
            "Bray & Dean 2007; derived here from Kac & Rice",
            symbols={"f, f', f''": "the covariance function and its derivatives at 0", "H": "Hessian",
                     "t": "mean of H's eigenvalues", "R": "radius of the semicircle", "s": "t/R"})
def derive_index_energy(d, covariance=None):
    """Inputs: covariance, an expression in q such as exp(-q); default: general f, f', f''."""
    N, eps, q = sp.symbols("N epsilon q", positive=True)
    f0, f2, f1 = sp.Symbol("f", positive=True), sp.Symbol("f''", positive=True), sp.Symbol("f'", negative=True)
    x, y = sp.symbols("x_1:3", real=True), sp.symbols("y_1:3", real=True)
    # four derivatives at coincident points depend on these Taylor coefficients alone
    distance = sum((p - r) ** 2 for p, r in zip(x, y)) / (2 * N)
    C = N * (f0 + f1 * distance + f2 * distance**2 / 2)
    origin = {**dict.fromkeys(x, 0), **dict.fromkeys(y, 0)}

    def moment(left, right):
        return sp.simplify(sp.diff(C, *left, *right).subs(origin)) if left or right else C.subs(origin)

    table = {"<phi^2>": C.subs(origin), "<d1 phi d1 phi>": moment((x[0],), (y[0],)), "<phi H11>": moment((), (y[0], y[0])),
             "<phi H12>": moment((), (y[0], y[1])), "<H11 H11>": moment((x[0], x[0]), (y[0], y[0])),
             "<H11 H22>": moment((x[0], x[0]), (y[1], y[1])), "<H12 H12>": moment((x[0], x[1]), (y[0], y[1])),
             "<d1 phi H11>": moment((x[0],), (y[0], y[0]))}
    d.step("Derivatives of the covariance at coincident points give all second moments (odd ones vanish: H and phi "
           "are independent of the gradient).", sp.Tuple(*[sp.Eq(named(k), v, evaluate=False) for k, v in table.items()]))
    mean = table["<phi H11>"] / table["<phi^2>"] * N * eps
    both = sp.simplify(table["<H11 H22>"] - table["<phi H11>"] ** 2 / table["<phi^2>"])
    d.step("Condition on phi = N eps: H has mean (<phi H11>/<phi^2>) N eps times the identity; the rest of <H11 "
           "H22> is the variance of a common shift, and <H12 H12> that of a GOE matrix (diagonal twice that: <H11 "
           "H11> - <H11 H22>).",
           sp.Tuple(mean, both, table["<H12 H12>"], sp.simplify(table["<H11 H11>"] - table["<H11 H22>"])))
    R = 2 * sp.sqrt(N * table["<H12 H12>"])
    t, s, theta = sp.symbols("t s theta", real=True)
    d.step("Semicircle of radius R = 2 sqrt(N var):", sp.Eq(named("R"), R))
    phi_prime = 2 * t / R**2
    d.step("Kac and Rice weight critical points with |det H| = exp(N int rho ln|lambda + t|); inside the bulk its "
           "derivative in t is the semicircle's resolvent 2t/R^2. The shift has Gaussian weight exp(-(t - mean)^2/(2 "
           "variance)), the same order in N: the most likely t solves", sp.Eq(-(t - mean) / (N * both) + phi_prime, 0))
    t_star = sp.simplify(sp.solve(-(t - mean) / (N * both) + phi_prime, t)[0])
    s_star = sp.simplify(t_star / R)
    if covariance is not None:
        g = sp.sympify(covariance)
        g = g.subs({v: q for v in g.free_symbols})
        values = [sp.diff(g, q, k).subs(q, 0) for k in range(3)]
        d.step(f"For f(q) = {covariance}: f, f', f'' at 0 are", sp.Tuple(*values))
        s_star = sp.simplify(s_star.subs({f0: values[0], f1: values[1], f2: values[2]}, simultaneous=True))
    d.step("Hence s = t/R =", s_star)
    alpha = sp.integrate(2 / sp.pi * sp.sin(theta) ** 2, (theta, 0, sp.acos(s)))
    alpha = sp.simplify(sp.expand_trig(alpha))
    d.step("Negative eigenvalues: those of the centred semicircle below -t. With lambda = -R cos(theta), theta from 0 "
           "to arccos(s):", sp.Eq(named("alpha"), alpha))
    edge = sp.solve(sp.Eq(s_star.subs(eps, -sp.Symbol("e", positive=True)), 1), sp.Symbol("e", positive=True))
    d.step("s = 1, no negative eigenvalue left, at eps = -e,", sp.Eq(sp.Symbol("e"), sp.simplify(edge[0])))
    return d.conclude(sp.Tuple(sp.Eq(named("s"), s_star), sp.Eq(named("alpha"), alpha)))


DERIVATIONS = {f.name: f for f in (derive_positive, derive_index, derive_rate, derive_index_energy)}
