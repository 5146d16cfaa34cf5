"""Evidence that a formula gives by itself, without a simulation beside it."""

from functools import cache
from importlib import import_module

from theory.claims import Evidence

# modules with a function ``evidence() -> list[Evidence]``
MODULES: tuple[str, ...] = ("theory.counting", "theory.random_landscape", "theory.regression", "theory.bumps",
                            "theory.extrapolation", "theory.random_units")


@cache
def theory_evidence() -> tuple[Evidence, ...]:
    """The theory column's evidence of every module; worked out once a process (some seconds)."""
    return tuple(item for name in MODULES for item in import_module(name).evidence())
