"""The ground floor: what is defined and derived. Measures, formulas, predictions and the register of claims.

``dir(theory)`` shows the modules, and the measures of :mod:`theory.measures`.
"""

from functools import cache
from importlib import import_module


@cache
def _modules() -> frozenset[str]:
    from lab.discover import sources

    return frozenset(module.rpartition(".")[2] for module in sources("theory")) - {"commands"}


def __getattr__(name: str):
    if not name.startswith("_"):
        if name in _modules():
            return import_module(f"theory.{name}")
        measures = import_module("theory.measures")
        if name in measures.__all__:
            return getattr(measures, name)
    raise AttributeError(f"module 'theory' has no attribute {name!r}")


def __dir__() -> list[str]:
    shown = (name for name in globals() if name.startswith("__"))
    return sorted({*shown, *_modules(), *import_module("theory.measures").__all__})
