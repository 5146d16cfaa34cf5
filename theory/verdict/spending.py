"""More looks at growing data without more error than is declared.

The first look is the declared number of replicas, at the full one-sided error of 2.5 %. Who goes on where that decided nothing
takes more chances to err: so the looks that follow are declared before the first of them, and may add 0.25 % in all, spent
as Lan and DeMets do by a function of O'Brien and Fleming's type, little early and most at the end. Since looks at growing data
agree with each other, what is left of their levels is more than it seems: nominal ones of about 0.4 %.

With the 1.8 % that the other pieces of a column share (:mod:`~theory.verdict.pieces`) a column on its bound is said to hold
in less than 5 % of repetitions over all looks, even if every piece of it is looked at three times (simulated in the tests).

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
_NODES = 120  # of the quadrature


def obrien_fleming(share: float, error: float) -> float:
    """One-sided error that may be spent when a share of the information is there.

    Parameters
    ----------
    share : of the information, in 0 … 1.
    error : that is spent in all.
    """
    from scipy.special import ndtr, ndtri

    return 0.0 if share <= 0 else float(2 * ndtr(-ndtri(1 - error / 2) / math.sqrt(share)))


def levels(information: Sequence[float], spent: Sequence[float]) -> list[float]:
    """Nominal one-sided level of every look, so that the error of all looks up to it is what may be spent.

    Parameters
    ----------
    information : at each look, increasing: numbers of replicas.
    spent : (looks,) error of all looks up to each, increasing.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    found, before, then = [], 0.0, 0.0
    grid, mass = np.zeros(1), np.ones(1)  # the statistic is a Brownian motion at time ``information`` that starts at 0
    for now, most in zip(information, spent):
        step, low = math.sqrt(now - then), -9 * math.sqrt(now)
        bound = brentq(_excess, low, -low, (grid, mass, step, most - before), xtol=1e-12)
        found.append(float(ndtr(-bound / math.sqrt(now))))
        points = low + (nodes + 1) / 2 * (bound - low)  # what has not crossed goes on
        arrived = np.exp(-(((points[:, None] - grid) / step) ** 2) / 2) @ mass / (math.sqrt(2 * math.pi) * step)
        grid, mass, before, then = points, arrived * weights * (bound - low) / 2, most, now
    return found


def _excess(bound: float, grid: np.ndarray, mass: np.ndarray, step: float, error: float) -> float:
    """Chance to be beyond the bound at this look and not before, less the error that it may have."""
    from scipy.special import ndtr

    return float(mass @ ndtr((grid - bound) / step)) - error


@cache
def _further(looks: tuple[int, ...]) -> tuple[float, ...]:
    more = [obrien_fleming((n - looks[0]) / (looks[-1] - looks[0]), EXTRA) for n in looks[1:]]
    return (ERROR, *levels(looks, [ERROR, *(ERROR + extra for extra in more)])[1:])


def further(looks: Sequence[int]) -> tuple[float, ...]:
    """Levels of looks at so many replicas, the first of which has the full error.

    Parameters
    ----------
    looks : numbers of replicas, increasing, three at most.
    """
    if not 0 < len(looks) <= MOST_LOOKS or any(a >= b for a, b in pairwise(looks)):
        raise ValueError(f"there are one to {MOST_LOOKS} looks, at growing numbers of replicas, not at {list(looks)}")
    return _further(tuple(looks))


def declared_looks(first: int, last: int) -> list[int]:
    """Numbers of replicas at which to look: the declared one, half way to the last, and the last."""
    return sorted({first, (first + last + 1) // 2, last})
