"""Several looks at growing data, at a bounded error.

The first look is at the declared number of replicas, at the full one-sided error of 2.5 %. Going on after an inconclusive look
gives further chances to err. So the following looks are declared before any of them, and may add 0.25 % in all, spent in the
manner of Lan and DeMets by a function of O'Brien and Fleming's type: little early and most at the end. Since looks at growing
data are correlated, their nominal levels are larger than their share of the error, about 0.4 %.

With the 1.8 % that the other pieces of a column share (:mod:`~theory.verdict.pieces`), a column on its bound is judged to hold
in less than 5 % of repetitions over all looks, even if every piece has three looks (simulated in the tests).

Source: Lan & DeMets 1983, Biometrika 70, 659; the recursion of Armitage, McPherson & Rowe 1969.
"""

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np

from theory.verdict.pieces import ERROR

EXTRA = 0.0025  # one-sided error of all looks after the first
MOST_LOOKS = 3
_NODES = 120  # nodes of the quadrature


def obrien_fleming(share: float, error: float) -> float:
    """One-sided error that may be spent up to a share of the information.

    Parameters
    ----------
    share : float
        Share of the information, in 0 … 1.
    error : float
        Error spent in all.
    """
    from scipy.special import ndtr, ndtri

    return 0.0 if share <= 0 else float(2 * ndtr(-ndtri(1 - error / 2) / math.sqrt(share)))


def levels(information: Sequence[float], spent: Sequence[float]) -> list[float]:
    """Nominal one-sided level of every look that spends a given error up to it.

    Parameters
    ----------
    information : sequence of float, shape (looks,)
        Information at each look, the number of replicas; increasing.
    spent : sequence of float, shape (looks,)
        Error of all looks up to each; increasing.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    nominal, spent_before, time_before = [], 0.0, 0.0
    grid, mass = np.zeros(1), np.ones(1)  # under the null, a Brownian motion at time ``information`` that starts at 0
    for time, most in zip(information, spent):
        step, low = math.sqrt(time - time_before), -9 * math.sqrt(time)
        bound = brentq(_excess, low, -low, (grid, mass, step, most - spent_before), xtol=1e-12)
        nominal.append(float(ndtr(-bound / math.sqrt(time))))
        points = low + (nodes + 1) / 2 * (bound - low)  # paths that have not crossed the bound continue
        density = np.exp(-(((points[:, None] - grid) / step) ** 2) / 2) @ mass / (math.sqrt(2 * math.pi) * step)
        grid, mass, spent_before, time_before = points, density * weights * (bound - low) / 2, most, time
    return nominal


def _excess(bound: float, grid: np.ndarray, mass: np.ndarray, step: float, error: float) -> float:
    """Chance of crossing the bound first at this look, minus the error that the look may spend."""
    from scipy.special import ndtr

    return float(mass @ ndtr((grid - bound) / step)) - error


@cache
def _further(looks: tuple[int, ...]) -> tuple[float, ...]:
    more = [obrien_fleming((n - looks[0]) / (looks[-1] - looks[0]), EXTRA) for n in looks[1:]]
    return (ERROR, *levels(looks, [ERROR, *(ERROR + extra for extra in more)])[1:])


def further(looks: Sequence[int]) -> tuple[float, ...]:
    """Levels of looks at the given numbers of replicas, the first of which has the full error.

    Parameters
    ----------
    looks : sequence of int
        Numbers of replicas, increasing, at most three.
    """
    if not 0 < len(looks) <= MOST_LOOKS or any(a >= b for a, b in pairwise(looks)):
        raise ValueError(f"there are one to {MOST_LOOKS} looks, at growing numbers of replicas, not at {list(looks)}")
    return _further(tuple(looks))


def declared_looks(first: int, last: int) -> list[int]:
    """Numbers of replicas at which to look: the first, half way to the last, and the last."""
    return sorted({first, (first + last + 1) // 2, last})
