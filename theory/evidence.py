"""Evidence from formulas alone, without a simulation."""

from functools import cache
from importlib import import_module

from lab.discover import binding
from theory.claims import Evidence


@cache
def theory_evidence() -> tuple[Evidence, ...]:
    """The evidence of the theory column, from every theory module that defines ``evidence() -> list[Evidence]``.

    It is computed once per process, which takes some seconds.
    """
    return tuple(item for name in binding("theory", "evidence") for item in import_module(name).evidence())
