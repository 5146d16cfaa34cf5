"""Where the solution of a student of the graded teacher is unique.

A solution is named by the set S of the teacher's units that its neurons isolate (:mod:`theory.span.solutions`).

* Isolating the strongest units gives the lowest loss. If that solution alone is stable, all students reach it: copies add
  nothing.
* Equal strengths: all sets of one size are equivalent by symmetry (``theory.span.coupons``).
* In between, uniqueness ends where a competitor, S with a weaker unit in place of a stronger one, becomes a minimum.
  As the exponent γ of the strengths increases, the competitor ends in a fold, or when an eigenvalue of its Hessian crosses
  zero: :func:`uniqueness_boundary`. Below that γ, *which* minimum is reached depends on the initial weights; above it they
  do not matter, as far as these two forms go. The boundary thus bounds the region of mixed solutions; it does not say how
  often each of them is reached.

Compared with simulation (M = 8, K = 2 … 7, |B| = 1 and 3, γ = 0 … 1.4, 64 students per setting; study ``graded-phase``):
beyond the boundary, small initial weights (σ ≤ 0.1) lead to a single solution in every setting; before it, large ones
(σ = 1) lead to several in 116 of 118 settings. Beyond it, a few per cent of the students from large initial weights at
|B| = 1 end elsewhere, mostly where students are too slow to have converged: other forms exist too. Derived here.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from lab.errors import ArgumentError
from lab.names import renamed
from theory.span.closed_form import hessian
from theory.span.solutions import STABLE, ansatz, follow_step, newton, same, solution


@renamed(units="teacher_width")
def power_strengths(teacher_width: int, exponent: float) -> np.ndarray:
    """Strengths A_m = m^−γ, m = 1 … M.

    Parameters
    ----------
    teacher_width : int
        M.
    exponent : float
        γ.

    Returns
    -------
    ndarray of shape (M,)

    Examples
    --------
    >>> power_strengths(2, 1.0)
    array([1. , 0.5])
    """
    return np.arange(1, teacher_width + 1, dtype=np.float64) ** -exponent


@renamed(units="teacher_width")
def step_strengths(teacher_width: int, ratio: float, strong: int) -> np.ndarray:
    """Strong units of strength 1, the others of one smaller strength.

    Parameters
    ----------
    teacher_width : int
        M.
    ratio : float
        Strength of the others.
    strong : int
        Number of strong units.

    Returns
    -------
    ndarray of shape (M,)

    Examples
    --------
    >>> step_strengths(3, 0.5, 1)
    array([1. , 0.5, 0.5])
    """
    return np.where(np.arange(teacher_width) < strong, 1.0, ratio)


@renamed(units="teacher_width")
def competitor_end(teacher_width: int, direction_norm: float, width: int, isolated: Iterable[int], *, family: str = "power",
                   stop: float = 3.0, resolution: float = 2e-3) -> float:
    """Where one competing solution ceases to be a minimum, starting from equal strengths.

    Parameters
    ----------
    teacher_width : int
        M.
    direction_norm : float
        b.
    width : int
        K, with 2 ≤ K < M.
    isolated : iterable of int
        The competitor's set S, K − 1 (pool) or K (tilt) of the units, counted from 0.
    family : {"power", "step"}, default "power"
        "power": strengths m^−γ, and γ is returned; "step": as many strong units as S has, the others weaker, and the
        ratio A_{|S|+1}/A_{|S|} of the one step is returned.
    stop : float, default 3
        Largest γ (or −ln ratio) that is considered.
    resolution : float, default 2e-3
        In γ (or −ln ratio).

    Returns
    -------
    float
        The solution is a minimum for γ below this (for ratios above this); ``stop`` (exp(−stop)) if it always is one, 0 (1)
        if it never is.

    Raises
    ------
    InputError
        Widths or a family that do not fit.

    Examples
    --------
    >>> 0.1 < competitor_end(3, 3.0, 2, (1,), resolution=0.05) < 0.3
    True
    """
    if not 2 <= width < teacher_width:
        raise ArgumentError(f"competitors need 2 <= width < teacher_width, got width {width} and teacher_width {teacher_width}",
                            "width", "teacher_width")
    if family not in ("power", "step"):
        raise ArgumentError(f"family must be 'power' or 'step', not {family!r}")
    isolated = tuple(sorted(isolated))

    def strengths(x: float) -> np.ndarray:
        if family == "power":
            return power_strengths(teacher_width, x)
        return step_strengths(teacher_width, np.exp(-x), len(isolated))

    def lowest(state: np.ndarray, A: np.ndarray) -> float:
        return np.linalg.eigvalsh(hessian(state, A, direction_norm, width))[0]

    A = strengths(0.0)
    state, residual = newton(ansatz(A, direction_norm, width, isolated), A, direction_norm, width)
    x, step = 0.0, 0.05
    if residual > 1e-11 or lowest(state, A) < STABLE:
        return 0.0 if family == "power" else 1.0
    while x < stop and step >= resolution:
        new = min(stop, x + step)
        A = strengths(new)
        trial = follow_step(state, A, direction_norm, width, isolated)
        if trial is not None and lowest(trial, A) > STABLE:
            state, x, step = trial, new, step * 1.3
        else:
            step *= 0.4
    return x if family == "power" else float(np.exp(-x))


@renamed(units="teacher_width")
def uniqueness_boundary(teacher_width: int, direction_norm: float, width: int, *, both_forms: bool = True,
                        family: str = "power", stop: float = 3.0, resolution: float = 2e-3) -> dict[str, Any]:
    """Where uniqueness ends for strengths m^−γ (or a step).

    Competitors are the solutions with the weakest isolated unit exchanged for another, in either form that is a minimum at
    equal strengths; and the two forms with the strongest units, where both are minima and differ (searched in steps of 0.1
    of γ, or −ln ratio, up to 2).

    Parameters
    ----------
    teacher_width : int
        M.
    direction_norm : float
        b.
    width : int
        K. At K = 1 and K ≥ M the solution is unique for every grading.
    both_forms : bool, default True
        Whether to look for the two forms side by side (slow: up to a minute at M = 8).
    family : {"power", "step"}, default "power"
        As in :func:`competitor_end`.
    stop : float, default 3
        As in :func:`competitor_end`.
    resolution : float, default 2e-3
        As in :func:`competitor_end`.

    Returns
    -------
    dict
        "ends": form ("pool", "tilt"; those that are minima at equal strengths) -> unit taken instead (counted from 0) ->
        where that competitor ends. "forms": where the two forms of the strongest units cease to coexist (0, or 1 for a
        ratio, if that is before all others end). "nearest": where the last competitor ends that takes the next unit.
        "last": where the last of all competitors ends.

    Raises
    ------
    InputError
        As :func:`competitor_end`.

    Examples
    --------
    >>> uniqueness_boundary(3, 3.0, 1)["last"]
    0.0
    """
    step = family == "step"
    latest = min if step else max
    ends: dict[str, dict[int, float]] = {}
    if 2 <= width < teacher_width:
        for form, size in (("pool", width - 1), ("tilt", width)):
            equal = solution(np.ones(teacher_width), direction_norm, width, range(size))
            if equal is not None and equal.stable:
                ends[form] = {j: competitor_end(teacher_width, direction_norm, width, (*range(size - 1), j), family=family,
                                                stop=stop, resolution=resolution) for j in range(size, teacher_width)}
    none = 1.0 if step else 0.0
    last = latest((end for by_unit in ends.values() for end in by_unit.values()), default=none)
    low = 0.0
    if both_forms and 2 <= width < teacher_width:
        last_x = -np.log(last) if step else last

        def both(x: float) -> bool:
            A = step_strengths(teacher_width, np.exp(-x), width) if step else power_strengths(teacher_width, x)
            pool, tilt = (solution(A, direction_norm, width, range(size)) for size in (width - 1, width))
            return pool is not None and tilt is not None and pool.stable and tilt.stable and not same(pool, tilt)

        low = next((x for x in np.arange(2.0, last_x, -0.1) if both(x)), 0.0)
        high = low + 0.1
        while low > 0 and high - low > resolution:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if both(middle) else (low, middle)
    forms = float(np.exp(-low)) if step else float(low)
    return {"nearest": latest((by_unit[min(by_unit)] for by_unit in ends.values()), default=none), "forms": forms,
            "last": latest(last, forms), "ends": ends}
