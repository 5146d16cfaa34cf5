"""Merging repeated units: a smaller layer in which one unit stands for all that repeat it.

Unit j is replaced by an affine function of its representative i, x_j ~ offset + slope x_i with the least-squares slope
c_ij/c_ii and offset m_j - slope m_i. What is lost is the share 1 - r_ij^2 of the variance of x_j. If the next layer is
linear with weights v, unit j disappears: v_i += slope v_j, and the bias gains offset v_j. Negated twins merge too (slope
below 0), and units that do not vary become an offset. Derived here; the consequence of S1's claim that repeated units
are redundant.

Representatives are chosen greedily: the unit with the most partners (|r| at or above the threshold) stands for them, then
the unit with the most among those left.
"""

from dataclasses import dataclass

import numpy as np

from lab.errors import InputError
from theory.measures.span import Names
from theory.measures.units import correlations
from theory.moments import Moments

__all__ = ["Merging", "merge_repeated"]


@dataclass(frozen=True)
class Merging:
    """Which unit stands for which.

    Attributes
    ----------
    representative : (units,) number of the unit that stands for each; itself where it is kept.
    slope, offset : (units,) x_j ~ offset_j + slope_j x_representative; 1 and 0 for units that are kept, slope 0 for units
        that do not vary.
    kept : (units,) bool, the units of the smaller layer.
    """

    representative: np.ndarray
    slope: np.ndarray
    offset: np.ndarray
    kept: np.ndarray

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Activations (..., units) of the full layer as the smaller one gives them."""
        return x[..., self.representative] * self.slope + self.offset

    def without(self, removed: np.ndarray) -> "Merging":
        """The same, with the units ``removed`` (bool) ablated first: nothing of them is left, slope and offset 0.

        A representative that is removed but stands for units that are not stays in the layer, for them alone.
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
    moments, names : of the layer's activations.
    threshold : of |r|, in (0, 1]; units with a smaller correlation are never merged.
    among : (units,) bool, units that may be merged or stand for others (default all); the rest are left as they are.

    Raises
    ------
    InputError
        For a threshold outside (0, 1], or a mask of another shape.
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
