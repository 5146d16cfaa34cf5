"""The cache of compiled kernels: Numba's cache on disk, made aware of everything from which a kernel is compiled.

Numba takes a kernel from its cache if the file that defines it has not changed. But a kernel also contains the functions it
calls, and constants of other modules: after an edit there, Numba would go on running the old code. Here the key of a compiled
kernel holds a digest of all that, see :func:`ingredients`.

If nothing can be written (a read-only installation without a home, a full disk), or a cached file is damaged, Numba raises an
error. Here the kernel is compiled without its cache, which is reported once.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import parent_process
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numba.core.caching import FunctionCache

from lab.cli import note

_CONSTANTS = (bool, int, float, complex, str, bytes, type(None))
_FOREIGN = {"builtins", "llvmlite", "math", "numba", "numpy"}  # versions of these are in Numba's own key, or do not matter


class KernelCache(FunctionCache):
    """The cache of one kernel. It never raises: problems are reported once."""

    def load_overload(self, sig, target_context):
        """The compiled code that is cached for a signature; None if there is none, or none that can be used."""
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # a damaged file raises anything
            report_uncached(error)
            return None

    def save_overload(self, sig, data):
        """Cache the code compiled for a signature."""
        try:
            super().save_overload(sig, data)
        except Exception as error:
            report_uncached(error)

    def holds(self, sig, target_context) -> bool:
        """Whether something is kept for a signature."""
        try:
            target_context.refresh()
            return self._index_key(sig, target_context.codegen()) in self._cache_file._load_index()
        except Exception:  # whoever wants it will be told
            return False

    def _index_key(self, sig, codegen):
        return (*super()._index_key(sig, codegen), ingredients(self._py_func))


def ingredients(function: FunctionType) -> str:
    """A digest of what a kernel is compiled from besides its own code.

    Parameters
    ----------
    function : function
        The kernel, not compiled.

    Returns
    -------
    str
        A digest of the code of every function that it calls, directly or not, and of the values of the constants that they name;
        for anything else (vector types, intrinsics), of the source file of the module.

    Examples
    --------
    >>> from lab.flow_kernel import _largest
    >>> len(ingredients(_largest.py_func))
    64
    """
    digest = hashlib.sha256()
    for current in _reached(function):
        for code in _codes(current.__code__):
            digest.update(code.co_code)
            digest.update(repr([_constant(c) for c in code.co_consts if not isinstance(c, CodeType)]).encode())
            digest.update(repr(code.co_names).encode())
        for name, value in _named(current):
            digest.update(name.encode())
            if _function(value) is None:
                digest.update(_value(value))
    return digest.hexdigest()


def code_size(function: Callable) -> int:
    """Bytes of Python's code in a kernel and the functions it calls: compiling takes time in proportion.

    Parameters
    ----------
    function : function
        The kernel, compiled or not.

    Returns
    -------
    int

    Examples
    --------
    >>> from lab.flow_kernel import _hermite, _loss_within
    >>> code_size(_loss_within) > code_size(_hermite) > 0
    True
    """
    inner = _function(function)
    return 0 if inner is None else sum(len(code.co_code) for one in _reached(inner) for code in _codes(one.__code__))


def _reached(function: FunctionType) -> Iterator[FunctionType]:
    """A function and those that it calls, directly or not, in an order of their own."""
    waiting, done = [function], {function}
    while waiting:
        current = waiting.pop()
        yield current
        for _, value in _named(current):
            inner = _function(value)
            if inner is not None and inner not in done and inner.__module__.partition(".")[0] not in _FOREIGN:
                done.add(inner)
                waiting.append(inner)


def _constant(value: Any) -> Any:
    """A constant of the code, with an order in its sets: that of their elements differs between processes."""
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    return tuple(map(_constant, value)) if isinstance(value, tuple) else value


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and those inside it: comprehensions and inner functions."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _named(function: FunctionType) -> list[tuple[str, Any]]:
    """Globals, variables of enclosing functions, and members of modules that a function names, by name."""
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    found: list[tuple[str, Any]] = []
    for cell_name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        with suppress(ValueError):  # not assigned yet
            found.append((cell_name, cell.cell_contents))
    for name in names & function.__globals__.keys():
        value = function.__globals__[name]
        if not isinstance(value, ModuleType):
            found.append((name, value))
        elif value.__name__.partition(".")[0] not in _FOREIGN:
            found += ((f"{name}.{member}", getattr(value, member)) for member in names if hasattr(value, member))
    return sorted(found, key=lambda pair: pair[0])


def _function(value: Any) -> FunctionType | None:
    """The Python function behind a kernel, a wrapped kernel or an intrinsic, or the function itself."""
    for attribute in ("py_func", "_defn", "__wrapped__"):
        value = getattr(value, attribute, value)
    return value if isinstance(value, FunctionType) else None


def _value(value: Any) -> bytes:
    """A constant by its value, an array by its content, anything else by the source of the module that defines its type."""
    if isinstance(value, _CONSTANTS):
        return repr(value).encode()
    if isinstance(value, tuple | list):
        return b"".join(map(_value, value))
    if isinstance(value, np.ndarray | np.generic):
        return repr((value.dtype, value.shape)).encode() + value.tobytes()
    kind = value if isinstance(value, type) else type(value)
    return kind.__qualname__.encode() + _source(kind.__module__)


_sources: dict[str, bytes] = {}


def _source(module: str) -> bytes:
    if module.partition(".")[0] in _FOREIGN:
        return module.encode()
    if module not in _sources:
        try:
            _sources[module] = hashlib.sha256(Path(str(sys.modules[module].__file__)).read_bytes()).digest()
        except (KeyError, OSError):  # a module without a file
            _sources[module] = module.encode()
    return _sources[module]


_reported = False


def report_uncached(error: Exception) -> None:
    """Report that kernels are not cached, once, from the main process.

    Parameters
    ----------
    error : Exception
        The reason.

    Examples
    --------
    >>> report_uncached(OSError(28, "No space left on device"))
    """
    global _reported
    if not _reported and parent_process() is None:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:80] or type(error).__name__
        note(f"compiled kernels cannot be written to their cache, or read from it ({reason}): they are compiled again, which "
             "takes a while; set NUMBA_CACHE_DIR to a folder that can be written")
    _reported = True
