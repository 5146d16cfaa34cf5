"""The judgement of each piece of evidence: three one-sided tests per piece, with the error shared among a column's pieces.

A column's *primary* piece, declared beforehand, is tested at the full one-sided error of 2.5 %. The other pieces share 1.8 % by
Holm's procedure, separately for each direction: the chance that any of them is wrongly judged to hold is at most 1.8 %, however
they depend on each other, and at most 4.3 % with the primary piece; the remainder of 5 % is for further looks
(:mod:`~theory.verdict.spending`). Without a primary piece, the pieces share the full 2.5 %. A piece with several looks at its
data has a smaller level of its own, and its p-values are scaled up accordingly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from theory.claims import Claim, Evidence

ERROR = 0.025  # one-sided error of the primary piece
SHARED = 0.018  # one-sided error of all other pieces together, if there is a primary one
LEAST_REPLICAS = 3

HOLDS, CONTRADICTED, NO_EFFECT, UNDECIDED = "holds", "contradicted", "no effect", "undecided"
# reasons why a piece is shown but not judged
PILOT, UNINFORMATIVE, TOO_FEW = "pilot", "uninformative", "too few replicas"


@dataclass(frozen=True)
class Piece:
    """A piece of evidence with the results of its tests.

    Attributes
    ----------
    evidence : Evidence
        The piece.
    judgement : str
        :data:`HOLDS`, :data:`CONTRADICTED`, :data:`NO_EFFECT`, :data:`UNDECIDED`; or, for a piece that is not judged,
        :data:`PILOT`, :data:`UNINFORMATIVE` (it cannot vary, or is NaN) or :data:`TOO_FEW`.
    primary : bool
        Whether it is the column's primary piece.
    p_holds, p_fails, p_no_effect : float
        One-sided p-values, unadjusted; nan for a piece that is not judged.
    error : float
        Upper bound on the chance that its judgement is wrong: the p-value, adjusted for the pieces that share an error and for
        looks; nan for an undecided piece.
    """

    evidence: Evidence
    judgement: str
    primary: bool = False
    p_holds: float = math.nan
    p_fails: float = math.nan
    p_no_effect: float = math.nan
    error: float = math.nan

    @property
    def is_judged(self) -> bool:
        """Whether it is judged, not only shown."""
        return self.judgement in (HOLDS, CONTRADICTED, NO_EFFECT, UNDECIDED)

    @property
    def is_refuting(self) -> bool:
        """Whether the statistic is shown to lie where the claim does not hold."""
        return self.judgement in (CONTRADICTED, NO_EFFECT)


def why_unjudged(evidence: Evidence) -> str:
    """The reason why a piece is shown but not judged; empty if it is judged."""
    estimate = evidence.estimate
    if estimate.is_exact:  # a formula's value, even in a table of a pilot
        return ""
    if evidence.pilot:
        return PILOT
    if estimate.is_constant or math.isnan(estimate.mean):
        return UNINFORMATIVE
    return "" if estimate.has_interval and estimate.n >= LEAST_REPLICAS else TOO_FEW


def holm(p: Sequence[float]) -> np.ndarray:
    """p-values adjusted by Holm's step-down procedure: a hypothesis is rejected if its adjusted value is at most the error.

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65.
    """
    values = np.asarray(p, dtype=float)
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1)))
    return adjusted


def shared_error(pieces: Sequence[Piece]) -> float:
    """One-sided error of all pieces but the primary one; smaller if there is a primary one, judged or still a pilot."""
    return SHARED if any(piece.primary for piece in pieces) else ERROR


def judge(claim: Claim, evidence: Sequence[Evidence]) -> list[Piece]:
    """The pieces of one column, judged.

    Parameters
    ----------
    claim : Claim
        The claim, with its rule and the keys of its primary settings.
    evidence : sequence of Evidence
        Evidence of this claim, all of one column.

    Returns
    -------
    list of Piece
        In the order of the evidence.
    """
    pieces = [_tested(claim, item) for item in evidence]
    own = [i for i, piece in enumerate(pieces) if piece.is_judged and (piece.primary or piece.evidence.estimate.is_exact)]
    others = [i for i, piece in enumerate(pieces) if piece.is_judged and i not in own]
    error = shared_error(pieces)
    for name, word in (("p_fails", CONTRADICTED), ("p_no_effect", NO_EFFECT), ("p_holds", HOLDS)):  # no effect is a refutation
        values = [getattr(piece, name) * ERROR / piece.evidence.level for piece in pieces]
        tests = [(i, values[i], ERROR) for i in own]
        tests += [(i, p, error) for i, p in zip(others, holm([values[i] for i in others]))]
        for i, p, most in tests:
            if p <= most:
                pieces[i] = replace(pieces[i], judgement=word, error=float(p))
    return pieces


def _tested(claim: Claim, item: Evidence) -> Piece:
    """A piece with its p-values, still undecided, or with the reason why it is not judged."""
    primary, reason = item.column in claim.primary and claim.primary[item.column] in (item.key, item.study), why_unjudged(item)
    if reason:
        return Piece(item, reason, primary)
    return Piece(item, UNDECIDED, primary, *(test(item.estimate) for test in
                                             (claim.rule.p_holds, claim.rule.p_fails, claim.rule.p_no_effect)))
