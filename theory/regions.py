"""Decision regions on a closed curve, and their mergers and splits along training.

A *region* is a maximal arc of the circle of angles on which the predicted class is constant. Between two looks at the
same network, a region *dies* if none of its points keeps its class (its neighbours have merged over it), and a region is
*born* if none of its points had that class before (an old region has split). A birth is a *re-split* if a region of the
same class had died there before (and left a *grave*): a merger that was undone, or a new region that lies on a grave by chance.
The chance rate is computed as well: of all places where a region of this class and length could have been born (where
nothing had its class before), the share that contains a grave of its class.
"""

from dataclasses import dataclass

import numpy as np

from lab.compiled import njit
from lab.errors import InputError
from lab.results import Results


@dataclass(frozen=True)
class Regions(Results, axes="count: replica look; deaths births resplits chance: replica", rows="replica",
              picture="count ~ look"):
    """Regions of R replicas over T looks.

    Attributes
    ----------
    count : (R, T) int array
        Regions at each look.
    deaths : (R,) int array
        Regions that died between consecutive looks.
    births : (R,) int array
        Regions that were born.
    resplits : (R,) int array
        Births that are re-splits.
    chance : (R,) float array
        Expected number of re-splits if regions were born at random places.

    Examples
    --------
    >>> follow(np.array([[[0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 1, 1]]])).count
    array([[2, 1, 2]])
    """

    count: np.ndarray
    deaths: np.ndarray
    births: np.ndarray
    resplits: np.ndarray
    chance: np.ndarray


@njit(cache=True, error_model="numpy")
def _starts(classes, out):
    """out[i] <- index of the first point of the region that holds point i, on the circle; returns the number of regions."""
    n = classes.size
    first = -1
    for i in range(n):
        if classes[i] != classes[i - 1]:
            first = i
            break
    if first < 0:
        out[:] = 0
        return 1
    regions = 0
    start = first
    for step in range(n):
        i = (first + step) % n
        if classes[i] != classes[i - 1]:
            start = i
            regions += 1
        out[i] = start
    return regions


@njit(cache=True, error_model="numpy")
def _meets(before, lost, value, length):
    """Share of the windows of this length on the circle without class ``value`` before that contain a grave of it.

    The window slides by one point at a time; ``taken`` and ``graves`` count within it.
    """
    n = before.size
    taken = graves = places = hits = 0
    for i in range(length - 1):
        taken += before[i] == value
        graves += lost[i] == value
    for i in range(n):
        last = (i + length - 1) % n
        taken += before[last] == value
        graves += lost[last] == value
        if taken == 0:
            places += 1
            hits += graves > 0
        taken -= before[i] == value
        graves -= lost[i] == value
    return hits / places if places else 0.0


@njit("(i8[:, ::1], i8[::1], i8[::1], f8[::1])", open=True, cache=True, error_model="numpy")
def follow_one(classes, count, events, chance):
    """Regions of one replica. Plain twin: ``naive_follow`` in tests/toy/test_memorise.py.

    classes: (T, n). count: (T,) <- regions. events: (3,) <- deaths, births, re-splits. chance: (1,) <- expected re-splits. A
    region's flags are kept at its first point, which old[i] and new[i] give for point i, before and after.
    """
    looks, n = classes.shape
    old, new = np.empty(n, np.int64), np.empty(n, np.int64)
    lost = np.full(n, -1, np.int64)  # class of a region that died over this point, if any
    survives, known, again = np.empty(n, np.bool_), np.empty(n, np.bool_), np.empty(n, np.bool_)
    count[0] = _starts(classes[0], old)
    for t in range(1, looks):
        count[t] = _starts(classes[t], new)
        survives[:] = False
        known[:] = False
        again[:] = False
        # a region survives if one of its points keeps its class, and is known if one of its points had it before
        for i in range(n):
            if classes[t, i] == classes[t - 1, i]:
                survives[old[i]] = True
                known[new[i]] = True
            elif lost[i] == classes[t, i]:
                again[new[i]] = True
        # count each region once, at its first point
        for i in range(n):
            if old[i] == i and not survives[i]:
                events[0] += 1
            if new[i] == i and not known[i]:
                events[1] += 1
                if again[i]:
                    events[2] += 1
                length = 0
                for j in range(n):
                    length += new[j] == i
                chance[0] += _meets(classes[t - 1], lost, classes[t, i], length)
        # a region that died leaves its class over its points
        for i in range(n):
            if not survives[old[i]]:
                lost[i] = classes[t - 1, i]
            old[i] = new[i]


def follow(classes: np.ndarray) -> Regions:
    """Count regions and their deaths, births and re-splits.

    Parameters
    ----------
    classes : (R, T, n) int array
        Predicted class at n ≥ 3 points around a closed curve, at T looks, for R replicas.

    Returns
    -------
    Regions
        Counts at the looks, and events between them.

    Raises
    ------
    InputError
        For another shape, or fewer than 3 points.

    References
    ----------
    Definitions in the docstring of :mod:`theory.regions`.

    Examples
    --------
    A region of class 1 merges with its neighbour and splits off again:

    >>> events = follow(np.array([[[0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 1, 1]]]))
    >>> events.deaths, events.births, events.resplits
    (array([1]), array([1]), array([1]))
    """
    classes = np.ascontiguousarray(classes, dtype=np.int64)
    if classes.ndim != 3 or classes.shape[1] < 1 or classes.shape[2] < 3:
        raise InputError(f"classes must be (replicas, looks, points) with at least 3 points, got {classes.shape}")
    count = np.zeros(classes.shape[:2], dtype=np.int64)
    events, chance = np.zeros((classes.shape[0], 3), dtype=np.int64), np.zeros((classes.shape[0], 1))
    for r in range(classes.shape[0]):
        follow_one(classes[r], count[r], events[r], chance[r])
    deaths, births, resplits = events.T
    return Regions(count, deaths, births, resplits, chance[:, 0])


def regions(classes: np.ndarray) -> np.ndarray:
    """Number of regions around a closed curve.

    Parameters
    ----------
    classes : (..., n) array
        Class at n points around the curve.

    Returns
    -------
    (...,) int array
        Maximal arcs of one class.

    Examples
    --------
    >>> regions(np.array([[0, 0, 1, 0], [1, 1, 1, 1]]))
    array([2, 1])
    """
    changes = np.sum(classes != np.roll(classes, 1, axis=-1), axis=-1)
    return np.maximum(changes, 1)
