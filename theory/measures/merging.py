"""Merging repeated units: a smaller layer in which one unit stands for all that repeat it.

Unit j is replaced by an affine function of its representative i, x_j ~ offset + slope x_i with the least-squares slope
c_ij/c_ii and offset m_j - slope m_i. The share 1 - r_ij^2 of the variance of x_j is lost. If the next layer is
linear with weights v, unit j disappears: v_i += slope v_j, and the bias gains offset v_j. Negated twins merge too (slope
below 0), and units that do not vary become an offset. Derived here, as a consequence of S1's claim that repeated units
are redundant.

Representatives are chosen greedily: the unit with the most partners (|r| at or above the threshold) stands for them, then
the unit with the most partners among the remaining ones, and so on.
"""

from dataclasses import dataclass

import numpy as np

from lab.errors import InputError
from theory.measures.units import correlations
from theory.moments import Moments
from theory.moments.layout import Names

__all__ = ["Merging", "merge_repeated"]


@dataclass(frozen=True)
class Merging:
    """A plan of which unit stands for which.

    Attributes
    ----------
    representative : ndarray of int, shape (units,)
        The unit that stands for each unit; itself if it is kept.
    slope : ndarray of shape (units,)
        x_j ~ offset_j + slope_j x_representative; 1 for units that are kept, 0 for units that do not vary.
    offset : ndarray of shape (units,)
        0 for units that are kept.
    kept : ndarray of bool, shape (units,)
        The units of the smaller layer.

    Examples
    --------
    >>> m = Moments.exact({"a": 2}, [1, 3], [[1, 2], [2, 4]])
    >>> merging = merge_repeated(m, "a")
    >>> merging.kept, merging.apply(np.array([5.0, 0.0]))
    (array([ True, False]), array([ 5., 11.]))
    """

    representative: np.ndarray
    slope: np.ndarray
    offset: np.ndarray
    kept: np.ndarray

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Activations (..., units) of the full layer as reproduced by the smaller one."""
        return x[..., self.representative] * self.slope + self.offset

    def without(self, removed: np.ndarray) -> "Merging":
        """The plan with the units ``removed`` (bool) ablated first: their slope and offset are 0.

        A removed representative of units that are not removed stays in the layer, but only for them.
        """
        removed = np.asarray(removed, dtype=bool)
        slope, offset = np.where(removed, 0.0, self.slope), np.where(removed, 0.0, self.offset)
        kept = np.zeros_like(self.kept)
        kept[self.representative[slope != 0]] = True
        return Merging(self.representative, slope, offset, kept)


def merge_repeated(moments: Moments, names: Names, *, threshold: float = 0.9, among: np.ndarray | None = None) -> Merging:
    """Plan which units to merge.

    Parameters
    ----------
    moments : Moments
        Moments of the layer's activations.
    names : str or sequence of str
        Blocks of the layer.
    threshold : float, default 0.9
        Threshold on |r|, in (0, 1]; units with a smaller correlation are never merged.
    among : ndarray of bool, shape (units,), optional
        Units that may be merged or stand for others (default all); the others are left alone.

    Returns
    -------
    Merging

    Raises
    ------
    InputError
        A threshold outside (0, 1], or a mask of another shape.

    Examples
    --------
    >>> m = Moments.exact({"a": 3}, np.zeros(3), [[1, -0.95, 0], [-0.95, 1, 0], [0, 0, 1]])
    >>> merge_repeated(m, "a").representative
    array([0, 0, 2])
    """
    if not 0 < threshold <= 1:
        raise InputError(f"threshold must be in (0, 1], got {threshold!r}")
    still, mean, variance = moments.constant(names), moments.mean(names), moments.variance(names)
    units = len(mean)
    among = np.ones(units, dtype=bool) if among is None else np.asarray(among, dtype=bool)
    if among.shape != (units,):
        raise InputError(f"the mask of units must have shape ({units},), got {among.shape}")
    r = np.nan_to_num(correlations(moments, names))
    close = (np.abs(r) >= threshold - 1e-12) & among & among[:, None]
    np.fill_diagonal(close, among & ~still)
    representative, slope, offset = np.arange(units), np.ones(units), np.zeros(units)
    quiet = still & among
    slope[quiet], offset[quiet] = 0.0, mean[quiet]
    covariance = moments.covariance(names)
    partners = close.sum(axis=1)
    while partners.max(initial=0) > 1:
        i = int(np.argmax(partners))
        group = np.flatnonzero(close[i])
        representative[group] = i
        slope[group] = covariance[i, group] / variance[i]
        offset[group] = mean[group] - slope[group] * mean[i]
        slope[i], offset[i] = 1.0, 0.0
        close[group] = False
        close[:, group] = False
        partners = close.sum(axis=1)
    kept = np.zeros(units, dtype=bool)
    kept[representative[slope != 0]] = True
    return Merging(representative, slope, offset, kept)
