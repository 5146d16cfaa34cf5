"""All studies and their tables: fresh ones, computed on this machine, and kept ones, which come with the project.

Only a complete table of the runs that its study declares is evidence. The other tables of a run store are listed: a user's own
tables, and those set aside (incomplete, with other settings, from an older version).
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from lab.study import Study, load
from lab.tables import PARTIAL, Table, is_older, is_whole, manifests, read_manifest, read_table, size
from theory.verdict.pieces import ERROR

__all__ = ["own_tables", "studies", "study", "tables"]

KEPT = Path(__file__).parent / "results"
ROOMS = ("toy", "empirical")  # those that have studies
UNFIXED = "computed before thread counts were fixed; repeated runs may differ"


def studies(rooms: Sequence[str] = ROOMS) -> dict[str, str]:
    """All studies of the laboratory, without loading any of them.

    Parameters
    ----------
    rooms : sequence of {"toy", "empirical"}
        The rooms to look in; both by default.

    Returns
    -------
    dict of str to str
        Name → ``"module:ATTRIBUTE"``, toy models first.

    Examples
    --------
    >>> studies(["toy"])["bumps"]
    'toy.bumps.study:STUDY'
    """
    return {name: where for room in ROOMS if room in rooms
            for name, where in import_module(f"{room}.studies").STUDIES.items()}


def spelt(name: str) -> str:
    """The name of a study as it is declared; ``_``, which older versions used, reads as ``-``."""
    return name.replace("_", "-")


def study(name: str) -> Study:
    """The study of that name.

    Parameters
    ----------
    name : str
        One of :func:`studies`.

    Returns
    -------
    lab.study.Study

    Raises
    ------
    KeyError
        If there is no such study.

    Examples
    --------
    >>> study("bumps").title
    'bumps on the line: slide one, or spawn many'
    """
    return load(studies()[spelt(name)])


def objection(name: str, facts: Mapping) -> str:
    """Why a fresh table with this manifest is not evidence for the study of that name; empty if it is.

    The runs of a table are compared with those that the study declares today at the table's scale.
    """
    if is_older(facts):
        return "written by an older version, which did not record what was planned"
    if not is_whole(facts):
        return f"incomplete: {len(facts['runs'])} of {facts['planned']} runs"
    if facts["own"]:
        return "with settings that no study declares"
    if spelt(name) not in studies():
        return "of a study that does not exist"
    if not study(name).declares(facts):
        return "with settings other than the study declares"
    if not look(facts):
        return "with a number of replicas at which no look was declared"
    return ""


def look(facts: Mapping) -> Mapping:
    """The declared look to which a table with this manifest belongs: ``replicas`` and the one-sided ``level`` of its tests; empty
    if no look was declared at its number of replicas."""
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
    """The table of a study that is kept with the project, if it is complete."""
    table = read_table(name, KEPT)
    return table if table is not None and is_whole(table.manifest) else None


def is_pilot(table: Table) -> bool:
    """Whether a table of :func:`tables` follows another plan than its study declares today; its numbers are shown but not
    judged."""
    return table.manifest["kept"] and not (study(table.name).declares(table.manifest) and look(table.manifest))


def remark(table: Table) -> str:
    """Caveats of a table: whether its study has changed since, and :func:`unfixed`; empty if there are none."""
    return "; ".join(filter(None, ["from an earlier plan of its study, to be computed again" if is_pilot(table) else "",
                                   unfixed(table)]))


def unfixed(table: Table) -> str:
    """A warning for tables of real networks whose runs did not record their thread count; else empty."""
    return UNFIXED if table.name in studies(["empirical"]) and not table.manifest.get("threads") else ""


def best_table(name: str, store: Path) -> Table | None:
    """The more complete of the fresh and the kept table; the fresh one if they have the same scale and replicas.

    ``"kept"`` in the manifest of the returned table says which one it is.
    """
    fresh, kept = fresh_table(name, store), kept_table(name)
    candidates = [table for table in (fresh, kept) if table is not None]
    if not candidates:
        return None
    chosen = max(candidates, key=lambda table: size(table.manifest))
    return Table(chosen.name, chosen.frame, {**chosen.manifest, "kept": chosen is kept})


def tables(store: str | Path, names: Sequence[str] | None = None) -> dict[str, Table]:
    """The best table of every study that has one: fresh from a run store, or kept with the project.

    Parameters
    ----------
    store : str or Path
        The run store, whose ``tables/`` hold fresh tables.
    names : sequence of str, optional
        Studies to look for; all by default.

    Returns
    -------
    dict of str to Table
        By the name of the study; ``manifest["kept"]`` says whether a table comes with the project.

    Examples
    --------
    >>> tables("a new run store", ["bumps"])["bumps"].manifest["kept"]
    True
    """
    best = {name: best_table(name, Path(store)) for name in (studies() if names is None else names)}
    return {name: table for name, table in best.items() if table is not None}


def repeated(store: Path) -> list[tuple[Table, Table]]:
    """The (fresh, kept) tables of each study that has both and whose kept table is the more complete one."""
    pairs = ((fresh_table(name, store), best_table(name, store)) for name in studies())
    return [(fresh, best) for fresh, best in pairs if fresh is not None and best is not None and best.manifest["kept"]]


def own_tables(store: str | Path) -> list[Table]:
    """The complete tables of a user's own settings, which are shown and never judged.

    Parameters
    ----------
    store : str or Path
        The run store.

    Returns
    -------
    list of Table

    Examples
    --------
    >>> own_tables("a new run store")
    []
    """
    folder = Path(store) / "tables"
    read = (read_table(stem, folder) for stem, facts in manifests(folder) if facts.get("own") and is_whole(facts))
    return [table for table in read if table is not None]


def set_aside(store: Path) -> list[dict]:
    """Tables of a run store, and of the project, that are neither evidence nor a user's own: ``table, kept, reason, command``
    (the command that made them)."""
    rejected = []
    for folder, kept in ((Path(store) / "tables", False), (KEPT, True)):
        for stem, facts in manifests(folder):
            name = stem.removesuffix(PARTIAL)
            own = not kept and facts.get("own") and is_whole(facts)
            reason = "" if own or (kept and is_whole(facts)) else objection(name, facts)
            if reason:
                rejected.append({"table": name, "kept": kept, "reason": reason, "command": facts["command"]})
    return rejected
