"""What would settle an open question: the difference that a piece could have shown, and the replicas that would."""

import math

from lab.estimate import Estimate, _quantile
from theory.verdict.pieces import ERROR
from theory.verdict.rule import Rule

POWER = 0.8
MOST_REPLICAS = 16  # a piece that needs more is too small to decide here


def _factor(n: float, error: float) -> float:
    """Standard errors between the bound and the true value at which a test of n replicas has the power."""
    freedom = max(1.0, n - 1)
    return _quantile(1 - error, freedom) + _quantile(POWER, freedom)


def detectable(estimate: Estimate, error: float = ERROR) -> float:
    """Distance from a bound that would be shown in 80 % of repetitions with as many replicas; nan without an interval."""
    freedom = estimate.freedom
    n = math.inf if math.isinf(freedom) else freedom + 1
    return (_quantile(1 - error, n - 1 if n < math.inf else n) + _quantile(POWER, n - 1 if n < math.inf else n)) * estimate.error


def nearest_bound(rule: Rule, value: float) -> float:
    """Distance between a value of the statistic and the nearest end of a region of the rule."""
    ends = [b for b in (rule.above, rule.below) if not math.isinf(b)]
    if rule.null is not None:
        ends.append(2 * rule.null - rule.bound)
    return min(abs(value - end) for end in ends)


def replicas_needed(estimate: Estimate, rule: Rule, error: float = ERROR) -> int | None:
    """Replicas with which the effect that was found would be told from its nearest bound in 80 % of repetitions.

    None where it lies on a bound, or no interval says how much replicas differ.
    """
    if not estimate.has_interval or estimate.is_exact or estimate.is_constant:
        return None
    deviation, distance = estimate.error * math.sqrt(estimate.n), nearest_bound(rule, estimate.mean)
    if distance <= 0 or not math.isfinite(deviation / distance):
        return None
    n = 3
    while _factor(n, error) * deviation / math.sqrt(n) > distance:
        n = max(n + 1, math.ceil((_factor(n, error) * deviation / distance) ** 2))
        if n > 10**9:
            return None
    return n
