"""Plan what would settle the open claims, and what that costs on this machine.

An open column is settled by its primary setting, or by the setting that needs the fewest replicas. If that setting was measured
with a number of replicas other than the declared one, its study is computed as declared: the first look. If the first look left
the column open, the study gets more replicas, up to numbers that are declared before the first of them is computed (in
``settle.json`` of the run store and in the table's manifest): :mod:`theory.verdict.spending`.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from figures import catalogue
from figures.wording import counted, duration
from lab.files import read_object, reading
from lab.manifest import cores
from lab.store import RunStore, exclusive, write_atomically
from lab.study import Study
from lab.sweep import dry_run
from lab.tables import Table
from theory.verdict.decide import OPEN, Column, Verdict
from theory.verdict.pieces import ERROR, PILOT, TOO_FEW, UNDECIDED, Piece
from theory.verdict.power import most_replicas, power_of, replicas_needed, too_many
from theory.verdict.rule import Rule
from theory.verdict.spending import declared_looks, further
from theory.verdict.words import error_of, nearest

__all__ = ["Plan", "Step", "declare", "plan"]

FILE = "settle.json"
UNKNOWN = 0.5  # assumed chance of deciding a claim when no variance has been measured yet


@dataclass(frozen=True)
class Step:
    """A study to compute next.

    Attributes
    ----------
    study : str
        Name of the study.
    scale : {"quick", "run", "full"}
        At which it is computed.
    replicas : int or None
        Replicas per setting; None for the declared number.
    looks : tuple of int
        Numbers of replicas at which results are looked at; empty before the first look.
    levels : tuple of float
        The one-sided error of each look.
    runs : int
        Number of missing runs.
    seconds : float or None
        Estimated time for them on this machine; None if the duration of a run is unknown.
    claims : mapping of str to float
        Claim → chance that this step decides what is still open.

    Examples
    --------
    >>> step = Step("bumps", "full", None, (), (), runs=40, seconds=90.0, claims={"s2.width-is-tickets": 0.5})
    >>> print(step)
    bumps: as declared, 40 runs, about 2 min; chance to decide s2.width-is-tickets 50%
    """

    study: str
    scale: str
    replicas: int | None
    looks: tuple[int, ...]
    levels: tuple[float, ...]
    runs: int
    seconds: float | None
    claims: Mapping[str, float]

    @property
    def worth(self) -> float:
        """Expected number of claims decided per second."""
        return 0.0 if self.seconds is None else sum(self.claims.values()) / max(self.seconds, 1.0)

    def __str__(self) -> str:
        how = "as declared" if self.replicas is None else (
            f"{self.replicas} replicas (looks at {', '.join(map(str, self.looks))})")
        time_needed = "duration unknown" if self.seconds is None else f"about {duration(self.seconds)}"
        claims = ", ".join(f"{name} {chance:.0%}" for name, chance in sorted(self.claims.items(), key=lambda c: -c[1]))
        return f"{self.study}: {how}, {counted(self.runs, 'run')}, {time_needed}; chance to decide {claims}"


@dataclass
class Plan:
    """What would settle the open claims.

    Attributes
    ----------
    steps : list of Step
        The most decisive per second first.
    stuck : dict of str to str
        Open claim → why it cannot be settled here.

    Examples
    --------
    >>> Plan().steps
    []
    """

    steps: list[Step] = field(default_factory=list)
    stuck: dict[str, str] = field(default_factory=dict)


# --------------------------------------------------------------------------------------------------------------- looks
def declared(store: Path) -> dict:
    """The declared looks of each study: ``replicas``, ``levels``, ``date``.

    Raises
    ------
    InputError : the file is damaged.
    """
    path, what = Path(store) / FILE, "the declared looks of studies"
    remedy = "restore it: without it, looks would be taken twice"
    looks_of = read_object(path, what, remedy) or {}
    with reading(path, what, remedy):
        for study, looks in looks_of.items():
            if further(looks["replicas"]) != tuple(looks["levels"]):
                raise ValueError(f"the levels of {study} do not match its looks")
    return looks_of


def declare(step: Step, store: str | Path) -> dict:
    """Record the numbers of replicas at which a study will be looked at, before any is computed.

    An earlier declaration is never changed.

    Parameters
    ----------
    step : Step
        What is computed next.
    store : str or Path
        The run store, which keeps the record in ``settle.json``.

    Returns
    -------
    dict
        The record: ``replicas``, ``levels`` and ``date``, as :func:`lab.study.compute` takes it for ``looks``; empty for a step
        as declared.

    Raises
    ------
    InputError
        If the record is damaged.

    Examples
    --------
    >>> declare(Step("bumps", "full", None, (), (), runs=40, seconds=90.0, claims={}), "a new run store")
    {}
    """
    if step.replicas is None:
        return {}
    with exclusive(Path(store)):
        known = declared(Path(store))
        looks = known.setdefault(step.study, {"replicas": list(step.looks), "levels": list(step.levels),
                                              "date": time.strftime("%Y-%m-%d", time.gmtime())})
        write_atomically(Path(store) / FILE, json.dumps(known, indent=1) + "\n")
    return looks


# ---------------------------------------------------------------------------------------------------------------- plan
@dataclass(frozen=True)
class Need:
    """A study that would settle a column, with the piece of its evidence that would (None if it has no table yet)."""

    claim: str
    rule: Rule
    study: str
    piece: Piece | None = None
    error: float = ERROR


class Stuck(Exception):
    """Raised, with the reason, when a study cannot settle anything here."""


def plan(verdicts: Sequence[Verdict], tables: Mapping[str, Table], store: RunStore, wanted: Sequence[str] = ()) -> Plan:
    """Plan what would settle the open claims, given the current tables.

    Parameters
    ----------
    verdicts : sequence of Verdict
        The verdicts of all claims, see :func:`figures.ledger.verdicts`.
    tables : mapping of str to Table
        The best table of every study that has one, see :func:`figures.catalogue.tables`.
    store : RunStore
        The run store.
    wanted : sequence of str
        Ids of the claims to settle; all open claims by default.

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        If the record of declared looks is damaged.

    Examples
    --------
    >>> from figures.ledger import verdicts
    >>> steps = plan(verdicts([]), {}, RunStore("a new run store"), ["s2.width-is-tickets"]).steps
    >>> "bumps" in [step.study for step in steps]
    True
    """
    result = Plan()
    needs: dict[str, list[Need]] = {}
    for verdict in verdicts:
        if verdict.verdict not in OPEN or (wanted and verdict.claim.id not in wanted):
            continue
        result.stuck[verdict.claim.id] = "no study measures what is still open"
        for name, column in verdict.columns.items():
            if column.verdict in OPEN and name != "theory":
                for need in _needs(verdict, name, column, tables):
                    needs.setdefault(need.study, []).append(need)
    for study, asked in needs.items():
        try:
            result.steps.append(_step(catalogue.study(study), asked, tables.get(study), store))
        except Stuck as reason:
            result.stuck |= {need.claim: f"{study}: {reason}" for need in asked}
    for step in result.steps:
        for claim in step.claims:
            result.stuck.pop(claim, None)
    result.steps.sort(key=lambda step: (-step.worth, step.study))
    return result


def _needs(verdict: Verdict, name: str, column: Column, tables: Mapping[str, Table]) -> list[Need]:
    """What may settle an open column: studies whose pieces are pilots, and the piece closest to a decision."""
    claim = verdict.claim
    waiting = {piece.evidence.study: piece for piece in column.of(PILOT, TOO_FEW) if piece.evidence.study in tables}
    if primary := [piece for piece in waiting.values() if piece.primary]:
        waiting = {piece.evidence.study: piece for piece in primary}
    needs = [Need(claim.id, claim.rule, study, piece) for study, piece in waiting.items()]
    if column.of(UNDECIDED):
        piece = nearest(claim.rule, column)
        needs.append(Need(claim.id, claim.rule, piece.evidence.study, piece, error_of(column, piece)))
    others = set(_unmeasured(column, tables)) | {claim.primary.get(name, "").partition("/")[0]} - tables.keys()
    return needs + [Need(claim.id, claim.rule, study) for study in catalogue.studies() if study in others]


def _unmeasured(column: Column, tables: Mapping[str, Table]) -> list[str]:
    """Studies without a table that are of the same kind (evidence and control) as one with evidence in this column."""

    def kind(name: str) -> tuple:
        study = catalogue.study(name)
        return study.evidence, study.control_of and study.label

    kinds = {kind(piece.evidence.study) for piece in column.pieces if piece.evidence.study in tables}
    return [name for name in catalogue.studies() if name not in tables and kind(name) in kinds]


def _step(study: Study, needs: Sequence[Need], table: Table | None, store: RunStore) -> Step:
    """The next step of a study towards its needs."""
    scale = "full" if table is None else table.manifest["scale"]
    if table is None or catalogue.is_pilot(table):
        claims = {need.claim: _chance(need, None, ERROR) for need in needs}
        return Step(study.name, scale, None, (), (), *_cost(study, scale, None, table, store), claims)
    looks, levels = _looks(study, needs, table, store)
    now = table.manifest.get("replicas") or looks[0]
    following = [n for n in looks if n > now]
    if not following:
        raise Stuck(f"all its looks (at {', '.join(map(str, looks))} replicas) have been taken")
    claims = {need.claim: _chance(need, looks[-1], levels[-1]) for need in needs}
    return Step(study.name, scale, following[0], looks, levels, *_cost(study, scale, following[0], table, store), claims)


def _looks(study: Study, needs: Sequence[Need], table: Table, store: RunStore) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The declared looks, or those to declare: up to the largest number of replicas that any claim needs."""
    known = declared(store.root).get(study.name) or table.manifest.get("looks")
    if known:
        return tuple(known["replicas"]), tuple(known["levels"])
    if not study.extensible:
        raise Stuck("it cannot take more replicas than it declares")
    measured = [(need, need.piece.evidence.estimate) for need in needs if need.piece is not None]
    enough = []
    for need, estimate in measured:
        last = replicas_needed(estimate, need.rule, need.error * further((estimate.n, most_replicas(estimate)))[-1] / ERROR
                               ) if estimate.n < most_replicas(estimate) else None
        if last is not None and not too_many(estimate, last):
            enough.append(last)
    first = max(estimate.n for _, estimate in measured)
    if not enough:
        raise Stuck(f"the effect is too close to the bound: it would take more than {most_replicas(measured[0][1])} replicas")
    looks = declared_looks(first, max(*enough, first + 1))
    return tuple(looks), tuple(further(looks))


def _chance(need: Need, n: int | None, level: float) -> float:
    """The chance that n replicas decide if the true effect equals the measured one (n = None: the present number, at least 5)."""
    if need.piece is None or not need.piece.evidence.estimate.has_interval or need.piece.evidence.estimate.is_constant:
        return UNKNOWN
    e = need.piece.evidence.estimate
    return power_of(e, need.rule, max(e.n, 5) if n is None else n, need.error * level / ERROR)


def _cost(study: Study, scale: str, replicas: int | None, table: Table | None, store: RunStore) -> tuple[int, float | None]:
    """The number of missing runs, and the seconds that they take on this machine's cores."""
    configs = study.at(scale, replicas)
    if not configs:
        raise Stuck("its data are missing (set WIDTHLAB_DATA to their folder)" if study.declared else
                    f"it has nothing to compute at scale {scale!r}")
    known = dry_run(study.name, study.runs(configs), store=store, schema=study.schema_of)
    facts, seconds = {} if table is None else table.manifest, known["estimated_seconds"]
    if seconds is None and facts.get("wall_seconds") and facts["runs"]:
        seconds = facts["wall_seconds"] / len(facts["runs"]) * known["missing"]
    return known["missing"], None if seconds is None else seconds / (cores() if study.processes else 1)
