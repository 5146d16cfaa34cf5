"""The counts of critical and global subspaces, derived."""

import sympy as sp

from lab.checks import whole_number
from theory.counting import critical_subspaces, minima_subspaces
from theory.derivation import derivation, named


@derivation("counting-critical", "number of ways G(r, m) in which m neurons copy r irreducible ones, each at least once",
            "Simsek et al. 2021, proposition 3.4", symbols={"x": "counts neurons in the exponential generating function"})
def derive_critical(d, r=3):
    """Inputs: r, the neurons of the irreducible point."""
    x, m, i = sp.symbols("x m i", positive=True, integer=True)
    r = whole_number("r", r, 1)
    one = d.step("One group: a non-empty set of neurons, one such set for every size: EGF sum_{k>=1} x^k/k! =",
                 sp.summation(x**i / sp.factorial(i), (i, 1, sp.oo)))
    egf = d.step(f"{r} named groups side by side: EGFs multiply.", one**r)
    expanded = d.step("Expand by the binomial theorem.", sp.expand(egf))
    y = sp.Symbol("y", positive=True)
    terms = sp.Poly(expanded.subs(sp.exp(x), y), y).terms()
    formula = sum(c * sp.Integer(k) ** m for (k,), c in terms if k > 0)
    d.step("m! times the coefficient of x^m in exp(k x) is k^m (m >= 1).", sp.Eq(named(f"G({r}, m)"), formula))
    series = sp.series(egf, x, 0, r + 3).removeO()
    for n in range(r, r + 3):
        if sp.factorial(n) * series.coeff(x, n) != formula.subs(m, n) or formula.subs(m, n) != critical_subspaces(r, n):
            raise ArithmeticError("series, formula and count disagree")
    d.step("First values from the series, m = r, r + 1, r + 2.",
           sp.Tuple(*[sp.factorial(n) * series.coeff(x, n) for n in range(r, r + 3)]))
    return d.conclude(sp.Eq(named(f"G({r}, m)"), formula))


@derivation("counting-minima",
            "number T(r, m) of global-minimum subspaces: r named groups that copy, and any number of nameless groups "
            "that cancel",
            "Simsek et al. 2021, proposition 4.2",
            symbols={"S(m, b)": "Stirling number of the second kind", "Bell(u)": "number of partitions of u things"})
def derive_minima(d, r=3, order=4):
    """Inputs: r; order, how many coefficients beyond m = r are compared."""
    x, y = sp.symbols("x y", positive=True)
    r, order = whole_number("r", r, 0), whole_number("order", order, 1)
    named_part = (sp.exp(x) - 1) ** r
    d.step("r named groups (counting-critical).", named_part)
    j = sp.Symbol("j", integer=True, nonnegative=True)
    nameless = sp.summation((sp.exp(x) - 1) ** j / sp.factorial(j), (j, 0, sp.oo))
    d.step("Any number j of nameless groups: (e^x - 1)^j/j!, summed over j. Its coefficients are the Bell "
           "numbers.", nameless)
    egf = d.step("Neurons are split between the two kinds: the EGFs multiply; read term by term this is "
                 "T = sum_u C(m, u) G(r, m-u) Bell(u).", named_part * nameless)
    total = r + order
    series = sp.series(egf, x, 0, total + 1).removeO()
    values = [sp.factorial(n) * series.coeff(x, n) for n in range(r, total + 1)]
    d.step(f"First values, m = {r} ... {total}.", sp.Tuple(*values))
    convolution = [sum(sp.binomial(n, u) * critical_subspaces(r, n - u) * sp.bell(u) for u in range(n - r + 1))
                   for n in range(r, total + 1)]
    derivative = sp.diff(sp.exp(y * (sp.exp(x) - 1)), y, r).subs(y, 1)
    d.vanishes("The r-th derivative in y of exp(y (e^x - 1)) = sum_b y^b (e^x - 1)^b/b! at y = 1 is the same function, "
               "hence T = sum_b S(m, b) b!/(b-r)!.", sp.simplify(derivative - egf))
    if values != convolution or values != [minima_subspaces(r, n) for n in range(r, total + 1)]:
        raise ArithmeticError("series, convolution and count disagree")
    return d.conclude(sp.Eq(named("EGF of T"), egf))


@derivation("counting-asymptotics",
            "ratio of critical to global subspaces at fixed excess width h = m - r and deficit l, as r -> oo",
            "Simsek et al. 2021, lemma on mildly overparameterised networks; derived here",
            symbols={"h": "neurons beyond r*", "l": "neurons that the critical point lacks"})
def derive_asymptotics(d, h=2, l=1):
    """Inputs: h >= 0, l >= 0."""
    h, l = whole_number("h", h, 0), whole_number("l", l, 0)
    x, r = sp.symbols("x r", positive=True)
    log_base = sp.series(sp.log((sp.exp(x) - 1) / x), x, 0, h + l + 2).removeO()
    d.step("(e^x - 1)^r = x^r exp(r log((e^x - 1)/x)), and the logarithm is", log_base)

    def coefficient(power, count, extra):
        expression = sp.exp(sp.expand(count * log_base)) * extra
        return sp.factor(sp.series(expression, x, 0, power + 1).removeO().coeff(x, power))

    upper = d.step("G(r-l, r+h) = (r+h)! times the coefficient of x^(h+l) in ((e^x - 1)/x)^(r-l):",
                   coefficient(h + l, r - l, 1))
    bell = sp.series(sp.exp(sp.exp(x) - 1), x, 0, h + 2).removeO()
    lower = d.step("T(r, r+h) = (r+h)! times the coefficient of x^h in ((e^x - 1)/x)^r exp(e^x - 1):",
                   coefficient(h, r, bell))
    ratio = d.step("Their ratio, exact in r.", sp.factor(upper / lower))
    leading = sp.limit(ratio / r**l, r, sp.oo) * r**l
    d.step("Leading order for r -> oo; the general formula (r/2)^l h!/(h+l)! gives the same.",
           sp.Eq(named("G/T"), leading))
    if sp.simplify(leading - (r / 2) ** l * sp.factorial(h) / sp.factorial(h + l)) != 0:
        raise ArithmeticError("the limit does not follow")
    correction = sp.limit(r * (ratio / leading - 1), r, sp.oo)
    d.step("Why the limit is slow: ratio/limit = 1 + (c/r) + ..., c =", correction)
    return d.conclude(sp.Eq(named("G(r-l, r+h)/T(r, r+h)"), leading * (1 + correction / r)))


DERIVATIONS = {f.name: f for f in (derive_critical, derive_minima, derive_asymptotics)}
