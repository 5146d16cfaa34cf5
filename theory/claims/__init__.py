"""The register of claims: the sentences of the four texts made checkable, each with the rule that judges it.

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

__all__ = ["COLUMNS", "Change", "Claim", "Evidence", "claims"]

COLUMNS = ("theory", "toy", "real")


@dataclass(frozen=True)
class Change:
    """A declaration that was changed after evidence of its claim existed.

    Attributes
    ----------
    date : str
        "2026-11-28".
    what : str
        What the declaration said before, and what it says now.
    reason : str
        Why it was changed.

    Examples
    --------
    >>> claims()["s0.copies-saturate"].changes[0].date
    '2026-11-28'
    """

    date: str
    what: str
    reason: str


@dataclass(frozen=True)
class Claim:
    """A sentence of a paper made checkable, and what is declared of it before its evidence is read.

    Attributes
    ----------
    id : str
        Short name, ``s0.narrow-does-not-span-wide``.
    source : str
        Paper, and where in it.
    claim : str
        The sentence.
    statistic : str
        The number that is measured, in words; the same in every column.
    refuted_by : str
        What would refute it.
    rule : Rule
        Where the statistic has to lie; its bound is the smallest effect that matters.
    columns : tuple of {"theory", "toy", "real"}
        The columns that can provide evidence.
    bound_reason : str
        The reason for the bound.
    scope : str
        The settings that the claim is about, in words; "" for all that are measured.
    primary : mapping of str to str
        Column → key of the one setting that is tested at the full error, ``"<study>"`` or ``"<study>/<piece>"`` (see
        :class:`Evidence`); the others share theirs.
    moderator : str
        Attribute of settings (a key of ``Evidence.levels``) that is expected to separate those where the claim holds from
        those where it does not; "" for none.
    changes : tuple of Change
        Changes of the declaration after there was evidence.

    Examples
    --------
    >>> claim = claims()["s0.copies-saturate"]
    >>> print(claim.rule, claim.columns)
    holds below 0.1 ('toy', 'real')
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
    claim : str
        The claim's id.
    column : {"theory", "toy", "real"}
        The column it belongs to.
    setting : str
        Where it was measured, for a reader ("ResNet-18, digits, alpha 1/8").
    estimate : Estimate
        The statistic with its interval; ``lab.estimate.exact`` for a formula.
    runs : tuple of str
        Ids of the runs behind it (empty for a formula).
    note : str
        What a reader should know about how it was measured; "" for nothing.
    piece : str
        Short name of the setting within its study, for the register ("graded"); "" where a study has only one.
    study : str
        Name of the study whose table it comes from; the ledger fills it in. For a formula, the name of its theory module.
    cluster : str
        Settings with the same cluster measure the same networks and data, in whole or in part, and count once; "" for a
        setting of its own.
    levels : mapping of str to str
        Attributes that may separate settings, name → level ("architecture" → "convolutional").
    level : float, default 0.025
        One-sided error of its tests, in (0, 0.025]; smaller where more looks at the data are declared.
    pilot : bool, default False
        Whether it was measured with replicas that sized the study, or before the declaration: then it is shown, not judged.

    Examples
    --------
    >>> from lab.estimate import exact
    >>> Evidence("s2.coin-flips", "theory", "GOE, N = 10", exact(0.1), piece="goe-10", study="random_landscape").key
    'random_landscape/goe-10'
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
        """Its cluster, or a name of its own if it has none."""
        return self.cluster or f"{self.key} {self.setting}"


def claims() -> dict[str, Claim]:
    """All claims by id: the ``CLAIMS`` of every file of this folder, in the order of the files' names.

    Returns
    -------
    dict of str to Claim
        The register.

    Raises
    ------
    lab.discover.DeclarationError
        If a file has no ``CLAIMS``, or an id is taken.

    Examples
    --------
    >>> claims()["s2.coin-flips"].columns
    ('theory', 'toy', 'real')
    """
    return by_name(declared(__name__, "CLAIMS", Claim), lambda claim: claim.id)
