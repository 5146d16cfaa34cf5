"""Evidence that a formula gives by itself, without a simulation beside it."""

from functools import cache
from importlib import import_module

from lab.discover import binding
from theory.claims import Evidence


@cache
def theory_evidence() -> tuple[Evidence, ...]:
    """The theory column's evidence: of every theory module that defines ``evidence() -> list[Evidence]``.

    Worked out once a process (some seconds).
    """
    return tuple(item for name in binding("theory", "evidence") for item in import_module(name).evidence())
