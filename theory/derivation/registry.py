"""All derivations and checks of this room, by name."""

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import TypeVar

import numpy as np

from lab.console import called
from lab.discover import DeclarationError, binding, by_name, matching
from lab.errors import ArgumentError
from lab.streams import generator
from theory.derivation.predictions import Prediction
from theory.derivation.steps import DerivationFunction

__all__ = ["check_functions", "derivations", "find_derivation", "modules", "quick_checks", "run_check", "slow"]

Outcome = Prediction | Iterable["Prediction | Iterable[Prediction]"]
Check = Callable[[np.random.Generator], Outcome]
_C = TypeVar("_C", bound=Check)
_SLOW: set[Check] = set()


def modules() -> Iterator[tuple[str, ModuleType]]:
    """Every theory module that has one of the two tables.

    Yields
    ------
    name : str
        ``"theory.counting.derive"``.
    module : module
        Imported.

    Raises
    ------
    lab.discover.DeclarationError
        If a table's name is misspelt, or a module's derivation is missing from its table.

    Examples
    --------
    >>> "theory.counting.derive" in dict(modules())
    True
    """
    makers = set(matching("theory", r"@derivation\("))
    for name in sorted(makers.union(binding("theory", "DERIVATIONS"), binding("theory", "CHECKS"))):
        module = import_module(name)
        listed = list(getattr(module, "DERIVATIONS", {}).values())
        for made in vars(module).values() if name in makers else ():
            if isinstance(made, DerivationFunction) and made not in listed:
                raise DeclarationError(f"{name}: the derivation {made.name!r} is not in its table DERIVATIONS")
        yield name, module


def derivations() -> dict[str, DerivationFunction]:
    """Every derivation by name.

    Returns
    -------
    dict of str to DerivationFunction
        Called without arguments, each returns a :class:`~theory.derivation.Derivation`.

    Raises
    ------
    lab.discover.DeclarationError
        If two modules use one name, or as :func:`modules`.

    Examples
    --------
    >>> derivations()["erf-i2"].status
    'derived'
    """
    return _collect("DERIVATIONS")


def check_functions() -> dict[str, Check]:
    """Every check by name.

    Returns
    -------
    dict of str to callable
        Each takes a ``numpy.random.Generator`` and makes predictions; :func:`run_check` calls it.

    Raises
    ------
    lab.discover.DeclarationError
        If two modules use one name.

    Examples
    --------
    >>> "counting-enumeration" in check_functions()
    True
    """
    return _collect("CHECKS")


def slow(check: _C) -> _C:
    """Decorator of a check that takes ten seconds or more: :func:`quick_checks` leaves it out.

    Parameters
    ----------
    check : callable
        The check.

    Returns
    -------
    callable
        The same check.

    Examples
    --------
    >>> @slow
    ... def check_thoroughly(rng):
    ...     return Prediction("mean", 0.0, rng.standard_normal(10**7).mean(), 10**-3.5)
    """
    _SLOW.add(check)
    return check


def quick_checks() -> list[str]:
    """One check for each module: the first that is not :func:`slow`.

    Returns
    -------
    list of str
        Names of checks.

    Examples
    --------
    >>> "counting-enumeration" in quick_checks()
    True
    """
    return [name for _, module in modules()
            for name in [name for name, check in getattr(module, "CHECKS", {}).items() if check not in _SLOW][:1]]


def _collect(table: str) -> dict:
    """The tables of that name of all modules, merged."""
    entries = [(name, entry) for name, module in modules() for entry in getattr(module, table, {}).items()]
    return {name: function for name, function in by_name(entries, lambda entry: entry[0]).values()}


def find_derivation(name: str) -> DerivationFunction:
    """The derivation of that name.

    Parameters
    ----------
    name : str
        As ``python -m theory list`` shows it.

    Returns
    -------
    DerivationFunction
        Its keyword arguments are the inputs that may be replaced.

    Raises
    ------
    ArgumentError
        If there is no such derivation; the message suggests similar names.

    Examples
    --------
    >>> find_derivation("counting-critical")(r=2).result
    Eq(G(2, m), 2**m - 2)
    """
    table = derivations()
    if name not in table:
        from difflib import get_close_matches

        close = get_close_matches(name, table, n=3, cutoff=0.4)
        hint = f"; did you mean {', '.join(close)}?" if close else f"; see {called('theory list')}"
        raise ArgumentError(f"no derivation is called {name!r}{hint}")
    return table[name]


def run_check(name: str, function: Check, seed: int = 0) -> list[Prediction]:
    """Run one check with a random stream of its own.

    Parameters
    ----------
    name : str
        The check's name, part of the stream's address.
    function : callable
        The check.
    seed : int, default 0
        The rest of the address.

    Returns
    -------
    list of Prediction
        At least one.

    Raises
    ------
    RuntimeError
        If the check makes no prediction.

    Examples
    --------
    >>> run_check("half", lambda rng: Prediction("half", 0.5, rng.random(10_000).mean(), 0.003))[0].passed
    True
    """
    outcome = function(generator(seed, "check", name))
    predictions = [outcome] if isinstance(outcome, Prediction) else list(_flatten(outcome))
    if not predictions:
        raise RuntimeError(f"the check {name!r} made no prediction")
    return predictions


def _flatten(outcome: Iterable[Prediction | Iterable[Prediction]]) -> Iterator[Prediction]:
    for item in outcome:
        if isinstance(item, Prediction):
            yield item
        else:
            yield from item
