"""The lottery-ticket null: a network of width n as C(n, k) independent tickets of width k.

Derived here (``landscape-tickets``); the result is stated in :mod:`theory.landscape`.
"""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from lab import checks
from lab.arrays import floats
from lab.combine import difference
from lab.errors import ArgumentError
from lab.estimate import Estimate, share_interval, transformed


def _probability(value: npt.ArrayLike, name: str) -> np.ndarray:
    value = floats(value, "value")
    if not np.all((value >= 0) & (value <= 1)):
        raise ArgumentError(f"{name} must be a probability in [0, 1]")
    return value


def ticket_null(p_fail: npt.ArrayLike, n: int, k: int) -> np.ndarray | float:
    """P_fail(n) = P_fail(k)^C(n, k): failure probability of width n if its k-subsets were independent tickets.

    Source: derived here (``landscape-tickets``); the null hypothesis of S2's "lottery tickets".

    Parameters
    ----------
    p_fail : array_like
        Probability that one network of width k fails, in [0, 1].
    n : int
        Width of the wide network, at least k.
    k : int
        Width of a ticket, at least 1.

    Returns
    -------
    float or ndarray
        Probability, of the shape of ``p_fail``.

    Raises
    ------
    InputError
        If ``p_fail`` is not a probability, n < k or k < 1.

    Examples
    --------
    >>> round(ticket_null(0.5, 4, 2), 6), ticket_null([0.0, 1.0], 100, 50)
    (0.015625, array([0., 1.]))
    """
    p_fail = _probability(p_fail, "p_fail")
    if checks.whole_number("k", k) > checks.whole_number("n", n):
        raise ArgumentError(f"a network of width {n} has no tickets of width {k}; need n >= k >= 1")
    # through logarithms, since C(n, k) overflows a double long before the result does
    with np.errstate(divide="ignore"):
        log_fail = np.where(p_fail > 0, np.log(np.where(p_fail > 0, p_fail, 1.0)), -np.inf)
    subsets = math.comb(n, k)
    count = float(subsets) if subsets < 2**1000 else math.inf
    with np.errstate(invalid="ignore"):
        result = np.where(log_fail == 0, 1.0, np.exp(count * np.where(log_fail == 0, -1.0, log_fail)))
    return float(result) if result.ndim == 0 else result


def effective_tickets(p_fail_wide: npt.ArrayLike, p_fail_narrow: npt.ArrayLike) -> np.ndarray | float:
    """N_eff = ln P_fail(n)/ln P_fail(k): number of independent tickets that would explain the wide network's failure rate.

    Source: derived here (``landscape-tickets``).

    Parameters
    ----------
    p_fail_wide : array_like
        Probability that the wide network fails, in [0, 1]; the two broadcast.
    p_fail_narrow : array_like
        Probability that the narrow network fails, in (0, 1).

    Returns
    -------
    float or ndarray
        N_eff >= 0, of the broadcast shape; inf if the wide network never fails.

    Raises
    ------
    InputError
        If an argument is not a probability, or the narrow network always or never fails (which gives no information on tickets).

    Examples
    --------
    >>> round(effective_tickets(0.125, 0.5), 6), effective_tickets(0.0, 0.5)
    (3.0, inf)
    """
    wide, narrow = _probability(p_fail_wide, "p_fail_wide"), _probability(p_fail_narrow, "p_fail_narrow")
    if np.any((narrow == 0) | (narrow == 1)):
        raise ArgumentError("p_fail_narrow must lie strictly between 0 and 1")
    with np.errstate(divide="ignore"):
        result = np.where(wide > 0, np.log(np.where(wide > 0, wide, 1.0)) / np.log(narrow), np.inf)
    result = np.abs(result)  # no -0.0 if the wide network always fails
    return float(result) if result.ndim == 0 else result


def effective_over_nominal(failed: int, n: int, failed_narrow: int, n_narrow: int, tickets: float) -> Estimate:
    """Effective tickets over their nominal number, from counts of two independent samples, with a 95 % interval.

    ln P_fail(wide)/ln P_fail(narrow)/tickets. It has an interval for any counts, so that no sample has to be dropped because of
    its outcome: the interval extends to infinity if the wide network never failed, and down to 0 if it always failed. The
    estimate itself adds half a failure and half a success (Haldane and Anscombe), without which it would be infinite there.

    Source: Wilson's intervals of both shares, on the scale ln(-ln P), combined by the square-and-add rule.

    Parameters
    ----------
    failed : int
        Failures of the wide network, in 0 ... n.
    n : int
        Runs of the wide network, at least 1.
    failed_narrow : int
        Failures of the narrow network, in 0 ... n_narrow.
    n_narrow : int
        Runs of the narrow network, at least 1.
    tickets : float
        Nominal number of tickets, above 0.

    Returns
    -------
    lab.estimate.Estimate
        Mean and interval.

    Raises
    ------
    InputError
        If the counts are invalid, or ``tickets`` is not positive.

    Examples
    --------
    >>> estimate = effective_over_nominal(2, 50, 25, 50, tickets=6)
    >>> round(estimate.mean, 2), round(estimate.low, 2), round(estimate.high, 2)
    (0.73, 0.42, 1.29)
    """
    checks.real_number("tickets", tickets, above=0)
    wide, narrow = (transformed(replace(share_interval(x, m), mean=(x + 0.5) / (m + 1)), _log_log)
                    for x, m in ((failed, n), (failed_narrow, n_narrow)))
    return transformed(difference(wide, narrow), partial(_share_of, tickets))


def _log_log(p: float) -> float:
    """ln(-ln p), its limits at 0 and 1."""
    return math.inf if p <= 0 else -math.inf if p >= 1 else math.log(-math.log(p))


def _share_of(tickets: float, log: float) -> float:
    return math.exp(log) / tickets
