"""Lengths of steps that provably do not change a class, for one-hidden-layer ReLU networks and the nearest-neighbour rule.

On a ball around a point, each unit is bounded by two linear functions of its input. They give a linear lower bound on the margin
between two classes, whose minimum over the ball is known (Zhang et al. 2018, arXiv 1811.00866). The bound is exact if no unit
changes its sign on the ball. The shortest step that changes the class lies between the certified length and any found by search.
"""

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from lab import checks

__all__ = ["certified_steps", "nearest_neighbour_steps"]
Array = npt.NDArray[np.float64]


def certified_steps(hidden: Array, biases: Array, readout: Array, offsets: Array, points: Array, most: Array,
                    bisections: int = 20) -> Array:
    """Lengths below which no step changes the class that a one-hidden-layer ReLU network assigns to a point.

    Parameters
    ----------
    hidden : (H, d) array
        Incoming weights of the units.
    biases : (H,) array
        Biases of the units.
    readout : (K, H) array
        Outgoing weights; the class is that of the largest output.
    offsets : (K,) array
        Biases of the outputs.
    points : (m, d) array
        Points from which the steps start.
    most : (m,) array, positive
        Lengths at which the class is known to change: the largest that are tried.
    bisections : int >= 1, default 20
        Halvings of the interval between 0 and ``most``.

    Returns
    -------
    (m,) array
        Euclidean lengths, at least 0.

    Examples
    --------
    >>> unit, one = np.eye(1), np.ones(1)  # outputs relu(x) and 1: the class changes at x = 1
    >>> step = certified_steps(unit, 0 * one, np.array([[1.0], [0.0]]), np.array([0.0, 1.0]), 3 * unit, 5 * one)
    >>> step.round(3)
    array([2.])
    """
    checks.whole_number("bisections", bisections)
    values, norms = points @ hidden.T + biases, np.linalg.norm(hidden, axis=1)
    rows, label = np.arange(len(points)), (np.maximum(values, 0) @ readout.T + offsets).argmax(1)
    weights = readout[label][:, None] - readout  # (m, K, H): margin of the point's class over each
    margins = offsets[label][:, None] - offsets

    def keeps(radius: Array) -> npt.NDArray[np.bool_]:
        """Whether every margin is provably positive on the ball of this radius."""
        reach = radius[:, None] * norms
        low, high = values - reach, values + reach
        open_ = (low < 0) & (high > 0)
        slope = np.where(open_, high / np.where(open_, high - low, 1.0), low >= 0)  # of the line above a unit
        lift = (np.where(weights < 0, weights, 0.0) @ np.where(open_, -slope * low, 0.0)[:, :, None])[:, :, 0]
        proved = np.full(margins.shape, -np.inf)
        for below in (slope, np.where(open_, high > -low, slope)):  # of lines below it: any slope in 0 … 1 is valid, try two
            lines = weights * np.where(weights > 0, below[:, None], slope[:, None])
            centre = margins + lift + (lines @ values[:, :, None])[:, :, 0]
            proved = np.maximum(proved, centre - radius[:, None] * np.linalg.norm(lines @ hidden, axis=2))
        proved[rows, label] = np.inf
        return proved.min(axis=1) > 0

    low, high = np.zeros(len(points)), np.asarray(most, dtype=np.float64)
    for _ in range(bisections):
        middle = (low + high) / 2
        proved = keeps(middle)
        low, high = np.where(proved, middle, low), np.where(proved, high, middle)
    return low


def nearest_neighbour_steps(points: Array, anchors: Array, labels: npt.NDArray[np.int64]) -> Array:
    """Lengths below which no step changes the class of the nearest neighbour.

    A point keeps its class as long as it is closer to its present neighbour than to every anchor of another class. The length is
    the smallest distance to the planes halfway between that neighbour and those anchors.

    Parameters
    ----------
    points : (m, d) array
        Points from which the steps start.
    anchors : (n, d) array
        Points of known class, from at least two classes.
    labels : (n,) array of int
        Their classes.

    Returns
    -------
    (m,) array
        Euclidean lengths.

    Examples
    --------
    >>> nearest_neighbour_steps(np.array([[1.0]]), np.array([[0.0], [4.0], [9.0]]), np.array([0, 1, 1]))
    array([1.])
    """
    squares = cdist(points, anchors, "sqeuclidean")
    nearest = squares.argmin(1)
    apart = cdist(anchors[nearest], anchors)
    other = labels[nearest][:, None] != labels
    gain = squares - squares.min(1, keepdims=True)
    return np.where(other, gain / (2 * np.where(other & (apart > 0), apart, 1.0)), np.inf).min(axis=1)
