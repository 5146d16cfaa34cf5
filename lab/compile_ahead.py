"""Kernels compiled before they are wanted, on a second core, and announced.

Numba compiles one kernel at a time in a process. :func:`prepare` forks a helper that needs no imports and compiles into the
folder where kernels are kept; this process goes on, and takes part as soon as it wants one of them. The two share a queue, so
that each kernel is compiled once, and both have work until the last one.
"""

import atexit
import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import parent_process
from typing import Any, NoReturn, Protocol, TypeGuard

from numba.core.compiler_lock import global_compiler_lock

from lab.cli import note
from lab.kernel_cache import code_size
from lab.manifest import cores

_LONG = 3000  # bytes of Python's code that take a second or longer to compile


class Kernel(Protocol):
    """What is compiled: a :class:`lab.compiled.Declared`."""

    py_func: Callable[..., Any]

    def settle(self) -> None:
        """Compile it, or take it from the disk."""

    def kept(self) -> bool:
        """Whether nothing has to be compiled."""

    def keepable(self) -> bool:
        """Whether other processes see it once it is compiled."""


def prepare(*kernels: Any) -> None:
    """Announce that kernels will be wanted: those that are not kept are compiled meanwhile, if there is a second core.

    Parameters
    ----------
    *kernels : compiled functions
        With signatures of their own; others are ignored.
    """
    missing = sorted((kernel for kernel in map(_inner, kernels) if _declared(kernel) and not kernel.kept()),
                     key=lambda kernel: -code_size(kernel.py_func))
    if not missing:
        return
    helped = len(missing) > 1 and _Helper.possible() and all(kernel.keepable() for kernel in missing)
    announce([kernel.py_func for kernel in missing])
    if helped:
        _Helper.current = _Helper(missing)


def ready(*kernels: Any) -> None:
    """As :func:`prepare`, and wait until they are compiled: before time is taken."""
    prepare(*kernels)
    for kernel in map(_inner, kernels):
        if _declared(kernel):
            kernel.settle()


def wait_for(kernel: Kernel) -> None:
    """Until the helper is not about to compile a kernel, take what it has not begun."""
    if _Helper.current is not None:
        _Helper.current.share(kernel)


_announced = False


def announce(functions: Sequence[Callable]) -> None:
    """Say that functions are being compiled, which, and for how long, once; not where nobody should be told."""
    global _announced
    if _announced or parent_process() is not None or os.environ.get("WIDTHLAB_SILENT_COMPILER"):
        return
    _announced = True
    names = [f"{function.__module__}.{function.__name__}" for function in functions]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    note(f"compiling {shown}: usually 5 to 20 seconds, once; compiled kernels are kept for later runs")


def takes_long(function: Callable) -> bool:
    """Whether to announce a function without waiting for how long it takes."""
    return code_size(function) > _LONG


def _inner(kernel: Any) -> Any:
    return getattr(kernel, "kernel", kernel)  # of a parallel one


def _declared(kernel: Any) -> TypeGuard[Kernel]:
    return hasattr(kernel, "settle")


class _Helper:
    """A copy of this process that compiles kernels of a queue."""

    current: "_Helper | None" = None

    @staticmethod
    def possible() -> bool:
        """Whether to start one: a fork that only compiles is safe on Linux; processes of a sweep have one core each."""
        return (_Helper.current is None and sys.platform == "linux" and cores() > 1 and parent_process() is None)

    def __init__(self, kernels: Sequence[Kernel]) -> None:
        self._kernels = kernels[:256]
        self._taken: list[Kernel] = []  # by this process
        self._queue, filling = os.pipe()
        os.write(filling, bytes(range(len(self._kernels))))
        os.close(filling)  # so that an empty queue has an end
        with global_compiler_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside other threads: BLAS has some, all idle
            self._process = os.fork()
        if self._process == 0:
            self._compile()
        atexit.register(self._end)

    def _next(self) -> Kernel | None:
        number = os.read(self._queue, 1)
        if not number:
            return None
        self._taken.append(self._kernels[number[0]])
        return self._taken[-1]

    def _compile(self) -> NoReturn:
        try:
            _Helper.current = None
            for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(kind, signal.SIG_DFL)
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):  # whoever reads this program's output should not wait for the helper
                os.dup2(nothing, stream)
            while kernel := self._next():
                kernel.settle()
        finally:
            os._exit(0)  # what it could not compile, this program will try, and complain of

    def share(self, wanted: Kernel) -> None:
        """Compile what is in the queue, until it is the wanted kernel's turn or the helper is done with it."""
        if wanted in self._taken or wanted not in self._kernels:
            return
        while _Helper.current is self and not wanted.kept():
            kernel = self._next()
            if kernel is None:
                self._end(wait=True)
            elif kernel is wanted:
                return
            else:
                kernel.settle()

    def _end(self, wait: bool = False) -> None:
        """Wait for the helper's last kernel, or, at the end of this program, do not."""
        if _Helper.current is self:
            _Helper.current = None
            with suppress(OSError):
                if not wait:
                    os.kill(self._process, signal.SIGTERM)
                os.waitpid(self._process, 0)
                os.close(self._queue)
