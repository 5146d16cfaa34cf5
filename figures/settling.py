"""What would settle the claims that are open, what that costs here, and doing it.

An open column is settled by its primary piece, or by the one that needs the fewest replicas. Where that was measured with
other replicas than are declared, its study is computed as declared: that is the first look. Where the first look left it open,
the study gets more replicas, up to numbers that are declared (in ``settle.json`` of the run store, and in the manifest of the
table) before the first of them is computed: :mod:`theory.verdict.spending`.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from figures import catalogue
from figures.wording import duration
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

FILE = "settle.json"
UNKNOWN = 0.5  # chance that a study decides a claim of which it has not said anything that varies yet


@dataclass(frozen=True)
class Step:
    """A study to compute next.

    Attributes
    ----------
    study, scale : which, and how large.
    replicas : of every setting; None for the declared number.
    looks, levels : numbers of replicas at which it is looked at, with the one-sided error of each; empty before the first look
        has been taken.
    runs : that are missing.
    seconds : that they take here; None where nothing says how long a run takes.
    claims : claim -> chance that this decides what is open of it.
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
        """Claims decided a second."""
        return 0.0 if self.seconds is None else sum(self.claims.values()) / max(self.seconds, 1.0)

    def __str__(self) -> str:
        how = "as declared" if self.replicas is None else (
            f"{self.replicas} replicas (looks at {', '.join(map(str, self.looks))})")
        long = "for how long is not known" if self.seconds is None else f"about {duration(self.seconds)}"
        claims = ", ".join(f"{name} {chance:.0%}" for name, chance in sorted(self.claims.items(), key=lambda c: -c[1]))
        return f"{self.study}: {how}, {self.runs} runs, {long}; decides {claims}"


@dataclass
class Plan:
    """``steps``, the most decisive first, and ``stuck``: open claim -> why nothing here would settle it."""

    steps: list[Step] = field(default_factory=list)
    stuck: dict[str, str] = field(default_factory=dict)


# --------------------------------------------------------------------------------------------------------------- looks
def declared(store: Path) -> dict:
    """Study -> its declared looks: ``replicas``, ``levels``, ``date``.

    Raises
    ------
    InputError : the file is damaged.
    """
    path, what = Path(store) / FILE, "the declared looks of studies"
    remedy = "restore it: looks that are forgotten are taken twice"
    found = read_object(path, what, remedy) or {}
    with reading(path, what, remedy):
        for study, looks in found.items():
            if further(looks["replicas"]) != tuple(looks["levels"]):
                raise ValueError(f"the levels of {study} are not those of its looks")
    return found


def declare(step: Step, store: Path) -> dict:
    """Write down at which numbers of replicas a study is looked at, before the first is computed; returns what is written.

    What was declared before stays.
    """
    if step.replicas is None:
        return {}
    with exclusive(Path(store)):
        known = declared(store)
        looks = known.setdefault(step.study, {"replicas": list(step.looks), "levels": list(step.levels),
                                              "date": time.strftime("%Y-%m-%d", time.gmtime())})
        write_atomically(Path(store) / FILE, json.dumps(known, indent=1) + "\n")
    return looks


# ---------------------------------------------------------------------------------------------------------------- plan
@dataclass(frozen=True)
class Need:
    """What would settle a column: a study, by one piece of its evidence (None where it has no table yet)."""

    claim: str
    rule: Rule
    study: str
    piece: Piece | None = None
    error: float = ERROR


class Stuck(Exception):
    """Why a study settles nothing here."""


def plan(verdicts: Sequence[Verdict], tables: Mapping[str, Table], store: RunStore, wanted: Sequence[str] = ()) -> Plan:
    """What would settle the open claims, by what is known now.

    Parameters
    ----------
    verdicts : of all claims.
    tables : the best table of every study that has one.
    store : where runs live.
    wanted : ids of the claims that are to be settled; all that are open if it is empty.
    """
    found = Plan()
    needs: dict[str, list[Need]] = {}
    for verdict in verdicts:
        if verdict.verdict not in OPEN or (wanted and verdict.claim.id not in wanted):
            continue
        found.stuck[verdict.claim.id] = "no study measures what is open of it"
        for name, column in verdict.columns.items():
            if column.verdict in OPEN and name != "theory":
                for need in _needs(verdict, name, column, tables):
                    needs.setdefault(need.study, []).append(need)
    for study, asked in needs.items():
        try:
            found.steps.append(_step(catalogue.study(study), asked, tables.get(study), store))
        except Stuck as reason:
            found.stuck |= {need.claim: f"{study}: {reason}" for need in asked}
    for step in found.steps:
        for claim in step.claims:
            found.stuck.pop(claim, None)
    found.steps.sort(key=lambda step: (-step.worth, step.study))
    return found


def _needs(verdict: Verdict, name: str, column: Column, tables: Mapping[str, Table]) -> list[Need]:
    """What may settle an open column: studies whose pieces are pilots, and the piece that is next to deciding."""
    claim = verdict.claim
    waiting = {piece.evidence.study: piece for piece in column.of(PILOT, TOO_FEW) if piece.evidence.study in tables}
    if primary := [piece for piece in waiting.values() if piece.primary]:
        waiting = {piece.evidence.study: piece for piece in primary}
    found = [Need(claim.id, claim.rule, study, piece) for study, piece in waiting.items()]
    if column.of(UNDECIDED):
        piece = nearest(claim.rule, column)
        found.append(Need(claim.id, claim.rule, piece.evidence.study, piece, error_of(column, piece)))
    others = set(_unmeasured(column, tables)) | {claim.primary.get(name, "").partition("/")[0]} - tables.keys()
    return found + [Need(claim.id, claim.rule, study) for study in catalogue.studies() if study in others]


def _unmeasured(column: Column, tables: Mapping[str, Table]) -> list[str]:
    """Studies without a table of the same kind as one that speaks in this column: with its evidence, and the same control."""

    def kind(name: str) -> tuple:
        study = catalogue.study(name)
        return study.evidence, study.control_of and study.label

    speaking = {kind(piece.evidence.study) for piece in column.pieces if piece.evidence.study in tables}
    return [name for name in catalogue.studies() if name not in tables and kind(name) in speaking]


def _step(study: Study, needs: Sequence[Need], table: Table | None, store: RunStore) -> Step:
    """The next step of a study, for what is asked of it."""
    scale = "full" if table is None else table.manifest["scale"]
    if table is None or catalogue.is_pilot(table):
        claims = {need.claim: _chance(need, None, ERROR) for need in needs}
        return Step(study.name, scale, None, (), (), *_cost(study, scale, None, table, store), claims)
    looks, levels = _looks(study, needs, table, store)
    now = table.manifest.get("replicas") or looks[0]
    following = [n for n in looks if n > now]
    if not following:
        raise Stuck(f"all its looks, at {', '.join(map(str, looks))} replicas, have been taken")
    claims = {need.claim: _chance(need, looks[-1], levels[-1]) for need in needs}
    return Step(study.name, scale, following[0], looks, levels, *_cost(study, scale, following[0], table, store), claims)


def _looks(study: Study, needs: Sequence[Need], table: Table, store: RunStore) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The looks that were declared, or those that would be: up to the largest number of replicas that decides something."""
    known = declared(store.root).get(study.name) or table.manifest.get("looks")
    if known:
        return tuple(known["replicas"]), tuple(known["levels"])
    if not study.extensible:
        raise Stuck("it takes no more replicas than it declares")
    measured = [(need, need.piece.evidence.estimate) for need in needs if need.piece is not None]
    enough = []
    for need, estimate in measured:
        last = replicas_needed(estimate, need.rule, need.error * further((estimate.n, most_replicas(estimate)))[-1] / ERROR
                               ) if estimate.n < most_replicas(estimate) else None
        if last is not None and not too_many(estimate, last):
            enough.append(last)
    first = max(estimate.n for _, estimate in measured)
    if not enough:
        raise Stuck(f"too small to decide here: it takes more than {most_replicas(measured[0][1])} replicas")
    looks = declared_looks(first, max(*enough, first + 1))
    return tuple(looks), tuple(further(looks))


def _chance(need: Need, n: int | None, level: float) -> float:
    """That n replicas decide, were the true effect what was found (as many as there are, and five at least, if n is None)."""
    if need.piece is None or not need.piece.evidence.estimate.has_interval or need.piece.evidence.estimate.is_constant:
        return UNKNOWN
    e = need.piece.evidence.estimate
    return power_of(e, need.rule, max(e.n, 5) if n is None else n, need.error * level / ERROR)


def _cost(study: Study, scale: str, replicas: int | None, table: Table | None, store: RunStore) -> tuple[int, float | None]:
    """Runs that are missing, and the seconds that they take on this machine's cores."""
    configs = study.at(scale, replicas)
    if not configs:
        raise Stuck("its data are not here (WIDTHLAB_DATA names their folder)" if study.declared else
                    f"it has nothing to compute at the scale {scale!r}")
    known = dry_run(study.name, study.runs(configs), store=store, schema=study.schema_of)
    facts, seconds = {} if table is None else table.manifest, known["estimated_seconds"]
    if seconds is None and facts.get("wall_seconds") and facts["runs"]:
        seconds = facts["wall_seconds"] / len(facts["runs"]) * known["missing"]
    return known["missing"], None if seconds is None else seconds / (cores() if study.processes else 1)
