"""What each piece of evidence says: three one-sided tests a piece, with the error shared among a column's pieces.

A column's *primary* piece, declared beforehand, is tested at the full one-sided error of 2.5 %. The others share 1.8 % by
Holm's procedure, each direction for itself: the chance that any of them is wrongly said to hold is 1.8 % at most, however
they depend on each other, and that any at all is, 4.3 %; what is left of 5 % is for more looks
(:mod:`~theory.verdict.spending`). Where no piece is primary they share the full 2.5 %. A piece that had more looks at its
data brings a smaller level of its own, and its p-values are counted up accordingly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from theory.claims import Claim, Evidence

ERROR = 0.025  # one-sided, of the primary piece
SHARED = 0.018  # of all the others together, beside it
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
    error : the chance at most that its judgement is wrong: the p-value behind it, counted up for the pieces that share and
        for looks; nan where it says nothing.
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
        """Whether it counts."""
        return self.judgement in (HOLDS, CONTRADICTED, NO_EFFECT, UNDECIDED)

    @property
    def is_refuting(self) -> bool:
        """Whether the statistic is shown to lie where the claim does not hold."""
        return self.judgement in (CONTRADICTED, NO_EFFECT)


def why_unjudged(evidence: Evidence) -> str:
    """The reason that a piece is shown and not judged, "" if it is judged."""
    estimate = evidence.estimate
    if estimate.is_exact:  # a formula's, whatever the table that it stands in
        return ""
    if evidence.pilot:
        return PILOT
    if estimate.is_constant or math.isnan(estimate.mean):
        return UNINFORMATIVE
    return "" if estimate.has_interval and estimate.n >= LEAST_REPLICAS else TOO_FEW


def holm(p: Sequence[float]) -> np.ndarray:
    """p-values adjusted by Holm's step-down procedure: a hypothesis is rejected where its own is at most the error.

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65.
    """
    values = np.asarray(p, dtype=float)
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1)))
    return adjusted


def shared_error(pieces: Sequence[Piece]) -> float:
    """One-sided error of all that is not the primary piece: less where there is one, judged or still a pilot."""
    return SHARED if any(piece.primary for piece in pieces) else ERROR


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
    pieces = [_tested(claim, item) for item in evidence]
    own = [i for i, piece in enumerate(pieces) if piece.is_judged and (piece.primary or piece.evidence.estimate.is_exact)]
    others = [i for i, piece in enumerate(pieces) if piece.is_judged and i not in own]
    error = shared_error(pieces)
    for name, word in (("p_fails", CONTRADICTED), ("p_no_effect", NO_EFFECT), ("p_holds", HOLDS)):  # no effect is a refutation
        value = [getattr(piece, name) * ERROR / piece.evidence.level for piece in pieces]
        said = [(i, value[i], ERROR) for i in own] + [(i, p, error) for i, p in zip(others, holm([value[i] for i in others]))]
        for i, p, most in said:
            if p <= most:
                pieces[i] = replace(pieces[i], judgement=word, error=float(p))
    return pieces


def _tested(claim: Claim, item: Evidence) -> Piece:
    """A piece with its p-values, undecided, or with the reason why it is not judged."""
    primary, reason = item.column in claim.primary and claim.primary[item.column] in (item.key, item.study), why_unjudged(item)
    if reason:
        return Piece(item, reason, primary)
    return Piece(item, UNDECIDED, primary, *(test(item.estimate) for test in
                                             (claim.rule.p_holds, claim.rule.p_fails, claim.rule.p_no_effect)))
