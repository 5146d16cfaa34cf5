"""Expansion of the order-parameter equations about a fixed point, to first order in the learning rate, by symmetry classes.

For :mod:`theory.committee.derive`, whose fixed points have more units than could be expanded one by one.
"""

from collections.abc import Callable
from typing import Any

import sympy as sp

from theory.gaussian import derive as gaussian

ETA = sp.Symbol("eta", positive=True)


def averages(activation: sp.Expr) -> tuple[Callable, Callable, Callable]:
    """I2, J2, I3 as functions of covariance entries, from their derivations."""
    s = gaussian.covariance_symbol
    i2 = gaussian.derive_erf_i2(activation=activation).result.rhs
    j2 = gaussian.derive_erf_j2(activation=activation).result.rhs
    i3 = gaussian.derive_erf_i3(activation=activation).result.rhs

    def I2(aa, bb, ab):
        return i2.subs({s("a", "a"): aa, s("b", "b"): bb, s("a", "b"): ab}, simultaneous=True)

    def J2(ii, kk, ik):
        return j2.subs({s("i", "i"): ii, s("k", "k"): kk, s("i", "k"): ik}, simultaneous=True)

    def I3(ii, cc, ib, ic, bc):
        return i3.subs({s("i", "i"): ii, s("c", "c"): cc, s("i", "b"): ib, s("i", "c"): ic, s("b", "c"): bc},
                       simultaneous=True)

    return I2, J2, I3


class Ansatz:
    """Order parameters to first order in η, equal for all pairs of units of one symmetry class.

    A unit is a tuple (kind, index …). A sum over units takes one representative of each class, times the number of units in it.
    An average is expanded by its partial derivatives at the point of expansion; the entries there are 0 or 1, so that each
    combination is differentiated once.

    Parameters
    ----------
    averages : tuple of callable
        I2, J2, I3 of :func:`averages`.
    covariance : callable
        (unit, unit) → their overlap, linear in η.
    classes : callable
        (units in use) → list of (representative, multiplicity, output weight).
    """

    def __init__(self, averages: tuple[Callable, Callable, Callable], covariance: Callable, classes: Callable):
        self.I2, self.J2, self.I3 = averages
        self.covariance, self.classes = covariance, classes
        self._known: dict[tuple[Callable, tuple], tuple[Any, list]] = {}

    def _expand(self, function, arguments):
        """(value at η = 0, coefficient of η) of function(*arguments)."""
        base = tuple(sp.sympify(x).subs(ETA, 0) for x in arguments)
        if (function, base) not in self._known:
            names = sp.symbols(f"x0:{len(base)}", real=True)
            point = dict(zip(names, base))
            value = function(*names)
            self._known[function, base] = (value.subs(point), [sp.radsimp(sp.diff(value, x).subs(point)) for x in names])
        value, slopes = self._known[function, base]
        return value, sum(slope * sp.diff(x, ETA) for slope, x in zip(slopes, arguments))

    def _sum(self, used, function, arguments):
        zeroth = first = sp.S.Zero
        for b, count, u in self.classes(*used):
            value, slope = self._expand(function, arguments(b))
            u = sp.sympify(u)
            zeroth += count * u.subs(ETA, 0) * value
            first += count * (u.subs(ETA, 0) * slope + sp.diff(u, ETA) * value)
        if sp.simplify(sp.expand(zeroth)) != 0:
            raise AssertionError("the error does not vanish at the point of expansion")
        return sp.expand(first)

    def drive(self, i, n):
        """Coefficient of η in Σ_b u_b I3(i, n, b)."""
        C = self.covariance
        return self._sum((i, n), self.I3, lambda b: (C(i, i), C(b, b), C(i, n), C(i, b), C(n, b)))

    def output(self, i):
        """Coefficient of η in Σ_b u_b I2(i, b)."""
        C = self.covariance
        return self._sum((i,), self.I2, lambda b: (C(i, i), C(b, b), C(i, b)))

    def gate(self, i, k):
        """J2(i, k) at η = 0."""
        C = self.covariance
        return self.J2(*(sp.sympify(C(*pair)).subs(ETA, 0) for pair in ((i, i), (k, k), (i, k))))


def free_directions(equations, unknowns, example) -> list:
    """Unknowns that the linear equations leave free, at example values of the counts; raises if they are inconsistent."""
    rows = [[sp.expand(e.subs(example)).coeff(x) for x in unknowns] + [-e.subs(example).subs(dict.fromkeys(unknowns, 0))]
            for e in map(sp.expand, equations)]
    _, pivots = sp.Matrix(rows).applyfunc(sp.nsimplify).rref(simplify=sp.radsimp)
    if len(unknowns) in pivots:
        raise AssertionError("the equations of the fixed point contradict each other")
    return [x for j, x in enumerate(unknowns) if j not in pivots]


def first_order(expression):
    """Coefficient of η in the expansion about η = 0; the coefficient of 1 must vanish."""
    if sp.simplify(expression.subs(ETA, 0)) != 0:
        raise AssertionError("the error does not vanish at the point of expansion")
    return sp.simplify(sp.diff(expression, ETA).subs(ETA, 0))
