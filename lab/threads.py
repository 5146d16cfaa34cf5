"""The number of threads that a piece of work may use, restored on exit.

The last bits of a matrix product depend on the number of threads that share it: sums are split where the work is split, and
some libraries choose another kernel. Training amplifies such bits to differences in every digit. So the number of threads is
part of a run (the field ``threads`` of its configuration; one if it has no such field), and :func:`lab.sweep.execute`, through
which every run goes, holds the libraries to it: BLAS and OpenMP (NumPy, SciPy, scikit-learn) and PyTorch. Numba is left
alone, since the laboratory's kernels deal out whole replicas or queries and give the same numbers on any number of threads.
So are PyTorch's inter-op threads, which can be set only once per process: they carry out forked tasks, and there are none.
"""

import os
import sys
from collections.abc import Iterable
from contextlib import contextmanager
from functools import cache
from typing import Any

from lab.manifest import cores

LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
NUMBA = "NUMBA_NUM_THREADS"


@contextmanager
def fixed(threads: int):
    """Context that holds BLAS, OpenMP and PyTorch to a number of threads, including libraries that are loaded meanwhile.

    On exit every library gets back its previous number of threads; those loaded meanwhile get the usual number. Contexts may
    be nested. This is a state of the process, so it also holds for whatever other threads compute at the same time.
    """
    torch = sys.modules.get("torch")
    torch_had = torch.get_num_threads() if torch else None
    had = {library.filepath: library.num_threads for library in _thread_pools()}
    try:
        with environment(threads, LIBRARIES):  # what libraries read when they are loaded
            for library in _thread_pools():
                _set(library, threads)
            if torch:
                torch.set_num_threads(threads)
            yield
    finally:
        usual = _usual()
        for library in _thread_pools():
            _set(library, had.get(library.filepath, usual))
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(torch_had or usual)


@contextmanager
def environment(threads: int, variables: Iterable[str] = (*LIBRARIES, NUMBA)):
    """Context with the number of threads as environment variables, for libraries and processes that start meanwhile."""
    variables = tuple(variables)
    had = {name: os.environ.get(name) for name in variables}
    os.environ.update(dict.fromkeys(variables, str(threads)))
    try:
        yield
    finally:
        for name, value in had.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def offered() -> int:
    """Threads that Numba has for parallel kernels: the cores, unless the environment names another number."""
    import numba

    settings: Any = numba.config  # a module whose values are set at run time
    return settings.NUMBA_NUM_THREADS


def usable(threads: int | None = None) -> int:
    """Threads for a piece of work: the requested number, or as many as Numba would use; never more than the cores."""
    return max(1, min(threads or _numba_uses(), cores()))


def _numba_uses() -> int:
    """Threads of Numba's parallel kernels, found without starting them."""
    import numba

    try:
        numba.threading_layer()
    except ValueError:  # none was started: nobody has set another number
        return offered()
    return numba.get_num_threads()


@contextmanager
def single_threaded_blas():
    """Context in which BLAS starts no threads: for calls of BLAS from several threads, or with small matrices."""
    libraries = _blas()
    had = [library.num_threads for library in libraries]
    try:
        for library in libraries:
            _set(library, 1)
        yield
    finally:
        for library, threads in zip(libraries, had):
            _set(library, threads)


@cache  # looking for the libraries takes longer than a small projection
def _blas() -> list:
    """NumPy's BLAS, and SciPy's, which compiled kernels call."""
    import scipy.linalg.cython_blas  # noqa: F401  otherwise the first kernel would load it, with its own threads

    return [library for library in _thread_pools() if library.user_api == "blas"]


@contextmanager
def numba_threads(threads: int | None):
    """Context in which Numba's parallel kernels use at most this many threads (None: no limit); results stay the same."""
    import numba

    had = numba.get_num_threads()
    numba.set_num_threads(min(threads or had, offered()))
    try:
        yield
    finally:
        numba.set_num_threads(had)


def _thread_pools() -> list:
    """The controllers of the BLAS and OpenMP libraries in this process."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().lib_controllers


def _set(library, threads: int) -> None:
    # threadpoolctl lets a single Python thread set OpenBLAS and ignores the others, but a run may be in any thread
    release = getattr(library, "clear_controlling_thread", lambda force: None)
    release(force=True)
    library.set_num_threads(threads)
    release(force=True)


def _usual() -> int:
    """Threads that a library uses by default."""
    setting = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(setting) if setting.isdigit() and int(setting) else cores()
