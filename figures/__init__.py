"""Pictures, the ledger of claims, and the report. Nothing here computes what a run should have stored.

``dir(figures)`` shows what a script may use: ``catalogue`` has the studies and their tables, ``ledger`` the evidence and the
verdict of every claim, and ``settling`` plans what would settle the open ones:

    >>> import figures
    >>> tables = figures.catalogue.tables("a new run store", ["bumps"])
    >>> verdicts = figures.ledger.verdicts(figures.ledger.gather(tables, formulas=[]))

Commands make the report and its pictures (``widthlab report``, ``widthlab figures gallery``), because they take minutes.
"""

from importlib import import_module
from types import ModuleType

__all__ = ["catalogue", "ledger", "settling"]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
