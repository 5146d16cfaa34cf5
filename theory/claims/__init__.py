"""The register of claims: every sentence of the four texts made checkable, with the rule that judges it.

A :class:`Claim` names one *statistic* (a number that theory, toy and real networks can each produce), and a
:class:`Rule` on it. :class:`Evidence` is that number measured somewhere, with its uncertainty. :func:`verdict` follows
from rule and evidence alone; nothing here is typed in after the fact.

Sources: S0 Duzgun, Jelassi & Li (arXiv 2407.00968); S1 Casper et al. (arXiv 1912.04783); S2 Martinelli et al. 2026 and
the public discussion of it; S3 Yousefzadeh (arXiv 2203.10366, 2101.09849).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lab.discover import by_name, declared
from lab.estimate import Estimate

COLUMNS = ("theory", "toy", "real")
HOLDS, FAILS, MIXED, UNDECIDED, NOT_MEASURED = "holds", "fails", "mixed", "undecided", "not yet measured"


@dataclass(frozen=True)
class Rule:
    """The claim holds where the statistic lies in the open interval (above, below).

    One piece of evidence *holds* if its whole 95 % interval lies inside, *fails* if it lies outside, and is *undecided*
    if the interval reaches across a bound or does not exist (a single run; an end that is no number). An exact value has
    no width.
    """

    above: float = -math.inf
    below: float = math.inf

    def __str__(self) -> str:
        bounds = ([f"above {self.above:g}"] * (self.above > -math.inf)
                  + [f"below {self.below:g}"] * (self.below < math.inf))
        return "holds where the 95 % interval lies " + " and ".join(bounds) + "; fails where it lies wholly outside"

    def judge(self, estimate: Estimate) -> str:
        """``holds``, ``fails`` or ``undecided`` for one estimate."""
        if estimate.low is None or estimate.high is None or math.isnan(estimate.mean) or not estimate.low <= estimate.high:
            return UNDECIDED  # a bound that is no number makes no interval
        if estimate.low > self.above and estimate.high < self.below:
            return HOLDS
        if estimate.high <= self.above or estimate.low >= self.below:
            return FAILS
        return UNDECIDED


@dataclass(frozen=True)
class Claim:
    """A sentence of a paper made checkable.

    Attributes
    ----------
    id : short name, ``s0.narrow-does-not-span``.
    source : paper, and where in it.
    claim : the sentence.
    statistic : the number that is measured, in words; the same one in every column.
    refuted_by : what would refute it.
    rule : on the statistic.
    columns : which of theory, toy and real can speak to it.
    """

    id: str
    source: str
    claim: str
    statistic: str
    refuted_by: str
    rule: Rule
    columns: tuple[str, ...] = COLUMNS


@dataclass(frozen=True)
class Evidence:
    """One measurement of a claim's statistic.

    Attributes
    ----------
    claim : the claim's id.
    column : "theory", "toy" or "real".
    setting : where it was measured, for a person ("ResNet-18, digits, alpha 1/8").
    estimate : the statistic with its interval; ``lab.estimate.exact`` for a formula.
    runs : ids of the runs behind it (empty for a formula).
    note : what a reader should know of how it was made; "" for nothing.
    """

    claim: str
    column: str
    setting: str
    estimate: Estimate
    runs: tuple[str, ...] = ()
    note: str = ""


def claims() -> dict[str, Claim]:
    """All claims by id: the ``CLAIMS`` of every file of this folder, in the order of the files' names.

    Raises
    ------
    lab.discover.DeclarationError : a file without ``CLAIMS``, or an id that is taken.
    """
    return by_name(declared(__name__, "CLAIMS", Claim), lambda claim: claim.id)


def combine(judgements: Iterable[str]) -> str:
    """One verdict from many judgements.

    Nothing measured: ``not yet measured``. All hold: ``holds``. All fail: ``fails``. Anything else (they disagree, or
    an interval reaches across the rule's bound): ``mixed``.
    """
    seen = set(judgements)
    if not seen:
        return NOT_MEASURED
    if seen == {HOLDS}:
        return HOLDS
    if seen == {FAILS}:
        return FAILS
    return MIXED


def verdict(claim: Claim, evidence: Iterable[Evidence]) -> str:
    """The claim's verdict over all its evidence."""
    return combine(claim.rule.judge(e.estimate) for e in evidence if e.claim == claim.id)
