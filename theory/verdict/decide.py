"""The verdict of a column, and of a claim.

A column whose primary piece is a pilot stays open until that is measured again. Otherwise the column is decided by its primary
piece at the full error. With at least five clusters of settings, it can also be decided by their mean
(:mod:`~theory.verdict.pool`) or by the individual results of more than half of them; with fewer, by any other piece at the shared
error. So a column in which every setting lies on the bound gets the verdict "holds" in less than 5 % of repetitions. If pieces,
the mean or levels of the declared moderator are shown to lie on both sides, the column depends on the setting.
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
    """The result of one column (theory, toy or real) for a claim.

    Attributes
    ----------
    verdict : str
        One of :data:`VERDICTS`.
    error : float
        Upper bound on the chance that the verdict is wrong, from its p-values; 0 for formulas, nan for an open column.
    pieces : tuple of Piece
        All pieces, judged or only shown.
    pool : Pool or None
        Mean over clusters, if there are enough of them.
    moderator : Moderator or None
        Test of the attribute that the claim declares, if settings have it.
    on_average : bool
        Whether that mean leads to the same verdict by itself.
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
        """The primary piece if it has to be measured again; until then nothing else decides."""
        return next((piece for piece in self.of(PILOT, TOO_FEW) if piece.primary), None)

    @property
    def judged(self) -> list[Piece]:
        """The pieces that are judged, not only shown."""
        return [piece for piece in self.pieces if piece.is_judged]


def decide_column(claim: Claim, evidence: Iterable[Evidence]) -> Column:
    """The verdict of one column.

    Parameters
    ----------
    claim : Claim
        The claim as declared.
    evidence : iterable of Evidence
        The evidence of this claim and column only.
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
    """The verdict of formulas: all settings hold, all fail, or it depends."""
    words = {piece.judgement for piece in judged}
    if len(words) == 1:
        return words.pop()
    return CONTRADICTED if words <= set(REFUTED) else DEPENDS


def conclusion(rule: Rule, estimate: Estimate, error: float = ERROR) -> tuple[str, float]:
    """The conclusion from an estimate at a one-sided error, with its p-value; ("", nan) if there is none."""
    for word, p in ((HOLDS, rule.p_holds(estimate)), (NO_EFFECT, rule.p_no_effect(estimate)),
                    (CONTRADICTED, rule.p_fails(estimate))):
        if p <= error:
            return word, p
    return "", math.nan


def _sampled(rule: Rule, judged: Sequence[Piece], mean: tuple[str, float], few: bool,
             tested: Moderator | None) -> tuple[str, float]:
    """Verdict and error of a column with sampled evidence.

    Parameters
    ----------
    rule : Rule
        The claim's rule.
    judged : sequence of Piece
        The judged pieces.
    mean : (str, float)
        Conclusion from the mean over settings, and its error.
    few : bool
        Whether there are too few settings for a mean.
    tested : Moderator or None
        Test of the moderator.
    """
    common = {word for side in ((HOLDS,), REFUTED) if few or _share(judged, side) > 0.5 for word in side}
    pieces = [(piece.judgement, piece.error, piece.primary or piece.evidence.estimate.is_exact or piece.judgement in common)
              for piece in judged]
    means = [(*mean, True)]
    if tested is not None and tested.separates:  # a level may contradict another conclusion, but decides nothing by itself
        share = ERROR / len(tested.means)
        means += [(word, p * len(tested.means), False)
                  for word, p in (conclusion(rule, e, share) for e in tested.means.values())]
    conclusions = [(word, error, decides) for word, error, decides in (*pieces, *means) if word in (HOLDS, *REFUTED)]
    holding, refuting = ([item for item in conclusions if (item[0] == HOLDS) is side] for side in (True, False))
    if holding and refuting:
        return DEPENDS, _least(holding) + _least(refuting)
    decisive = [item for item in conclusions if item[2]]
    words = {word for word, _, _ in decisive}
    if not words:
        return INCONCLUSIVE, math.nan
    return (words.pop() if len(words) == 1 else CONTRADICTED), _least(decisive)


def _share(judged: Sequence[Piece], words: Sequence[str]) -> float:
    """Share of the clusters with a piece whose judgement is one of these words."""
    names = {piece.evidence.cluster_name for piece in judged}
    return len({piece.evidence.cluster_name for piece in judged if piece.judgement in words}) / len(names)


def _least(conclusions: Sequence[tuple]) -> float:
    """The smallest error of equal conclusions: if one of them is right, so is the verdict."""
    return min(error for _, error, _ in conclusions)


def _pooled(rule: Rule, judged: Sequence[Piece], mean: Pool) -> tuple[str, float]:
    """Conclusion from the mean over settings, at the shared error, reduced if a setting has had several looks."""
    looks = min(piece.evidence.level for piece in judged) / ERROR
    word, p = conclusion(rule, mean.mean, shared_error(judged) * looks)
    return word, p / looks


@dataclass(frozen=True)
class Verdict:
    """The verdict on a claim.

    Attributes
    ----------
    claim : Claim
        The claim.
    columns : dict of str to Column
        The columns that can provide evidence.
    verdict : str
        The verdict over all columns, one of :data:`VERDICTS`.
    """

    claim: Claim
    columns: dict[str, Column]
    verdict: str

    @property
    def error(self) -> float:
        """Upper bound on the chance that the verdict is wrong, summed over its decided columns; nan for an open claim."""
        if self.verdict in OPEN:
            return math.nan
        return min(1.0, sum(column.error for column in self.columns.values() if column.verdict not in OPEN))


def wrong(verdicts: Iterable[Verdict]) -> dict[str, float]:
    """The expected number of wrong verdicts.

    Returns
    -------
    dict of str to float
        ``decided``, the number of decided claims; ``expected``, the sum of their errors by their p-values; ``at_most``, the
        expected number if every sampled column lay on its bound: 4.3 % for each judged column.
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
    """The verdict of a claim from those of its columns.

    Decided columns that agree give their verdict ("no effect" in one and "contradicted" in another give "contradicted"); if they
    disagree, it depends. If the column of real networks is declared and undecided, the claim is inconclusive, whatever theory
    and toy models show. If no column has been measured, the claim is not yet measured.
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
