"""Discovery of what rooms declare: models, studies, claims, measures, architectures, data, sections.

A thing is declared once, in its file, by a variable with an agreed name (``MODEL``, ``CLAIMS``, ``ARCHITECTURE`` …). There are
no lists to maintain: the folder is the list, in the order of its file names. There are three ways to look, from strict to loose:

:func:`declared`
    every file of a folder must declare something, or have ``NAME = None``; the files are imported.
:func:`read`
    the same without imports: declarations are read from the source, so that listing the architectures for ``--help`` never
    loads torch. Such declarations must be literals.
:func:`binding`
    finds files anywhere below a folder that define a name, and skips the others.

A missing or misspelt name raises :class:`DeclarationError`. Files whose name begins with an underscore are private and
skipped.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.abc import InspectLoader, PathEntryFinder
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType
from typing import TypeVar

from lab.errors import InputError

_T = TypeVar("_T")

_TOP_LEVEL = re.compile(r"^(?:def +)?([A-Za-z]\w*)(?= *[:=(])", re.M)  # names that a file binds on unindented lines


class DeclarationError(InputError):
    """A file declares nothing, a misspelt name, an object of the wrong type, or a name that is taken."""


@cache
def sources(package: str, below: bool = False) -> Mapping[str, str]:
    """Module name → source of the public modules of a package, in alphabetical order, without importing them.

    Parameters
    ----------
    package : str
        Dotted name; the package itself is not imported either, only its parents.
    below : bool, default False
        Whether to include the modules of sub-packages at any depth.
    """
    if package in sys.modules:
        path: Iterable[str] | None = sys.modules[package].__path__
    else:
        spec = find_spec(package)
        path = spec.submodule_search_locations if spec else None
    if path is None:
        raise ModuleNotFoundError(f"there is no package {package}", name=package)
    return dict(_sources(path, f"{package}.", below))


def _sources(path: Iterable[str], prefix: str, below: bool) -> Iterator[tuple[str, str]]:
    for entry in sorted(iter_modules(path, prefix), key=lambda entry: entry.name):
        name, finder = entry.name, entry.module_finder
        if name.rpartition(".")[2].startswith("_"):
            continue
        spec = finder.find_spec(name) if isinstance(finder, PathEntryFinder) else finder.find_spec(name, None)
        if spec is None or not isinstance(spec.loader, InspectLoader):
            continue
        yield name, spec.loader.get_source(name) or ""
        if entry.ispkg and below:
            yield from _sources(spec.submodule_search_locations or (), f"{name}.", below)


def declared(package: str, name: str, kind: type[_T]) -> Iterator[tuple[str, _T]]:
    """Import the modules of a package, and yield what they declare.

    Parameters
    ----------
    package : str
        Dotted name.
    name : str
        The variable that every module of the package must have: an object of the ``kind``, a tuple of them, or None in a module
        that only helps the others.
    kind : type
        Type of the objects.

    Yields
    ------
    (str, object)
        Module name and object, by module, then in the order of the tuple.

    Raises
    ------
    DeclarationError
        If a module lacks the variable, or its value has the wrong type.
    """
    for module, source in sources(package).items():
        _demand(module, source, name, kind)
        yield from _each(module, name, kind, getattr(import_module(module), name))


def read(package: str, name: str, kind: type[_T]) -> Iterator[tuple[str, _T]]:
    """As :func:`declared`, but from the sources alone: ``name = Kind(...)`` with literals as arguments.

    Raises
    ------
    DeclarationError
        As :func:`declared`, or if an argument is not a literal.
    """
    for module, source in sources(package).items():
        _demand(module, source, name, kind)
        yield from _each(module, name, kind, _assigned(module, source, name, kind))


def binding(package: str, name: str) -> list[str]:
    """Modules anywhere below a package whose source defines ``name`` (a variable or a function) at the top level.

    Raises
    ------
    DeclarationError
        If a module does not define it, but a very similar name.
    """
    modules = []
    for module, source in sources(package, below=True).items():
        names = set(_TOP_LEVEL.findall(source))
        if name in names:
            modules.append(module)
        elif close := _close(name, names, 0.85):
            raise DeclarationError(f"{module} defines {close}: is it meant to be {name}?")
    return modules


def matching(package: str, pattern: str) -> list[str]:
    """Modules anywhere below a package with an unindented line whose beginning matches the regular expression."""
    wanted = re.compile(f"^(?:{pattern})", re.M)
    return [module for module, source in sources(package, below=True).items() if wanted.search(source)]


def exports(package: str) -> dict[str, list[str]]:
    """Module → its ``__all__``, for every module of a package, read from the sources; for :func:`lazy`.

    Raises
    ------
    DeclarationError
        If a module has no ``__all__``, or two modules list the same name.
    """
    table = {}
    for module, source in sources(package).items():
        names = _listed(ast.parse(source))
        if names is None:
            raise DeclarationError(f"{module} has no __all__: list its public names there")
        table[module] = names
    by_name(((module, name) for module, names in table.items() for name in names), str)
    return table


def public(source: str) -> dict[str, str]:
    """Public functions and classes of a module, with their docstrings ("" for none).

    They are those that the module itself defines, and lists in ``__all__`` if it has one: what the site describes and what the
    tests of the public surface check. Names that a package re-exports belong to the module that defines them.
    """
    tree = ast.parse(source)
    listed = _listed(tree)
    return {node.name: ast.get_docstring(node) or "" for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
            and not node.name.startswith("_") and (listed is None or node.name in listed)}


def _listed(tree: ast.Module) -> list[str] | None:
    """The names in ``__all__``; None if there is no such list, or if it is computed, as in a lazy package."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if getattr(target, "id", "") == "__all__":
                try:
                    return list(ast.literal_eval(node.value))
                except ValueError:
                    return None
    return None


def by_name(items: Iterable[tuple[str, _T]], name: Callable[[_T], str]) -> dict[str, _T]:
    """Objects by their names, from pairs of module and object.

    Raises
    ------
    DeclarationError
        If two objects have the same name.
    """
    table: dict[str, _T] = {}
    where: dict[str, str] = {}
    for module, item in items:
        key = name(item)
        if key in table:
            raise DeclarationError(f"{module}: the name {key!r} is taken by {where[key]}")
        table[key], where[key] = item, module
    return table


def _demand(module: str, source: str, name: str, kind: type) -> None:
    names = set(_TOP_LEVEL.findall(source))
    if name not in names:
        close = _close(name, names, 0.75)
        hint = f" (is {close} misspelt?)" if close else ""
        raise DeclarationError(f"{module} declares no {name}{hint}: write {name} = {kind.__name__}(...), or {name} = None "
                               "in a file that only helps the others")


def _close(name: str, names: Iterable[str], cutoff: float) -> str:
    """The name most similar to ``name``, "" if no similarity reaches ``cutoff``."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, names, n=1, cutoff=cutoff)), "")


def _each(module: str, name: str, kind: type[_T], value) -> Iterator[tuple[str, _T]]:
    if value is None:
        return
    for item in value if isinstance(value, tuple) else (value,):
        if not isinstance(item, kind):
            raise DeclarationError(f"{module}: {name} is a {kind.__name__}, a tuple of them or None, not {item!r}")
        yield module, item


def _assigned(module: str, source: str, name: str, kind: type):
    """The value that the source assigns to the name: None, or calls of ``kind`` with literals."""

    def value(node):
        if isinstance(node, ast.Tuple):
            return tuple(value(element) for element in node.elts)
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == kind.__name__):
            return ast.literal_eval(node)
        named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg}
        return kind(*map(ast.literal_eval, node.args), **named)

    for statement in ast.parse(source).body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            try:
                return value(statement.value)
            except (ValueError, TypeError) as error:
                raise DeclarationError(f"{module}: {name} is read without running the file, so its arguments are "
                                       f"literals that {kind.__name__} takes ({error})") from None
    raise DeclarationError(f"{module} declares no {name}")


def lazy(package: str, exports: Mapping[str, Iterable[str]]) -> tuple[Callable, Callable, list[str]]:
    """``__getattr__, __dir__, __all__`` of a package whose public names load their modules on first use.

    Parameters
    ----------
    package : str
        ``__name__`` of the package.
    exports : mapping of str to iterable of str
        Module → names; a module whose name begins with a dot is relative to the package.

    Notes
    -----
    If a function has the name of its module (``compare.compare``), importing the module must not replace the function by the
    module, as it would in an ordinary package that has not loaded the function yet.
    """
    where = {name: module for module, names in exports.items() for name in names}

    def load(name: str):
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(where[name], package), name)
        vars(sys.modules[package])[name] = value
        return value

    class Package(ModuleType):
        def __setattr__(self, name, value):
            if not (name in where and isinstance(value, ModuleType)):
                super().__setattr__(name, value)

    sys.modules[package].__class__ = Package
    names = sorted(where)

    def public() -> list[str]:
        present = vars(sys.modules[package])  # __all__ may have grown since; imports of the file itself are not shown
        return sorted({*names, *present.get("__all__", ()), *(name for name in present if name.startswith("__"))})

    return load, public, names
