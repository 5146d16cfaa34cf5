"""The verdict of a column, and of a claim.

A column whose primary piece is a pilot still waits for it. Otherwise it is decided by that piece at the full error, by the
mean over settings where there are at least five clusters (:mod:`~theory.verdict.pool`) or by what more than half of these say
by themselves, and, where there are fewer, by any other piece at the shared error. So a column in which every setting lies on
the bound reads "holds" in less than 5 % of repetitions. What is shown to lie on both sides, pieces, mean or levels of the
declared moderator, makes the column depend on the setting.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.estimate import Estimate
from theory.claims import COLUMNS, Claim, Evidence
from theory.verdict.moderators import Moderator, moderator
from theory.verdict.pieces import (
    CONTRADICTED,
    ERROR,
    HOLDS,
    NO_EFFECT,
    PILOT,
    SHARED,
    TOO_FEW,
    Piece,
    judge,
    shared_error,
)
from theory.verdict.pool import Pool, pool
from theory.verdict.rule import Rule

DEPENDS, INCONCLUSIVE, NOT_MEASURED = "depends", "inconclusive", "not yet measured"
VERDICTS = (HOLDS, DEPENDS, CONTRADICTED, NO_EFFECT, INCONCLUSIVE, NOT_MEASURED)
OPEN = (INCONCLUSIVE, NOT_MEASURED)
REFUTED = (CONTRADICTED, NO_EFFECT)


@dataclass(frozen=True)
class Column:
    """What one of theory, toy and real says of a claim.

    Attributes
    ----------
    verdict : one of :data:`VERDICTS`.
    error : the chance at most that it is wrong, from the p-values behind it; 0 for formulas, nan where it is open.
    pieces : all of them, judged or shown.
    pool : mean over clusters, where there are enough.
    on_average : whether that mean says what the verdict says.
    moderator : test of the attribute that the claim declares, where settings have it.
    """

    verdict: str
    error: float = math.nan
    pieces: tuple[Piece, ...] = ()
    pool: Pool | None = None
    moderator: Moderator | None = None
    on_average: bool = False

    def of(self, *judgements: str) -> list[Piece]:
        """The pieces with these judgements."""
        return [piece for piece in self.pieces if piece.judgement in judgements]

    @property
    def awaited(self) -> Piece | None:
        """The primary piece where it is there and is to be measured anew: until then nothing else decides."""
        return next((piece for piece in self.of(PILOT, TOO_FEW) if piece.primary), None)

    @property
    def judged(self) -> list[Piece]:
        """The pieces that count."""
        return [piece for piece in self.pieces if piece.is_judged]


def decide_column(claim: Claim, evidence: Iterable[Evidence]) -> Column:
    """The verdict of one column.

    Parameters
    ----------
    claim : as declared.
    evidence : of this claim and column alone.
    """
    evidence = list(evidence)
    if not evidence:
        return Column(NOT_MEASURED)
    pieces = tuple(judge(claim, evidence))
    judged = [piece for piece in pieces if piece.is_judged]
    if not judged:
        return Column(INCONCLUSIVE, pieces=pieces)
    tested = moderator(claim.moderator, (p.evidence for p in judged)) if claim.moderator else None
    if all(piece.evidence.estimate.is_exact for piece in judged):
        return Column(_exact(judged), 0.0, pieces, None, tested)
    mean = pool(piece.evidence for piece in judged)
    if (waiting := Column(INCONCLUSIVE, math.nan, pieces, mean, tested)).awaited:
        return waiting
    means = ("", math.nan) if mean is None else _pooled(claim.rule, judged, mean)
    verdict, error = _sampled(claim.rule, judged, means, mean is None, tested)
    return Column(verdict, error, pieces, mean, tested, means[0] == verdict)


def _exact(judged: Sequence[Piece]) -> str:
    """Formulas: all their settings hold, or all fail, or it depends."""
    words = {piece.judgement for piece in judged}
    if len(words) == 1:
        return words.pop()
    return CONTRADICTED if words <= set(REFUTED) else DEPENDS


def said(rule: Rule, estimate: Estimate, error: float = ERROR) -> tuple[str, float]:
    """What an estimate says at a one-sided error, and the p-value behind it; ("", nan) if nothing."""
    for word, p in ((HOLDS, rule.p_holds(estimate)), (NO_EFFECT, rule.p_no_effect(estimate)),
                    (CONTRADICTED, rule.p_fails(estimate))):
        if p <= error:
            return word, p
    return "", math.nan


def _sampled(rule: Rule, judged: Sequence[Piece], mean: tuple[str, float], few: bool,
             tested: Moderator | None) -> tuple[str, float]:
    """Verdict and error of a column that is not of formulas alone.

    ``mean``: what the mean over settings says, with its error; ``few``: there are too few settings for one.
    """
    common = {word for side in ((HOLDS,), REFUTED) if few or _share(judged, side) > 0.5 for word in side}
    pieces = [(piece.judgement, piece.error, piece.primary or piece.evidence.estimate.is_exact or piece.judgement in common)
              for piece in judged]
    means = [(*mean, True)]
    if tested is not None and tested.separates:  # a level may refute what is decided elsewhere; alone it decides nothing
        share = ERROR / len(tested.means)
        means += [(word, p * len(tested.means), False) for word, p in (said(rule, e, share) for e in tested.means.values())]
    found = [(word, error, decides) for word, error, decides in (*pieces, *means) if word in (HOLDS, *REFUTED)]
    holding, refuting = ([item for item in found if (item[0] == HOLDS) is side] for side in (True, False))
    if holding and refuting:
        return DEPENDS, _least(holding) + _least(refuting)
    decisive = [item for item in found if item[2]]
    words = {word for word, _, _ in decisive}
    if not words:
        return INCONCLUSIVE, math.nan
    return (words.pop() if len(words) == 1 else CONTRADICTED), _least(decisive)


def _share(judged: Sequence[Piece], words: Sequence[str]) -> float:
    """Share of the clusters of which a piece says one of these words."""
    names = {piece.evidence.cluster_name for piece in judged}
    return len({piece.evidence.cluster_name for piece in judged if piece.judgement in words}) / len(names)


def _least(found: Sequence[tuple]) -> float:
    """The smallest error of what says the same: if one of them is right, so is the verdict."""
    return min(error for _, error, _ in found)


def _pooled(rule: Rule, judged: Sequence[Piece], mean: Pool) -> tuple[str, float]:
    """What the mean over settings says, at the shared error; where one of them has had more looks, at its level."""
    looks = min(piece.evidence.level for piece in judged) / ERROR
    word, p = said(rule, mean.mean, shared_error(judged) * looks)
    return word, p / looks


@dataclass(frozen=True)
class Verdict:
    """What is known of a claim.

    Attributes
    ----------
    claim : it.
    columns : name -> :class:`Column`, of the columns that can speak to it.
    verdict : of the row, one of :data:`VERDICTS`.
    """

    claim: Claim
    columns: dict[str, Column]
    verdict: str

    @property
    def error(self) -> float:
        """The chance at most that the verdict is wrong, from those of its decided columns; nan where it is open."""
        if self.verdict in OPEN:
            return math.nan
        return min(1.0, sum(column.error for column in self.columns.values() if column.verdict not in OPEN))


def wrong(verdicts: Iterable[Verdict]) -> dict[str, float]:
    """How many verdicts must be expected to be wrong.

    Returns
    -------
    dict : ``decided``, the number of verdicts that say something; ``expected``, the sum of their errors as their p-values
        stand; ``at_most``, were every sampled column on its bound: 4.3 % for each that is judged.
    """
    verdicts = list(verdicts)
    decided = [v for v in verdicts if v.verdict not in OPEN]
    sampled = sum(any(not p.evidence.estimate.is_exact for p in column.judged) for v in verdicts for column in v.columns.values())
    return {"decided": len(decided), "expected": sum(v.error for v in decided), "at_most": (ERROR + SHARED) * sampled}


def decide(claim: Claim, evidence: Iterable[Evidence]) -> Verdict:
    """The verdict of a claim over all its evidence."""
    own = [item for item in evidence if item.claim == claim.id]
    columns = {name: decide_column(claim, [item for item in own if item.column == name])
               for name in COLUMNS if name in claim.columns}
    return Verdict(claim, columns, row_verdict({name: column.verdict for name, column in columns.items()}))


def row_verdict(columns: dict[str, str]) -> str:
    """One word for a claim from those of its columns.

    Columns that are decided and agree give their word (no effect here and contradicted there: contradicted); where they
    differ it depends. A column of real networks that is declared and undecided leaves the claim inconclusive, whatever
    theory and toy say; nothing measured anywhere, not yet measured.
    """
    if all(word == NOT_MEASURED for word in columns.values()):
        return NOT_MEASURED
    if columns.get("real") in OPEN:
        return INCONCLUSIVE
    decided = {word for word in columns.values() if word not in OPEN}
    if not decided:
        return INCONCLUSIVE
    if len(decided) == 1:
        return decided.pop()
    return CONTRADICTED if decided <= set(REFUTED) else DEPENDS
