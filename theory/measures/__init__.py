"""Measures of features: pure functions of :class:`theory.moments.Moments`, or of rows where moments are not enough.

``span`` span error, gap, probe by regression · ``ridge`` the regression itself · ``similarity`` CKA, CCA, Procrustes ·
``debiased`` CKA without its bias · ``neighbours`` shared nearest neighbours · ``calibrated`` similarities relative to those
of shuffled rows · ``units`` effective rank, repeated and predictable units · ``residual`` residual features and their controls ·
``null`` permutation nulls · ``fitted`` which rows fitted measures are scored on · ``ablation`` curves of predictions ·
``merging`` smaller networks · ``nonlinear`` span error by a kernel or a network · ``logistic`` logistic probe · ``rows``
checks of rows.

Each file lists its public names in ``__all__``; they are public here too, and a file is loaded when one of its names is
first used. A file that declares ``COMPARED = (Measure(...), ...)`` adds columns to the table of every width sweep.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from lab.discover import binding, by_name, exports, lazy


@dataclass(frozen=True)
class Measure:
    """A measure of two sets of features that width sweeps compute, for copies against the wide network and for baselines.

    Attributes
    ----------
    name : str
        Column of the table. The prefixes ``baseline_``, ``untrained_`` and ``null_`` mark its values for two wide networks, for
        an untrained and the wide network, and for shuffled rows.
    label : str
        Label in pictures.
    function : callable
        ``(moments, a, b) -> number``, where ``a`` are the blocks of the narrow copies and ``b`` is that of the wide network;
        raises InputError if the number does not exist.
    influence : callable, optional
        ``(moments, a, b) -> (PairedRows -> array (rows,))``: each row's first-order contribution to the number, with mean 0
        over all rows. Without it, resampling rows gives no interval.

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
    """The measures that sweeps compute: ``COMPARED`` of every file of this folder that has it.

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
