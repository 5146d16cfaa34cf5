"""The Gaussian averages, derived.

Two families, each derived for *any* member, so that replacing the input changes every result consistently:

* erf-like: an activation whose slope is a Gaussian, g'(z) = κ exp(−s² z²/2). Default erf(z/√2); others: erf(z), the
  normal distribution function Φ(z), 3·erf(2z) − 1 …  (argument ``activation``, an expression in one symbol).
* ReLU-like: two straight pieces through 0, f(z) = p z for z > 0 and q z for z < 0 (argument ``slopes`` = (p, q)).

Source: results Saad & Solla (1995) and Cho & Saul (2009); the derivations are ours: a Gaussian times a Gaussian weight
is a Gaussian (I3, I4), Price's theorem (I2), integration by parts (Stein's lemma), polar coordinates (ReLU).
"""

from collections.abc import Callable

import sympy as sp

from lab.errors import ArgumentError, InputError
from theory.derivation import Derivation, derivation, named

_Z = sp.Symbol("z", real=True)
ERF = sp.erf(_Z / sp.sqrt(2))
RELU = (1, 0)

_SYMBOLS = {
    "z": "Gaussian vector of mean 0 and covariance C",
    "C_ab": "covariance of z_a and z_b",
    "g": "the activation; its slope is g'(z) = κ exp(−s² z²/2)",
}


def covariance_symbol(a: str, b: str) -> sp.Symbol:
    """C_ab with its letters in alphabetical order after the leading i, k (C is symmetric); positive if a == b."""
    order = "ikabc"
    a, b = sorted((a, b), key=order.index)
    return sp.Symbol(f"C_{a}{b}", positive=True) if a == b else sp.Symbol(f"C_{a}{b}", real=True)


_C = covariance_symbol


def _slope(activation) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """(κ, s², g(0)) of an activation with g'(z) = κ exp(−s² z²/2).

    Raises
    ------
    InputError : the slope is not of this form.
    """
    activation = sp.sympify(activation)
    if len(activation.free_symbols) != 1:
        raise InputError("the activation must be an expression in one symbol, like erf(z/sqrt(2))")
    g = activation.subs(activation.free_symbols.pop(), _Z)
    slope = sp.simplify(sp.diff(g, _Z))
    s2 = sp.simplify(-sp.diff(slope, _Z) / (slope * _Z)) if slope != 0 else sp.S.Zero
    kappa = slope.subs(_Z, 0)
    if s2.free_symbols or not s2.is_positive or sp.simplify(slope - kappa * sp.exp(-s2 * _Z**2 / 2)) != 0:
        raise InputError("the activation's slope must be a centred Gaussian: erf(s z/√2) up to factor and offset")
    return kappa, s2, g.subs(_Z, 0)


def _line_integral(power: int = 0) -> tuple[sp.Expr, sp.Symbol]:
    """∫ z^power exp(−p z²/2) dz over the line, for p > 0, done by SymPy; returned with its symbol p."""
    p = sp.Symbol("p", positive=True)
    return sp.integrate(_Z**power * sp.exp(-p * _Z**2 / 2), (_Z, -sp.oo, sp.oo)), p


def _plane_integral(P, q, R) -> sp.Expr:
    """∫∫ exp(−½(P x² − 2 q x y + R y²)) dx dy: over x first, then over y, each done by SymPy."""
    x, y = sp.symbols("x y", real=True)
    p, s = sp.symbols("p s", positive=True)
    r = sp.Symbol("q", real=True)
    over_x = sp.integrate(sp.exp(-p * x**2 / 2 + r * x * y), (x, -sp.oo, sp.oo))
    left = sp.simplify(-2 * sp.expand_log(sp.log(over_x / over_x.subs(y, 0)), force=True) / y**2)  # −q²/p
    over_y = sp.integrate(sp.exp(-s * y**2 / 2), (y, -sp.oo, sp.oo))
    whole = over_x.subs(y, 0) * over_y.subs(s, R + left)
    return whole.subs({p: P, r: q})


def _weight(d: Derivation, kappa, s2, i: str, C, prime: str = "") -> tuple[sp.Expr, Callable[[str, str], sp.Expr]]:
    """The lemma behind I3 and I4: average of g'(z_i), and the covariance of z under the weight g'(z_i).

    ``C`` maps two letters to the covariance before (shown with ``prime``); returns (<g'(z_i)>, the map after).
    """
    v = sp.Symbol(f"C{prime}_{i}{i}", positive=True)
    x, y, xy = sp.symbols(f"C{prime}_{i}a C{prime}_{i}b C{prime}_ab", real=True)
    zero, p = _line_integral(0)
    second, p = _line_integral(2)
    tilted = 1 / v + s2
    norm = sp.simplify(kappa * zero.subs(p, tilted) / zero.subs(p, 1 / v))
    variance = sp.simplify(second.subs(p, tilted) / zero.subs(p, tilted))
    after = sp.simplify(xy - x * y / v + x * y / v**2 * variance)
    d.step(f"Weight the Gaussian with g'(z_{i}): the density of z_{i} stays Gaussian, of precision "
           f"1/C{prime}_{i}{i} + s² with s² from the slope. Its total weight and its new variance are one-dimensional "
           "integrals.",
           sp.Eq(named(f"<g'(z_{i})>{prime}"), norm))
    d.step(f"Every z_a = (C{prime}_{i}a/C{prime}_{i}{i}) z_{i} + r_a with r_a independent of z_{i}, so the "
           f"weight changes only the part along z_{i}. Covariance of any a and b under the weight:",
           sp.Eq(named(f"C{prime}'_ab"), after))
    return norm.subs(v, C(i, i)), lambda a, b: sp.simplify(
        after.subs({v: C(i, i), x: C(i, a), y: C(i, b), xy: C(a, b)}, simultaneous=True))


@derivation("erf-j2", "J2(i,k) = <g'(z_i) g'(z_k)> for an erf-like activation: a Gaussian integral in the plane.",
            "Saad & Solla (1995)", symbols=_SYMBOLS)
def derive_erf_j2(d, activation=ERF):
    """J2 as the integral of a product of three Gaussians."""
    kappa, s2, _ = _slope(activation)
    ii, kk, ik = _C("i", "i"), _C("k", "k"), _C("i", "k")
    det = ii * kk - ik**2
    d.step("The slope of the activation is a Gaussian.",
           sp.Eq(named("g'(z)"), kappa * sp.exp(-s2 * _Z**2 / 2)))
    x, y = sp.symbols("z_i z_k", real=True)
    P, q, R = kk / det + s2, ik / det, ii / det + s2
    d.step("Multiply by the density of (z_i, z_k), whose precision matrix is the inverse of their 2×2 covariance.",
           kappa**2 / (2 * sp.pi * sp.sqrt(det)) * sp.exp(-(P * x**2 - 2 * q * x * y + R * y**2) / 2))
    whole = _plane_integral(P, q, R)
    d.step("Integrate over z_i, then over z_k.", sp.Eq(named("∫∫"), whole))
    radicand = sp.expand(sp.simplify(det * (2 * sp.pi) ** 2 / whole**2))
    d.step("Collect under one root: it is the determinant of 1 + s² C.",
           sp.Eq(sp.Symbol("Lambda"), radicand))
    return d.conclude(sp.Eq(sp.Symbol("J2"), kappa**2 / sp.sqrt(radicand)))


@derivation("erf-i2", "I2(a,b) = <g(z_a) g(z_b)> for an erf-like activation, by Price's theorem.",
            "Saad & Solla (1995)", symbols=_SYMBOLS)
def derive_erf_i2(d, activation=ERF):
    """Differentiate under the integral in C_ab, evaluate the Gaussian integral, integrate back."""
    _, s2, offset = _slope(activation)
    aa, bb, ab = _C("a", "a"), _C("b", "b"), _C("a", "b")
    x, y = sp.symbols("z_a z_b", real=True)
    det = aa * bb - ab**2
    density = sp.exp(-(bb * x**2 - 2 * ab * x * y + aa * y**2) / (2 * det)) / (2 * sp.pi * sp.sqrt(det))
    difference = sp.simplify((sp.diff(density, ab) - sp.diff(density, x, y)) / density)
    d.vanishes("The Gaussian density N obeys ∂N/∂C_ab = ∂²N/∂z_a∂z_b (differentiated here).", difference,
               "∂N/∂C_ab − ∂²N/∂z_a∂z_b")
    d.step("So ∂I2/∂C_ab = ∫∫ g g ∂²N = ∫∫ g' g' N = J2(a,b), by parts twice (g is bounded, N decays).")
    slope = derive_erf_j2(activation=activation).result.rhs.subs(
        {_C("i", "i"): aa, _C("k", "k"): bb, _C("i", "k"): ab}, simultaneous=True)
    d.step("J2 is the plane integral of erf-j2.", sp.Eq(named("∂I2/∂C_ab"), slope))
    d.step("At C_ab = 0 the two are independent, and g minus its value at 0 is odd: I2 = g(0)².",
           sp.Eq(named("I2(C_ab=0)"), offset**2))
    u = sp.Symbol("u", real=True)
    norm = sp.sqrt((1 + s2 * aa) * (1 + s2 * bb))
    integrand = sp.simplify((slope.subs(ab, u * norm / s2) * norm / s2) ** 2)  # squared: roots cancel exactly
    integrand = sp.simplify(integrand * (1 - u**2))
    if integrand.free_symbols:
        raise AssertionError("the substitution leaves a function of more than u")
    integrand = sp.sqrt(integrand) / sp.sqrt(1 - u**2)
    d.step("Substitute C_ab = u √((1+s²C_aa)(1+s²C_bb))/s²; the integrand then depends on u alone.",
           sp.Eq(named("dI2/du"), integrand))
    primitive = sp.integrate(integrand, u)
    primitive = primitive - primitive.subs(u, 0)
    d.step("Integrate from 0 to u.", primitive)
    return d.conclude(sp.Eq(sp.Symbol("I2"), offset**2 + primitive.subs(u, s2 * ab / norm)))


@derivation("erf-i3", "I3(i,b,c) = <g'(z_i) z_b g(z_c)> for an erf-like activation: weight, then integrate by parts.",
            "Saad & Solla (1995)", symbols=_SYMBOLS)
def derive_erf_i3(d, activation=ERF):
    """The slope is a Gaussian weight; under it <z_b g(z_c)> = C'_bc <g'(z_c)>."""
    kappa, s2, _ = _slope(activation)
    d.step("The slope of the activation is a Gaussian.", sp.Eq(named("g'(z)"), kappa * sp.exp(-s2 * _Z**2 / 2)))
    norm, C1 = _weight(d, kappa, s2, "i", _C)
    v = sp.Symbol("v", positive=True)
    density = sp.exp(-_Z**2 / (2 * v)) / sp.sqrt(2 * sp.pi * v)
    parts = sp.simplify((_Z * density + v * sp.diff(density, _Z)) / density)
    d.vanishes("Under the weight, z_b = (C'_bc/C'_cc) z_c + an independent remainder, and z N = −C'_cc dN/dz for the density of "
               "z_c (the difference of the two sides, below); by parts: <z_b g(z_c)>' = C'_bc <g'(z_c)>'.", parts,
               "z N + C'_cc dN/dz")
    zero, p = _line_integral(0)
    mean_slope = sp.simplify(kappa * zero.subs(p, 1 / v + s2) / zero.subs(p, 1 / v))
    d.step("The average slope is a one-dimensional integral (v = C'_cc).",
           sp.Eq(named("<g'(z_c)>'"), mean_slope))
    cc1, bc1 = C1("c", "c"), C1("b", "c")
    d.step("Here the covariances under the weight are", sp.Eq(named("C'_bc"), bc1))
    d.step("and", sp.Eq(named("C'_cc"), cc1))
    ii = _C("i", "i")
    lam = sp.expand(sp.simplify((1 + s2 * ii) * (1 + s2 * cc1)))
    d.step("Collect the roots: (1+s²C_ii)(1+s²C'_cc) is", sp.Eq(sp.Symbol("Lambda3"), lam))
    if sp.simplify(mean_slope.subs(v, cc1) ** 2 * norm**2 * lam - kappa**4) != 0:
        raise AssertionError("the product of the two one-dimensional integrals is not κ²/√Λ3")
    return d.conclude(sp.Eq(sp.Symbol("I3"), kappa**2 / sp.sqrt(lam) * sp.factor(sp.together(bc1))))


@derivation("erf-i4", "I4(i,k,a,b) = <g'(z_i) g'(z_k) g(z_a) g(z_b)> for an erf-like activation: two weights, then I2.",
            "Saad & Solla (1995)", symbols=_SYMBOLS)
def derive_erf_i4(d, activation=ERF):
    """Two Gaussian weights change the covariance; what remains is J2 times an I2."""
    kappa, s2, _ = _slope(activation)
    d.step("The slope of the activation is a Gaussian.", sp.Eq(named("g'(z)"), kappa * sp.exp(-s2 * _Z**2 / 2)))
    first, C1 = _weight(d, kappa, s2, "i", _C)
    second, C2 = _weight(d, kappa, s2, "k", C1, prime="'")
    j2 = derive_erf_j2(activation=activation).result.rhs
    if sp.simplify(first**2 * second**2 / j2**2) != 1:
        raise AssertionError("the two weights do not multiply to J2")
    lam4 = sp.expand(sp.simplify((kappa**2 / j2) ** 2))
    d.step("The two total weights multiply to J2(i,k) = κ²/√Λ4 with", sp.Eq(sp.Symbol("Lambda4"), lam4))
    i2 = derive_erf_i2(activation=activation).result.rhs
    lam = {}
    for name, (x, y) in {"Lambda0": ("a", "b"), "Lambda1": ("a", "a"), "Lambda2": ("b", "b")}.items():
        extra = 0 if x != y else 1
        lam[name] = sp.expand(sp.simplify(lam4 * (extra + s2 * C2(x, y))))
    d.step("The covariance under both weights, times Λ4, is a polynomial: s² Λ4 C''_ab =",
           sp.Eq(sp.Symbol("Lambda0"), lam["Lambda0"]))
    d.step("Λ4 (1 + s² C''_aa) =", sp.Eq(sp.Symbol("Lambda1"), lam["Lambda1"]))
    d.step("Λ4 (1 + s² C''_bb) =", sp.Eq(sp.Symbol("Lambda2"), lam["Lambda2"]))
    l0, l1, l2, l4 = (sp.Symbol(f"Lambda{n}", positive=n != 0 or None, real=True) for n in (0, 1, 2, 4))
    before = {_C("a", "a"): (l1 / l4 - 1) / s2, _C("b", "b"): (l2 / l4 - 1) / s2, _C("a", "b"): l0 / l4 / s2}
    short = kappa**2 / sp.sqrt(l4) * sp.simplify(i2.subs(before, simultaneous=True))
    d.step("I4 is J2 times the average of g(z_a) g(z_b) under the weights, which is I2 (erf-i2) at C''.",
           sp.Eq(sp.Symbol("I4"), short))
    values = {l0: lam["Lambda0"], l1: lam["Lambda1"], l2: lam["Lambda2"], l4: lam4}
    return d.conclude(sp.Eq(sp.Symbol("I4"), short.subs(values)))


# ------------------------------------------------------------------------------------------------------------- ReLU
_R = sp.Symbol("r", positive=True)
_PHI = sp.Symbol("phi", real=True)
_THETA = sp.Symbol("theta", positive=True)

_RELU_SYMBOLS = {
    "z": "Gaussian vector of mean 0 and covariance C",
    "f": "the activation: f(z) = p z for z > 0, q z for z < 0 (ReLU: p = 1, q = 0)",
    "θ": "angle between the two units, cos θ = C_ab/√(C_aa C_bb), 0 ≤ θ ≤ π",
}


def _slopes(slopes):
    try:
        p, q = (sp.sympify(value) for value in slopes)
    except (TypeError, ValueError):
        raise ArgumentError("slopes must be two numbers: the slope above 0 and the slope below 0") from None
    return p, q


def _sectors():
    """(from, to, sign of the first, sign of the second) for directions cos φ and cos(φ − θ)."""
    half = sp.pi / 2
    return ((_THETA - half, half, 1, 1), (-half, _THETA - half, 1, -1),
            (half, half + _THETA, -1, 1), (half + _THETA, 3 * half, -1, -1))


def _angular(function) -> sp.Expr:
    """(1/2π) ∫ function(φ, first sign, second sign) dφ over the circle, sector by sector."""
    total = sum(sp.integrate(function(_PHI, first, second), (_PHI, low, high))
                for low, high, first, second in _sectors())
    return sp.simplify(total / (2 * sp.pi))


def _tidy(expression):
    return sp.collect(sp.expand(sp.expand_trig(sp.simplify(expression))), [sp.sin(_THETA), sp.cos(_THETA)])


def _radial(power: int) -> sp.Expr:
    """∫ r^power · r e^{−r²/2} dr: the radial integral of a function of degree ``power``."""
    return _radial_integral(power).doit()


def _radial_integral(power: int) -> sp.Integral:
    return sp.Integral(_R ** (power + 1) * sp.exp(-_R**2 / 2), (_R, 0, sp.oo))


def _polar_step(d: Derivation, first: str, second: str) -> None:
    d.step(f"Write z_{first} = √C_{first}{first} r cos φ and z_{second} = √C_{second}{second} r cos(φ − θ): (r, φ) "
           "polar coordinates of a standard normal pair, density r e^(−r²/2)/(2π). The signs of both are constant in "
           "four sectors of φ, bounded by ±π/2 and θ ± π/2.")


@derivation("relu-j2", "J2(i,k) = <f'(z_i) f'(z_k)> for a piecewise linear activation, in polar coordinates.",
            "Sheppard (1899); Cho & Saul (2009)", symbols=_RELU_SYMBOLS)
def derive_relu_j2(d, slopes=RELU):
    """The slopes are constant in four sectors."""
    p, q = _slopes(slopes)
    pick = {1: p, -1: q}
    _polar_step(d, "i", "k")
    d.step("The radial integral of a function of degree 0.", sp.Eq(_radial_integral(0), _radial(0)))
    angle = _angular(lambda phi, first, second: pick[first] * pick[second] + 0 * phi)
    d.step("The angular one, sector by sector.", angle)
    return d.conclude(sp.Eq(sp.Symbol("J2"), sp.simplify(_radial(0) * angle)))


@derivation("relu-i2", "I2(a,b) = <f(z_a) f(z_b)> for a piecewise linear activation, in polar coordinates.",
            "Cho & Saul (2009)", symbols=_RELU_SYMBOLS)
def derive_relu_i2(d, slopes=RELU):
    """A function of degree 2, integrated over radius and angle."""
    p, q = _slopes(slopes)
    pick = {1: p, -1: q}
    aa, bb = _C("a", "a"), _C("b", "b")
    _polar_step(d, "a", "b")
    d.step("The radial integral of a function of degree 2.", sp.Eq(_radial_integral(2), _radial(2)))
    angle = _angular(lambda phi, first, second: pick[first] * pick[second] * sp.cos(phi) * sp.cos(phi - _THETA))
    d.step("The angular one, sector by sector.", angle)
    return d.conclude(sp.Eq(sp.Symbol("I2"), sp.sqrt(aa * bb) * _tidy(_radial(2) * angle)))


@derivation("relu-i3",
            "I3(i,b,c) = <f'(z_i) z_b f(z_c)> for a piecewise linear activation: regress z_b, then polar coordinates.",
            "derived here", symbols={**_RELU_SYMBOLS, "θ": "angle between units i and c"})
def derive_relu_i3(d, slopes=RELU):
    """z_b is a combination of z_i and z_c plus an independent remainder that averages to 0."""
    p, q = _slopes(slopes)
    pick = {1: p, -1: q}
    ii, cc, ib, bc = _C("i", "i"), _C("c", "c"), _C("i", "b"), _C("b", "c")
    ic = sp.sqrt(ii * cc) * sp.cos(_THETA)
    alpha, beta = sp.symbols("alpha beta")
    solution = sp.solve([alpha * ii + beta * ic - ib, alpha * ic + beta * cc - bc], [alpha, beta], dict=True)[0]
    d.step("Regress: z_b = α z_i + β z_c + a remainder independent of both; match the covariances with z_i and z_c.",
           sp.Eq(alpha, sp.simplify(solution[alpha])))
    d.step("and", sp.Eq(beta, sp.simplify(solution[beta])))
    _polar_step(d, "i", "c")
    with_i = sp.sqrt(ii * cc) * _radial(2) * _angular(
        lambda phi, first, second: pick[first] * sp.cos(phi) * pick[second] * sp.cos(phi - _THETA))
    with_c = cc * _radial(2) * _angular(
        lambda phi, first, second: pick[first] * pick[second] * sp.cos(phi - _THETA) ** 2)
    d.step("<f'(z_i) z_i f(z_c)>", _tidy(with_i))
    d.step("<f'(z_i) z_c f(z_c)>", _tidy(with_c))
    total = sp.expand(sp.simplify(solution[alpha] * with_i + solution[beta] * with_c))
    by_ib, by_bc = (sp.simplify(sp.expand(total).coeff(s)) for s in (ib, bc))
    if sp.simplify(total - by_ib * ib - by_bc * bc) != 0:
        raise AssertionError("I3 is not linear in C_ib, C_bc")
    return d.conclude(sp.Eq(sp.Symbol("I3"), ib * sp.simplify(sp.expand_trig(by_ib)) + bc * sp.simplify(by_bc)))


DERIVATIONS = {f.name: f for f in (derive_erf_i2, derive_erf_j2, derive_erf_i3, derive_erf_i4,
                                   derive_relu_i2, derive_relu_j2, derive_relu_i3)}
