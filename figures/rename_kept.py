"""Give kept tables the names of today: ``python -m figures.rename_kept``. Their numbers stay as they are, byte for byte.

Tables are computed with the names that the code has at the time. When a study, a column or a flag is renamed, this script
renames it in ``figures/results`` too (the file, the header, the manifest's ``table``, ``command`` and ``digest``), so that
nothing need be computed anew for the sake of a name. What identifies runs, ``runs`` and ``plan``, is history and stays.
``CONTRIBUTING.md`` has the list of all names, old and new.
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

# table -> column as it was -> column as it is
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
    """Rename what has an old name in a folder of tables.

    Returns
    -------
    list of str : the tables that had one, by their names of today.

    Raises
    ------
    ValueError : a table that is damaged, or whose cells would change.
    """
    return [spelt(stem) for stem, facts in manifests(folder) if _renamed(Path(folder), stem, facts)]


def _renamed(folder: Path, stem: str, facts: dict) -> bool:
    name = spelt(stem)
    text = (folder / f"{stem}.csv").read_bytes()
    header, _, body = text.partition(b"\n")
    if facts.get("digest", digest := hashlib.sha256(text).hexdigest()) != digest:
        raise ValueError(f"{stem}.csv is not the table that its manifest describes")
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
    """All cells as they are written, without the header."""
    return list(csv.reader(io.StringIO(text.decode())))[1:]


if __name__ == "__main__":
    for table in rename():
        say(f"renamed {table}")
    sys.exit(0)
