"""Tidy tables on disk: ``<name>.csv`` with ``<name>.manifest.json``.

A manifest describes its table: the number of ``planned`` runs and those in it (``runs``), whether it is ``whole``, the ``plan``
that was carried out (:func:`lab.study.plan`), whether it is a user's ``own`` (settings that no study declares), and the
``digest`` of the csv, which detects a pair that does not belong together. If replicas were added to those that a study declares,
it also has their present number (``replicas``) and the numbers at which looks were declared (``looks``). A table that lacks runs
is written as ``<name>.partial.csv``, and never replaces a complete one.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.cli import jsonable
from lab.errors import InputError
from lab.places import plain_name, usable_folder
from lab.store import write_together

if TYPE_CHECKING:
    import pandas

SCALES = ("quick", "run", "full", "published")  # in increasing order of a table's value
PARTIAL = ".partial"
_CSV, _MANIFEST = ".csv", ".manifest.json"
_FIELDS: dict[str, type] = {"table": str, "scale": str, "command": str, "runs": list, "failed": list, "environment": dict}
_OPTIONAL: dict[str, type | tuple[type, ...]] = {"wall_seconds": (int, float), "cpu_seconds": (int, float), "summary": list,
                                                 "family": str, "evidence": str, "replicas": int, "looks": dict}
_NUMBERS = {"claim", "setting", "mean", "low", "high", "n"}  # keys of each entry of a summary
# keys that older versions did not write
_LATER: dict[str, type] = {"planned": int, "whole": bool, "plan": str, "own": bool, "digest": str}


@dataclass(frozen=True)
class Table:
    """A tidy table and its provenance.

    Parameters
    ----------
    name : str
        A plain name: the files are ``<name>.csv`` and ``<name>.manifest.json``.
    frame : pandas.DataFrame
        One row per observation.
    manifest : dict
        Scale, command, runs, environment and so on, see :mod:`lab.tables`.

    Examples
    --------
    >>> import pandas
    >>> facts = {"scale": "quick", "command": "", "runs": ["a"], "failed": [], "environment": {}, "planned": 1, "whole": True,
    ...          "plan": "", "own": True}
    >>> table = Table("demo", pandas.DataFrame({"width": [4, 8]}), facts)
    >>> table.runs, table.stem
    (('a',), 'demo')
    >>> write_table(table, Path("tables")).as_posix()
    'tables/demo.csv'
    """

    name: str
    frame: "pandas.DataFrame"
    manifest: dict

    @property
    def runs(self) -> tuple[str, ...]:
        """Ids of the runs behind the table."""
        return tuple(self.manifest.get("runs", ()))

    @property
    def stem(self) -> str:
        """Name of its files, without the endings."""
        return self.name if is_whole(self.manifest) else self.name + PARTIAL


def is_whole(facts: Mapping) -> bool:
    """Whether the table of this manifest contains every run of its plan."""
    return facts.get("whole", not facts.get("failed"))


def is_older(facts: Mapping) -> bool:
    """Whether the manifest was written by a version that recorded neither the plan nor a digest."""
    return not any(key in facts for key in _LATER)


def size(facts: Mapping) -> tuple[int, int]:
    """Rank of the table of this manifest among those of its study: by scale, then by added replicas."""
    return SCALES.index(facts["scale"]), facts.get("replicas") or 0


def write_table(table: Table, folder: Path) -> Path:
    """Write the table and its manifest, both or neither; a complete table removes its incomplete predecessor.

    Parameters
    ----------
    table : Table
        The table.
    folder : Path
        The folder; it is created if needed.

    Returns
    -------
    Path
        Path of the csv.

    Raises
    ------
    InputError
        If the name is not plain or the folder cannot be written.

    Examples
    --------
    >>> import pandas
    >>> facts = {"scale": "quick", "command": "", "runs": [], "failed": [("a", "no memory")], "environment": {}, "planned": 1,
    ...          "whole": False, "plan": "", "own": True}
    >>> write_table(Table("demo", pandas.DataFrame({"width": [4]}), facts), Path("tables")).as_posix()
    'tables/demo.partial.csv'
    """
    plain_name(table.name, "name of the table")
    folder = Path(usable_folder(folder))
    folder.mkdir(parents=True, exist_ok=True)
    text = table.frame.to_csv(index=False).encode()
    facts = {**table.manifest, "table": table.name, "digest": hashlib.sha256(text).hexdigest()}
    path = folder / (table.stem + _CSV)
    write_together({path: text, folder / (table.stem + _MANIFEST): json.dumps(jsonable(facts), indent=1) + "\n"})
    if table.stem == table.name:
        for ending in (_MANIFEST, _CSV):
            (folder / (table.name + PARTIAL + ending)).unlink(missing_ok=True)
    return path


def stems(folder: Path) -> list[str]:
    """Names of the tables in a folder; those of incomplete tables end with ``.partial``."""
    return sorted(path.name.removesuffix(_MANIFEST) for path in Path(folder).glob(f"*{_MANIFEST}"))


def manifests(folder: Path) -> list[tuple[str, dict]]:
    """Name and manifest of every table in a folder, from :func:`stems` and :func:`read_manifest`."""
    pairs = ((stem, read_manifest(stem, folder)) for stem in stems(folder))
    return [(stem, facts) for stem, facts in pairs if facts is not None]


def read_manifest(stem: str, folder: Path) -> dict | None:
    """The manifest of a table, or None if there is none.

    Raises
    ------
    InputError
        If it cannot be read, is not a manifest, or belongs to another table.
    """
    path = Path(folder) / (stem + _MANIFEST)
    try:
        facts = json.loads(path.read_bytes().decode())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(stem, path, error) from None
    if not isinstance(facts, dict):
        raise _damaged(stem, path, "not a manifest")
    for key, kind in (_FIELDS if is_older(facts) else _FIELDS | _LATER).items():
        if key not in facts:
            raise _damaged(stem, path, f"{key!r} is missing")
        if type(facts[key]) is not kind:
            raise _damaged(stem, path, f"{key!r} is not a {kind.__name__}")
    if facts["scale"] not in SCALES:
        raise _damaged(stem, path, f"no scale is called {facts['scale']!r}")
    for key, kinds in _OPTIONAL.items():
        if key in facts and not isinstance(facts[key], kinds):
            what = "not a list" if kinds is list else "no text" if kinds is str else "no object" if kinds is dict else "no number"
            raise _damaged(stem, path, f"{key!r} is {what}")
    if not all(isinstance(item, dict) and item.keys() >= _NUMBERS for item in facts.get("summary", [])):
        raise _damaged(stem, path, "'summary' is not a list of numbers")
    if not all(isinstance(run, str) for run in facts["runs"]):
        raise _damaged(stem, path, "'runs' are not names")
    if not is_older(facts) and facts["whole"] != (len(facts["runs"]) == facts["planned"] and not facts["failed"]):
        raise _damaged(stem, path, "'whole' contradicts its runs")
    if facts["table"] != stem.removesuffix(PARTIAL):
        raise _damaged(stem, path, f"it is that of the table {facts['table']}")
    return facts


def read_table(stem: str, folder: Path) -> Table | None:
    """The table of that name in a folder, or None if there is none.

    Parameters
    ----------
    stem : str
        Name of its files, without the endings.
    folder : Path
        The folder.

    Returns
    -------
    Table or None
        The table with its manifest.

    Raises
    ------
    InputError
        If the table or its manifest is damaged, or they do not belong together.

    Examples
    --------
    >>> import pandas
    >>> facts = {"scale": "quick", "command": "", "runs": ["a"], "failed": [], "environment": {}, "planned": 1, "whole": True,
    ...          "plan": "", "own": True}
    >>> path = write_table(Table("demo", pandas.DataFrame({"width": [4, 8]}), facts), Path("tables"))
    >>> read_table("demo", path.parent).frame.width.tolist()
    [4, 8]
    >>> read_table("nothing", path.parent) is None
    True
    """
    import pandas

    facts = read_manifest(stem, folder)
    if facts is None:
        return None
    path = Path(folder) / (stem + _CSV)
    try:
        text = path.read_bytes()
        frame = pandas.read_csv(io.StringIO(text.decode()), keep_default_na=False, na_values=["", "nan"])
    except (OSError, ValueError) as error:  # pandas' errors are ValueErrors
        raise _damaged(stem, path, error) from None
    if frame.empty:
        raise _damaged(stem, path, "no rows")
    if facts.get("digest", digest := hashlib.sha256(text).hexdigest()) != digest:
        raise _damaged(stem, path, "it is not the table that its manifest describes")
    return Table(facts["table"], frame, facts)


def _damaged(stem: str, path: Path, why) -> InputError:
    why = why.strerror if isinstance(why, OSError) else why
    return InputError(f"{path} is damaged ({why}); delete {stem}{_CSV} and {stem}{_MANIFEST} there and compute the table again: "
                      "finished runs are kept")
