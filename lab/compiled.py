"""Numba's compiler as the laboratory's kernels use it: cached where the disk can be written, and usable anywhere.

:func:`njit` is Numba's, with four differences.

* Compiled kernels are kept by :mod:`lab.kernel_cache`, which notices edits in other files and never fails.
* Compilation that takes longer than a moment is announced, so that users know what they are waiting for (unless the environment
  has ``WIDTHLAB_SILENT_COMPILER``).
* Numba's simplest threading layer (*workqueue*, the only one without OpenMP and TBB) ends the process when two Python threads
  start parallel kernels at the same time. Here they take turns; each of them uses all cores anyway.
* Numba passes a kernel's ``fastmath`` on to the functions that it compiles on the kernel's behalf, and keeps them for all later
  callers: the last bits of a shared function would depend on which kernel came first. Here a function has the flags that it
  names itself, or none.
"""

import os
import threading
from functools import wraps
from multiprocessing import parent_process
from types import FunctionType
from typing import Any

import numba
from numba.core import event
from numba.core.typeinfer import register_dispatcher

from lab.cli import note
from lab.kernel_cache import KernelCache, report_uncached

_LAUNCH = threading.Lock()


def njit(*signature: Any, cache: bool = False, parallel: bool = False, **options: Any) -> Any:
    """As ``numba.njit``: a decorator, or the compiled function if it is given one.

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
        kernel = compiled(**options)(function)
        if not isinstance(kernel, FunctionType):  # NUMBA_DISABLE_JIT leaves the function as it is
            if cache:
                try:
                    kernel._cache = KernelCache(function)
                except Exception as error:  # there is no writable folder
                    report_uncached(error)
            if signature:
                with register_dispatcher(kernel):  # so that it may call itself
                    for one in signature:
                        kernel.compile(one)
                kernel.disable_compile()
        return _one_at_a_time(kernel) if parallel else kernel

    return decorate


def _one_at_a_time(kernel):
    @wraps(getattr(kernel, "py_func", kernel))
    def launch(*arguments):
        with _LAUNCH:
            return kernel(*arguments)

    return launch


class _Announcement(event.Listener):
    """Announces once that kernels are being compiled, if one takes longer than a moment."""

    MOMENT = 1.0  # seconds

    def __init__(self) -> None:
        self._depth = 0
        self._timer: threading.Timer | None = None
        self._made = False

    def on_start(self, event: event.Event) -> None:
        self._depth += 1
        if self._depth == 1 and not self._made:
            function = event.data["dispatcher"].py_func
            self._timer = threading.Timer(self.MOMENT, self._announce, [f"{function.__module__}.{function.__name__}"])
            self._timer.daemon = True
            self._timer.start()

    def on_end(self, event: event.Event) -> None:
        self._depth -= 1
        if self._depth == 0 and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _announce(self, kernel: str) -> None:
        if not self._made:
            self._made = True
            note(f"compiling {kernel} and the kernels after it: usually 5 to 20 seconds, once; they are kept for later runs")


if parent_process() is None and not os.environ.get("WIDTHLAB_SILENT_COMPILER"):
    event.register("numba:compile", _Announcement())
