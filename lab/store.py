"""The run store: one folder a run, complete when its ``result.json`` exists.

``runs/<experiment>/<id>/``: ``config.json`` is written first, ``result.json`` last and by an atomic rename, so that a
killed run is never taken for a finished one. A failed run leaves ``failure.txt`` (the traceback). A run may keep arrays
and checkpoints of its own beside them.

The id is made of the fields of the (frozen dataclass) configuration that differ from their defaults, plus a schema
number and the version of the random streams: a new field with a default renames no old run; a change of meaning raises the
schema.
"""

import dataclasses
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

from lab import streams
from lab.cli import jsonable
from lab.errors import InputError


def write_atomically(path: Path, data: str | bytes) -> None:
    """Write a file so that it is there whole or not at all, even if the machine stops meanwhile.

    Raises
    ------
    InputError
        If the disk is full or the folder cannot be written; the old file, if any, is still there.
    """
    write_together({path: data})


def write_together(files: Mapping[Path, str | bytes]) -> None:
    """As :func:`write_atomically` for files that belong together: none is replaced before all are on the disk.

    They are replaced in the order given.
    """
    temporaries = {Path(path): Path(path).with_name(f".{Path(path).name}.{os.getpid()}.tmp") for path in files}
    target = None
    try:
        for target, data in files.items():
            temporary = temporaries[Path(target)]
            with open(temporary, "wb") as file:
                file.write(data.encode() if isinstance(data, str) else data)
                file.flush()
                os.fsync(file.fileno())
        for target, temporary in temporaries.items():
            os.replace(temporary, target)
    except OSError as error:
        for temporary in temporaries.values():
            temporary.unlink(missing_ok=True)
        raise InputError(f"cannot write {target}: {error.strerror}; free some space or choose another --out, then run "
                         "the same command again: finished runs are kept") from error


def config_fields(config, defaults: bool = True) -> dict:
    """The configuration as plain JSON types; without ``defaults`` only the fields that differ from theirs."""
    chosen = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        if defaults or default is dataclasses.MISSING or value != default:
            chosen[field.name] = jsonable(value)
    return chosen


def run_id(config, schema: int = 1) -> str:
    """A readable, stable name for a configuration: its non-default fields and a digest of them."""
    fields = config_fields(config, defaults=False)
    text = json.dumps([schema, streams.VERSION, fields], sort_keys=True)
    words = "_".join(f"{key}={value}" for key, value in fields.items())
    words = re.sub(r"[^A-Za-z0-9.=_+-]+", "-", words)[:72].strip("-_")
    return "_".join(filter(None, [words, hashlib.sha256(text.encode()).hexdigest()[:10]]))


class RunStore:
    """Runs on disk.

    Parameters
    ----------
    root : the folder, by default ``runs``.
    """

    def __init__(self, root: str | Path = "runs"):
        self.root = Path(root)

    def folder(self, experiment: str, config, schema: int = 1) -> Path:
        """Where the run with this configuration lives (it may not exist yet)."""
        return self.root / experiment / run_id(config, schema)

    def result(self, experiment: str, config, schema: int = 1) -> dict | None:
        """The finished run's ``{"result", "manifest"}``, or None if it is not finished."""
        return read_result(self.folder(experiment, config, schema))


def read_result(folder: Path) -> dict | None:
    """Contents of a finished run's ``result.json``, None if the run is not finished."""
    try:
        return json.loads((Path(folder) / "result.json").read_text())
    except FileNotFoundError:
        return None
    except json.JSONDecodeError as error:
        raise InputError(f"{folder}/result.json is damaged ({error}); delete that folder and run again") from None


@contextmanager
def exclusive(folder: Path):
    """Hold the run's lock: of two processes that want the same run, the second waits and then finds it done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / ".lock", "w")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror}; choose another --out") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
