"""Numba's compiler as the laboratory's kernels use it: compiled when they are wanted, kept on disk, and run anywhere.

:func:`njit` is Numba's, with six differences.

* A kernel with a signature is compiled, or taken from the disk, when it is first called, by Python or by another kernel:
  importing a module compiles nothing, and what a command does not use is never compiled. :func:`lab.compile_ahead.prepare` begins
  earlier, on another core.
* A function that kernels call is compiled once for arguments of a type. Numba compiles it again for every number that stands in
  a call: ``f(x, 0)``, ``f(x, 1)`` and ``f(x, i)`` were three functions.
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
import time
from functools import wraps
from multiprocessing import parent_process
from types import FunctionType
from typing import Any

import numba
from numba.core import event, types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher
from numba.core.typeinfer import register_dispatcher

from lab.compile_ahead import announce, takes_long, wait_for
from lab.kernel_cache import KernelCache, report_uncached

_LAUNCH = threading.Lock()
_Dispatcher: Any = CPUDispatcher  # Numba describes only parts of it


def njit(*signatures: Any, cache: bool = False, parallel: bool = False, open: bool = False, **options: Any) -> Any:
    """As ``numba.njit``: a decorator, or the compiled function where it is given one.

    Notes
    -----
    An ``open`` kernel is compiled for other arguments than those of its signatures as well, when they come. A parallel kernel is
    a plain function around Numba's dispatcher (its attribute ``kernel``), to be called from Python alone.
    """
    if signatures and isinstance(signatures[0], FunctionType):
        return njit(cache=cache, parallel=parallel, open=open, **options)(signatures[0])
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
            if signatures:
                kernel.__class__ = Declared
                kernel.declared, kernel.open = signatures, open
            else:
                kernel.__class__ = _Kernel
        return _one_at_a_time(kernel) if parallel else kernel

    return decorate


class _Kernel(_Dispatcher):
    """A kernel that is compiled for types of arguments, not for their values."""

    def get_call_template(self, args, kws):
        return super().get_call_template(tuple(map(types.unliteral, args)),
                                         {name: types.unliteral(kind) for name, kind in kws.items()})


class Declared(_Kernel):
    """A kernel that is compiled for the signatures it declares when it is first wanted, and for no others unless it is open.

    Attributes
    ----------
    declared : tuple
        Its signatures.
    open : bool
        Whether other arguments are compiled for, too.
    settled : bool
        Whether it is compiled.
    """

    declared: tuple = ()
    open = False
    settled = False
    _settling = False

    def settle(self) -> None:
        """Take it from where compiled kernels are kept, or compile it."""
        if self.settled:
            return
        with global_compiler_lock:
            if self.settled or self._settling:  # by another thread; by this one, where the kernel calls itself
                return
            self._settling = True
            try:
                if not self.kept():
                    wait_for(self)
                with register_dispatcher(self):  # so that it may call itself
                    for signature in self.declared:
                        self.compile(signature)
                if not self.open:
                    self.disable_compile()
                self.settled = True
            finally:
                self._settling = False

    def kept(self) -> bool:
        """Whether nothing has to be compiled."""
        return self.settled or (self.keepable() and all(
            self._cache.holds(signature, self.targetctx) for signature in self.declared))

    def keepable(self) -> bool:
        """Whether other processes see it once it is compiled."""
        return isinstance(self._cache, KernelCache)

    # Numba comes by one of these whenever it looks for what is compiled.

    def _compile_for_args(self, *args, **kws):
        if self.settled:
            return super()._compile_for_args(*args, **kws)
        self.settle()
        return self  # to be called once more, now with something to choose from

    def get_call_template(self, args, kws):
        self.settle()
        return super().get_call_template(args, kws)

    def get_compile_result(self, sig):
        self.settle()
        return super().get_compile_result(sig)

    def _reduce_states(self):
        self.settle()
        return super()._reduce_states()

    @property
    def signatures(self):
        self.settle()
        return super().signatures


def _one_at_a_time(kernel):
    def launch(*arguments):
        with _LAUNCH:
            return kernel(*arguments)

    launched: Any = wraps(getattr(kernel, "py_func", kernel))(launch)
    launched.kernel = kernel
    return launched


class _Announcement(event.Listener):
    """Announces compilation that takes longer than a moment, alone or together with what was compiled before."""

    MOMENT = 0.5  # seconds

    def __init__(self) -> None:
        self._depth = 0
        self._spent = self._begun = 0.0
        self._timer: threading.Timer | None = None

    def on_start(self, event: event.Event) -> None:
        self._depth += 1
        if self._depth == 1:
            function = event.data["dispatcher"].py_func
            if takes_long(function):
                return announce([function])
            self._begun = time.monotonic()
            self._timer = threading.Timer(max(0.0, self.MOMENT - self._spent), announce, [[function]])
            self._timer.daemon = True
            self._timer.start()

    def on_end(self, event: event.Event) -> None:
        self._depth -= 1
        if self._depth == 0 and self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._spent += time.monotonic() - self._begun


if parent_process() is None and not os.environ.get("WIDTHLAB_SILENT_COMPILER"):
    event.register("numba:compile", _Announcement())
