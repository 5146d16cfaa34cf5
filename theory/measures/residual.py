"""Residual features: the part of B that ridge regression from A leaves unexplained, appended as features (S0), and controls.

The residual y - W^T x - offset is a linear function of the blocks, so its moments follow exactly from theirs
(:meth:`theory.moments.Moments.transform`). The map is fitted on one split and applied to every split.

A gain in feature performance from appended features means little by itself, since any features add capacity. Controls of
the same size are (i) the residual of an *untrained* network's features (:func:`with_residual` with that block as
target) and (ii) pure noise (:func:`with_noise`).
"""

import numpy as np

from lab import checks
from lab.errors import InputError
from theory.measures.fitted import warn_of_few_rows
from theory.measures.ridge import RIDGE, ridge_map
from theory.moments import Moments
from theory.moments.layout import Names, listed

__all__ = ["with_noise", "with_residual"]


def with_residual(moments: Moments, *, source: Names, target: Names, fit: Moments | None = None, ridge: float = RIDGE,
                  regression: tuple[np.ndarray, np.ndarray] | None = None, name: str = "residual") -> Moments:
    """Moments with one more block, the target minus its ridge prediction from the source.

    Parameters
    ----------
    moments : Moments
        Moments to extend.
    source : str or sequence of str
        A block, or several side by side.
    target : str or sequence of str
        A block, or several side by side.
    fit : Moments, optional
        Moments that the regression is fitted on; give the same ones for every split. Only exact moments need none: on the rows
        of its own fit a residual is smaller than on others, so that choice (``fit=moments``) must be explicit.
    ridge : float, default 1e-6
        Relative, as in :func:`theory.measures.span.span_error`.
    regression : tuple of ndarray, optional
        Weights and offset of :func:`theory.measures.ridge.ridge_map`, in place of ``fit`` and ``ridge``, if several moments are
        extended by the same regression.
    name : str, default "residual"
        Name of the new block, which is as wide as the target.

    Returns
    -------
    Moments

    Raises
    ------
    InputError
        No ``fit`` for sampled moments; moments fitted on themselves with no more rows than source units; a name that is
        taken.

    Warns
    -----
    FewRows
        Moments fitted on themselves with fewer than ten rows per source unit.

    References
    ----------
    S0 (arXiv 2407.00968), feature residuals.

    Examples
    --------
    >>> m = Moments.exact({"narrow": 1, "wide": 1}, [0, 0], [[1.0, 0.6], [0.6, 1.0]])
    >>> with_residual(m, source="narrow", target="wide").variance("residual").round(4)
    array([0.64])
    """
    if name in moments.names:
        raise InputError(f"there is a block {name!r} already")
    if fit is None and regression is None and not moments.is_exact:
        raise InputError("these moments are of samples: give fit=the moments of the rows that the regression is fitted on")
    if regression is None:
        fit = moments if fit is None else fit
        if fit is moments:
            warn_of_few_rows(fit, int((~fit.constant(source)).sum()))
        regression = ridge_map(fit, source=source, target=target, ridge=ridge)
    weights, offset = regression
    maps: dict[str, dict] = {old: {old: None} for old in moments.names}
    maps[name], start = {}, 0
    for block in listed(source):
        stop = start + moments.units(block)
        maps[name][block], start = maps[name].get(block, 0) - weights[start:stop], stop
    start = 0
    for block in listed(target):
        stop = start + moments.units(block)
        maps[name][block] = maps[name].get(block, 0) + np.eye(stop - start, weights.shape[1], k=start)
        start = stop
    return moments.transform(maps, {name: -offset})


def with_noise(moments: Moments, *, units: int, rng: np.random.Generator, name: str = "noise",
               scale: float = 1.0) -> Moments:
    """Moments with one more block of independent Gaussian features, as if noise had been appended to the rows.

    For n rows with co-moments S = L L^T of rank r, the co-moments of noise Z with the features are L G (G standard
    normal, r x units), its own are G^T G plus a Wishart matrix with n - 1 - r degrees of freedom, and its mean is
    N(0, 1/n); these can be drawn without the rows (derived here). Exact moments get covariance scale² I and no correlation.

    Parameters
    ----------
    moments : Moments
        Moments to extend.
    units : int
        Units of noise.
    rng : numpy.random.Generator
        Draws the noise.
    name : str, default "noise"
        Name of the new block.
    scale : float, default 1
        Standard deviation of the noise, above 0.

    Returns
    -------
    Moments

    Raises
    ------
    InputError
        A name that is taken, or numbers out of range.

    Examples
    --------
    >>> m = Moments.exact({"a": 1}, [0], [[1]])
    >>> with_noise(m, units=2, rng=np.random.default_rng(0), scale=3.0).variance("noise")
    array([9., 9.])
    """
    checks.whole_number("units", units)
    checks.real_number("scale", scale, above=0)
    if name in moments.names:
        raise InputError(f"there is a block {name!r} already")
    unit = np.repeat([moments.scale(block) for block in moments.names], list(moments.widths.values()))
    covariance, mean = moments.covariance(moments.names), moments.mean(moments.names)
    n, d = moments.count, len(mean)
    cross, own, centre = np.zeros((d, units)), np.eye(units), np.zeros(units)
    if n is not None:
        values, vectors = np.linalg.eigh(covariance / unit / unit[:, None])  # every block at its own scale
        kept = np.flatnonzero(values > max(values[-1], 0.0) * moments.rounding)[-(n - 1):] if n > 1 else np.zeros(0, int)
        g = rng.standard_normal((len(kept), units))
        cross = vectors[:, kept] * np.sqrt(values[kept]) @ g / np.sqrt(n)
        own = (g.T @ g + _wishart(units, n - 1 - len(kept), rng)) / n
        centre = rng.standard_normal(units) / np.sqrt(n)
    cross *= scale * unit[:, None]
    return moments.with_block(name, scale * centre, scale**2 * own, cross)


def _wishart(units: int, freedom: int, rng: np.random.Generator) -> np.ndarray:
    """Z^T Z for Z standard normal of shape (freedom, units), by Bartlett's decomposition if that is smaller."""
    if freedom <= units:
        z = rng.standard_normal((freedom, units))
        return z.T @ z
    triangle = np.tril(rng.standard_normal((units, units)), -1)
    np.fill_diagonal(triangle, np.sqrt(rng.chisquare(freedom - np.arange(units))))
    return triangle @ triangle.T
