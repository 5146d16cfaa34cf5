"""How many affine subspaces of critical points and of global minima a wide layer has.

Setting (Simsek et al. 2021): a two-layer network with a smooth generic activation. An irreducible critical point of r
hidden neurons (no two alike, none idle) reappears in a network of m >= r neurons in many ways:

* *critical subspaces*: every one of the m neurons copies one of the r, each at least once; the copies share out its
  output weight. One affine subspace for each surjection of m neurons onto r,

      G(r, m) = r! S(m, r) = sum_i (-1)^(r-i) C(r, i) i^m,            sum_m G(r, m) x^m/m! = (e^x - 1)^r;

* *global-minimum subspaces* (r = r*, the width at which the loss is zero): besides, u of the neurons may form groups
  that cancel - alike inputs, output weights summing to 0 -, as many groups as one likes, of no name:

      T(r, m) = G(r, m) + sum_{u=1}^{m-r} C(m, u) G(r, m-u) Bell(u),     EGF (e^x - 1)^r exp(e^x - 1),

  which is also T(r, m) = sum_b S(m, b) b!/(b-r)!: partition the m neurons into b groups, name r of them.

Both count subspaces, not their dimension nor the volume of the basins around them: a count that favours global minima
says nothing yet about where training ends.

Asymptotics (derived here, ``python -m theory derive counting-asymptotics``): for fixed h = m - r and r -> oo,
G(r, r+h) ~ (r+h)! (r/2)^h/h! ~ T(r, r+h), so G(r-l, r+h)/T(r, r+h) -> (r/2)^l h!/(h+l)! (slow: corrections O(1/r)).
For fixed r and m -> oo, G ~ r^m. In between, the saddle point of the generating function (:func:`log_asymptotic`).

Several hidden layers (derived here; the same counting in each layer): the global subspaces multiply,
prod_l T(r_l*, m_l); the critical ones are all choices of r_l <= r_l* with at least one smaller,
prod_l sum_{r<=r_l*} G(r, m_l) - prod_l G(r_l*, m_l). A narrower layer has one irreducible critical point, or, "with
multiplicities", C(r_l*, r) of them, one for each subset of the teacher's neurons.

Source: Simsek, Ged, Jacot, Spadaro, Hongler, Gerstner, Brea, ICML 2021 (arXiv 2105.12221), propositions 3.4 and 4.2.
"""

import functools
import itertools
import math
from collections.abc import Iterator, Sequence

from lab.checks import whole_number
from lab.errors import ArgumentError
from theory.derivation import Prediction, derivation, named


@functools.lru_cache(maxsize=16)
def _stirling_row(m: int) -> tuple[int, ...]:
    """S(m, 0) ... S(m, m), partitions of m things into b groups; rows by S(m, b) = b S(m-1, b) + S(m-1, b-1)."""
    row = [1]
    for _ in range(m):
        row = [0, *(b * row[b] + row[b - 1] for b in range(1, len(row))), 1]
    return tuple(row)


def critical_subspaces(r: int, m: int) -> int:
    """G(r, m): critical subspaces of a width-m network that copy one irreducible critical point of r neurons.

    Parameters
    ----------
    r : neurons of the irreducible point, >= 0. m : width, >= 0.

    Returns
    -------
    Exact int; 0 for m < r.

    Raises
    ------
    InputError
        Not whole numbers >= 0.

    Source: Simsek et al. 2021, proposition 3.4; derived in ``counting-critical``.
    """
    r, m = whole_number("r", r, 0), whole_number("m", m, 0)
    return math.factorial(r) * _stirling_row(m)[r] if r <= m else 0


def minima_subspaces(r: int, m: int) -> int:
    """T(r, m): global-minimum subspaces of a width-m network whose loss first vanishes at r neurons.

    Parameters
    ----------
    r : the width r* at which the loss is zero, >= 0. m : width, >= 0.

    Returns
    -------
    Exact int; 0 for m < r.

    Raises
    ------
    InputError
        Not whole numbers >= 0.

    Source: Simsek et al. 2021, proposition 4.2; the form used is derived in ``counting-minima``.
    """
    r, m = whole_number("r", r, 0), whole_number("m", m, 0)
    row = _stirling_row(m)
    total, falling = 0, math.factorial(r)  # falling = b!/(b - r)!
    for b in range(r, m + 1):
        total += row[b] * falling
        falling = falling * (b + 1) // (b + 1 - r)
    return total


def saddle_subspaces(r_star: int, m: int, multiplicity: bool = False) -> int:
    """sum_{1 <= r < r*} G(r, m), each weighted with C(r*, r) if ``multiplicity``: all critical subspaces that are
    not minima.

    Raises
    ------
    InputError
        Not whole numbers, r* < 1.

    Source: Simsek et al. 2021, section 4.2; the weights are the statement "one critical point for each subset of the
    teacher's neurons".
    """
    r_star, m = whole_number("r_star", r_star, 1), whole_number("m", m, 0)
    return sum((math.comb(r_star, r) if multiplicity else 1) * critical_subspaces(r, m) for r in range(1, r_star))


def crossing_width(r_star: int, multiplicity: bool = False, limit: int | None = None) -> int:
    """Smallest m >= r* at which T(r*, m) exceeds the number of critical subspaces.

    Parameters
    ----------
    r_star : >= 1. multiplicity : as :func:`saddle_subspaces`. limit : largest m tried (default 10 r* + 20).

    Returns
    -------
    int; the inequality holds from there on (checked up to the limit in tests, not proved).

    Raises
    ------
    InputError
        r* < 1, or no such width up to the limit.
    """
    r_star = whole_number("r_star", r_star, 1)
    limit = 10 * r_star + 20 if limit is None else whole_number("limit", limit, r_star)
    row = list(_stirling_row(r_star))
    factorials = [math.factorial(b) for b in range(limit + 1)]
    weights = [math.comb(r_star, r) if multiplicity else 1 for r in range(r_star)]
    for m in range(r_star, limit + 1):
        saddles = sum(weights[r] * factorials[r] * row[r] for r in range(1, r_star))
        minima = sum(row[b] * factorials[b] // factorials[b - r_star] for b in range(r_star, m + 1))
        if minima > saddles:
            return m
        row = [0, *(b * row[b] + row[b - 1] for b in range(1, len(row))), 1]
    raise ArgumentError(f"critical subspaces outnumber the global ones up to width {limit}; raise the limit")


def layered_minima(r_stars: Sequence[int], widths: Sequence[int]) -> int:
    """Global-minimum subspaces of a deep network: prod_l T(r_l*, m_l).

    Parameters
    ----------
    r_stars, widths : needed and actual width of each hidden layer, same length.

    Raises
    ------
    InputError
        Lengths differ or are 0, or not whole numbers.

    Source: derived here (module docstring).
    """
    _same_length(r_stars, widths)
    return math.prod(minima_subspaces(r, m) for r, m in zip(r_stars, widths))


def layered_saddles(r_stars: Sequence[int], widths: Sequence[int], multiplicity: bool = False) -> int:
    """Critical subspaces of a deep network with at least one layer narrower than needed.

    Parameters
    ----------
    As :func:`layered_minima`; multiplicity as :func:`saddle_subspaces`, in each layer.

    Source: derived here (module docstring).
    """
    _same_length(r_stars, widths)
    full = [critical_subspaces(r, m) for r, m in zip(r_stars, widths)]
    any_width = [saddle_subspaces(r, m, multiplicity) + g for r, m, g in zip(r_stars, widths, full)]
    return math.prod(any_width) - math.prod(full)


def _same_length(r_stars, widths):
    if len(r_stars) != len(widths) or not r_stars:
        raise ArgumentError(f"needed and actual widths must be lists of one length, got {len(r_stars)} and {len(widths)}")


def log_asymptotic(r: int, m: int, minima: bool = False) -> float:
    """ln G(r, m) (or ln T) from the saddle point of its generating function; relative error of G or T is O(1/m).

    With K(x) = r ln(e^x - 1) [+ e^x - 1] the coefficient is m!/(2 pi i) oint e^K x^(-m-1) dx ~
    m! e^K(x0) x0^-m / sqrt(2 pi (x0^2 K'' + m)), x0 K'(x0) = m.

    Parameters
    ----------
    r, m : 1 <= r < m (for minima also r = 0 or r = m). minima : T instead of G.

    Returns
    -------
    float, natural logarithm.

    Raises
    ------
    InputError
        Outside that range: at m = r the saddle of G lies at 0, there G = m! exactly.

    Source: Moser & Wyman 1958 for Stirling numbers; derived here in this form.
    """
    r, m = whole_number("r", r, 0 if minima else 1), whole_number("m", m, 1)
    if m < r or (m == r and not minima):
        raise ArgumentError(f"the saddle point needs r < m, got r = {r}, m = {m}")
    if m == r:
        return math.lgamma(m + 1)
    from scipy.optimize import brentq

    # r x e^x/(e^x - 1) [+ x e^x] = m; the left side grows from r (+ 0) without bound
    def excess(x):
        return r * x / -math.expm1(-x) + (x * math.exp(x) if minima else 0.0) - m

    high = m / max(r, 1) + 1.0 if r else math.log(m) + 1.0
    x = brentq(excess, 1e-300, high, xtol=1e-14, rtol=1e-15)
    e = math.exp(x)
    k = r * math.log(math.expm1(x)) + ((e - 1) if minima else 0.0)
    curvature = -r * e / math.expm1(x) ** 2 + (e if minima else 0.0)
    return math.lgamma(m + 1) + k - m * math.log(x) - 0.5 * math.log(2 * math.pi * (x * x * curvature + m))


def evidence(r_stars=(5, 20, 100)):
    """Theory's word on ``s2.minima-outnumber-saddles``: crossing width over r*, with and without multiplicities.

    Returns
    -------
    list of :class:`theory.claims.Evidence`.
    """
    from lab.estimate import exact
    from theory.claims import Evidence

    return [Evidence("s2.minima-outnumber-saddles", "theory",
                     f"r* = {r}, {'C(r*, r) critical points' if many else 'one critical point'} of each smaller width",
                     exact(crossing_width(r, many) / r), piece=f"r{r}-{'many' if many else 'one'}", study="counting",
                     levels={"critical points of smaller widths": "C(r*, r)" if many else "one"})
            for many in (False, True) for r in r_stars]


# ------------------------------------------------------------------------------------------------ brute enumeration
def set_partitions(m: int) -> Iterator[tuple[int, ...]]:
    """All partitions of m things, as restricted growth strings: neuron -> group, groups numbered by first member."""
    def extend(prefix, groups):
        if len(prefix) == m:
            yield tuple(prefix)
            return
        for g in range(groups + 1):
            yield from extend([*prefix, g], max(groups, g + 1))

    yield from extend([], 0)


def enumerate_minima(r: int, m: int) -> set[frozenset]:
    """Every global-minimum subspace, described by itself: which neurons copy which of the r, which cancel together.

    Exponential cost; the independent reference of :func:`minima_subspaces` (and, without cancelling groups, of
    :func:`critical_subspaces`).
    """
    found = set()
    for partition in set_partitions(m):
        groups = max(partition, default=-1) + 1
        for names in itertools.permutations(range(groups), r):
            found.add(frozenset((names.index(g) if g in names else -1,
                                 frozenset(i for i in range(m) if partition[i] == g)) for g in range(groups)))
    return found


# ------------------------------------------------------------------------------------------------------ derivations
@derivation("counting-critical", "number of ways G(r, m) in which m neurons copy r irreducible ones, each at least "
                                 "once",
            "Simsek et al. 2021, proposition "
            "3.4", symbols={"x": "counts neurons in the exponential generating function"})
def derive_critical(d, r=3):
    """Inputs: r, the neurons of the irreducible point."""
    import sympy as sp

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


@derivation("counting-minima", "number T(r, m) of global-minimum subspaces: r named groups that copy, and any "
                               "number of "
            "nameless groups that cancel", "Simsek et al. 2021, proposition 4.2",
            symbols={"S(m, b)": "Stirling number of the second kind", "Bell(u)": "number of partitions of u things"})
def derive_minima(d, r=3, order=4):
    """Inputs: r; order, how many coefficients beyond m = r are compared."""
    import sympy as sp

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


@derivation("counting-asymptotics", "ratio of critical to global subspaces at fixed excess width h = m - r and "
                                    "deficit l, as "
            "r -> oo", "Simsek et al. 2021, lemma on mildly overparameterised networks; derived here",
            symbols={"h": "neurons beyond r*", "l": "neurons that the critical point lacks"})
def derive_asymptotics(d, h=2, l=1):
    """Inputs: h >= 0, l >= 0."""
    import sympy as sp

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


# ----------------------------------------------------------------------------------------------------------- checks
def check_counts(rng):
    """Both counts by enumerating the subspaces one by one."""
    for r, m in ((2, 4), (3, 5), (4, 5), (4, 6), (1, 7), (0, 6), (5, 7)):
        found = enumerate_minima(r, m)
        yield Prediction(f"counting/T({r},{m})", minima_subspaces(r, m), len(found), tolerance=0.0,
                         method="enumeration")
        yield Prediction(f"counting/G({r},{m})", critical_subspaces(r, m),
                         sum(all(name >= 0 for name, _ in s) for s in found), method="enumeration", tolerance=0.0)


def check_large(rng):
    """Large counts: alternating sum and convolution in exact integers; the saddle point to its O(1/m)."""
    r, m = 120, 200
    alternating = sum((-1) ** (r - i) * math.comb(r, i) * i**m for i in range(r + 1))
    yield Prediction("counting/G(120,200)", critical_subspaces(r, m) / alternating, 1.0, tolerance=0.0,
                     method="over the alternating sum")
    bell = [sum(_stirling_row(u)) for u in range(m - r + 1)]
    convolution = sum(math.comb(m, u) * critical_subspaces(r, m - u) * bell[u] for u in range(m - r + 1))
    yield Prediction("counting/T(120,200)", minima_subspaces(r, m) / convolution, 1.0, tolerance=0.0,
                     method="over the sum over cancelling neurons")
    for minima in (False, True):
        count = minima_subspaces(50, 200) if minima else critical_subspaces(50, 200)
        yield Prediction(f"counting/saddle-point-{'T' if minima else 'G'}(50,200)",
                         math.exp(log_asymptotic(50, 200, minima) - math.log(count)), 1.0, tolerance=2e-3,
                         method="exact count")


DERIVATIONS = {f.name: f for f in (derive_critical, derive_minima, derive_asymptotics)}
CHECKS = {"counting-enumeration": check_counts, "counting-large": check_large}
