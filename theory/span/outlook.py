"""Predictions for students of the graded teacher; :func:`predict` has the argument names of the simulator.

Times are in units of the largest strength (``theory.span.closed_form``). From a small start all neurons first grow along
one direction: to lowest order in the weights L = const − λ0 Σ_i v_i (w_i·â), with â ∝ Σ A_m B_m and
λ0 = (2/π) |A| b/√(1+b²), so that v_i and w_i·â both grow as e^{λ0 t}. The sum Σ v_i w_i·â starts as ½ e^{2 λ0 t} Σ
z_i², z_i ~ N(0, σ²), and saturates at the value s* = v|w| of the width-1 solution, half of which is reached at the
mean time t1 = [ln(s*/σ²) − ψ(K/2)]/(2 λ0) (logistic growth; ψ digamma, from the mean of ln χ²). Later plateaus are
the losses of narrower students: between two of them the flow leaves a saddle, the width-k solution with its pool
shared by K − k + 1 identical neurons, at the rate of its most negative curvature (:func:`escape_rates`). Derived here; the
plateau losses are exact. Compared with simulation (1, .7, .4, .2; |B| = 3), t1 is off by −0.3 to +0.7 time units for K = 1 …
16 and σ = 0.1 … 10⁻⁶, where it ranges from 2 to 19: it is accurate for small starts. The escape rate from the first
plateau agrees within 5 % (median over starts, K = 2). The time that the flow spends at a later saddle depends on the start and
is not predicted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lab import checks
from lab.errors import ArgumentError
from lab.results import Results
from theory.measures import probe_error, span_error
from theory.span.closed_form import check_norm, hessian, in_units, loss
from theory.span.coupons import equal_strength_span_error, isolated_units
from theory.span.features import feature_moments
from theory.span.solutions import Solution, best_solution, competitors


@dataclass(frozen=True)
class Outlook(Results, axes="span_error_per_teacher_unit: unit", picture="span_error_per_teacher_unit ~ unit", theory=True):
    """Predictions of theory for students of one width.

    Attributes
    ----------
    isolated : tuple of int
        Units that the best solution isolates, counted from 0.
    rest : tuple of int
        Units that it pools, or towards which it tilts.
    loss : float
        Loss of that solution.
    plateaus : tuple of float
        Losses of the best solutions of widths 0 … K, in the order in which training reaches them.
    first_time : float
        t1 of the module's docstring.
    escape_rates : tuple of float
        Escape rate from the saddle of width k = 1 … K−1.
    unique : bool
        Whether no competitor (weakest isolated units exchanged, one at a time) is a minimum.
    competitors : tuple of float
        Losses of the competitors that are minima.
    span_error_per_teacher_unit : ndarray of shape (M,)
        Span error from the concatenation to each teacher unit; its mean over students at equal strengths.
    span_error : float
        Mean of these over the units: the span error if the wide network is the teacher itself.
    reverse_span_error : float
        Span error from the teacher's units to the narrow ones, averaged over the narrow units.
    reverse_span_error_pooled : float
        The same as a share of the narrow units' total variance.
    feature_performance : float
        Share of the target's variance that the concatenation leaves unexplained; a wide student leaves 0.

    Examples
    --------
    >>> predict((1.0, 0.5), direction_norm=2.0, dim=2, width=2).span_error < 1e-4
    True
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


def growth_rate(strengths: npt.ArrayLike, direction_norm: float) -> float:
    """λ0: rate at which small weights grow.

    Parameters
    ----------
    strengths : sequence of float, shape (M,)
        A_m, none 0; only their ratios matter.
    direction_norm : float
        b, in 1e-3 … 1e3.

    Returns
    -------
    float
        Rate per unit of time, in units of the largest strength.

    Raises
    ------
    InputError
        Strengths or norm out of range.

    Examples
    --------
    >>> round(growth_rate([1.0, 0.7, 0.4, 0.2], 3.0), 4)
    0.7851
    """
    A, _ = in_units(strengths)
    check_norm(direction_norm)
    return float(2 / math.pi * np.linalg.norm(A) * direction_norm / math.sqrt(1 + direction_norm**2))


def first_plateau_time(strengths: npt.ArrayLike, direction_norm: float, width: int, init_scale: float) -> float:
    """t1: time at which Σ v_i w_i·â reaches half of its value on the first plateau.

    Parameters
    ----------
    strengths : sequence of float, shape (M,)
        A_m, none 0.
    direction_norm : float
        b, in 1e-3 … 1e3.
    width : int
        K.
    init_scale : float
        σ, standard deviation of the initial weights.

    Returns
    -------
    float

    Raises
    ------
    InputError
        Strengths or norm out of range.

    Examples
    --------
    >>> 4.0 < first_plateau_time([1.0, 0.7], 3.0, 2, 0.01) < 8.0
    True
    """
    from scipy.special import digamma

    one = best_solution(in_units(strengths)[0], direction_norm, 1)
    most = abs(one.output[0]) * np.linalg.norm(one.directions[0])
    log = math.log(most / init_scale**2) - float(digamma(width / 2))
    return log / (2 * growth_rate(strengths, direction_norm))


def escape_rates(strengths: npt.ArrayLike, direction_norm: float, width: int) -> tuple[float, ...]:
    """−(lowest eigenvalue of ∇²L) at the width-k solutions, k = 1 … min(K, M) − 1, pools shared evenly.

    Parameters
    ----------
    strengths : sequence of float, shape (M,)
        A_m, none 0.
    direction_norm : float
        b, in 1e-3 … 1e3.
    width : int
        K.

    Returns
    -------
    tuple of float
        One rate for each k.

    Raises
    ------
    InputError
        Strengths or norm out of range, or no solution of some width.

    Examples
    --------
    >>> rates = escape_rates([1.0, 0.7], 3.0, 2)
    >>> len(rates), rates[0] > 0
    (1, True)
    """
    A, _ = in_units(strengths)
    rates = []
    for k in range(1, min(width, A.size)):
        s = best_solution(A, direction_norm, k)
        share = width - k + 1  # neurons that share the place of the last one
        v = np.concatenate([s.output[:-1], np.full(share, s.output[-1] / share)])
        W = np.zeros((width, A.size + 1))
        W[:, :-1] = np.concatenate([s.directions[:-1], np.repeat(s.directions[-1:], share, axis=0)])
        state = np.concatenate([v, W.ravel()])
        rates.append(float(-np.linalg.eigvalsh(hessian(state, A, direction_norm, width))[0]))
    return tuple(rates)


def plateaus(strengths: npt.ArrayLike, direction_norm: float, width: int) -> tuple[float, ...]:
    """Losses of the best solutions of the widths 0 … K.

    Parameters
    ----------
    strengths : sequence of float, shape (M,)
        A_m, none 0.
    direction_norm : float
        b, in 1e-3 … 1e3.
    width : int
        K.

    Returns
    -------
    tuple of float
        Decreasing, ending with width M, whose loss is 0.

    Raises
    ------
    InputError
        Strengths or norm out of range, or no solution of some width.

    Examples
    --------
    >>> nothing, one, two = plateaus([1.0, 0.7], 3.0, 2)
    >>> nothing > one > two, abs(round(two, 12))
    (True, 0.0)
    """
    A, unit = in_units(strengths)
    nothing = np.zeros(1 + A.size)
    losses = [loss(nothing, A, direction_norm, 1)]
    for k in range(1, width + 1):
        losses.append(best_solution(A, direction_norm, k).loss)
        if k >= A.size:
            break
    return tuple(unit**2 * x for x in losses)


def predict(strengths: Sequence[float], direction_norm: float = 1.0, dim: int = 10, width: int = 2, copies: int = 1,
            init_scale: float = 0.1, ridge: float = 1e-6, *, replicas: int = 8, seed: int = 0) -> Outlook:
    """Predictions for c concatenated students of width K of the graded teacher.

    Parameters
    ----------
    strengths : sequence of float, shape (M,)
        A_m, none 0; as in the simulator.
    direction_norm : float, default 1
        b, in 1e-3 … 1e3.
    dim : int, default 10
        Dimension of the inputs, at least M; the prediction does not depend on it.
    width : int, default 2
        K.
    copies : int, default 1
        Students in the concatenation. Their number matters at equal strengths only (coupon collecting). If competitors are
        stable, the prediction is that of the best solution, and ``unique`` is False.
    init_scale : float, default 0.1
        σ, above 0.
    ridge : float, default 1e-6
        Relative ridge of the span errors, at least 0.
    replicas : int, default 8
        Used by the simulation only.
    seed : int, default 0
        Used by the simulation only.

    Returns
    -------
    Outlook

    Raises
    ------
    InputError
        Parameters out of range, or strengths for which no solution was found.

    Examples
    --------
    >>> outlook = predict((1.0, 0.5), direction_norm=2.0, width=1)
    >>> outlook.unique, outlook.rest
    (True, (0, 1))
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
    best = best_solution(A, direction_norm, width)
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
