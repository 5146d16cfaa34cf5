"""Removable units (S1): the orders in which units are set to zero, and scalars that summarise the resulting curves.

Ablating a unit sets its activation to 0 after the nonlinearity, at every position, and changes nothing else. A curve is
the share of inputs whose predicted class is that of the intact network, against the fraction of units ablated. Orders
are nested: a unit that is ablated at one fraction stays ablated at the next.

* AUC (S1, first version): the mean of the curve over the fractions 0, 1/6, ..., 1.
* prunability (S1, AAAI version): the fraction at which the curve first falls below 0.8, here by linear interpolation on
  the grid that was measured; the paper's grid of seven is coarse there.
* growth per doubling of width: g = 2^slope of log2 value against log2 width. Under the null of a constant share of units,
  g = 2 for counts and g = 1 for shares.

Source: Casper et al., arXiv 1912.04783. Networks whose repeated units are merged: :mod:`theory.measures.merging`.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lab.arrays import floats, real
from lab.errors import InputError

__all__ = [
    "area", "crossing", "cumulative_best_order", "growth_per_doubling", "keep_masks", "least_change_order",
    "random_orders", "removed_counts", "targeted_order", "unchanged_share",
]

SEVENTHS = np.arange(7) / 6  # the fractions of the paper
GRID = np.arange(25) / 24  # our finer grid, which contains them
LEVEL = 0.8


def removed_counts(units: int, fractions: npt.ArrayLike = GRID) -> np.ndarray:
    """Number of units ablated at each fraction, to the nearest whole number.

    Parameters
    ----------
    units : int
        Units of the layer.
    fractions : sequence of float
        Non-decreasing, in [0, 1]; 0, 1/24, ..., 1 by default.

    Returns
    -------
    ndarray of int, shape (fractions,)

    Raises
    ------
    InputError
        No units, or fractions that do not rise from 0 to 1.

    Examples
    --------
    >>> removed_counts(5, [0, 0.5, 1])
    array([0, 3, 5])
    """
    fractions = floats(fractions, "fractions")
    if units < 1:
        raise InputError(f"a layer needs at least one unit, got {units}")
    if fractions.ndim != 1 or not np.all((fractions >= 0) & (fractions <= 1)) or np.any(np.diff(fractions) < 0):
        raise InputError("fractions must rise from 0 to 1")
    return np.floor(fractions * units + 0.5).astype(np.int64)


def random_orders(units: int, repeats: int, rng: np.random.Generator) -> np.ndarray:
    """Random orders of ablation.

    Parameters
    ----------
    units : int
        Units of the layer.
    repeats : int
        Number of orders.
    rng : numpy.random.Generator
        Draws the orders.

    Returns
    -------
    ndarray of int, shape (repeats, units)

    Raises
    ------
    InputError
        Fewer than one unit or order.

    Examples
    --------
    >>> random_orders(4, 2, np.random.default_rng(0)).shape
    (2, 4)
    """
    if min(units, repeats) < 1:
        raise InputError(f"units and repeats must be at least 1, got {units} and {repeats}")
    return np.stack([rng.permutation(units) for _ in range(repeats)])


def targeted_order(correlations: np.ndarray, first: int) -> np.ndarray:
    """One unit, then the others by decreasing |correlation| with it; those without a correlation come last.

    Parameters
    ----------
    correlations : ndarray of shape (units, units)
        NaN for units that do not vary (:func:`theory.measures.correlations`).
    first : int
        The unit that is ablated first.

    Returns
    -------
    ndarray of int, shape (units,)

    Raises
    ------
    InputError
        Correlations that are not square, or a first unit that is not among them.

    Examples
    --------
    >>> targeted_order(np.array([[1, 0.1, -0.8], [0.1, 1, 0], [-0.8, 0, 1]]), 0)
    array([0, 2, 1])
    """
    r = floats(correlations, "correlations")
    if r.ndim != 2 or r.shape[0] != r.shape[1] or not 0 <= first < len(r):
        raise InputError(f"need square correlations and a first unit among them, got shape {r.shape} and unit {first}")
    strength = np.nan_to_num(np.abs(r[first]), nan=-1.0)
    strength[first] = np.inf
    return np.argsort(-strength, kind="stable")


def keep_masks(orders: np.ndarray, counts: npt.ArrayLike) -> np.ndarray:
    """Which units stay when the first ones of each order are ablated.

    Parameters
    ----------
    orders : ndarray of int, shape (orders, units) or (units,)
        Each order is a permutation of the units.
    counts : sequence of int
        Numbers of ablated units.

    Returns
    -------
    ndarray of bool, shape (orders, counts, units)

    Raises
    ------
    InputError
        An order that does not name every unit once, or counts out of range.

    Examples
    --------
    >>> keep_masks(np.array([2, 0, 1]), [0, 1])
    array([[[ True,  True,  True],
            [ True,  True, False]]])
    """
    orders, counts = np.atleast_2d(real(orders, "orders")), real(counts, "counts")
    units = orders.shape[1]
    if np.any(np.sort(orders, axis=1) != np.arange(units)):
        raise InputError("an order names every unit once")
    if np.any(counts < 0) or np.any(counts > units):
        raise InputError(f"counts of ablated units must be 0 to {units}")
    place = np.argsort(orders, axis=1)
    return place[:, None, :] >= counts[None, :, None]


def cumulative_best_order(score: Callable[[np.ndarray], np.ndarray], units: int, *, block: int = 1) -> np.ndarray:
    """A greedy order: each step ablates the unit that matters least, given those already ablated.

    Each round scores the network without one more unit, for every remaining unit, and ablates the ``block`` units with the best
    scores; ties go to the unit with the smaller index. Since the order is chosen to score well, judge it on other inputs.

    Parameters
    ----------
    score : callable
        Maps keep masks of shape (masks, units) to scores of shape (masks,); larger is better.
    units : int
        Units of the layer.
    block : int, default 1
        Units ablated per round; 1 is strictly greedy.

    Returns
    -------
    ndarray of int, shape (units,)

    Raises
    ------
    InputError
        Fewer than one unit, or scores of another shape or not finite.

    Examples
    --------
    >>> cumulative_best_order(lambda keep: keep @ np.array([3.0, 1.0, 2.0]), 3)
    array([1, 2, 0])
    """
    if min(units, block) < 1:
        raise InputError(f"units and block must be at least 1, got {units} and {block}")
    left, order = np.arange(units), np.zeros(0, np.int64)
    while left.size:
        masks = np.zeros((left.size, units), dtype=bool)
        masks[:, left] = True
        masks[np.arange(left.size), left] = False
        scores = floats(score(masks), "score")
        if scores.shape != (left.size,) or not np.all(np.isfinite(scores)):
            raise InputError(f"the score must give {left.size} finite numbers, got shape {scores.shape}")
        best = np.argsort(-scores, kind="stable")[:block]
        order = np.append(order, left[best])
        left = np.delete(left, best)
    return order


def least_change_order(gram: np.ndarray) -> np.ndarray:
    """The greedy order by squared change of the logits, one unit per round, from second moments alone.

    With a_j = h_j V_j the contributions of unit j to the logits, ablating the set S changes them by -sum_S a_j, in mean
    square by sum_{i,j in S} G_ij. Each round ablates the unit that leaves this smallest (derived here).

    Parameters
    ----------
    gram : ndarray of shape (units, units)
        G_ij = E[a_i . a_j], about 0 and not the mean: a constant change moves predictions too.

    Returns
    -------
    ndarray of int, shape (units,)

    Raises
    ------
    InputError
        A matrix that is not square or not finite.

    Examples
    --------
    >>> least_change_order(np.array([[2.0, -1.5, 0], [-1.5, 1.4, 0], [0, 0, 1.5]]))
    array([1, 0, 2])
    """
    G = floats(gram, "second moments")
    if G.ndim != 2 or G.shape[0] != G.shape[1] or len(G) == 0 or not np.all(np.isfinite(G)):
        raise InputError(f"the second moments of contributions must be a finite square matrix, got shape {G.shape}")
    cost = G.diagonal().copy()  # change in mean square if unit j is ablated next, relative to the current one
    order = np.empty(len(G), dtype=np.int64)
    for i in range(len(G)):
        order[i] = np.argmin(cost)
        cost += 2 * G[order[i]]
        cost[order[: i + 1]] = np.inf
    return order


def unchanged_share(intact: np.ndarray, ablated: np.ndarray) -> np.ndarray:
    """Share of inputs whose predicted class does not change.

    Parameters
    ----------
    intact : ndarray of shape (inputs,)
        Classes that the intact network predicts.
    ablated : ndarray of shape (..., inputs)
        Classes that ablated networks predict.

    Returns
    -------
    ndarray of shape (...)

    Raises
    ------
    InputError
        Shapes that do not fit, or no inputs.

    Examples
    --------
    >>> float(unchanged_share(np.array([0, 1, 2, 1]), np.array([0, 1, 0, 1])))
    0.75
    """
    intact, ablated = real(intact, "classes"), real(ablated, "classes")
    if intact.ndim != 1 or intact.size == 0 or ablated.shape[-1:] != intact.shape:
        raise InputError(f"need classes (n,) and (..., n) with n >= 1, got {intact.shape} and {ablated.shape}")
    return np.mean(ablated == intact, axis=-1)


def _curve(fractions: npt.ArrayLike, curve: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    fractions, curve = floats(fractions, "fractions"), floats(curve, "curve")
    if fractions.ndim != 1 or len(fractions) < 2 or np.any(np.diff(fractions) <= 0) or curve.shape[-1:] != fractions.shape:
        raise InputError(f"a curve needs at least two rising fractions, one for each value; got {fractions.shape}, {curve.shape}")
    if fractions[0] != 0 or fractions[-1] != 1 or not np.all(np.isfinite(curve)):
        raise InputError("a curve reaches from fraction 0 to 1 and is finite")
    return fractions, curve


def area(fractions: npt.ArrayLike, curve: np.ndarray) -> np.ndarray:
    """Mean of curves over the seven fractions of the paper (its "AUC").

    Parameters
    ----------
    fractions : sequence of float
        Increasing from 0 to 1.
    curve : ndarray of shape (..., fractions)
        Values at these fractions; linear interpolation between them.

    Returns
    -------
    ndarray of shape (...)

    Raises
    ------
    InputError
        Fractions that do not increase from 0 to 1, curves that do not fit or are not finite.

    References
    ----------
    S1 (Casper et al., arXiv 1912.04783).

    Examples
    --------
    >>> round(float(area([0, 1], np.array([1.0, 0.0]))), 4)
    0.5
    """
    fractions, curve = _curve(fractions, curve)
    return np.apply_along_axis(lambda c: np.interp(SEVENTHS, fractions, c).mean(), -1, curve)


def crossing(fractions: npt.ArrayLike, curve: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """Fraction at which curves first fall below a level, interpolated.

    Parameters
    ----------
    fractions : sequence of float
        Increasing from 0 to 1.
    curve : ndarray of shape (..., fractions)
        Values at these fractions.
    level : float, default 0.8
        The level.

    Returns
    -------
    ndarray of shape (...)
        1 if a curve never falls below it.

    Raises
    ------
    InputError
        As :func:`area`.

    References
    ----------
    S1 (Casper et al., AAAI version), prunability.

    Examples
    --------
    >>> round(float(crossing([0, 1], np.array([1.0, 0.0]))), 4)
    0.2
    """
    fractions, curve = _curve(fractions, curve)

    def one(c: np.ndarray) -> float:
        below = np.flatnonzero(c < level)
        if below.size == 0:
            return 1.0
        i = below[0]
        if i == 0:
            return 0.0
        return float(fractions[i - 1] + (fractions[i] - fractions[i - 1]) * (c[i - 1] - level) / (c[i - 1] - c[i]))

    return np.apply_along_axis(one, -1, curve)


def growth_per_doubling(widths: npt.ArrayLike, values: npt.ArrayLike) -> np.ndarray:
    """Factor g by which values grow per doubling of width: 2 to the least-squares slope of log2 value on log2 width.

    Parameters
    ----------
    widths : sequence of float
        At least two, positive.
    values : ndarray of shape (..., widths)
        Positive: counts (constant share: g = 2) or shares (constant: g = 1).

    Returns
    -------
    ndarray of shape (...)
        NaN if a value is not positive, since no ratio exists.

    Raises
    ------
    InputError
        Fewer than two widths, or values that do not fit.

    Examples
    --------
    >>> round(float(growth_per_doubling([8, 16, 32], np.array([1.0, 2.0, 4.0]))), 4)
    2.0
    """
    widths, values = floats(widths, "widths"), floats(values, "values")
    if widths.ndim != 1 or len(set(widths)) < 2 or np.any(widths <= 0) or values.shape[-1:] != widths.shape:
        raise InputError(f"growth needs two different widths and a value for each, got {widths.shape}, {values.shape}")
    x = np.log2(widths) - np.log2(widths).mean()
    good = np.all(values > 0, axis=-1)
    logs = np.log2(np.where(values > 0, values, 1.0))
    return np.where(good, 2.0 ** (logs @ x / (x @ x)), np.nan)
