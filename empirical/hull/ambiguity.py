"""The ambiguity of a test point between classes: does it explain errors that the distance from the hull misses?

The hull of the training set is that of all classes together. A point may lie far outside it and still be close to one class only,
or near it between two classes. With d_c(q) the distance of q to the hull of the training points of class c alone,

    ambiguity(q) = d_first / d_second,    the two smallest d_c,

is near 1 if two classes are equally close, whatever the distance from the hull of all classes. It does not use the label of q.

If errors come from ambiguity, then

* given the distance to the nearest training point, errors correlate with ambiguity, and more strongly than with the distance
  from the hull of all classes; given both, the distance from the hull adds nothing;
* a step *away* from the hull that doubles the distance from it changes a network's class less often than a step of the same
  length *towards the hull of the nearest class other than the predicted one*.

Either prediction can fail. A random step of the same length is the control.
"""

from typing import Any

import numpy as np

from empirical.hull.directions import PixelNetwork
from empirical.hull.measure import class_projections, nearest
from empirical.hull.statistics import partial_rank
from lab.errors import InputError
from lab.streams import normal
from theory.hull import project

LEAST_ERRORS = 5  # minimum number of errors, and of correct predictions, for correlations


def ambiguity(distances: np.ndarray) -> np.ndarray:
    """The smallest over the second smallest distance of each query.

    Parameters
    ----------
    distances : ndarray
        Distance of each query to the hull of each class, not negative, (classes, m).

    Returns
    -------
    ndarray
        Values in [0, 1], (m,); 1 means equally close to two classes.

    Examples
    --------
    >>> ambiguity(np.array([[1.0, 2.0], [4.0, 2.0], [8.0, 3.0]])).tolist()
    [0.25, 1.0]
    """
    first, second = np.sort(distances, axis=0)[:2]
    return np.divide(first, second, out=np.ones_like(first), where=second > 0)


def explained(wrong: np.ndarray, hull: np.ndarray, near: np.ndarray, between: np.ndarray) -> dict[str, float]:
    """Spearman's partial rank correlations with the errors of a network.

    Parameters
    ----------
    wrong : ndarray
        bool (m,), whether the network misclassifies each query.
    hull : ndarray
        Distance of each query from the hull of all training points, (m,).
    near : ndarray
        Distance from the nearest training point, (m,).
    between : ndarray
        Ambiguity, (m,).

    Returns
    -------
    dict of str to float
        ``hull_given_nearest``, ``ambiguity_given_nearest`` and ``hull_given_both``; empty with fewer than
        :data:`LEAST_ERRORS` errors or correct predictions.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((3, 30))
    >>> correlations = explained(x[2] > 0.5, *x)  # errors where ambiguity is high
    >>> correlations["ambiguity_given_nearest"] > 0.8
    True
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
    network : PixelNetwork
        Network that predicts the classes.
    queries : ndarray
        Queries, (m, d).
    away : ndarray
        Vectors from the projection onto the hull of all classes to the query, (m, d); rows of length 0 are left out.
    other : ndarray
        Vectors from the query to its projection onto the hull of another class, (m, d).
    seed : int
        Seed of the random steps.

    Returns
    -------
    dict of str to float
        ``changed_away``, ``changed_towards`` and ``changed_random``, in [0, 1].
    """
    length = np.linalg.norm(away, axis=1, keepdims=True)
    used = length[:, 0] > 0
    random = normal(seed, "hull", "random steps", shape=queries.shape)
    before = network.classes(queries)

    def changed(direction: np.ndarray) -> float:
        unit = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-300)
        return float(np.mean((network.classes(queries + length * unit) != before)[used]))

    return {"changed_away": changed(away), "changed_towards": changed(other), "changed_random": changed(random)}


def measure(network: PixelNetwork, points: np.ndarray, labels: np.ndarray, queries: np.ndarray, wrong: np.ndarray, *,
            stepped: int, seed: int = 0) -> dict[str, float]:
    """All measures of one network and its test points.

    Parameters
    ----------
    network : PixelNetwork
        Network in evaluation mode.
    points : ndarray
        Training points of the network, (n, d).
    labels : ndarray
        Their classes, (n,).
    queries : ndarray
        Test points, (m, d).
    wrong : ndarray
        bool (m,), whether the network misclassifies each of them.
    stepped : int
        Number of them that take steps.
    seed : int
        Seed of the random steps.

    Returns
    -------
    dict of str to float
        ``error`` (share), and the results of :func:`explained` and :func:`steps`.

    Raises
    ------
    InputError
        With fewer than two classes.
    """
    names, hulls = class_projections(points, labels, queries)
    if len(names) < 2:
        raise InputError("ambiguity needs at least two classes")
    whole = project(points, queries, directions=False)
    distances = np.stack([projection.upper for projection in hulls])
    results = {"error": float(wrong.mean()),
               **explained(wrong, whole.upper, nearest(points, queries), ambiguity(distances))}
    some = queries[:stepped].astype(np.float64)
    rivals = np.where(names[:, None] == network.classes(queries[:stepped]), np.inf, distances[:, :stepped]).argmin(axis=0)
    towards = np.empty_like(some)
    for c in np.unique(rivals):
        rows = np.flatnonzero(rivals == c)
        weights: Any = hulls[c].weights  # a sparse matrix, queries x points
        towards[rows] = weights[rows] @ points[labels == names[c]] - some[rows]
    weights = whole.weights
    return {**results, **steps(network, some, some - weights[:stepped] @ points, towards, seed)}
