"""All studies of the laboratory and their tables: the fresh ones of this machine, the kept ones of the project."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from lab.study import SCALES, Study, Table, load, read_table

KEPT = Path(__file__).parent / "results"
ROOMS = ("toy", "empirical")  # those that have studies


def studies(rooms: Sequence[str] = ROOMS) -> dict[str, str]:
    """Study name -> ``"module:ATTRIBUTE"`` of the rooms that have studies, toy models first."""
    return {name: where for room in ROOMS if room in rooms
            for name, where in import_module(f"{room}.studies").STUDIES.items()}


def study(name: str) -> Study:
    """The study of that name."""
    return load(studies()[name])


def best_table(name: str, store: Path) -> Table | None:
    """The more complete of the fresh and the kept table; the fresh one where they are of the same scale.

    The manifest of the returned table says which it was, under ``"kept"``.
    """
    fresh, kept = read_table(name, Path(store) / "tables"), read_table(name, KEPT)
    candidates = [table for table in (fresh, kept) if table is not None]
    if not candidates:
        return None
    chosen = max(candidates, key=lambda table: SCALES.index(table.manifest.get("scale", "full")))
    return Table(chosen.name, chosen.frame, {**chosen.manifest, "kept": chosen is kept})


def tables(store: Path, names: Sequence[str] | None = None) -> dict[str, Table]:
    """The best table of every study, or of those named, that has one."""
    found = {name: best_table(name, store) for name in (studies() if names is None else names)}
    return {name: table for name, table in found.items() if table is not None}


def repeated(store: Path) -> list[tuple[Table, Table]]:
    """(fresh, kept) table of every study whose kept table is the more complete one."""
    found = []
    for name in studies():
        fresh = read_table(name, Path(store) / "tables")
        if fresh is not None and (best := best_table(name, store)).manifest["kept"]:
            found.append((fresh, best))
    return found
