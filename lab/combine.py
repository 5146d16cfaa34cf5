"""Estimates from other estimates: bounds, floors, differences, and simultaneous intervals."""

import math
from dataclasses import replace
from functools import partial

from lab.errors import InputError
from lab.estimate import Estimate, estimated, exact, share_interval


def _clipped(estimate: Estimate, least: float, most: float, level: float) -> tuple[float, float]:
    low, high = estimate.at(level)
    return min(max(low, least), most), max(min(high, most), least)


def bounded(estimate: Estimate, least: float = -math.inf, most: float = math.inf) -> Estimate:
    """The estimate of a quantity between ``least`` and ``most``, with its interval cut to that range; coverage only grows."""
    if not estimate.has_interval or estimate.is_constant:
        return estimate
    return estimated(estimate.mean, estimate.n, estimate.method, partial(_clipped, estimate, least, most))


def _wider(estimate: Estimate, than: Estimate, level: float) -> tuple[float, float]:
    (low, high), (least, most) = estimate.at(level), than.at(level)
    return min(low, least), max(high, most)


def no_narrower(estimate: Estimate, than: Estimate) -> Estimate:
    """The estimate with an interval that contains that of ``than``, an estimate of the same quantity: a single source of error
    is a lower bound on the total.

    Both need an interval; otherwise the estimate is returned unchanged.
    """
    if not (estimate.has_interval and than.has_interval):
        return estimate
    return estimated(estimate.mean, estimate.n, f"{estimate.method}, no narrower than {than.method}",
                 partial(_wider, estimate, than))


def _stepped(estimate: Estimate, step: float, level: float) -> tuple[float, float]:
    low, high = estimate.at(level)
    return min(low, estimate.mean - step), max(high, estimate.mean + step)


def stepped(estimate: Estimate, step: float) -> Estimate:
    """The estimate of a quantity that is measured in steps, with an interval that extends at least one step to each side.

    All replicas may show the same number only because the step is larger than their differences.
    """
    if not estimate.has_interval:
        return estimate
    return estimated(estimate.mean, estimate.n, estimate.method, partial(_stepped, estimate, step))


def _mover(a: Estimate, b: Estimate, level: float) -> tuple[float, float]:
    (a_low, a_high), (b_low, b_high) = a.at(level), b.at(level)
    gap = a.mean - b.mean
    return gap - math.hypot(a.mean - a_low, b_high - b.mean), gap + math.hypot(a_high - a.mean, b.mean - b_low)


def difference(a: Estimate, b: Estimate) -> Estimate:
    """a - b of independent estimates, by the square-and-add rule; ``n`` is the smaller of the two, without that of exact values.

    Source: Zou & Donner 2008, Statistics in Medicine 27, 1693 (MOVER); Newcombe 1998 for two shares.
    """
    n = min((e.n for e in (a, b) if e.n), default=0)
    if a.is_exact and b.is_exact:
        return exact(a.mean - b.mean)
    if not (a.has_interval and b.has_interval):
        return Estimate(a.mean - b.mean, n=n)
    return estimated(a.mean - b.mean, n, "square-and-add", partial(_mover, a, b))


def share_difference(successes: int, n: int, other_successes: int, other_n: int) -> Estimate:
    """Difference of two independent shares with Newcombe's 95 % hybrid score interval.

    The ``n`` of the result is the smaller of the two.

    Source: Newcombe 1998, Statistics in Medicine 17, 873 (method 10).
    """
    return replace(difference(share_interval(successes, n), share_interval(other_successes, other_n)), method="Newcombe")


def widened(estimate: Estimate, tests: int) -> Estimate:
    """The same mean with a simultaneous interval for ``tests`` of them (Bonferroni): each misses with 5 %/``tests``.

    Parameters
    ----------
    estimate : Estimate
        With an interval, or an exact value.
    tests : int
        Number of intervals that are to hold simultaneously, at least 1.
    """
    if tests < 1:
        raise InputError(f"an interval holds for one test or more, not {tests}")
    if not estimate.has_interval or estimate.is_exact:
        return estimate
    return estimated(estimate.mean, estimate.n, estimate.method, partial(_bonferroni, estimate, tests))


def _bonferroni(estimate: Estimate, tests: int, level: float) -> tuple[float, float]:
    return estimate.at(1 - (1 - level) / tests)


def _of_largest(estimates: tuple[Estimate, ...], tests: int, level: float) -> tuple[float, float]:
    return (max(_bonferroni(e, tests, level)[0] for e in estimates), max(e.at(level)[1] for e in estimates))


def largest(*estimates: Estimate | None) -> Estimate | None:
    """The largest of several means, with an interval for the maximum of the true means.

    The mean is that of the largest estimate, which is biased upwards by the selection. Each end misses with at most half the
    error of the level, whatever the candidates' dependence. The lower end is the largest of the candidates' lower ends, which
    hold simultaneously (by Bonferroni, counting candidates without an estimate, too, since their lack of one is seen in the
    data). The upper end is the largest of their plain upper ends, which lies below the maximum only if that of the truly
    largest candidate does.
    """
    known = tuple(e for e in estimates if e is not None)
    if not known:
        return None
    best = max(known, key=lambda e: e.mean)
    if not all(e.has_interval for e in known):
        return Estimate(best.mean, n=best.n, method="largest of several")
    return estimated(best.mean, best.n, "largest of several", partial(_of_largest, known, len(estimates)))
