"""Evidence that a formula gives by itself, without a simulation beside it."""

from collections.abc import Iterator
from importlib import import_module

from theory.claims import Evidence

# modules with a function ``evidence() -> list[Evidence]``
MODULES: tuple[str, ...] = ("theory.counting", "theory.random_landscape", "theory.regression", "theory.bumps",
                            "theory.extrapolation", "theory.random_units")


def theory_evidence() -> Iterator[Evidence]:
    """The theory column's evidence of every module."""
    for name in MODULES:
        yield from import_module(name).evidence()
