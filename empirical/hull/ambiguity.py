"""Between which classes does a test point lie, and is that what its distance from the hull misses?

The hull of the training set is that of all classes together. A point may lie far outside it and still next to one class alone,
or close to it between two. With d_c(q) the distance of q to the hull of the training points of class c alone,

    ambiguity(q) = d_first / d_second,    the two smallest d_c,

is near 1 where two classes are as near, whatever the distance from the hull of all; no label of q goes into it.

If ambiguity is what makes errors, then

* errors follow it, given the distance to the nearest training point, and more closely than they follow the distance from the
  hull of all; given both, the distance from the hull says nothing more;
* a step *away* from the hull, which doubles the distance from it, changes a network's class less often than a step as long
  *towards the hull of the nearest class that the network does not say*.

Each could turn out otherwise. A random step as long stands beside them.
"""

import numpy as np

from empirical.hull.directions import PixelNetwork
from empirical.hull.measure import class_projections, nearest
from empirical.hull.statistics import partial_rank
from lab.errors import InputError
from lab.streams import normal
from theory.hull import project

LEAST_ERRORS = 5  # of either kind, for correlations


def ambiguity(distances: np.ndarray) -> np.ndarray:
    """The smallest over the second smallest distance of each query, in [0, 1]: (classes, m) -> (m,)."""
    first, second = np.sort(distances, axis=0)[:2]
    return np.divide(first, second, out=np.ones_like(first), where=second > 0)


def explained(wrong: np.ndarray, hull: np.ndarray, near: np.ndarray, between: np.ndarray) -> dict[str, float]:
    """Partial rank correlations with the errors of a network; empty with fewer than :data:`LEAST_ERRORS` errors, or others.

    Parameters
    ----------
    wrong : bool (m,), which queries the network misclassifies.
    hull, near, between : (m,), distance from the hull of all, from the nearest training point, and ambiguity.
    """
    if min(wrong.sum(), (~wrong).sum()) < LEAST_ERRORS:
        return {}
    return {"hull_given_nearest": partial_rank(wrong, hull, near),
            "ambiguity_given_nearest": partial_rank(wrong, between, near),
            "hull_given_both": partial_rank(wrong, hull, near, between)}


def steps(network: PixelNetwork, queries: np.ndarray, away: np.ndarray, other: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Shares of queries whose class changes under three steps of the length of ``away``.

    Parameters
    ----------
    network : that says the classes.
    queries : (m, d).
    away : (m, d), from the projection on the hull of all to the query; rows of length 0 are left out.
    other : (m, d), from the query to its projection on the hull of another class.
    seed : of the random steps.
    """
    length = np.linalg.norm(away, axis=1, keepdims=True)
    used = length[:, 0] > 0
    random = normal(seed, "hull", "random steps", shape=queries.shape)
    before = network.classes(queries)

    def changed(direction):
        unit = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-300)
        return float(np.mean((network.classes(queries + length * unit) != before)[used]))

    return {"changed_away": changed(away), "changed_towards": changed(other), "changed_random": changed(random)}


def measure(network: PixelNetwork, points: np.ndarray, labels: np.ndarray, queries: np.ndarray, wrong: np.ndarray, *,
            stepped: int, seed: int = 0) -> dict:
    """Everything about one network and the test points that it was asked.

    Parameters
    ----------
    network : in evaluation mode.
    points, labels : (n, d), (n,), what it was trained on.
    queries, wrong : (m, d), and bool (m,), which of them it misclassifies.
    stepped : of them, whose classes are looked at after steps.
    seed : of the random steps.

    Returns
    -------
    dict : ``error`` (share), :func:`explained`, :func:`steps`.

    Raises
    ------
    InputError
        With fewer than two classes.
    """
    names, hulls = class_projections(points, labels, queries)
    if len(names) < 2:
        raise InputError("between which classes a point lies takes two classes")
    whole = project(points, queries, directions=False)
    distances = np.stack([found.upper for found in hulls])
    found = {"error": float(wrong.mean()),
             **explained(wrong, whole.upper, nearest(points, queries), ambiguity(distances))}
    some = queries[:stepped].astype(np.float64)
    said = network.classes(queries[:stepped])
    rivals = np.where(names[:, None] == said, np.inf, distances[:, :stepped]).argmin(axis=0)
    towards = np.empty_like(some)
    for c in np.unique(rivals):
        rows = np.flatnonzero(rivals == c)
        towards[rows] = hulls[c].weights[rows] @ points[labels == names[c]] - some[rows]
    return {**found, **steps(network, some, some - whole.weights[:stepped] @ points, towards, seed)}
