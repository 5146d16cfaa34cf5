"""A user's own functions: found by their names, known by what is in their files.

A run is named by its configuration, so an own architecture is carried there as ``package.module:function`` and a checksum
of its source: of the module's file and of all files beside it that it imports, however far. Nothing is imported but what was
named; the working folder is looked in last, so that no file there takes the place of an installed package.
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
    """The name of a function: itself if it is one, else where a fresh process finds it.

    Parameters
    ----------
    function : a name (of the laboratory's, or ``package.module:function``), or a function or class of a module.
    argument : what it is given as.

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
    """The function of that name; its module is imported.

    Parameters
    ----------
    name : ``package.module:function``.
    argument : what it is given as, for the message.

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
        found = import_module(module)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{module}.".startswith(f"{error.name}."):
            raise ArgumentError(f"{argument} {name}: there is no module {error.name}, neither installed nor in {here}",
                                argument) from None
        raise ArgumentError(f"{argument} {name}: importing {module} fails, {in_a_line(error)}", argument) from error
    value: Any = found
    for part in path.split("."):
        value = getattr(value, part, None)
    if not callable(value):
        where = getattr(found, "__file__", None) or "a folder"
        shadowed = Path(here, *module.split("."))
        own = next((p for p in (shadowed.with_suffix(".py"), shadowed / "__init__.py") if p.is_file()), None)
        taken = own and Path(where).resolve() != own.resolve()
        raise ArgumentError(f"{argument} {name}: " + (
            f"{own} has the name of another module, {where}, which is found before it: rename it" if taken
            else f"{where} has no function {path}"), argument)
    return value


def in_a_line(error: BaseException) -> str:
    """The error's kind and what it says, in one line."""
    return ": ".join(filter(None, [type(error).__name__, " ".join(str(error).split())[:300]]))


def takes(function: Callable) -> set[str]:
    """Names of the arguments that a function takes; ``**keywords`` count for none."""
    try:
        parameters = signature(function).parameters.values()
    except (TypeError, ValueError):  # of built-in functions
        return set()
    return {p.name for p in parameters if p.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)}


@cache
def checksum(name: str) -> str:
    """Of the source of a named function: its file, and the files beside it that it imports. First 16 hex digits.

    Parameters
    ----------
    name : ``package.module:function``.
    """
    load(name, "model")
    digest = hashlib.sha256()
    for path, module in sorted((str(path), module) for module, path in _sources(name.partition(":")[0]).items()):
        digest.update(f"{module}\0".encode())
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()[:16]


def _sources(module: str) -> dict[str, Path]:
    """Module name → file, of a module and all that it imports from the folder in which its package lies."""
    file = getattr(sys.modules[module], "__file__", None)
    if file is None:
        raise InputError(f"{module} has no file, so its runs could not be told from those of another version: give it one")
    file = Path(file).resolve()
    root = file.parents[len(module.split(".")) - (file.name != "__init__.py")]
    top, alone = module.partition(".")[0], root in _INSTALLED
    found, waiting = {}, [(module, file)]
    while waiting:
        name, path = waiting.pop()
        if name in found:
            continue
        found[name] = path
        for other in _imported(name, path):
            first = other.partition(".")[0]
            if (alone and first != top) or (root == _HOME and first in ("lab", "theory", "toy", "empirical", "figures")):
                continue  # a package of its own, or the laboratory, whose version every manifest has
            place = root.joinpath(*other.split("."))
            beside = next((p for p in (place / "__init__.py", place.with_suffix(".py")) if p.is_file()), None)
            if beside:
                waiting.append((other, beside))
    return found


def _imported(module: str, path: Path) -> Iterator[str]:
    """Names of the modules that a file's import statements can mean, with the packages that hold them."""
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
