"""The verdict of a column, and of a claim.

A column is decided by its primary piece at the full error, by the mean over settings where there are at least five clusters
(:mod:`~theory.verdict.pool`), and, where there are fewer, by any other piece at the shared error. So a column in which every
setting lies on the bound reads "holds" in at most 5 % of repetitions. Pieces that are shown to lie on both sides make it
depend on the setting.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from theory.claims import COLUMNS, Claim, Evidence
from theory.verdict.moderators import Moderator, moderator
from theory.verdict.pieces import CONTRADICTED, ERROR, HOLDS, NO_EFFECT, Piece, judge
from theory.verdict.pool import Pool, pool

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
    pieces : all of them, judged or shown.
    pool : mean over clusters, where there are enough.
    moderator : test of the attribute that the claim declares, where settings have it.
    """

    verdict: str
    pieces: tuple[Piece, ...] = ()
    pool: Pool | None = None
    moderator: Moderator | None = None

    def of(self, *judgements: str) -> list[Piece]:
        """The pieces with these judgements."""
        return [piece for piece in self.pieces if piece.judgement in judgements]

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
    pieces = judge(claim, evidence)
    judged = [piece for piece in pieces if piece.is_judged]
    if not judged:
        return Column(INCONCLUSIVE, tuple(pieces))
    tested = moderator(claim.moderator, (p.evidence for p in judged)) if claim.moderator else None
    if all(piece.evidence.estimate.is_exact for piece in judged):
        return Column(_exact(judged), tuple(pieces), None, tested)
    mean = pool(piece.evidence for piece in judged)
    return Column(_sampled(claim, judged, mean), tuple(pieces), mean, tested)


def _exact(judged: Sequence[Piece]) -> str:
    """Formulas: all their settings hold, or all fail, or it depends."""
    words = {piece.judgement for piece in judged}
    if len(words) == 1:
        return words.pop()
    return CONTRADICTED if words <= set(REFUTED) else DEPENDS


def _sampled(claim: Claim, judged: Sequence[Piece], mean: Pool | None) -> str:
    rule = claim.rule
    holding, refuting = ([p for p in judged if p.judgement == HOLDS], [p for p in judged if p.is_refuting])
    pooled = "" if mean is None else (HOLDS if rule.p_holds(mean.mean) <= ERROR else
                                      NO_EFFECT if rule.p_no_effect(mean.mean) <= ERROR else
                                      CONTRADICTED if rule.p_fails(mean.mean) <= ERROR else "")
    if (holding or pooled == HOLDS) and (refuting or pooled in REFUTED):
        return DEPENDS
    decisive = [p.judgement for p in (*holding, *refuting) if p.primary or p.evidence.estimate.is_exact or mean is None]
    words = set(decisive + [pooled] * bool(pooled))
    if words == {HOLDS}:
        return HOLDS
    if words and words <= set(REFUTED):
        return NO_EFFECT if words == {NO_EFFECT} else CONTRADICTED
    return INCONCLUSIVE


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
