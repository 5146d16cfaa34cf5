"""Numba's compiler as the laboratory's kernels use it: they are cached where something can be written, and run anywhere.

:func:`njit` is Numba's, with two differences. Where nothing can be written (a read-only installation, no home, no temporary
folder) Numba refuses to compile a function that asks for its cache, at import; here it is compiled without, and said once.
And Numba's simplest threading layer (*workqueue*, all there is without OpenMP and TBB) ends the process when two Python
threads start parallel kernels at a time; here they wait for each other: each of them has all the cores anyway.
"""

from functools import cache, wraps
from multiprocessing import parent_process
from threading import Lock
from types import FunctionType

import numba

from lab.cli import note

_LAUNCH = Lock()


def njit(*signature, cache: bool = False, parallel: bool = False, **options):
    """As ``numba.njit``: a decorator, or the compiled function where it is given one.

    Notes
    -----
    A parallel kernel is a plain function around Numba's dispatcher (its ``kernel``), to be called from Python alone.
    """
    if signature and isinstance(signature[0], FunctionType):
        return njit(cache=cache, parallel=parallel, **options)(signature[0])
    options["parallel"] = parallel

    def decorate(function: FunctionType):
        try:
            kernel = numba.njit(*signature, cache=cache, **options)(function)
        except (RuntimeError, OSError) as error:
            if not (cache and _is_about_the_cache(error)):
                raise
            _say_uncached()
            kernel = numba.njit(*signature, cache=False, **options)(function)
        return _one_at_a_time(kernel) if parallel else kernel

    return decorate


def _is_about_the_cache(error: Exception) -> bool:
    return isinstance(error, OSError) or "no locator available" in str(error)


def _one_at_a_time(kernel):
    @wraps(kernel.py_func)
    def launch(*arguments):
        with _LAUNCH:
            return kernel(*arguments)

    launch.kernel = kernel
    return launch


@cache
def _say_uncached() -> None:
    """Once, by the process that has no parent here."""
    if parent_process() is None:
        note("compiled kernels cannot be kept, as nothing can be written where Numba looks: they are compiled anew in every "
            "process, which takes a while; name a folder that can be written in NUMBA_CACHE_DIR")
