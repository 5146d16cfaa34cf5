"""A user's own functions: found by their names, and identified by the content of their files.

A run is identified by its configuration, so an own architecture is stored there as ``package.module:function`` with a checksum
of its source: the module's file and all files of its folder that it imports, directly or indirectly. Only the named module is
imported. The working folder comes last on the path, so no file there can hide an installed package.
"""

import ast
import hashlib
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module, invalidate_caches
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from empirical.declared import is_own, own_name
from lab.errors import ArgumentError, InputError

_HOME = Path(__file__).resolve().parents[2]
_INSTALLED = {Path(sysconfig.get_path(key)).resolve() for key in ("purelib", "platlib", "stdlib", "platstdlib")}


def name_of(function: str | Callable, argument: str) -> str:
    """The name under which another process can find a function; names are returned unchanged.

    Parameters
    ----------
    function : str or callable
        A name (of the laboratory, or ``package.module:function``), or a function or class of a module.
    argument : str
        The argument's name, for messages.

    Raises
    ------
    ArgumentError
        If no other process could find it: functions of the running script or of a notebook, lambdas, partial functions.
    """
    if isinstance(function, str):
        return own_name(function) if is_own(function) else function
    module, path = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if not callable(function) or not module or not path or "<" in path:
        raise ArgumentError(f"{argument} {function!r} has no name by which another process could find it: give a function or a "
                            "class at the top level of a module, or package.module:function", argument)
    if module == "__main__":
        raise ArgumentError(f"{argument} {path} is part of the running script, which other processes cannot import: put it into "
                            f"a file of its own, say my_module.py, and give my_module:{path}", argument)
    name = f"{module}:{path}"
    if load(name, argument) is not function:
        raise ArgumentError(f"{argument}: {name} is another function than the one given", argument)
    return name


@cache
def load(name: str, argument: str) -> Callable:
    """Import the function of that name.

    Parameters
    ----------
    name : str
        ``package.module:function``.
    argument : str
        The argument's name, for messages.

    Raises
    ------
    ArgumentError
        If there is no such module or function, or its module cannot be imported.
    """
    module, _, path = own_name(name).partition(":")
    here = os.getcwd()
    if not {"", here} & set(sys.path):
        sys.path.append(here)
    invalidate_caches()  # the file may be younger than the process
    try:
        imported = import_module(module)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{module}.".startswith(f"{error.name}."):
            raise ArgumentError(f"{argument} {name}: there is no module {error.name}, neither installed nor in {here}",
                                argument) from None
        raise ArgumentError(f"{argument} {name}: importing {module} fails, {in_a_line(error)}", argument) from error
    value: Any = imported
    for part in path.split("."):
        value = getattr(value, part, None)
    if not callable(value):
        where = getattr(imported, "__file__", None) or "a folder"
        shadowed = Path(here, *module.split("."))
        own = next((p for p in (shadowed.with_suffix(".py"), shadowed / "__init__.py") if p.is_file()), None)
        taken = own and Path(where).resolve() != own.resolve()
        raise ArgumentError(f"{argument} {name}: " + (
            f"{own} has the name of another module, {where}, which is found before it: rename it" if taken
            else f"{where} has no function {path}"), argument)
    return value


def in_a_line(error: BaseException) -> str:
    """The error's type and message, in one line."""
    return ": ".join(filter(None, [type(error).__name__, " ".join(str(error).split())[:300]]))


def takes(function: Callable) -> set[str]:
    """Names of the arguments that a function takes, without ``**keywords``."""
    try:
        parameters = signature(function).parameters.values()
    except (TypeError, ValueError):  # of built-in functions
        return set()
    return {p.name for p in parameters if p.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)}


@cache
def checksum(name: str) -> str:
    """First 16 hex digits of a checksum of a function's source: its file, and the files of its folder that it imports.

    Parameters
    ----------
    name : str
        ``package.module:function``.
    """
    load(name, "model")
    digest = hashlib.sha256()
    for path, module in sorted((str(path), module) for module, path in _sources(name.partition(":")[0]).items()):
        digest.update(f"{module}\0".encode())
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()[:16]


def _sources(module: str) -> dict[str, Path]:
    """Module name → file, for a module and all that it imports from the folder that contains its package."""
    file = getattr(sys.modules[module], "__file__", None)
    if file is None:
        raise InputError(f"{module} has no file, so its runs could not be told from those of another version: give it one")
    file = Path(file).resolve()
    root = file.parents[len(module.split(".")) - (file.name != "__init__.py")]
    top, alone = module.partition(".")[0], root in _INSTALLED
    files, waiting = {}, [(module, file)]
    while waiting:
        name, path = waiting.pop()
        if name in files:
            continue
        files[name] = path
        for other in _imported(name, path):
            first = other.partition(".")[0]
            if (alone and first != top) or (root == _HOME and first in ("lab", "theory", "toy", "empirical", "figures")):
                continue  # another package, or the laboratory, whose version is in every manifest
            place = root.joinpath(*other.split("."))
            beside = next((p for p in (place / "__init__.py", place.with_suffix(".py")) if p.is_file()), None)
            if beside:
                waiting.append((other, beside))
    return files


def _imported(module: str, path: Path) -> Iterator[str]:
    """Names of the modules to which a file's import statements may refer, with their parent packages."""
    if path.suffix != ".py":
        return
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".")
            parts = parts[:len(parts) - node.level + (path.name == "__init__.py")] if node.level else []
            base = ".".join([*parts, *([node.module] if node.module else [])])
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in filter(None, names):
            pieces = name.split(".")
            yield from (".".join(pieces[:i + 1]) for i in range(len(pieces)))
