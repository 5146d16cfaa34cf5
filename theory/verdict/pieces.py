"""What each piece of evidence says: three one-sided tests a piece, with the error shared among a column's pieces.

A column's *primary* piece, declared beforehand, is tested at the full one-sided error of 2.5 %. The others share theirs by
Holm's procedure, each direction for itself: the chance that any of them is wrongly said to hold is 2.5 % at most, however
they depend on each other. A piece that had more looks at its data brings a smaller level of its own, and its p-value is
counted up accordingly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from theory.claims import Claim, Evidence

ERROR = 0.025  # one-sided
LEAST_REPLICAS = 3

HOLDS, CONTRADICTED, NO_EFFECT, UNDECIDED = "holds", "contradicted", "no effect", "undecided"
# why a piece is shown and not judged
PILOT, UNINFORMATIVE, TOO_FEW = "pilot", "uninformative", "too few replicas"


@dataclass(frozen=True)
class Piece:
    """A piece of evidence with what its tests say.

    Attributes
    ----------
    evidence : the piece.
    judgement : :data:`HOLDS`, :data:`CONTRADICTED`, :data:`NO_EFFECT`, :data:`UNDECIDED`; or, where it is not judged,
        :data:`PILOT`, :data:`UNINFORMATIVE` (it cannot vary, or is no number) or :data:`TOO_FEW`.
    primary : whether it is the column's primary piece.
    p_holds, p_fails, p_no_effect : one-sided p-values, as measured; nan where it is not judged.
    """

    evidence: Evidence
    judgement: str
    primary: bool = False
    p_holds: float = math.nan
    p_fails: float = math.nan
    p_no_effect: float = math.nan

    @property
    def is_judged(self) -> bool:
        """Whether it counts."""
        return self.judgement in (HOLDS, CONTRADICTED, NO_EFFECT, UNDECIDED)

    @property
    def is_refuting(self) -> bool:
        """Whether the statistic is shown to lie where the claim does not hold."""
        return self.judgement in (CONTRADICTED, NO_EFFECT)


def why_unjudged(evidence: Evidence) -> str:
    """The reason that a piece is shown and not judged, "" if it is judged."""
    estimate = evidence.estimate
    if evidence.pilot:
        return PILOT
    if estimate.is_exact:
        return ""
    if estimate.is_constant or math.isnan(estimate.mean):
        return UNINFORMATIVE
    return "" if estimate.has_interval and estimate.n >= LEAST_REPLICAS else TOO_FEW


def holm(p: Sequence[float], error: float = ERROR) -> np.ndarray:
    """Which hypotheses are rejected by Holm's step-down procedure (bool, as many as there are p-values).

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65.
    """
    p = np.asarray(p, dtype=float)
    order = np.argsort(p, kind="stable")
    passed = np.logical_and.accumulate(p[order] <= error / np.arange(p.size, 0, -1))
    rejected = np.zeros(p.size, dtype=bool)
    rejected[order] = passed
    return rejected


def judge(claim: Claim, evidence: Sequence[Evidence]) -> list[Piece]:
    """The pieces of one column, judged.

    Parameters
    ----------
    claim : with its rule and the keys of its primary settings.
    evidence : of this claim, all of one column.

    Returns
    -------
    list of Piece : in the order of the evidence.
    """
    rule, found, tested = claim.rule, [], []
    for item in evidence:
        primary = claim.primary.get(item.column) in {item.key, item.study or None}
        reason = why_unjudged(item)
        if reason:
            found.append(Piece(item, reason, primary))
            continue
        e = item.estimate
        p = [test(e) for test in (rule.p_holds, rule.p_fails, rule.p_no_effect)]
        tested.append(len(found))
        found.append(Piece(item, UNDECIDED, primary, *p))
    shared = [i for i in tested if not found[i].primary and not found[i].evidence.estimate.is_exact]
    for name, word in (("p_fails", CONTRADICTED), ("p_no_effect", NO_EFFECT), ("p_holds", HOLDS)):  # no effect is a refutation
        value = {i: getattr(found[i], name) * ERROR / found[i].evidence.level for i in tested}
        rejected = {i: value[i] <= ERROR for i in tested} | dict(zip(shared, holm([value[i] for i in shared])))
        for i in tested:
            if rejected[i]:
                found[i] = _said(found[i], word)
    return found


def _said(piece: Piece, word: str) -> Piece:
    return Piece(piece.evidence, word, piece.primary, piece.p_holds, piece.p_fails, piece.p_no_effect)
