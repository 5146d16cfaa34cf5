"""Update the names in kept tables: ``python -m figures.rename_kept``. Their numbers stay the same, byte for byte.

Tables use the names that the code had when they were computed. When a study, a column or a flag is renamed, this script renames
it in ``figures/results`` too (the file, the header, and ``table``, ``command`` and ``digest`` in the manifest), so that nothing
has to be recomputed because of a name. ``runs`` and ``plan``, which identify runs, are history and stay. ``CONTRIBUTING.md``
lists all old and new names.
"""

import csv
import hashlib
import io
import json
import sys
from pathlib import Path

from figures.catalogue import KEPT, spelt
from lab.cli import say
from lab.store import write_together
from lab.tables import manifests

# table -> old name of a column -> its present name
COLUMNS = {
    "double-descent": {"teacher": "teacher_width", "noise": "noise_variance"},
    "graded-phase": {"units": "teacher_width"},
    "multi-view": {"scale": "init_scale"},
    "relu-landscape": {"teacher": "teacher_width"},
    "relu-tickets": {"teacher": "teacher_width"},
    "sgd-final-error": {"inputs": "dim"},
    "sgd-trajectory": {"inputs": "dim"},
    "sgd-units": {"initial_scale": "init_scale"},
    "units": {"scale": "init_scale"},
}


def rename(folder: Path = KEPT) -> list[str]:
    """Rename everything that has an old name in a folder of tables.

    Returns
    -------
    list of str : the tables that were renamed, by their present names.

    Raises
    ------
    ValueError : a table is damaged, or its cells would change.
    """
    return [spelt(stem) for stem, facts in manifests(folder) if _renamed(Path(folder), stem, facts)]


def _renamed(folder: Path, stem: str, facts: dict) -> bool:
    name = spelt(stem)
    text = (folder / f"{stem}.csv").read_bytes()
    header, _, body = text.partition(b"\n")
    if facts.get("digest", digest := hashlib.sha256(text).hexdigest()) != digest:
        raise ValueError(f"{stem}.csv does not match the digest in its manifest")
    columns = header.decode().split(",")
    new = ",".join(COLUMNS.get(name, {}).get(column, column) for column in columns).encode() + b"\n" + body
    words = facts["command"].split(" ")
    command = " ".join(spelt(word) if word == facts["table"] else word for word in words)
    if (name, new, command) == (stem, text, facts["command"]):
        return False
    if _cells(new) != _cells(text):
        raise ValueError(f"{stem}.csv: its cells would change")
    facts |= {"table": name, "command": command}
    if "digest" in facts:
        facts["digest"] = hashlib.sha256(new).hexdigest()
    write_together({folder / f"{name}.csv": new, folder / f"{name}.manifest.json": json.dumps(facts, indent=1) + "\n"})
    if name != stem:
        for ending in (".csv", ".manifest.json"):
            (folder / (stem + ending)).unlink()
    return True


def _cells(text: bytes) -> list[list[str]]:
    """All cells as text, without the header."""
    return list(csv.reader(io.StringIO(text.decode())))[1:]


if __name__ == "__main__":
    for table in rename():
        say(f"renamed {table}")
    sys.exit(0)
