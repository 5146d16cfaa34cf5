"""What would settle an open claim: the smallest difference that a piece can detect, and the replicas that it needs."""

import math

from lab.estimate import Estimate
from theory.verdict.pieces import ERROR, LEAST_REPLICAS
from theory.verdict.rule import Rule

POWER = 0.8
MOST_REPLICAS = 16  # an effect that needs more networks is too small to decide here
_MOST = 10**9


def power(distance: float, n: int, error: float = ERROR) -> float:
    """Power of a one-sided t test with n replicas at a distance from the bound, in standard deviations of a replica."""
    from scipy.special import nctdtr, stdtrit

    return float(1 - nctdtr(n - 1, distance * math.sqrt(n), stdtrit(n - 1, 1 - error)))


def _noncentrality(freedom: float, error: float) -> float:
    """Distance between bound and true value, in standard errors, at which a one-sided test has the power :data:`POWER`."""
    from scipy.special import nctdtrinc, ndtri, stdtrit

    if freedom > 1e3:
        return float(ndtri(1 - error) + ndtri(POWER))
    return float(nctdtrinc(freedom, 1 - POWER, stdtrit(freedom, 1 - error)))


def detectable(estimate: Estimate, error: float = ERROR) -> float:
    """Distance from a bound that is detected in 80 % of repetitions with as many replicas; nan without an interval."""
    return _noncentrality(estimate.freedom, error) * estimate.error if estimate.has_interval else math.nan


def nearest_bound(rule: Rule, value: float) -> float:
    """Distance between a value of the statistic and the nearest end of a region of the rule."""
    ends = [b for b in (rule.above, rule.below) if not math.isinf(b)]
    if rule.null is not None:
        ends.append(2 * rule.null - rule.bound)
    return min(abs(value - end) for end in ends)


def replicas_needed(estimate: Estimate, rule: Rule, error: float = ERROR) -> int | None:
    """Number of replicas with which the measured effect would be distinguished from its nearest bound in 80 % of repetitions.

    None if it lies on a bound, or if the variance between replicas is unknown.
    """
    if not estimate.has_interval or estimate.is_exact or estimate.is_constant:
        return None
    deviation, distance = estimate.error * math.sqrt(estimate.n), nearest_bound(rule, estimate.mean)
    if distance <= 0 or not math.isfinite(ratio := deviation / distance) or (4 * ratio) ** 2 > _MOST:
        return None
    known = math.isinf(estimate.freedom)  # the error of a share is not estimated from replicas
    enough = lambda n: (_noncentrality(math.inf if known else n - 1, error) * ratio) ** 2 <= n  # noqa: E731
    low, high = LEAST_REPLICAS - 1, LEAST_REPLICAS
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def power_of(estimate: Estimate, rule: Rule, n: int, error: float = ERROR) -> float:
    """Chance that n replicas distinguish the measured effect from its nearest bound."""
    return power(nearest_bound(rule, estimate.mean) / (estimate.error * math.sqrt(estimate.n)), n, error)


def most_replicas(estimate: Estimate) -> int:
    """The largest number of replicas of a piece: 16 networks, or, where replicas are cheap, 16 times the present number."""
    return MOST_REPLICAS if estimate.n <= MOST_REPLICAS else MOST_REPLICAS * estimate.n


def too_many(estimate: Estimate, needed: int) -> bool:
    """Whether a piece is too small to decide here."""
    return needed > most_replicas(estimate)
