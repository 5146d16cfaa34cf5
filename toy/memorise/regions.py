"""Decision regions on a closed curve, and what becomes of them along training.

A *region* is a maximal arc of the circle of angles on which the predicted class is constant. Between two looks at the
same network a region *dies* if none of its points keeps its class (its neighbours have merged over it), and a region is
*born* if none of its points had that class before (an old region has split). A birth is a *re-split* if a region of the
same class had died there before: a merger that came undone - or a new region that happens to lie on a grave. How often chance
alone would do that is counted, too: the share of places where a region of this class and length could have been born (nothing of
its class there before) at which it would have met a grave of its class.
"""

from dataclasses import dataclass

import numpy as np

from lab.compiled import njit
from lab.errors import InputError
from lab.results import Results


@dataclass(frozen=True)
class Regions(Results, axes="count: replica look; deaths births resplits chance: replica", rows="replica",
              picture="count ~ look"):
    """What became of the regions of R replicas over T looks.

    Attributes
    ----------
    count : (R, T) regions at each look.
    deaths, births, resplits : (R,) events between consecutive looks; re-splits are counted among the births too.
    chance : (R,) re-splits to expect if regions were born anywhere.
    """

    count: np.ndarray
    deaths: np.ndarray
    births: np.ndarray
    resplits: np.ndarray
    chance: np.ndarray


@njit(cache=True, error_model="numpy")
def _starts(classes, out):
    """out[i] <- index where the region that holds point i starts (on the circle); returns the number of regions."""
    n = classes.size
    first = -1
    for i in range(n):
        if classes[i] != classes[i - 1]:
            first = i
            break
    if first < 0:
        out[:] = 0
        return 1
    found = 0
    start = first
    for step in range(n):
        i = (first + step) % n
        if classes[i] != classes[i - 1]:
            start = i
            found += 1
        out[i] = start
    return found


@njit(cache=True, error_model="numpy")
def _meets(before, lost, value, length):
    """Share of the places without ``value`` before, windows of this length on the circle, that hold a grave of it."""
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


@njit(cache=True, error_model="numpy")
def _follow(classes, count, events, chance):
    """classes (T, n) of one replica; count (T,); events <- deaths, births, re-splits; chance[0] <- of the latter, expected."""
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
        for i in range(n):
            if classes[t, i] == classes[t - 1, i]:
                survives[old[i]] = True
                known[new[i]] = True
            elif lost[i] == classes[t, i]:
                again[new[i]] = True
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
        for i in range(n):
            if not survives[old[i]]:
                lost[i] = classes[t - 1, i]
            old[i] = new[i]


def follow(classes: np.ndarray) -> Regions:
    """Count regions and their deaths, births and re-splits.

    Parameters
    ----------
    classes : (R, T, n) predicted class at n points around a closed curve, at T looks.

    Raises
    ------
    InputError
        If the shape is another, or there are fewer than 3 points.
    """
    classes = np.ascontiguousarray(classes, dtype=np.int64)
    if classes.ndim != 3 or classes.shape[1] < 1 or classes.shape[2] < 3:
        raise InputError(f"classes must be (replicas, looks, points) with at least 3 points, got {classes.shape}")
    count = np.zeros(classes.shape[:2], dtype=np.int64)
    events, chance = np.zeros((classes.shape[0], 3), dtype=np.int64), np.zeros((classes.shape[0], 1))
    for r in range(classes.shape[0]):
        _follow(classes[r], count[r], events[r], chance[r])
    return Regions(count, *events.T, chance[:, 0])


def regions(classes: np.ndarray) -> np.ndarray:
    """(...,) number of regions for classes (..., n) around a closed curve."""
    changes = np.sum(classes != np.roll(classes, 1, axis=-1), axis=-1)
    return np.maximum(changes, 1)
