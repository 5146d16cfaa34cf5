"""A study: an experiment whose tidy table feeds figures and evidence.

Measuring, storing and plotting are three things. A study's runs go through the run store; :func:`compute` turns them
into one tidy table with a manifest beside it; figures and the ledger read the table and nothing else. So a table
computed a minute ago and one that is kept with the project (``figures/results/<name>.csv``) are treated alike.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import manifest
from lab.cli import jsonable
from lab.errors import InputError
from lab.store import RunStore, write_atomically
from lab.sweep import sweep

if TYPE_CHECKING:
    import pandas

SCALES = ("quick", "run", "full")


@dataclass(frozen=True)
class Study:
    """An experiment with its table.

    Attributes
    ----------
    name : name of the table and of the experiment in the run store.
    title : one line for a person.
    run : ``"module:function"``, ``(config, folder, **options) -> dict``.
    configs : ``scale -> list of configurations``; scale is "quick" (seconds), "run" (part of ``make run``, minutes) or
        "full". An empty list means that the study is too long for that scale: the kept table is shown.
    tabulate : ``[(config, result), ...] -> DataFrame``, one row an observation, intervals as ``x, x_low, x_high, x_n``
        where they are not left to the reader.
    evidence : ``(DataFrame, run ids) -> list of theory.claims.Evidence``.
    processes : True if runs are single-threaded and should go to several processes, False if a run uses all threads.
    schema : raised when the meaning of a result changes.
    """

    name: str
    title: str
    run: str
    configs: Callable[[str], Sequence[Any]]
    tabulate: Callable[[Sequence[tuple[Any, dict]]], "pandas.DataFrame"]
    evidence: Callable[["pandas.DataFrame", tuple[str, ...]], list] = lambda table, runs: []
    processes: bool = False
    schema: int = 1


@dataclass(frozen=True)
class Table:
    """A tidy table and where it came from."""

    name: str
    frame: "pandas.DataFrame"
    manifest: dict

    @property
    def runs(self) -> tuple[str, ...]:
        """Ids of the runs behind the table."""
        return tuple(self.manifest.get("runs", ()))


def load(reference: str) -> Study:
    """The study named ``"module:ATTRIBUTE"``."""
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)


def compute(study: Study, scale: str, *, store: RunStore, jobs: int | None = None, executor=None, workers=None,
            options: dict | None = None, configs: Sequence | None = None) -> Table | None:
    """Carry out a study's missing runs and write its table to ``<store>/tables/<name>.csv``.

    Returns None where the study has nothing at this scale.

    Raises
    ------
    InputError
        If no run finished.
    """
    configs = list(study.configs(scale) if configs is None else configs)
    if not configs:
        return None
    jobs = (jobs or manifest.cores()) if study.processes else 1
    outcome = sweep(study.name, study.run, configs, store=store, jobs=jobs, executor=executor, workers=workers,
                    schema=study.schema, options=options, label=study.title)
    if not outcome.finished:
        raise InputError(f"{study.name}: every run failed; the first: {outcome.failed[0][1]}")
    facts = {
        "table": study.name,
        "title": study.title,
        "scale": scale,
        "command": " ".join(["python", "-m", *_command()]),
        "runs": outcome.run_ids,
        "failed": [{"config": str(config), "reason": reason} for config, reason in outcome.failed],
        "environment": manifest.environment(),
        **{key: round(sum(m[key] for m in outcome.manifests), 1) for key in ("wall_seconds", "cpu_seconds")
           if all(key in m for m in outcome.manifests)},
        "peak_memory_mb": max(m["peak_memory_mb"] for m in outcome.manifests),
    }
    # what the runs said of their data: one entry where all agree
    for key in ("data", "device", "dtype"):
        values = sorted({json.dumps(jsonable(m[key]), sort_keys=True) for m in outcome.manifests if key in m})
        if values:
            facts[key] = json.loads(values[0]) if len(values) == 1 else [json.loads(v) for v in values]
    table = Table(study.name, study.tabulate(outcome.finished), facts)
    write_table(table, store.root / "tables")
    return table


# flags of the command line that say where this machine keeps things, and what a reader puts in their place
_PLACES = {"--out": None, "--report": None, "--jobs": None, "--scheduler": None, "--data-dir": "DATA"}


def _command() -> list[str]:
    """The command that was given, without the folders of this machine."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    words = [spec.name.removesuffix(".__main__") if spec else Path(sys.argv[0]).name]
    given = iter(sys.argv[1:])
    for word in given:
        flag, _, value = word.partition("=")
        if flag in _PLACES:
            if not value:
                next(given, None)
            words += [flag, _PLACES[flag]] if _PLACES[flag] else []
        else:
            words.append(word)
    return words


def write_table(table: Table, folder: Path) -> Path:
    """Write ``<name>.csv`` and, last, ``<name>.manifest.json``."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{table.name}.csv"
    write_atomically(path, table.frame.to_csv(index=False))
    write_atomically(folder / f"{table.name}.manifest.json", json.dumps(jsonable(table.manifest), indent=1) + "\n")
    return path


def read_table(name: str, folder: Path) -> Table | None:
    """The table of that name in a folder, or None if it is not there whole."""
    import pandas

    folder = Path(folder)
    try:
        facts = json.loads((folder / f"{name}.manifest.json").read_text())
        frame = pandas.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values=["", "nan"])
    except FileNotFoundError:
        return None
    except (json.JSONDecodeError, pandas.errors.ParserError) as error:
        raise InputError(f"the table {folder / name} is damaged ({error}); delete it and compute it again") from None
    return Table(name, frame, facts)
