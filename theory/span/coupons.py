"""Equal strengths: finding the units with many narrow students is coupon collecting.

A student of width K isolates |S| = K − 1 of the M equal units (K if the solution is a tilt,
``theory.span.solutions``). Start and teacher are symmetric under permutations of the units, so S is uniform over all
subsets of that size, and independent from copy to copy. With c copies and s = |S|:

    P(a given set of i units is missed by all) = [C(M−i, s)/C(M, s)]^c
    P(exactly j units missed) = C(M, j) Σ_i (−1)^i C(M−j, i) [C(M−j−i, s)/C(M, s)]^c          (inclusion–exclusion)
    E[share missed] = (1 − s/M)^c

An isolated unit has span error 0 (up to the ridge), and a missed one is explained by the pools only, so the span error per
unit is either about 0 or large. Its mean over draws follows by summing the exact span error over the sets. Derived here.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations
from math import comb

import numpy as np

from lab import checks
from lab.errors import ArgumentError
from lab.names import renamed
from lab.streams import generator
from theory.span.features import unit_span_errors
from theory.span.solutions import Solution, best_solution


@renamed(units="teacher_width")
def missed_law(teacher_width: int, isolated: int, copies: int) -> np.ndarray:
    """P(exactly j units are isolated by no copy), j = 0 … M.

    Parameters
    ----------
    teacher_width : int
        M ≥ 1.
    isolated : int
        s, units isolated by each copy, 0 ≤ s ≤ M.
    copies : int
        c ≥ 0.

    Returns
    -------
    ndarray of shape (M + 1,)
        Probabilities, computed in exact integers.

    Raises
    ------
    InputError
        Numbers out of range.

    Examples
    --------
    >>> missed_law(2, 1, 2)
    array([0.5, 0.5, 0. ])
    """
    M, s, c = teacher_width, isolated, copies
    checks.whole_number("isolated", s, 0, checks.whole_number("teacher_width", M))
    checks.whole_number("copies", c, 0, 10**5)
    whole = comb(M, s) ** c
    law = [comb(M, j) * sum((-1) ** i * comb(M - j, i) * comb(M - j - i, s) ** c for i in range(M - j + 1))
           for j in range(M + 1)]
    return np.array([p / whole for p in law])


@renamed(units="teacher_width")
def cover_probability(teacher_width: int, isolated: int, copies: int) -> float:
    """P(every unit is isolated by some copy).

    Parameters
    ----------
    teacher_width : int
        M ≥ 1.
    isolated : int
        s, units isolated by each copy, 0 ≤ s ≤ M.
    copies : int
        c ≥ 0.

    Returns
    -------
    float

    Raises
    ------
    InputError
        Numbers out of range.

    Examples
    --------
    >>> cover_probability(2, 1, 2)
    0.5
    """
    return float(missed_law(teacher_width, isolated, copies)[0])


@cache
def _pieces(teacher_width: int, norm: float, width: int) -> tuple[Solution, int]:
    s = best_solution(np.ones(teacher_width), norm, width)
    return s, len(s.isolated)


@renamed(units="teacher_width")
def equal_strength_directions(teacher_width: int, direction_norm: float, width: int, isolated: Sequence[int]) -> np.ndarray:
    """(K, M) directions of the student that isolates these units, at equal strengths."""
    s, size = _pieces(teacher_width, float(direction_norm), width)
    isolated = list(isolated)
    if len(isolated) != size:
        raise ArgumentError(f"at width {width} a student isolates {size} units, got {len(isolated)}")
    order = isolated + [m for m in range(teacher_width) if m not in isolated]
    out = np.zeros_like(s.directions)
    out[:, order] = s.directions
    return out


@renamed(units="teacher_width")
def isolated_units(teacher_width: int, direction_norm: float, width: int) -> int:
    """|S| at equal strengths: K − 1 (pool) or K (tilt); M if K ≥ M."""
    return teacher_width if width >= teacher_width else _pieces(teacher_width, float(direction_norm), width)[1]


@renamed(units="teacher_width")
def equal_strength_span_error(teacher_width: int, direction_norm: float, width: int, copies: int, *, ridge: float = 1e-6,
                              draws: int = 400, seed: int = 0) -> tuple[float, float]:
    """Mean span error per teacher unit of c concatenated students at equal strengths, and its standard error.

    If a student isolates a single unit, the mean is a finite sum over the number of distinct units, and exact (standard error
    0). Otherwise sets are drawn ``draws`` times, and the span error of each is exact.

    Parameters
    ----------
    teacher_width : int
        M.
    direction_norm : float
        b.
    width : int
        K.
    copies : int
        c ≥ 0.
    ridge : float, default 1e-6
        Relative ridge.
    draws : int, default 400
        Draws of the students' sets.
    seed : int, default 0
        Seed of these draws.

    Returns
    -------
    mean : float
    error : float
        Standard error of the mean, 0 if it is exact.

    Raises
    ------
    InputError
        Numbers out of range.

    Examples
    --------
    >>> equal_strength_span_error(2, 3.0, 2, 1)
    (0.0, 0.0)
    """
    s = isolated_units(teacher_width, direction_norm, width)
    if s >= teacher_width:
        return 0.0, 0.0
    if s == 0 or copies == 0:
        stack = equal_strength_directions(teacher_width, direction_norm, width, ()) if copies else np.zeros((0, teacher_width))
        return (float(unit_span_errors(stack, direction_norm, ridge).mean()) if copies else 1.0), 0.0

    def error(sets: Iterable[Sequence[int]]) -> float:
        stack = np.concatenate([equal_strength_directions(teacher_width, direction_norm, width, each) for each in sets])
        return float(unit_span_errors(stack, direction_norm, ridge).mean())

    if s == 1:
        law = missed_law(teacher_width, 1, copies)
        return float(sum(law[j] * error([(m,) for m in range(teacher_width - j)])
                         for j in range(teacher_width) if law[j] > 0)), 0.0
    rng = generator(seed, "coupons", "sets")
    every = list(combinations(range(teacher_width), s))
    known: dict[frozenset, float] = {}
    values = []
    for _ in range(draws):
        sets = frozenset(every[k] for k in rng.integers(len(every), size=copies))
        if sets not in known:
            known[sets] = error(sorted(sets))
        values.append(known[sets])
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(draws))
