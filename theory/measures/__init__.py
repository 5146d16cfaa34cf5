"""Measures of features: pure functions of :class:`theory.moments.Moments`, or of rows where moments do not suffice.

``span`` span error, gap, probe by regression · ``ridge`` the regression itself · ``similarity`` CKA, CCA, Procrustes ·
``debiased`` CKA without its bias · ``neighbours`` shared nearest neighbours · ``units`` effective rank, repeated and
predictable units · ``residual`` residual features and their controls · ``null`` permutation nulls · ``fitted`` what fitted
measures are scored on · ``ablation`` curves of predictions · ``merging`` smaller networks · ``nonlinear`` span error by a
kernel or a network · ``logistic`` logistic probe · ``rows`` checks of rows.

Each file lists its public names in ``__all__``; they are public here too, and a file is loaded when one of its names is
first asked for. A file that says ``COMPARED = (Measure(...), ...)`` adds columns to the table of every width sweep.
"""


from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from lab.discover import binding, by_name, exports, lazy


@dataclass(frozen=True)
class Measure:
    """A measure of two sets of features that width sweeps make: copies beside wide, and the same for the baselines.

    Attributes
    ----------
    name : str
        Column of the table; with the prefixes ``baseline_``, ``untrained_`` and ``null_`` for two wide networks, for an
        untrained and the wide one, and for shuffled rows.
    label : str
        In pictures.
    function : callable
        ``(moments, a, b) -> number``, ``a`` the blocks of the narrow copies and ``b`` that of the wide network; raises
        InputError where the number does not exist.
    influence : callable, optional
        ``(moments, a, b) -> (PairedRows -> array (rows,))``: to first order, what each row adds to the number, of mean 0
        over all rows. None where nobody has worked it out: then resampling rows gives no interval.

    Examples
    --------
    >>> from theory.measures import effective_rank
    >>> Measure("rank_of_wide", "effective rank", lambda moments, a, b: effective_rank(moments, b)).name
    'rank_of_wide'
    """

    name: str
    label: str
    function: Callable[..., float]
    influence: Callable[..., Callable] | None = None


@cache
def compared() -> dict[str, Measure]:
    """The measures that sweeps make: ``COMPARED`` of every file of this folder that has it.

    Returns
    -------
    dict of str to Measure
        By name.

    Raises
    ------
    lab.discover.DeclarationError
        A misspelt ``COMPARED``, or a name that is taken.

    Examples
    --------
    >>> sorted(compared())
    ['cca', 'cka', 'procrustes', 'svcca']
    """
    declared = ((module, measure) for module in binding(__name__, "COMPARED") for measure in import_module(module).COMPARED)
    return by_name(declared, _name)


def _name(measure: Measure) -> str:
    return measure.name


__getattr__, __dir__, __all__ = lazy(__name__, exports(__name__))
__all__ += ["Measure", "compared"]
