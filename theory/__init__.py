"""The ground floor: what is defined and derived. Measures, formulas, predictions and the register of claims.

``dir(theory)`` shows the modules and the measures. Result types, constants, orders of ablation and nulls are in
:mod:`theory.measures`, and also available as ``theory.NAME``.
"""

from functools import cache
from importlib import import_module
from typing import Any

_TOOLS = {"theory.measures.ablation", "theory.measures.fitted", "theory.measures.null"}  # files of tools for measures


@cache
def _modules() -> frozenset[str]:
    from lab.discover import sources

    return frozenset(module.rpartition(".")[2] for module in sources("theory")) - {"commands"}


@cache
def _measures() -> frozenset[str]:
    """Functions of the files of measures; classes and constants begin with a capital letter."""
    from lab.discover import exports

    return frozenset(name for module, names in exports("theory.measures").items() if module not in _TOOLS
                     for name in names if name[0].islower())


def __getattr__(name: str) -> Any:
    if not name.startswith("_"):
        if name in _modules():
            return import_module(f"theory.{name}")
        measures = import_module("theory.measures")
        if name in measures.__all__:
            return getattr(measures, name)
    raise AttributeError(f"module 'theory' has no attribute {name!r}")


def __dir__() -> list[str]:
    shown = (name for name in globals() if name.startswith("__"))
    return sorted({*shown, *_modules(), *_measures()})
