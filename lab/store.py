"""The run store: one folder per run, complete when its ``result.json`` exists.

``runs/<experiment>/<id>/``: ``config.json`` is written first, ``result.json`` last and by an atomic rename, so that a
killed run is never taken for a finished one. A failed run leaves ``failure.txt`` (the traceback). A run may store arrays
and checkpoints of its own in its folder. All these files are read here, so that a damaged one gives the same one-line message
everywhere.

The id consists of the fields of the (frozen dataclass) configuration that differ from their defaults, a schema number and the
version of the random streams. So a new field with a default renames no existing run; a change of meaning raises the schema.
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
_ABANDONED = 86400.0  # seconds after which a temporary file of another machine counts as abandoned; writing takes seconds
_REMEDY = "delete that folder and run again"


def write_atomically(path: Path, data: str | bytes | memoryview) -> None:
    """Write a file atomically, even across a crash: it is there completely or not at all.

    Raises
    ------
    InputError
        If the disk is full or the folder is not writable; an old file is kept then.
    """
    write_together({path: data})


def write_together(files: Mapping[Path, str | bytes | memoryview]) -> None:
    """As :func:`write_atomically` for files that belong together: none is replaced before all are on disk.

    They are replaced in the given order.
    """
    mark = f"{_host()}-{os.getpid()}-{secrets.token_hex(4)}"  # unique to this process and thread
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
    """Write an npz file as :func:`write_atomically` does."""
    buffer = io.BytesIO()
    save: Callable[..., None] = np.savez_compressed if compressed else np.savez
    save(buffer, **arrays)
    write_atomically(path, buffer.getbuffer())


def _sync(folder: Path) -> None:
    """Flush the folder's entries to disk, if the file system supports it."""
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
    """Remove temporary files of killed processes: of those on this machine that are gone, and any that are old."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if (parts := _TEMPORARY.fullmatch(entry.name)) and _is_abandoned(entry, parts["host"], int(parts["pid"])):
                with suppress(OSError):
                    os.unlink(entry.path)


def _is_abandoned(entry: os.DirEntry, host: str, pid: int) -> bool:
    if host == _host() and not _runs(pid):
        return True
    try:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED
    except OSError:  # it has just been renamed
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
    """The configuration as plain JSON types; without ``defaults``, only the fields that differ from their defaults."""
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
        The folder; it is created when the first run begins.

    Raises
    ------
    InputError
        If the root is a file; in methods, if an experiment's folder is a file or its name is not a plain name.

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
        """The folders of the runs with these configurations (they may not exist yet)."""
        here = self.experiment(experiment)
        return [here / run_id(config, schema) for config in configs]

    def folder(self, experiment: str, config, schema: int = 1) -> Path:
        """The folder of the run with this configuration (it may not exist yet)."""
        return self.folders(experiment, [config], schema)[0]

    def result(self, experiment: str, config, schema: int = 1) -> dict | None:
        """The finished run's ``{"result", "manifest"}``, or None if it is not finished."""
        return read_result(self.folder(experiment, config, schema))


def write_result(folder: Path, result: Mapping, manifest: Mapping) -> None:
    """Mark a run as finished, with its result and a manifest of how it was computed."""
    stored = jsonable({"result": result, "manifest": manifest})
    write_atomically(Path(folder) / "result.json",
                     json.dumps({**stored, "digest": _digest(stored)}, allow_nan=False) + "\n")


def _digest(stored: Mapping) -> str:
    """Digest of a run's result and manifest, independent of the order of their entries."""
    text = json.dumps([stored["result"], stored["manifest"]], sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_result(folder: Path) -> dict | None:
    """The finished run's ``{"result", "manifest"}``; None if the run is not finished.

    Raises
    ------
    InputError
        If ``result.json`` is damaged, was changed, or was not written by :func:`write_result`.
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
    """The run's ``{"function", "schema", "config"}``; None if it has not begun.

    Raises
    ------
    InputError
        If ``config.json`` is damaged.
    """
    return read_object(Path(folder) / "config.json", "the configuration of a run", _REMEDY,
                       {"function": str, "schema": int, "config": dict})


def read_failure(folder: Path) -> str | None:
    """The last line of a failed run's traceback; None if the run has not failed.

    Raises
    ------
    InputError
        If ``failure.txt`` cannot be read.
    """
    path = Path(folder) / "failure.txt"
    with reading(path, "the traceback of a run", _REMEDY), suppress(FileNotFoundError):
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "its traceback is empty"
    return None


def forget_failure(folder: Path) -> None:
    """Remove the traceback of an earlier attempt.

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
    """Hold the run's lock: if two processes start the same run, the second waits and then finds it done.

    The system releases the lock if its holder dies. On a file system without locks, work continues without: two processes may
    then compute the same run, with the same result, and files are still replaced atomically.
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
    """Note this once per process and reason."""
    note(f"the file system of the run store has no locks ({reason}), so runs continue without; do not start a second sweep of "
         "the same runs at the same time, or both compute them")
