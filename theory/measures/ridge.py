"""Ridge regression between blocks of features, from their second moments alone.

With C the covariance and m the mean of source A (d units) and target B, and the ridge r relative to the mean diagonal of
the source's Gram matrix,

    W = (C_AA + lambda I)^-1 C_AB,    lambda = r tr(C_AA)/d            (r = 0: the least-norm least-squares solution)

A Cholesky factor solves for one ridge. An eigendecomposition solves for all ridges at once, and is kept with the moments for
further targets and measures; it also serves ridges below ``Moments.rounding``, where directions that are rounding errors have
to be dropped. :mod:`theory.measures.span` turns what the regression leaves unexplained into a measure.
"""

from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from lab.arrays import floats
from lab.errors import InputError
from theory.moments import Moments
from theory.moments.layout import Names, listed

__all__ = ["RIDGE", "ridge_map"]

RIDGE = 1e-6  # default relative ridge


def checked_ridges(ridge: float | Sequence[float]) -> tuple[list[float], bool]:
    ridges: np.ndarray = floats(ridge, "ridge")
    if ridges.ndim > 1 or ridges.size == 0 or not np.isfinite(ridges).all() or (ridges < 0).any():
        raise InputError(f"ridge must be one or several finite numbers >= 0, got {ridge!r}")
    return ridges.reshape(-1).tolist(), ridges.ndim == 0


def one_ridge(ridge: float | Sequence[float]) -> float:
    """The ridge, checked.

    Raises
    ------
    InputError
        Several ridges, or one below 0.
    """
    ridges, scalar = checked_ridges(ridge)
    if not scalar:
        raise InputError(f"one ridge is needed here, got {ridge!r}")
    return ridges[0]


def refuse_unfit(fit: Moments, source: Names, target: Names, ridges: list[float]) -> int:
    """The number of source units that vary, after refusing data to which no regression can be fitted."""
    if fit.constant(target).all():
        raise InputError(f"target {in_words(target)} does not vary on the fit split: it has no variance to explain")
    alive = int((~fit.constant(source)).sum())
    if 0.0 in ridges and fit.count is not None and fit.count <= alive:
        raise InputError(f"{fit.count} rows do not determine a regression on {alive} units without a ridge: "
                         "give ridge > 0 or more rows")
    return alive


def in_words(names: Names) -> str:
    return repr(names) if isinstance(names, str) else "+".join(map(repr, names))


def residuals(fit: Moments, score: Moments, source: Names, target: Names, ridges: list[float], total: np.ndarray,
              per_unit: bool) -> np.ndarray:
    """Second moments of the residuals of regression on the score split, in units of the target's scale squared.

    Parameters
    ----------
    fit : Moments
        Moments that the regressions are fitted on.
    score : Moments
        Moments that they are scored on.
    source : str or sequence of str
        A block, or several side by side.
    target : str or sequence of str
        A block, or several side by side.
    ridges : list of float
        Relative ridges.
    total : ndarray of shape (target units,)
        Second moments of the target about the fit's mean, in the same units.
    per_unit : bool
        Whether the residual of each unit is needed, or only their sum.

    Returns
    -------
    ndarray of shape (ridges, target units) or (ridges, 1)
        The sum over the last axis is the residual of all units together.
    """
    if fit.constant(source).all():
        return np.broadcast_to(total, (len(ridges), len(total)))
    if min(ridges) >= fit.rounding and not _eigen_pays(len(ridges), fit.units(source), fit.units(target)):
        with suppress(np.linalg.LinAlgError):  # rounding made it indefinite: negative eigenvalues are taken as 0
            return _residuals_by_cholesky(fit, score, source, target, ridges, total)
    return _residuals_by_eigen(fit, score, source, target, ridges, total, per_unit)


def _eigen_pays(ridges: int, d: int, t: int) -> bool:
    """Whether one eigendecomposition is cheaper than a Cholesky factor for each ridge (in units of d^3; measured)."""
    return ridges * (1 / 3 + 2 * t / d) > 5 + 2 * t / d


def _residuals_by_cholesky(fit: Moments, score: Moments, source: Names, target: Names, ridges: list[float],
                           total: np.ndarray) -> np.ndarray:
    """Residual second moments of each target unit, shape (ridges, units), by one factorisation per ridge."""
    unit, unit_target = fit.scale(source), fit.scale(target)
    gram, cross = fit.covariance(source, scale=unit**2), fit.covariance(source, target, scale=unit * unit_target)
    if score is not fit:
        gram_score, cross_score = about_fit(score, fit, source), about_fit(score, fit, source, target)
    out = np.empty((len(ridges), len(total)))
    level = np.trace(gram) / len(gram)
    for k, ridge in enumerate(ridges):
        weights = _by_cholesky(gram, cross, ridge)
        if score is fit:
            out[k] = total - _dots(weights, cross) - ridge * level * _dots(weights, weights)
        else:
            out[k] = total - 2 * _dots(weights, cross_score) + _dots(weights, gram_score @ weights)
    return out


def _by_cholesky(gram: np.ndarray, cross: np.ndarray, ridge: float) -> np.ndarray:
    """Weights of one regression; raises LinAlgError where rounding has made the shifted Gram matrix indefinite."""
    from scipy.linalg import cho_factor, cho_solve

    shifted = gram.copy(order="F")
    shifted.flat[:: len(gram) + 1] += ridge * (np.trace(gram) / len(gram))
    return cho_solve(cho_factor(shifted, lower=True, overwrite_a=True, check_finite=False), cross, check_finite=False)


def _residuals_by_eigen(fit: Moments, score: Moments, source: Names, target: Names, ridges: list[float], total: np.ndarray,
                        per_unit: bool) -> np.ndarray:
    """The same from one eigendecomposition; without ``per_unit`` shape (ridges, 1), the sum over units."""
    values, vectors, filters = _filters(fit, source, ridges)
    z = vectors.T @ fit.covariance(source, target, scale=fit.scale(source) * fit.scale(target))
    if score is fit:
        out = total - (2 * filters - values * filters**2) @ z**2
    else:
        z_score = vectors.T @ about_fit(score, fit, source, target)
        gram = vectors.T @ about_fit(score, fit, source) @ vectors
        out = total - 2 * filters @ (z * z_score)
        if per_unit:
            out += np.stack([_dots(f[:, None] * z, gram @ (f[:, None] * z)) for f in filters])
        else:  # sum over units of z^T F Q F z = f^T (Q * zz^T) f: no product of matrices for each ridge
            kernel = gram * (z @ z.T)
            return out.sum(axis=1, keepdims=True) + np.einsum("ki,ij,kj->k", filters, kernel, filters,
                                                              optimize=True)[:, None]
    return out


def _filters(fit: Moments, source: Names, ridges: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues (in units of the source's scale squared), eigenvectors and, for each ridge, 1/(eigenvalue + lambda), with
    0 for a direction that is dropped."""
    from scipy.linalg import eigh

    def decompose() -> tuple[float, np.ndarray, np.ndarray]:
        gram = fit.covariance(source, scale=fit.scale(source) ** 2)
        level = np.trace(gram) / len(gram)
        return level, *eigh(gram, overwrite_a=True, check_finite=False)

    column = np.asarray(ridges)[:, None]
    level, values, vectors = fit.remember(("ridge", *listed(source)), decompose)
    lambdas = column * level
    values = np.clip(values, 0.0, None)
    usable = (values > fit.rounding * values[-1]) | (column >= fit.rounding)
    return values, vectors, usable / np.where(usable, values + lambdas, 1.0)


def about_fit(score: Moments, fit: Moments, a: Names, b: Names | None = None) -> np.ndarray:
    """Second moments of the score split about the fit split's means, in units of the fit split's scales."""
    unit_a, unit_b = fit.scale(a), fit.scale(a if b is None else b)
    left = (score.mean(a) - fit.mean(a)) / unit_a
    right = left if b is None else (score.mean(b) - fit.mean(b)) / unit_b
    out = score.covariance(a, b, scale=unit_a * unit_b)
    out += np.outer(left, right)
    return out


def _dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Inner products of corresponding columns."""
    return np.einsum("ij,ij->j", a, b)


def ridge_map(fit: Moments, *, source: Names, target: Names, ridge: float = RIDGE,
              quick: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The regression itself: the target is predicted by ``x @ weights + offset``.

    Parameters
    ----------
    fit : Moments
        Moments that it is fitted on.
    source : str or sequence of str
        A block, or several side by side.
    target : str or sequence of str
        A block, or several side by side.
    ridge : float, default 1e-6
        Relative, as in :func:`~theory.measures.span.span_error`.
    quick : bool, default False
        Whether to use a Cholesky factor instead of an eigendecomposition if the ridge allows it: several times as fast, and the
        same up to rounding.

    Returns
    -------
    weights : ndarray of shape (source units, target units)
    offset : ndarray of shape (target units,)

    Raises
    ------
    InputError
        As :func:`~theory.measures.span.span_error`; several ridges.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> m = Moments.from_samples({"x": x, "y": x @ [2.0, -1.0] + 3})
    >>> weights, offset = ridge_map(m, source="x", target="y", ridge=1e-9)
    >>> weights.round(3).ravel(), offset.round(3)
    (array([ 2., -1.]), array([3.]))
    """
    ridge = one_ridge(ridge)
    refuse_unfit(fit, source, target, [ridge])
    if fit.constant(source).all():
        return np.zeros((fit.units(source), fit.units(target))), fit.mean(target)
    unit, unit_target = fit.scale(source), fit.scale(target)
    cross = fit.covariance(source, target, scale=unit * unit_target)
    weights: np.ndarray | None = None
    with suppress(np.linalg.LinAlgError):  # rounding has made it indefinite
        if quick and ridge >= fit.rounding:
            weights = _by_cholesky(fit.covariance(source, scale=unit**2), cross, ridge)
    if weights is None:
        _, vectors, filters = _filters(fit, source, [ridge])
        weights = vectors @ (filters[0][:, None] * (vectors.T @ cross))
    weights = weights * (unit_target / unit)
    return weights, fit.mean(target) - fit.mean(source) @ weights
