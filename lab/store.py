"""The run store: one folder a run, complete when its ``result.json`` exists.

``runs/<experiment>/<id>/``: ``config.json`` is written first, ``result.json`` last and by an atomic rename, so that a
killed run is never taken for a finished one. A failed run leaves ``failure.txt`` (the traceback). A run may keep arrays
and checkpoints of its own beside them. All of them are read here, so that a damaged one is one line wherever it is read.

The id is made of the fields of the (frozen dataclass) configuration that differ from their defaults, plus a schema
number and the version of the random streams: a new field with a default renames no old run; a change of meaning raises the
schema.
"""

import dataclasses
import fcntl
import hashlib
import io
import json
import math
import os
import platform
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import numpy as np

from lab import streams
from lab.cli import jsonable, note
from lab.errors import InputError
from lab.files import read_object, reading
from lab.places import plain_name, usable_folder

_TEMPORARY = re.compile(r"\..+\.(?P<host>[^.]+)-(?P<pid>\d+)-[0-9a-f]{8}\.tmp")
_ABANDONED = 86400.0  # seconds after which a temporary file of another machine is no one's: writing takes seconds
_REMEDY = "delete that folder and run again"


def write_atomically(path: Path, data: str | bytes | memoryview) -> None:
    """Write a file so that it is there whole or not at all, even if the machine stops meanwhile.

    Raises
    ------
    InputError
        If the disk is full or the folder cannot be written; the old file, if any, is still there.
    """
    write_together({path: data})


def write_together(files: Mapping[Path, str | bytes | memoryview]) -> None:
    """As :func:`write_atomically` for files that belong together: none is replaced before all are on the disk.

    They are replaced in the order given.
    """
    mark = f"{_host()}-{os.getpid()}-{secrets.token_hex(4)}"  # no other process or thread has this one
    temporaries = {Path(path): Path(path).with_name(f".{Path(path).name}.{mark}.tmp") for path in files}
    folders = {path.parent for path in temporaries}
    target = None
    try:
        for folder in folders:
            _sweep_temporaries(folder)
        for target, data in files.items():
            with open(temporaries[Path(target)], "wb") as file:
                file.write(data.encode() if isinstance(data, str) else data)
                file.flush()
                os.fsync(file.fileno())
        for target, temporary in temporaries.items():
            os.replace(temporary, target)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}; free some space or choose another folder for the "
                         "runs, then run the same command again: finished runs are kept") from error
    finally:
        for temporary in temporaries.values():
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    for folder in folders:
        _sync(folder)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], compressed: bool = False) -> None:
    """An npz file, written as by :func:`write_atomically`."""
    buffer = io.BytesIO()
    save: Callable[..., None] = np.savez_compressed if compressed else np.savez
    save(buffer, **arrays)
    write_atomically(path, buffer.getbuffer())


def _sync(folder: Path) -> None:
    """Bring the folder's names to the disk, where the file system knows how."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


@cache
def _host() -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", platform.node())[:40] or "host"


def _sweep_temporaries(folder: Path) -> None:
    """Remove what killed processes left of files that they were writing: those of this machine that are gone, and old ones."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if (found := _TEMPORARY.fullmatch(entry.name)) and _is_abandoned(entry, found["host"], int(found["pid"])):
                with suppress(OSError):
                    os.unlink(entry.path)


def _is_abandoned(entry: os.DirEntry, host: str, pid: int) -> bool:
    if host == _host() and not _runs(pid):
        return True
    try:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED
    except OSError:  # it has just been put in its place
        return False


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True


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
    root : str or Path, default "runs"
        The folder; it is made when the first run begins.

    Raises
    ------
    InputError
        If the root is a file; the methods raise it for an experiment whose folder is a file or whose name is no plain name.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Settings:
    ...     width: int = 8
    >>> store = RunStore("runs")
    >>> store.folder("demo", Settings(width=4)).as_posix()
    'runs/demo/width=4_...'
    >>> store.result("demo", Settings(width=4)) is None  # not carried out yet
    True
    """

    def __init__(self, root: str | Path = "runs"):
        self.root = Path(usable_folder(root))

    def experiment(self, name: str) -> Path:
        """The folder of an experiment's runs."""
        return Path(usable_folder(self.root / plain_name(name, "name of the experiment")))

    @property
    def tables(self) -> Path:
        """The folder of the tables."""
        return Path(usable_folder(self.root / "tables"))

    def folders(self, experiment: str, configs: Iterable, schema: int = 1) -> list[Path]:
        """Where the runs with these configurations live (they may not exist yet)."""
        here = self.experiment(experiment)
        return [here / run_id(config, schema) for config in configs]

    def folder(self, experiment: str, config, schema: int = 1) -> Path:
        """Where the run with this configuration lives (it may not exist yet)."""
        return self.folders(experiment, [config], schema)[0]

    def result(self, experiment: str, config, schema: int = 1) -> dict | None:
        """The finished run's ``{"result", "manifest"}``, or None if it is not finished."""
        return read_result(self.folder(experiment, config, schema))


def write_result(folder: Path, result: Mapping, manifest: Mapping) -> None:
    """Mark a run as finished, with its result and what a reader needs to know of how it came about."""
    stored = jsonable({"result": result, "manifest": manifest})
    write_atomically(Path(folder) / "result.json",
                     json.dumps({**stored, "digest": _digest(stored)}, allow_nan=False) + "\n")


def _digest(stored: Mapping) -> str:
    """Of a run's result and manifest, whatever the order of their entries."""
    text = json.dumps([stored["result"], stored["manifest"]], sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_result(folder: Path) -> dict | None:
    """The finished run's ``{"result", "manifest"}``, None if the run is not finished.

    Raises
    ------
    InputError
        If ``result.json`` is damaged or was changed, or is not what :func:`write_result` writes.
    """
    path, what = Path(folder) / "result.json", "the result of a run"
    stored = read_object(path, what, _REMEDY, {"result": dict, "manifest": dict})
    with reading(path, what, _REMEDY):
        if stored is None:
            return None
        for key in ("wall_seconds", "peak_memory_mb"):
            value = stored["manifest"].get(key)
            if type(value) not in (int, float) or not math.isfinite(value):
                raise ValueError(f"{key!r} in its manifest is missing or no number")
        if stored.get("digest", digest := _digest(stored)) != digest:  # older versions wrote none
            raise ValueError("it is not what was written")
    return stored


def read_config(folder: Path) -> dict | None:
    """The run's ``{"function", "schema", "config"}``, None where no run has begun.

    Raises
    ------
    InputError
        If ``config.json`` is damaged.
    """
    return read_object(Path(folder) / "config.json", "the configuration of a run", _REMEDY,
                       {"function": str, "schema": int, "config": dict})


def read_failure(folder: Path) -> str | None:
    """The last line of a failed run's traceback, None if the run has not failed.

    Raises
    ------
    InputError
        If ``failure.txt`` cannot be read.
    """
    path = Path(folder) / "failure.txt"
    with reading(path, "the traceback of a run", _REMEDY), suppress(FileNotFoundError):
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it left no word of why"
    return None


def forget_failure(folder: Path) -> None:
    """Remove the traceback of an earlier try.

    Raises
    ------
    InputError
        If it cannot be removed.
    """
    path = Path(folder) / "failure.txt"
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot remove {path}: {error.strerror}; {_REMEDY}") from None


@contextmanager
def exclusive(folder: Path):
    """Hold the run's lock: of two processes that want the same run, the second waits and then finds it done.

    The system gives the lock back when its holder dies. Where the file system has no locks, work goes on without: two
    processes may then compute the same run, with the same result, and files are still replaced as a whole.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / ".lock", "w")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror}; choose another folder for the runs") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            _say_unlocked(error.strerror)
        yield


@cache
def _say_unlocked(reason: str) -> None:
    """Once a process and reason."""
    note(f"the file system of the run store has no locks ({reason}): runs go on without; do not start a second sweep of the "
        "same runs at the same time, or both compute them")
