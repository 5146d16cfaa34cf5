"""The rule of a claim: bounds on its statistic, which are the smallest effects that matter, and three one-sided tests."""

import math
from dataclasses import dataclass

from lab.estimate import Estimate


@dataclass(frozen=True)
class Rule:
    """The claim holds if the statistic lies in the open interval (above, below).

    Attributes
    ----------
    above : float, default -inf
        Lower bound. A bound is the smallest effect that matters; a smaller one does not support the claim.
    below : float, default inf
        Upper bound, likewise.
    null : float, optional
        Value of the statistic without any effect (0 for a difference, 1 for a ratio), for claims that assert an effect in one
        direction. It lies on the other side of the bound, and the statistic shows *no effect* if it is closer to ``null`` than
        the bound is, on either side. None for claims without such a value.

    Raises
    ------
    ValueError
        If no number lies between the bounds, or ``null`` does not lie beyond a single bound.

    Examples
    --------
    >>> print(Rule(above=0.01, null=0.0))
    holds above 0.01; no effect: between -0.01 and 0.01
    """

    above: float = -math.inf
    below: float = math.inf
    null: float | None = None

    def __post_init__(self):
        if not self.above < self.below:
            raise ValueError(f"no number lies above {self.above:g} and below {self.below:g}")
        if self.null is not None and not (math.isinf(self.above) != math.isinf(self.below)
                                          and (self.null < self.above or self.null > self.below)):
            raise ValueError(f"a claim of an effect has one bound, and no effect ({self.null:g}) lies beyond it")

    @property
    def margin(self) -> float | None:
        """Distance between no effect and the bound, the smallest effect that matters; None without a null."""
        return None if self.null is None else abs(self.bound - self.null)

    @property
    def no_effect(self) -> tuple[float, float] | None:
        """The interval of values without an effect that matters; None without a null."""
        if self.null is None:
            return None
        margin = abs(self.bound - self.null)
        return self.null - margin, self.null + margin

    @property
    def bound(self) -> float:
        """The bound of a claim that has one (the upper one of a claim that has two)."""
        return self.above if math.isinf(self.below) else self.below

    def __str__(self) -> str:
        bounds = ([f"above {self.above:g}"] * (self.above > -math.inf)
                  + [f"below {self.below:g}"] * (self.below < math.inf))
        ends = self.no_effect
        none = "" if ends is None else f"; no effect: between {ends[0]:g} and {ends[1]:g}"
        return "holds " + " and ".join(bounds) + none

    def contains(self, value: float) -> bool:
        """Whether the claim holds at this value of the statistic."""
        return self.above < value < self.below

    def p_holds(self, estimate: Estimate) -> float:
        """p-value for "the statistic lies inside": two one-sided tests; nan without an interval."""
        return _larger(estimate.p_above(self.above), estimate.p_below(self.below))

    def p_fails(self, estimate: Estimate) -> float:
        """p-value for "the statistic lies outside", on either side (twice the smaller if there are two sides). A formula's value
        on a bound lies outside."""
        if estimate.is_exact:
            return float(self.contains(estimate.mean))
        sides = ([estimate.p_below(self.above)] * (self.above > -math.inf)
                 + [estimate.p_above(self.below)] * (self.below < math.inf))
        return min(1.0, len(sides) * min(sides)) if not any(map(math.isnan, sides)) else math.nan

    def p_no_effect(self, estimate: Estimate) -> float:
        """p-value for "no effect that matters", by two one-sided tests (equivalence); 1 without a null."""
        ends = self.no_effect
        if ends is None:
            return 1.0
        return _larger(estimate.p_above(ends[0]), estimate.p_below(ends[1]))


def _larger(p: float, other: float) -> float:
    """The larger of two p-values; nan if either is."""
    return math.nan if math.isnan(p) or math.isnan(other) else max(p, other)
