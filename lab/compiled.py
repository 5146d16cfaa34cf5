"""Numba's compiler as the laboratory's kernels use it: they are cached where something can be written, and run anywhere.

:func:`njit` is Numba's, with three differences. Where nothing can be written (a read-only installation without a home, a full
disk), or what was kept is damaged, Numba refuses to compile a function that asks for its cache; here it is compiled without,
and that is said once. And Numba's simplest threading layer (*workqueue*, all there is without OpenMP and TBB) ends the process
when two Python threads start parallel kernels at a time; here they wait for each other: each of them has all the cores anyway.
And Numba hands a kernel's ``fastmath`` on to the functions that it compiles on the kernel's behalf, and keeps them for all later
callers: the last bits of a shared function would depend on which kernel came first. Here a function has the flags that it names
itself, or none.
"""

import threading
from functools import wraps
from multiprocessing import parent_process
from types import FunctionType
from typing import Any

import numba

from lab.cli import note

_LAUNCH = threading.Lock()


def njit(*signature: Any, cache: bool = False, parallel: bool = False, **options: Any) -> Any:
    """As ``numba.njit``: a decorator, or the compiled function where it is given one.

    Notes
    -----
    A parallel kernel is a plain function around Numba's dispatcher, to be called from Python alone.
    """
    if signature and isinstance(signature[0], FunctionType):
        return njit(cache=cache, parallel=parallel, **options)(signature[0])
    options["parallel"] = parallel
    options.setdefault("fastmath", False)  # not named, it would be inherited
    compiled: Any = numba.njit  # its overloads know no mixture of a signature and options

    def decorate(function: FunctionType):
        try:
            kernel = compiled(*signature, cache=cache, **options)(function)
        except Exception as error:
            if not cache:
                raise
            kernel = compiled(*signature, cache=False, **options)(function)  # raises again if the function is at fault
            _say_uncached(error)
        _guard(kernel)
        return _one_at_a_time(kernel) if parallel else kernel

    return decorate


def _guard(kernel) -> None:
    """What is compiled at a later call does not fail for its cache either."""

    def guarded(method):
        def attempt(*arguments):
            try:
                return method(*arguments)
            except Exception as error:  # a damaged file raises anything
                _say_uncached(error)
                return None

        return attempt

    cache = getattr(kernel, "_cache", None)  # NUMBA_DISABLE_JIT leaves the function as it is
    for name in () if cache is None else ("load_overload", "save_overload"):
        setattr(cache, name, guarded(getattr(cache, name)))


def _one_at_a_time(kernel):
    @wraps(getattr(kernel, "py_func", kernel))
    def launch(*arguments):
        with _LAUNCH:
            return kernel(*arguments)

    return launch


_said = False


def _say_uncached(error: Exception) -> None:
    """Once, by the process that has no parent here."""
    global _said
    if not _said and parent_process() is None:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:80] or type(error).__name__
        note(f"compiled kernels cannot be kept, or taken from where they are kept ({reason}): they are compiled anew, which "
             "takes a while; name a folder that can be written in NUMBA_CACHE_DIR")
    _said = True
