"""All studies of the laboratory and their tables: the fresh ones of this machine, the kept ones of the project.

Only a whole table of runs that its study declares is evidence. What else lies in a run store is listed: a user's own tables,
shown with their numbers and never judged, and those set aside (unfinished, of other settings, of an older version).
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from lab.study import Study, load
from lab.tables import PARTIAL, Table, is_older, is_whole, manifests, read_manifest, read_table, size
from theory.verdict.pieces import ERROR

KEPT = Path(__file__).parent / "results"
ROOMS = ("toy", "empirical")  # those that have studies
UNFIXED = "computed before threads were fixed; repeats may differ"


def studies(rooms: Sequence[str] = ROOMS) -> dict[str, str]:
    """Study name -> ``"module:ATTRIBUTE"`` of the rooms that have studies, toy models first."""
    return {name: where for room in ROOMS if room in rooms
            for name, where in import_module(f"{room}.studies").STUDIES.items()}


def spelt(name: str) -> str:
    """The name of a study as it is declared: ``_`` reads as ``-``, which it was in older versions."""
    return name.replace("_", "-")


def study(name: str) -> Study:
    """The study of that name."""
    return load(studies()[spelt(name)])


def objection(name: str, facts: Mapping) -> str:
    """Why a fresh table with this manifest is no evidence for the study of that name; "" if it is.

    The runs of a table are compared with those that the study declares today at the table's scale.
    """
    if is_older(facts):
        return "written by an older version, which did not say what was planned"
    if not is_whole(facts):
        return f"incomplete: {len(facts['runs'])} of {facts['planned']} runs"
    if facts["own"]:
        return "of settings that no study declares"
    if spelt(name) not in studies():
        return "there is no study of that name"
    if not study(name).declares(facts):
        return "of other settings than the study declares"
    if not look(facts):
        return "of a number of replicas at which no look was declared"
    return ""


def look(facts: Mapping) -> Mapping:
    """The declared look at which a table with this manifest is: ``replicas`` and the one-sided ``level`` of its tests; empty
    where none was declared of its number of replicas."""
    replicas, declared = facts.get("replicas"), facts.get("looks") or {}
    if replicas is None:
        return {"replicas": None, "level": ERROR}
    levels = dict(zip(declared.get("replicas", ()), declared.get("levels", ())))
    return {"replicas": replicas, "level": levels[replicas]} if replicas in levels else {}


def fresh_table(name: str, store: Path) -> Table | None:
    """The table of a study in a run store, if it is evidence."""
    folder = Path(store) / "tables"
    facts = read_manifest(name, folder)
    return None if facts is None or objection(name, facts) else read_table(name, folder)


def kept_table(name: str) -> Table | None:
    """The table of a study that is kept with the project, if it is whole."""
    table = read_table(name, KEPT)
    return table if table is not None and is_whole(table.manifest) else None


def is_pilot(table: Table) -> bool:
    """Whether a table, one of :func:`tables`, is of another plan than its study declares today: its numbers are shown, and
    judge nothing."""
    return table.manifest["kept"] and not (study(table.name).declares(table.manifest) and look(table.manifest))


def remark(table: Table) -> str:
    """What a reader should know of a table: whether a kept one's study has changed since, and :func:`unfixed`; "" if there is
    nothing to know."""
    return "; ".join(filter(None, ["of an earlier plan of its study: to be computed anew" if is_pilot(table) else "",
                                   unfixed(table)]))


def unfixed(table: Table) -> str:
    """A warning beside the numbers of real networks whose runs do not know their threads; else ""."""
    return UNFIXED if table.name in studies(["empirical"]) and not table.manifest.get("threads") else ""


def best_table(name: str, store: Path) -> Table | None:
    """The more complete of the fresh and the kept table; the fresh one where they are of the same scale and replicas.

    The manifest of the returned table says which it was, under ``"kept"``.
    """
    fresh, kept = fresh_table(name, store), kept_table(name)
    candidates = [table for table in (fresh, kept) if table is not None]
    if not candidates:
        return None
    chosen = max(candidates, key=lambda table: size(table.manifest))
    return Table(chosen.name, chosen.frame, {**chosen.manifest, "kept": chosen is kept})


def tables(store: Path, names: Sequence[str] | None = None) -> dict[str, Table]:
    """The best table of every study, or of those named, that has one."""
    found = {name: best_table(name, store) for name in (studies() if names is None else names)}
    return {name: table for name, table in found.items() if table is not None}


def repeated(store: Path) -> list[tuple[Table, Table]]:
    """(fresh, kept) table of every study whose kept table is the more complete one."""
    pairs = ((fresh_table(name, store), best_table(name, store)) for name in studies())
    return [(fresh, best) for fresh, best in pairs if fresh is not None and best is not None and best.manifest["kept"]]


def own_tables(store: Path) -> list[Table]:
    """The whole tables of a user's own settings in a run store."""
    folder = Path(store) / "tables"
    found = (read_table(stem, folder) for stem, facts in manifests(folder) if facts.get("own") and is_whole(facts))
    return [table for table in found if table is not None]


def set_aside(store: Path) -> list[dict]:
    """Tables of a run store, and of the project, that are neither evidence nor a user's own: ``table, kept, reason, command``
    (the command that computes them, where the manifest says it)."""
    found = []
    for folder, kept in ((Path(store) / "tables", False), (KEPT, True)):
        for stem, facts in manifests(folder):
            name = stem.removesuffix(PARTIAL)
            own = not kept and facts.get("own") and is_whole(facts)
            reason = "" if own or (kept and is_whole(facts)) else objection(name, facts)
            if reason:
                found.append({"table": name, "kept": kept, "reason": reason, "command": facts["command"]})
    return found
