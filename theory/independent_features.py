"""Similarity of unrelated features: linear CKA of independent normal units on n rows.

X (n, p) and Y (n, q) hold independent standard normal numbers. Centred, X^T X is a Wishart matrix with m = n - 1 degrees of
freedom, so that (derived here)

    <|X^T Y|_F^2> = m p q,        <|X^T X|_F^2> = m p (m + p + 1),

and linear CKA, |X^T Y|^2 / (|X^T X| |Y^T Y|), lies near the ratio of these means,

    sqrt(p q / ((m + p + 1) (m + q + 1))),

which is not 0: it grows with the units, and falls as 1/n. The debiased CKA has mean 0 in its numerator, whatever n, p and q.

Source: Murphy, Zylberberg & Fyshe 2024 (arXiv 2405.01012) for the bias of CKA with few rows; the form above is derived here.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lab import checks
from theory.derivation import Prediction, derivation, monte_carlo

if TYPE_CHECKING:
    from theory.derivation.steps import Derivation


def cka_of_independent(rows: int, units: int, other_units: int) -> float:
    """Linear CKA of independent normal features, to leading order in the numbers of rows and units.

    Parameters
    ----------
    rows : int
        n, at least 2.
    units : int
        Units p of one side.
    other_units : int
        Units q of the other side.

    Returns
    -------
    float
        In (0, 1).

    Raises
    ------
    InputError
        Numbers out of range.

    References
    ----------
    Derived here, see :mod:`theory.independent_features`.

    Examples
    --------
    >>> [round(cka_of_independent(n, 8, 8), 3) for n in (32, 64, 128, 256)]
    [0.2, 0.111, 0.059, 0.03]
    """
    m = checks.whole_number("rows", rows, 2) - 1
    p, q = checks.whole_number("units", units), checks.whole_number("other_units", other_units)
    return math.sqrt(p * q / ((m + p + 1) * (m + q + 1)))


def _mean_products(rows: int, units: int, other_units: int) -> tuple[float, float]:
    """⟨|XᵀY|²⟩ and ⟨|XᵀX|²⟩ of centred independent normal features."""
    m = rows - 1
    return float(m * units * other_units), float(m * units * (m + units + 1))


@derivation("cka-of-independent", "Linear CKA of independent normal features is about sqrt(p q/((m + p + 1)(m + q + 1))).",
            "derived here", symbols={"m": "rows minus one", "p": "units", "q": "units of the other side"})
def derive_cka(d: "Derivation") -> object:
    """Second moments of a Wishart matrix, entry by entry."""
    import sympy as sp

    m, p, q = sp.symbols("m p q", positive=True)
    x = sp.symbols("x", real=True)
    density = sp.exp(-x**2 / 2) / sp.sqrt(2 * sp.pi)
    square, fourth = (sp.integrate(x**k * density, (x, -sp.oo, sp.oo)) for k in (2, 4))
    d.vanishes("A standard normal number has the second moment 1 and the fourth 3.", (square - 1) ** 2 + (fourth - 3) ** 2,
               "moments")
    across = d.step("Centring leaves m independent rows in a rotated frame. An entry of X^T Y sums m products of independent "
                    "numbers, each of variance 1; there are p q entries.", m * p * q)
    diagonal = d.step("A diagonal entry of X^T X is a sum of m squares: its mean square is m(fourth) + m(m - 1).",
                      sp.expand(m * fourth + m * (m - 1)))
    own = d.step("There are p diagonal entries, and p(p - 1) others, each of mean square m.",
                 sp.factor(p * diagonal + p * (p - 1) * m))
    other = own.subs(p, q)
    ratio = d.step("The ratio of the means.", sp.sqrt(sp.simplify(across**2 / (own * other))))
    d.vanishes("Check: with many more rows than units it vanishes.", sp.limit(ratio.subs({p: 8, q: 8}), m, sp.oo), "CKA")
    return d.conclude(ratio)


def _check_products(rng: np.random.Generator) -> Iterator[Prediction]:
    """The two means against sampled features."""
    n, p, q = 12, 3, 5
    x, y = (rng.standard_normal((4000, n, units)) for units in (p, q))
    x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    across, own = _mean_products(n, p, q)
    for name, value, a, b in (("X^T Y", across, x, y), ("X^T X", own, x, x)):
        yield monte_carlo(f"independent features: {name}", value, (np.einsum("rni,rnj->rij", a, b) ** 2).sum((1, 2)))


DERIVATIONS = {"cka-of-independent": derive_cka}
CHECKS = {"independent-features": _check_products}
