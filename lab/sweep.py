"""Carry out many runs: in this process, on the machine's cores, or on a cluster; resume where the last try stopped.

A run is ``function(config, folder, **options) -> dict`` given by name (``"module:function"``), so that any worker can
import it. ``options`` hold what must not change the result (device, data folder, progress). A failed run leaves its
traceback in its folder and the sweep goes on; a worker that is killed takes only its own run with it.
"""

import importlib
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import current_process, get_context, parent_process
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

from lab import manifest
from lab.cli import note
from lab.errors import InputError
from lab.progress import Progress
from lab.store import (
    RunStore,
    config_fields,
    exclusive,
    forget_failure,
    read_failure,
    read_result,
    write_atomically,
    write_result,
)
from lab.threads import environment, fixed

_BEAT = 1.0  # seconds between two looks at an executor that may be lost
# Threads, random generators and floating-point modes belong to a process, not to a run: one run at a time in each.
_ONE_AT_A_TIME = threading.RLock()


@dataclass
class Outcome:
    """What a sweep came to: finished runs in the order asked for, and the failed ones with their last line."""

    finished: list[tuple[object, dict]] = field(default_factory=list)
    failed: list[tuple[object, str]] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    manifests: list[dict] = field(default_factory=list)

    @property
    def run_ids(self) -> list[str]:
        """Ids of the finished runs, in order."""
        return [folder.name for folder in self.folders]


def execute(function: str, config, folder: Path, schema: int, options: dict) -> str | None:
    """Carry out one run in its folder; returns None, or the last line of what went wrong.

    A run that is finished already is not repeated. Its libraries have as many threads as its configuration says in
    ``threads``, one where it says nothing (:mod:`lab.threads`), whatever process it is carried out in.
    """
    folder, threads = Path(folder), getattr(config, "threads", 1)
    with _ONE_AT_A_TIME, exclusive(folder):
        if read_result(folder) is not None:
            return None
        forget_failure(folder)
        write_atomically(folder / "config.json", json.dumps(
            {"function": function, "schema": schema, "config": config_fields(config)}, indent=1) + "\n")
        module, _, name = function.partition(":")
        try:
            with fixed(threads), manifest.Measure() as measure:
                result = dict(getattr(importlib.import_module(module), name)(config, folder, **options))
            facts = {**manifest.environment(), "threads": threads, **measure.cost, **result.pop("manifest", {})}
            write_result(folder, result, facts)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            trace = traceback.format_exc()
            try:
                write_atomically(folder / "failure.txt", trace)
            except InputError:
                note(trace)
            return _in_a_line(error)
    return None


def _in_a_line(error: BaseException) -> str:
    """The error's name, and what it says if it says something."""
    return ": ".join(filter(None, [type(error).__name__, " ".join(str(error).split())]))


def sweep(experiment: str, function: str, configs: Sequence, *, store: RunStore, jobs: int = 1,
          executor: Executor | None = None, workers: "Workers | None" = None, schema: int = 1,
          options: dict | None = None, label: str | None = None) -> Outcome:
    """Carry out the runs that are not finished yet and return all of them.

    Parameters
    ----------
    experiment : name of the folder in the store.
    function : ``"module:function"`` with the signature ``(config, folder, **options) -> dict``.
    configs : frozen dataclasses, one a run.
    store : where runs live. With an executor on other machines, a folder that they share.
    jobs : processes; 1 works in this process.
    executor : any ``concurrent.futures.Executor``, in place of local processes (see :class:`lab.cluster.Cluster`).
    workers : local processes that outlive this sweep, in place of new ones.
    schema : raised when the meaning of a result changes.
    options : passed to every run; must not change results.

    Returns
    -------
    Outcome
    """
    options = dict(options or {})
    folders = store.folders(experiment, configs, schema)
    todo = [i for i, folder in enumerate(folders) if read_result(folder) is None]
    problems: dict[int, str] = {}

    def arguments(i):
        return function, configs[i], folders[i], schema, options

    if todo:
        skipped = f", {len(folders) - len(todo)} already done" if len(todo) < len(folders) else ""
        with Progress(len(todo), (label or experiment) + skipped) as progress:
            if executor is not None:
                for i in _drain(executor, todo, arguments, problems, progress):
                    _note(problems, i, "the executor has lost its workers", folders[i], progress)
            elif jobs == 1 or len(todo) == 1:
                for i in todo:
                    _note(problems, i, execute(*arguments(i)), folders[i], progress)
            elif workers is not None:
                _local(todo, arguments, problems, progress, workers)
            else:
                with Workers(min(jobs, len(todo))) as own:
                    _local(todo, arguments, problems, progress, own)
    outcome = Outcome()
    for i, (config, folder) in enumerate(zip(configs, folders)):
        stored = read_result(folder)
        if stored is None:
            outcome.failed.append((config, problems.get(i, "not finished")))
        else:
            outcome.finished.append((config, stored["result"]))
            outcome.folders.append(folder)
            outcome.manifests.append(stored["manifest"])
    return outcome


def dry_run(experiment: str, configs: Sequence, *, store: RunStore, schema: int | Callable[[Any], int] = 1) -> dict:
    """Which runs there are, which are done, and an estimate of the time for the rest (from the finished ones).

    ``schema``: of all of them, or a function of a configuration.
    """
    rows, seconds = [], []
    for config in configs:
        folder = store.folder(experiment, config, schema(config) if callable(schema) else schema)
        stored = read_result(folder)
        rows.append({"run": folder.name, "done": stored is not None, "failed": read_failure(folder) is not None})
        if stored is not None:
            seconds.append(stored["manifest"]["wall_seconds"])
    missing = sum(not row["done"] for row in rows)
    mean = sum(seconds) / len(seconds) if seconds else None
    return {"experiment": experiment, "runs": rows, "done": len(rows) - missing, "missing": missing,
            "estimated_seconds": None if mean is None else mean * missing}


def _note(problems: dict, i: int, problem: str | None, folder: Path, progress: Progress) -> None:
    if problem is not None:
        problems[i] = problem
        progress.note(f"failed: {folder.name}: {problem}")
    progress.step()


def _drain(executor, todo, arguments, problems, progress) -> list[int]:
    """Submit all, note what finishes or fails; returns the runs whose worker died under them.

    An executor that can lose everything at once has a method ``check``, which raises an InputError when it has.
    """
    waiting, orphans = {}, []
    check = getattr(executor, "check", None)

    def fail(i, error):
        if isinstance(error, BrokenExecutor):
            orphans.append(i)
            return
        if check:
            check()
        _note(problems, i, str(error) if isinstance(error, InputError) else _in_a_line(error), arguments(i)[2], progress)

    try:
        for i in todo:
            try:
                waiting[executor.submit(execute, *arguments(i))] = i
            except (InputError, KeyboardInterrupt, SystemExit):  # an executor that is of no use says so by an InputError
                raise
            except BaseException as error:
                fail(i, error)
        while waiting:
            done, _ = wait(waiting, timeout=_BEAT if check else None, return_when=FIRST_COMPLETED)
            if check:
                check()
            for future in done:
                i = waiting.pop(future)
                try:
                    problem = future.result()
                except (KeyboardInterrupt, SystemExit):
                    raise
                except BaseException as error:  # a future holds anything, also what is no Exception
                    fail(i, error)
                else:
                    _note(problems, i, problem, arguments(i)[2], progress)
    except BaseException:
        if isinstance(executor, Workers):
            executor.stop()
        else:
            for future in waiting:
                future.cancel()
        raise
    return orphans


class Workers:
    """Local processes that take runs, started when the first run comes; a context manager.

    They may serve several sweeps: a process takes seconds to start and to load its libraries. When the block ends by an
    exception (Ctrl-C, SIGTERM) they are ended in the middle of their runs.

    Parameters
    ----------
    jobs : processes.
    threads : threads that each offers to Numba's kernels and to work that is no run (default: cores // jobs); how many a
        run's other libraries have, its configuration says.
    """

    def __init__(self, jobs: int, threads: int | None = None):
        self.jobs, self.threads = jobs, threads or max(1, manifest.cores() // jobs)
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        (self.stop if failure else self.close)()

    @property
    def started(self) -> bool:
        """Whether there are processes."""
        return self._pool is not None

    @property
    def at_work(self) -> bool:
        """Whether a process has ever come as far as taking work."""
        return self._pool is not None and self._leash.poll()

    def submit(self, function, *arguments):
        """As ``concurrent.futures.Executor.submit``.

        Raises
        ------
        InputError
            If processes cannot load the script that wants them.
        """
        with environment(self.threads):  # processes start when work comes
            if self._pool is None:
                _refuse_main_module()
                context = get_context("spawn")  # a forked child inherits Numba's and torch's thread pools in a broken state
                self._leash, end = context.Pipe()
                self._pool = ProcessPoolExecutor(self.jobs, mp_context=context, initializer=_begin, initargs=(end,))
            return self._pool.submit(function, *arguments)

    def stop(self) -> None:
        """End the processes without waiting for what they are at: a run that is cut short is done anew by the next call."""
        if self._pool is not None:
            self._leash.send_bytes(b"now")  # futures are not cancelled: a pool that breaks trips over such
            self._pool.shutdown()
            self._pool = None

    def close(self) -> None:
        """End the processes, those that died included; the next run starts new ones."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


def _local(todo, arguments, problems, progress, workers: Workers) -> None:
    """Local processes. A killed worker breaks a process pool for all its runs: those are tried again one pool a run, so
    that only the run that kills its worker fails."""
    orphans = _drain(workers, todo, arguments, problems, progress)
    if orphans:
        if not workers.at_work:
            raise InputError("worker processes end before they begin: each of them loads the script that wants them, so wrap the "
                             "call that starts work there in if __name__ == '__main__': (or use jobs=1)")
        workers.close()
    for i in orphans:
        with Workers(1, workers.threads) as alone:
            if _drain(alone, [i], arguments, problems, progress):
                _note(problems, i, "the worker process was killed (out of memory?)", arguments(i)[2], progress)


def _refuse_main_module() -> None:
    """Processes load the main script from its file: that of standard input has none, and they themselves may not start any."""
    path = getattr(sys.modules["__main__"], "__file__", None)
    if getattr(sys.modules["__main__"], "__spec__", None) is None and path and not Path(path).is_file():
        raise InputError(f"worker processes load the script that wants them, and {path} is no file: save the script, with what "
                         "starts work in it under if __name__ == '__main__': (or use jobs=1)")
    if getattr(current_process(), "_inheriting", False):  # a worker that loads the script comes here: its parent says why
        os._exit(1)


def _begin(leash) -> None:
    """First of all in a worker: tell the parent that it is there, and end it when the parent dies or says so.

    All workers hold the same end of the leash and never read: what the parent sends is seen by each of them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    leash.send_bytes(b"here")

    parent = parent_process()
    assert parent is not None, "workers are started by a process"

    def watch():
        wait_for([parent.sentinel, leash])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
