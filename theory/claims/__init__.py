"""The register of claims: every sentence of the four texts made checkable, with the rule that judges it.

A :class:`Claim` names one *statistic* (a number that theory, toy and real networks can each produce), and a
:class:`~theory.verdict.rule.Rule` on it. :class:`Evidence` is that number measured somewhere, with its uncertainty. The
verdict follows from rule and evidence alone (:mod:`theory.verdict`); nothing here is typed in after the fact.

Sources: S0 Duzgun, Jelassi & Li (arXiv 2407.00968); S1 Casper et al. (arXiv 1912.04783); S2 Martinelli et al. 2026 and
the public discussion of it; S3 Yousefzadeh (arXiv 2203.10366, 2101.09849).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.discover import by_name, declared
from lab.estimate import Estimate
from theory.verdict.rule import Rule

COLUMNS = ("theory", "toy", "real")


@dataclass(frozen=True)
class Change:
    """A declaration that was changed after evidence of its claim existed.

    Attributes
    ----------
    date : "2026-11-28".
    what : what it said before, and what it says now.
    reason : why.
    """

    date: str
    what: str
    reason: str


@dataclass(frozen=True)
class Claim:
    """A sentence of a paper made checkable, and what is declared of it before its evidence is read.

    Attributes
    ----------
    id : short name, ``s0.narrow-does-not-span``.
    source : paper, and where in it.
    claim : the sentence.
    statistic : the number that is measured, in words; the same one in every column.
    refuted_by : what would refute it.
    rule : on the statistic; its bound is the smallest effect that matters.
    columns : which of theory, toy and real can speak to it.
    bound_reason : why the bound is where it is.
    scope : the settings that the claim is about, in words; "" for all that are measured.
    primary : column -> key of the one setting that is judged at the full error, ``"<study>"`` or ``"<study>/<piece>"`` (see
        :class:`Evidence`); the others share theirs.
    moderator : name of the attribute of settings (a key of ``Evidence.levels``) that is expected to separate those where the
        claim holds from those where it does not; "" for none.
    changes : of the declaration, after there was evidence.
    """

    id: str
    source: str
    claim: str
    statistic: str
    refuted_by: str
    rule: Rule
    columns: tuple[str, ...] = COLUMNS
    bound_reason: str = ""
    scope: str = ""
    primary: Mapping[str, str] = field(default_factory=dict)
    moderator: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """One measurement of a claim's statistic: one setting, whose unit is the independent replica.

    Attributes
    ----------
    claim : the claim's id.
    column : "theory", "toy" or "real".
    setting : where it was measured, for a person ("ResNet-18, digits, alpha 1/8").
    estimate : the statistic with its interval; ``lab.estimate.exact`` for a formula.
    runs : ids of the runs behind it (empty for a formula).
    note : what a reader should know of how it was made; "" for nothing.
    piece : short name of the setting within its study, for the register ("graded"); "" where a study has one.
    study : name of the study whose table it comes from; the ledger fills it in. A formula's is the name of its theory module.
    cluster : settings with the same cluster measure the same networks and data, in whole or in part, and count once; "" for
        a setting of its own.
    levels : attributes of the setting that may separate settings, name -> level ("architecture" -> "convolutional").
    level : one-sided error of its tests; less than 2.5 % where more looks at the data are declared.
    pilot : measured with replicas that sized the study, or before the declaration: shown, not judged.
    """

    claim: str
    column: str
    setting: str
    estimate: Estimate
    runs: tuple[str, ...] = ()
    note: str = ""
    piece: str = ""
    study: str = ""
    cluster: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)
    level: float = 0.025
    pilot: bool = False

    @property
    def key(self) -> str:
        """``"<study>/<piece>"``, or the study alone."""
        return f"{self.study}/{self.piece}" if self.piece else self.study

    @property
    def cluster_name(self) -> str:
        """Its cluster; a name of its own where it has none."""
        return self.cluster or f"{self.key} {self.setting}"


def claims() -> dict[str, Claim]:
    """All claims by id: the ``CLAIMS`` of every file of this folder, in the order of the files' names.

    Raises
    ------
    lab.discover.DeclarationError : a file without ``CLAIMS``, or an id that is taken.
    """
    return by_name(declared(__name__, "CLAIMS", Claim), lambda claim: claim.id)
