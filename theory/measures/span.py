"""Span error: how much of one set of features ridge regression from another leaves unexplained (S0).

With C the covariance and m the mean of the *fit* split, source A (d units), target B (t units), and the ridge r
relative to the mean diagonal of the source's Gram matrix,

    W = (C_AA + lambda I)^-1 C_AB,    lambda = r tr(C_AA)/d            (r = 0: the least-norm least-squares solution)
    FSE(A -> B) = E|y - m_B - W^T (x - m_A)|^2 / E|y - m_B|^2          (expectations over the *score* split)

which is scikit-learn's ``Ridge(alpha=n lambda)``. Both splits are centred on the fit split's means. On the fit split
itself the numerator is tr(C_BB) - tr(W^T C_AB) - lambda |W|^2. Source: S0 (arXiv 2407.00968) for FSE and FSG; the
normalisation, the separate score split and the closed forms are derived here.

Rules
-----
* Several names make one set of features, side by side.
* A source unit that is constant on the fit split explains nothing, though it counts in d. A source without any varying unit
  gives 1: the mean is the best prediction it can make.
* A target without any varying unit is an error. A single constant target unit has no share of its own (NaN with
  ``per_unit``) and adds nothing to the total.
* r = 0 needs more rows than varying source units; otherwise it is an error.
* With a ridge below ``Moments.rounding`` (1e-12; 1e-6 after float32 products), directions of the source whose variance is
  below that share of the largest are dropped: they are rounding errors, which so small a ridge would treat as features. Where
  such a ridge matters, build the moments with ``precision="float64"``.
* On a score split the share can exceed 1: a source may predict worse than the mean.
* Sampled moments are scored on those of other rows, or in-sample on request (:mod:`theory.measures.fitted`).
* Both sides are first divided by a power of two near their scale, so shares do not depend on scale within the range of Moments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np

from lab.arrays import real
from lab.errors import InputError
from theory.measures.fitted import Score, scored_on
from theory.measures.ridge import RIDGE, checked_ridges, in_words, refuse_unfit, residuals
from theory.measures.ridge import ridge_map as ridge_map
from theory.moments import Moments
from theory.moments.layout import Names

__all__ = ["RIDGES", "RidgeChoice", "choose_ridge", "one_hot", "probe_error", "span_error", "span_gap"]

RIDGES = tuple(10.0**k for k in range(-8, 2))  # the grid of choose_ridge


@overload
def span_error(fit: Moments, *, source: Names, target: Names, ridge: float = ..., score: Score = ...,
               per_unit: Literal[False] = ...) -> float: ...


@overload
def span_error(fit: Moments, *, source: Names, target: Names, ridge: Sequence[float], score: Score = ...,
               per_unit: bool = ...) -> np.ndarray: ...


@overload
def span_error(fit: Moments, *, source: Names, target: Names, ridge: float | Sequence[float] = ..., score: Score = ...,
               per_unit: Literal[True]) -> np.ndarray: ...


@overload
def span_error(fit: Moments, *, source: Names, target: Names, ridge: float | Sequence[float] = ..., score: Score = ...,
               per_unit: bool = ...) -> float | np.ndarray: ...


def span_error(fit: Moments, *, source: Names, target: Names, ridge: float | Sequence[float] = RIDGE,
               score: Score = None, per_unit: bool = False) -> float | np.ndarray:
    """Share of the target's variance that ridge regression from the source leaves unexplained.

    Parameters
    ----------
    fit : Moments
        Moments that the regression is fitted on, with the source's and the target's blocks.
    source : str or sequence of str
        A block, or several side by side.
    target : str or sequence of str
        A block, or several side by side.
    ridge : float or sequence of float, default 1e-6
        At least 0, relative to the mean diagonal of the source's Gram matrix. Several share one factorisation.
    score : Moments, "in-sample" or None
        Moments of other rows, on which the fit is scored, or "in-sample" for the rows of the fit. Exact moments need none.
    per_unit : bool, default False
        Whether to return the share of each target unit instead of that of all units together.

    Returns
    -------
    float or ndarray
        With several ridges an array of shape (ridges,); ``per_unit`` appends an axis (target units,).

    Raises
    ------
    InputError
        A negative ridge, ridge 0 with too few rows, a target that does not vary, blocks that do not exist; sampled moments
        without ``score``, or in-sample with no more rows than source units.

    Warns
    -----
    FewRows
        In-sample with fewer than ten rows per source unit.

    References
    ----------
    S0 (arXiv 2407.00968), FSE.

    Examples
    --------
    >>> m = Moments.exact({"source": 1, "target": 1}, [0, 0], [[1.0, 0.6], [0.6, 1.0]])
    >>> round(span_error(m, source="source", target="target"), 4)
    0.64
    """
    ridges, scalar = checked_ridges(ridge)
    score = scored_on(fit, score, refuse_unfit(fit, source, target, ridges))
    if score.units(source) != fit.units(source) or score.units(target) != fit.units(target):
        raise InputError("fit and score moments must have the same units in source and target")
    unit = fit.scale(target)
    total = score.variance(target) / unit**2 + ((score.mean(target) - fit.mean(target)) / unit) ** 2
    still = score.constant(target)
    if still.all():
        raise InputError(f"target {in_words(target)} does not vary on the score split")
    residual = residuals(fit, score, source, target, ridges, total, per_unit)
    if per_unit:
        share = np.clip(residual, 0.0, None) / np.where(still, np.nan, total)
        return share[0] if scalar else share
    share = np.clip(residual.sum(axis=1) / total.sum(), 0.0, None)
    return float(share[0]) if scalar else share


def span_gap(fit: Moments, *, narrow: Names, wide: Names, other_wide: Names, ridge: float | Sequence[float] = RIDGE,
             score: Score = None, per_unit: bool = False) -> float | np.ndarray:
    """FSG: FSE(narrow -> wide) beyond what an independently trained wide network shows, FSE(other_wide -> wide).

    Parameters
    ----------
    fit : Moments
        Moments that the regressions are fitted on.
    narrow : str or sequence of str
        Blocks of the narrow networks.
    wide : str or sequence of str
        Block of the wide network, the target of both regressions.
    other_wide : str or sequence of str
        Block of the second wide network.
    ridge : float or sequence of float, default 1e-6
        As in :func:`span_error`.
    score : Moments, "in-sample" or None
        As in :func:`span_error`.
    per_unit : bool, default False
        As in :func:`span_error`.

    Returns
    -------
    float or ndarray
        As :func:`span_error`; below 0 if the narrow networks explain more than the second wide one.

    Raises
    ------
    InputError
        As :func:`span_error`.

    References
    ----------
    S0 (arXiv 2407.00968), FSG.

    Examples
    --------
    >>> law = np.array([[1, 0.6, 0.8], [0.6, 1, 0.5], [0.8, 0.5, 1]])
    >>> m = Moments.exact({"narrow": 1, "wide": 1, "other": 1}, np.zeros(3), law)
    >>> round(span_gap(m, narrow="narrow", wide="wide", other_wide="other"), 4)
    -0.11
    """
    own = span_error(fit, source=narrow, target=wide, ridge=ridge, score=score, per_unit=per_unit)
    return own - span_error(fit, source=other_wide, target=wide, ridge=ridge, score=score, per_unit=per_unit)


def probe_error(fit: Moments, *, features: Names, target: Names, ridge: float | Sequence[float] = RIDGE,
                score: Score = None, per_unit: bool = False) -> float | np.ndarray:
    """Feature performance (FP): share of the target's variance that a linear regression probe leaves unexplained.

    The target block is a regression target, or one-hot labels (:func:`one_hot`, one unit per class). The *accuracy* of such a
    probe is not a function of second moments, since it depends on which of several predictions is largest; use
    :func:`theory.measures.logistic.logistic_probe`, or :func:`~theory.measures.ridge.ridge_map` on rows.

    Parameters
    ----------
    fit : Moments
        Moments that the probe is fitted on.
    features : str or sequence of str
        Blocks that it reads.
    target : str or sequence of str
        Block that it predicts.
    ridge : float or sequence of float, default 1e-6
        As in :func:`span_error`.
    score : Moments, "in-sample" or None
        As in :func:`span_error`.
    per_unit : bool, default False
        As in :func:`span_error`.

    Returns
    -------
    float or ndarray
        As :func:`span_error`.

    Raises
    ------
    InputError
        As :func:`span_error`.

    References
    ----------
    S0 (arXiv 2407.00968), feature performance.

    Examples
    --------
    >>> m = Moments.exact({"features": 2, "target": 1}, np.zeros(3), [[1, 0, 0.6], [0, 1, 0.6], [0.6, 0.6, 1]])
    >>> round(probe_error(m, features="features", target="target"), 4)
    0.28
    """
    return span_error(fit, source=features, target=target, ridge=ridge, score=score, per_unit=per_unit)


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Labels in one-hot form, with one unit per class.

    Parameters
    ----------
    labels : ndarray of int, shape (rows,)
        Classes in 0 … classes - 1.
    classes : int
        Number of classes.

    Returns
    -------
    ndarray of float32, shape (rows, classes)

    Raises
    ------
    InputError
        Labels that are not whole numbers, or out of range.

    Examples
    --------
    >>> one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    labels = real(labels, "labels")
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise InputError(f"labels must be a vector of whole numbers, got {labels.dtype} of shape {labels.shape}")
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise InputError(f"labels must lie in 0..{classes - 1}, found {labels.min()}..{labels.max()}")
    return np.eye(classes, dtype=np.float32)[labels]


@dataclass(frozen=True)
class RidgeChoice:
    """The ridge with the smallest error on rows that the regression has not seen.

    Attributes
    ----------
    ridge : float
        The chosen ridge.
    error : float
        Its span error on the validation rows.
    ridges : tuple of float
        The grid.
    errors : tuple of float
        Span error of each ridge of the grid.
    at_edge : bool
        Whether the choice is the smallest or largest of the grid, so that the best ridge may lie outside.

    Examples
    --------
    >>> RidgeChoice(ridge=1e-2, error=0.1, ridges=(1e-2, 1e-1), errors=(0.1, 0.2), at_edge=True).ridge
    0.01
    """

    ridge: float
    error: float
    ridges: tuple[float, ...]
    errors: tuple[float, ...]
    at_edge: bool


def choose_ridge(fit: Moments, validate: Moments, *, source: Names, target: Names,
                 ridges: Sequence[float] = RIDGES) -> RidgeChoice:
    """Choose the ridge on held-out rows.

    The error returned is the smallest of several and therefore optimistic: report the span error of the chosen ridge on a third
    split.

    Parameters
    ----------
    fit : Moments
        Moments that the regressions are fitted on.
    validate : Moments
        Moments of other rows, on which the ridges are compared; exact moments may be the same.
    source : str or sequence of str
        A block, or several side by side.
    target : str or sequence of str
        A block, or several side by side.
    ridges : sequence of float
        The grid, relative ridges; ten powers of ten from 1e-8 by default.

    Returns
    -------
    RidgeChoice

    Raises
    ------
    InputError
        As :func:`span_error`; the rows of the fit as validation rows.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(2, 60, 20)), rng.normal(size=(2, 60))
    >>> fit, validate = (Moments.from_samples({"x": a, "y": a[:, 0] + 3 * b}) for a, b in zip(x, y))
    >>> choose_ridge(fit, validate, source="x", target="y", ridges=(1e-4, 1.0)).ridge
    1.0
    """
    if not isinstance(validate, Moments) or (validate is fit and not fit.is_exact):
        raise InputError("choose the ridge on rows other than those it is fitted on: on the same rows the smallest always wins")
    errors = span_error(fit, source=source, target=target, ridge=list(ridges), score=validate)
    best = int(np.argmin(errors))
    order = np.argsort(ridges)
    return RidgeChoice(float(ridges[best]), float(errors[best]), tuple(map(float, ridges)), tuple(map(float, errors)),
                       best in (order[0], order[-1]))
