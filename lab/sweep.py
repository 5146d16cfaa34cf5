"""Carry out many runs: in this process, on the machine's cores, or on a cluster; resume where an earlier sweep stopped.

A run is ``function(config, folder, **options) -> dict`` given by name (``"module:function"``), so that any worker can
import it. ``options`` must not change the result (device, data folder, progress). A failed run leaves its traceback in its
folder and the sweep continues; if a worker is killed, only its own run is lost.
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

_BEAT = 1.0  # seconds between checks of an executor that may fail as a whole
# Threads, random generators and floating-point modes belong to a process, so each process carries out one run at a time.
_ONE_AT_A_TIME = threading.RLock()


@dataclass
class Outcome:
    """The result of a sweep: finished runs in the order of their configurations, and failed ones with the reason."""

    finished: list[tuple[object, dict]] = field(default_factory=list)
    failed: list[tuple[object, str]] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    manifests: list[dict] = field(default_factory=list)

    @property
    def run_ids(self) -> list[str]:
        """Ids of the finished runs, in order."""
        return [folder.name for folder in self.folders]


def execute(function: str, config, folder: Path, schema: int, options: dict) -> str | None:
    """Carry out one run in its folder; returns None, or an error message in one line.

    A finished run is not repeated. Its libraries use the number of threads in its configuration's field ``threads``, by default
    one (:mod:`lab.threads`), in every process.
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
    """The error's name, and its message if it has one."""
    return ": ".join(filter(None, [type(error).__name__, " ".join(str(error).split())]))


def sweep(experiment: str, function: str, configs: Sequence, *, store: RunStore, jobs: int = 1,
          executor: Executor | None = None, workers: "Workers | None" = None, schema: int = 1,
          options: dict | None = None, label: str | None = None) -> Outcome:
    """Carry out the runs that are not finished yet, and return all of them.

    Parameters
    ----------
    experiment : str
        Name of the folder in the store.
    function : str
        ``"module:function"`` with the signature ``(config, folder, **options) -> dict``.
    configs : sequence of dataclass
        One frozen dataclass per run.
    store : RunStore
        The run store; with an executor on other machines, in a folder that they share.
    jobs : int, default 1
        Number of processes; 1 works in this process.
    executor : concurrent.futures.Executor, optional
        In place of local processes (see :class:`lab.cluster.Cluster`).
    workers : Workers, optional
        Local processes that outlive this sweep, in place of new ones.
    schema : int, default 1
        Raised when the meaning of a result changes.
    options : dict, optional
        Passed to every run; must not change results.
    label : str, optional
        Name in the progress display; by default the experiment.

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
                for i in _run_all(executor, todo, arguments, problems, progress):
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
    """The runs, which of them are done, and the estimated time for the others, by the finished ones.

    ``schema`` is a number for all runs, or a function of the configuration.
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


def _run_all(executor, todo, arguments, problems, progress) -> list[int]:
    """Submit all runs and record which finish or fail; returns the runs whose worker died.

    An executor that can fail as a whole has a method ``check``, which raises an InputError in that case.
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
            except (InputError, KeyboardInterrupt, SystemExit):  # an InputError means that the executor cannot be used
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
                except BaseException as error:  # futures hold any error, not only an Exception
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
    """Local processes for runs, started with the first run; a context manager.

    They can serve several sweeps, which saves time: a process takes seconds to start and to load its libraries. If the block
    ends by an exception (Ctrl-C, SIGTERM), the processes are terminated in the middle of their runs.

    Parameters
    ----------
    jobs : int
        Number of processes.
    threads : int, optional
        Threads of each process for Numba's kernels and for work outside runs (default: cores // jobs); a run's other libraries
        use the number in its configuration.
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
        """Whether processes have been started."""
        return self._pool is not None

    @property
    def at_work(self) -> bool:
        """Whether any process has started up successfully."""
        return self._pool is not None and self._leash.poll()

    def submit(self, function, *arguments):
        """As ``concurrent.futures.Executor.submit``.

        Raises
        ------
        InputError
            If processes cannot load the calling script.
        """
        with environment(self.threads):  # a process starts when work is submitted, and inherits its environment then
            if self._pool is None:
                _refuse_main_module()
                context = get_context("spawn")  # a forked child inherits Numba's and torch's thread pools in a broken state
                self._leash, end = context.Pipe()
                self._pool = ProcessPoolExecutor(self.jobs, mp_context=context, initializer=_begin, initargs=(end,))
            return self._pool.submit(function, *arguments)

    def stop(self) -> None:
        """Terminate the processes without waiting for their runs, which the next sweep repeats."""
        if self._pool is not None:
            self._leash.send_bytes(b"now")  # futures are not cancelled: cancelled ones confuse a pool that breaks
            self._pool.shutdown()
            self._pool = None

    def close(self) -> None:
        """End the processes; the next run starts new ones."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


def _local(todo, arguments, problems, progress, workers: Workers) -> None:
    """Run in local processes. A killed worker breaks a process pool for all its runs, so these are repeated with one pool per
    run, and only the run that kills its worker fails."""
    orphans = _run_all(workers, todo, arguments, problems, progress)
    if orphans:
        if not workers.at_work:
            raise InputError("worker processes end while they start: each of them loads the calling script, so put the call that "
                             "starts work there under if __name__ == '__main__': (or use jobs=1)")
        workers.close()
    for i in orphans:
        with Workers(1, workers.threads) as alone:
            if _run_all(alone, [i], arguments, problems, progress):
                _note(problems, i, "the worker process was killed (out of memory?)", arguments(i)[2], progress)


def _refuse_main_module() -> None:
    """Refuse a main script that worker processes cannot load: one without a file, or one that starts workers when loaded."""
    path = getattr(sys.modules["__main__"], "__file__", None)
    if getattr(sys.modules["__main__"], "__spec__", None) is None and path and not Path(path).is_file():
        raise InputError(f"worker processes load the calling script, and {path} is not a file: save the script, with the call "
                         "that starts work under if __name__ == '__main__': (or use jobs=1)")
    if getattr(current_process(), "_inheriting", False):  # a worker that is loading the script; its parent reports why it ended
        os._exit(1)


def _begin(leash) -> None:
    """Start of a worker: tell the parent that it has started, and exit when the parent dies or sends a message.

    All workers hold the same end of the pipe and never read from it, so a message from the parent is visible to each of them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the parent terminates its workers
    leash.send_bytes(b"here")

    parent = parent_process()
    assert parent is not None, "workers are started by a process"

    def watch():
        wait_for([parent.sentinel, leash])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
