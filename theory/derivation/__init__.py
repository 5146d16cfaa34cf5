"""Derivations of all formulas of this room, and checks of all predictions.

A theory module may define two tables. In a package they have files of their own (``derive.py``, ``check.py``), so that
SymPy and SciPy are loaded only when these files are needed.

``DERIVATIONS : dict[str, DerivationFunction]``
    name ("erf-i3") → function made by :func:`derivation`; called without arguments, it returns a :class:`Derivation`.
    Its keyword arguments replace inputs (another activation, another normalisation).
``CHECKS : dict[str, callable]``
    name → ``check(rng)``, which returns or yields :class:`Prediction` objects. Each check has its own
    ``numpy.random.Generator`` ``rng``, so that ``--only`` changes no number.

Both tables are discovered by their names, anywhere in this room. ``python -m theory list | derive NAME | check``.

``steps``        :class:`Derivation`, its steps, and their printed forms
``notation``     plain text with Unicode mathematics as LaTeX and Markdown
``predictions``  a formula's value and an independent number to compare it with
``registry``     all derivations and checks of the room, by name
"""

from theory.derivation.notation import named
from theory.derivation.predictions import Prediction, monte_carlo
from theory.derivation.registry import (
    check_functions,
    derivations,
    find_derivation,
    modules,
    quick_checks,
    run_check,
    slow,
)
from theory.derivation.steps import Derivation, DerivationFunction, Step, derivation

__all__ = [
    "Derivation",
    "DerivationFunction",
    "Prediction",
    "Step",
    "check_functions",
    "derivation",
    "derivations",
    "find_derivation",
    "modules",
    "monte_carlo",
    "named",
    "quick_checks",
    "run_check",
    "slow",
]
