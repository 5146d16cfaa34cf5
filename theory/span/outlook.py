"""What theory says of students of the graded teacher: :func:`predict` has the argument names of the simulator.

Times are in units of the largest strength (``theory.span.closed_form``). From a small start all neurons first grow along
one direction: to lowest order in the weights L = const − λ0 Σ_i v_i (w_i·â), with â ∝ Σ A_m B_m and
λ0 = (2/π) |A| b/√(1+b²), so that v_i and w_i·â both grow as e^{λ0 t}. The sum Σ v_i w_i·â starts as ½ e^{2 λ0 t} Σ
z_i², z_i ~ N(0, σ²), and saturates at the value s* = v|w| of the width-1 solution, half of which is reached at the
mean time t1 = [ln(s*/σ²) − ψ(K/2)]/(2 λ0) (logistic growth; ψ digamma, from the mean of ln χ²). Later plateaus are
the losses of narrower students: between two of them the flow leaves a saddle, the width-k solution with its pool
shared by K − k + 1 like neurons, at the rate of its most negative curvature (:func:`escape_rates`). Derived here; the
plateau losses are exact. Against simulation (1, .7, .4, .2; |B| = 3) t1 is off by −0.3 to +0.7 time units for K = 1 …
16 and σ = 0.1 … 10⁻⁶, where it runs from 2 to 19: good for small starts. The rate of leaving the first
plateau agrees within 5 % (median over starts, K = 2). How long a later saddle holds the flow depends on the start and is
not predicted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lab import checks
from lab.errors import ArgumentError, InputError
from lab.results import Results
from theory.measures import probe_error, span_error
from theory.span.closed_form import check_norm, hessian, in_units, loss
from theory.span.coupons import equal_strength_span_error, isolated_units
from theory.span.features import feature_moments
from theory.span.solutions import Solution, competitors, solution


@dataclass(frozen=True)
class Outlook(Results, axes="span_error_per_teacher_unit: unit", picture="span_error_per_teacher_unit ~ unit", theory=True):
    """Theory's answer for students of one width.

    Attributes
    ----------
    isolated, rest : units the best solution isolates, and those it pools or tilts to (counted from 0).
    loss : of that solution.
    plateaus : losses of the widths 0 … K, in the order in which they are met.
    first_time : t1 above.
    escape_rates : rate at which the saddle of width k = 1 … K−1 is left.
    unique : whether no competitor (weakest isolated units exchanged, one at a time) is a minimum.
    competitors : losses of those that are.
    span_error_per_teacher_unit : (M,) of the concatenation; its mean at equal strengths.
    span_error : of the teacher's units, all together: the wide network taken as the teacher itself.
    reverse_span_error, reverse_span_error_pooled : narrow units from the teacher's, mean over the narrow units; and as a
        share of all their variance together.
    feature_performance : unexplained share of the target from the concatenation; a wide student leaves 0.
    """

    isolated: tuple[int, ...]
    rest: tuple[int, ...]
    loss: float
    plateaus: tuple[float, ...]
    first_time: float
    escape_rates: tuple[float, ...]
    unique: bool
    competitors: tuple[float, ...]
    span_error_per_teacher_unit: np.ndarray
    span_error: float
    reverse_span_error: float
    reverse_span_error_pooled: float
    feature_performance: float


def growth_rate(strengths, direction_norm: float) -> float:
    """λ0: rate at which small weights grow."""
    A, _ = in_units(strengths)
    check_norm(direction_norm)
    return float(2 / math.pi * np.linalg.norm(A) * direction_norm / math.sqrt(1 + direction_norm**2))


def first_plateau_time(strengths, direction_norm: float, width: int, init_scale: float) -> float:
    """t1: time at which half of the way to the first plateau is done, from weights of standard deviation σ."""
    from scipy.special import digamma

    one = solution(in_units(strengths)[0], direction_norm, 1)
    most = abs(one.output[0]) * np.linalg.norm(one.directions[0])
    log = math.log(most / init_scale**2) - float(digamma(width / 2))
    return log / (2 * growth_rate(strengths, direction_norm))


def escape_rates(strengths, direction_norm: float, width: int) -> tuple[float, ...]:
    """−(lowest eigenvalue of ∇²L) at the width-k solutions, k = 1 … min(K, M) − 1, pools shared evenly."""
    A, _ = in_units(strengths)
    rates = []
    for k in range(1, min(width, A.size)):
        s = solution(A, direction_norm, k)
        share = width - k + 1  # the last neuron and its likes
        v = np.concatenate([s.output[:-1], np.full(share, s.output[-1] / share)])
        W = np.zeros((width, A.size + 1))
        W[:, :-1] = np.concatenate([s.directions[:-1], np.repeat(s.directions[-1:], share, axis=0)])
        state = np.concatenate([v, W.ravel()])
        rates.append(float(-np.linalg.eigvalsh(hessian(state, A, direction_norm, width))[0]))
    return tuple(rates)


def plateaus(strengths, direction_norm: float, width: int) -> tuple[float, ...]:
    """Losses of the best solutions of the widths 0 … K."""
    A, unit = in_units(strengths)
    nothing = np.zeros(1 + A.size)
    found = [loss(nothing, A, direction_norm, 1)]
    for k in range(1, width + 1):
        s = solution(A, direction_norm, k)
        if s is None:
            raise InputError(f"no solution of width {k} was found for these strengths")
        found.append(s.loss)
        if k >= A.size:
            break
    return tuple(unit**2 * x for x in found)


def predict(strengths: Sequence[float], direction_norm: float = 1.0, dim: int = 10, width: int = 2, copies: int = 1,
            init_scale: float = 0.1, ridge: float = 1e-6, *, replicas: int = 8, seed: int = 0) -> Outlook:
    """What c concatenated students of width K find of the graded teacher.

    Parameters
    ----------
    strengths, direction_norm, dim, width, init_scale
        As in the simulator; the dimension (≥ M) does not matter.
    copies : int ≥ 1, default 1
        Students in the concatenation. It matters at equal strengths only (coupon collecting); where competitors are stable
        the answer is that of the best solution and ``unique`` is False.
    ridge : float ≥ 0, default 1e-6
        Relative ridge of the span errors.
    replicas, seed
        Of the simulation; theory does not depend on them.

    Returns
    -------
    Outlook

    Raises
    ------
    InputError
        Unusable parameters, or strengths for which no solution was found.
    """
    A, unit = in_units(strengths)
    if checks.whole_number("dim", dim) < A.size:
        raise ArgumentError(f"{A.size} orthogonal directions need dim >= {A.size}, got {dim}", "dim")
    checks.whole_number("width", width, most=10**4)
    checks.whole_number("copies", copies)
    checks.whole_number("replicas", replicas)
    checks.seed(seed)
    checks.real_number("init_scale", init_scale, above=0)
    checks.real_number("ridge", ridge, least=0)
    best = solution(A, direction_norm, width)
    if best is None:
        raise InputError("no solution was found for these strengths")
    rivals = competitors(A, direction_norm, width)
    used = best.directions[np.linalg.norm(best.directions, axis=1) > 0]  # beyond M units: silent neurons
    moments = feature_moments({"narrow": used}, A, direction_norm)
    per_unit = span_error(moments, source="narrow", target="teacher", ridge=ridge, per_unit=True)
    if copies > 1 and np.ptp(A) < 1e-12 and isolated_units(A.size, direction_norm, width) < A.size:
        per_unit = np.full(A.size, equal_strength_span_error(A.size, direction_norm, width, copies, ridge=ridge)[0])
    return Outlook(
        best.isolated, best.rest, best.loss * unit**2, plateaus(strengths, direction_norm, width),
        first_plateau_time(A, direction_norm, width, init_scale), escape_rates(A, direction_norm, width),
        not rivals, tuple(s.loss * unit**2 for s in rivals), per_unit, float(np.mean(per_unit)),
        float(span_error(moments, source="teacher", target="narrow", ridge=ridge, per_unit=True).mean()),
        span_error(moments, source="teacher", target="narrow", ridge=ridge),
        float(probe_error(moments, features="narrow", target="target", ridge=ridge)),
    )


__all__ = ["Outlook", "Solution", "escape_rates", "first_plateau_time", "growth_rate", "plateaus", "predict"]
