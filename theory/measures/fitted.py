"""Which rows a fitted measure is scored on: other rows, a distribution known exactly, or on request the rows of the fit.

On the n rows that it was fitted on, a regression on d units explains the share d/(n-1) of any target, whatever the features
are. So sampled moments need a second set to be scored on. In-sample values are given on request only; they are refused if rows
do not outnumber units, and come with a warning if rows are few.
"""

import warnings

from lab.errors import InputError
from theory.moments import Moments

__all__ = ["IN_SAMPLE", "FewRows"]

IN_SAMPLE = "in-sample"
ROWS_PER_UNIT = 10  # with fewer, chance alone explains more than a tenth

Score = Moments | str | None


class FewRows(UserWarning):
    """Warns of an in-sample value of which a sizeable share is chance.

    Examples
    --------
    >>> import numpy as np
    >>> from theory.measures import linear_cka, procrustes_similarity
    >>> few = Moments.from_samples({"a": np.eye(4)[:, :2], "b": np.eye(4)[:, 2:]})
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     value = procrustes_similarity(few, "a", "b", score=IN_SAMPLE)
    >>> caught[0].category.__name__
    'FewRows'
    """


def scored_on(fit: Moments, score: Score, units: int) -> Moments:
    """The moments to score on.

    Parameters
    ----------
    fit : Moments
        Moments that the measure is fitted on.
    score : Moments, "in-sample" or None
        Moments of other rows, or ``"in-sample"`` for ``fit`` itself; None means ``fit`` if that is exact.
    units : int
        Number of varying units (or directions) in the fit.

    Returns
    -------
    Moments

    Raises
    ------
    InputError
        No score for sampled moments, or an in-sample one with no more rows than units.

    Warns
    -----
    FewRows
        An in-sample score with fewer than ten rows per unit.
    """
    if isinstance(score, str):
        if score != IN_SAMPLE:
            raise InputError(f"score must be moments of other rows or {IN_SAMPLE!r}, not {score!r}")
        score = fit
    elif score is None:
        if not fit.is_exact:
            raise InputError("these moments are of samples: give score=moments of other rows to score the fit on, or "
                             f"score={IN_SAMPLE!r} to score it on its own rows")
        return fit
    elif not isinstance(score, Moments):
        raise InputError(f"score must be moments of other rows or {IN_SAMPLE!r}, not {type(score).__name__}")
    if score is fit:
        warn_of_few_rows(fit, units)
    return score


def warn_of_few_rows(fit: Moments, units: int, *, refuse: bool = True) -> None:
    """Warn (or, with ``refuse``, raise) if moments have few rows for the number of fitted units; exact moments never do."""
    if fit.is_exact:
        return
    if refuse and fit.sample_size - 1 <= units:
        raise InputError(f"{fit.count} rows are fitted by {units} units whatever the features are: give more rows, or other "
                         "rows as score")
    if fit.sample_size < ROWS_PER_UNIT * units:
        warnings.warn(f"in-sample on {fit.count} rows with {units} units: chance alone explains about "
                      f"{min(1.0, units / max(fit.sample_size - 1, 1)):.0%}; score on other rows", FewRows, stacklevel=4)
