"""Distances of test points to the hull of the training points, with the controls that give them meaning.

Controls: the same number of *training* points, each against the hull of all the others (if they are as far away as the test
points, being outside is an effect of dimension); Gaussian points with the mean and covariance of the training points; subsets of
n points; distances to the nearest point and to the mean, between pairs, and the diameter; hulls of single classes.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from empirical.hull.spaces import Space
from empirical.hull.statistics import correlation, excess, partial_rank
from lab.combine import share_difference
from lab.errors import InputError
from lab.estimate import Estimate, mean_interval, share_interval
from lab.streams import generator
from theory.hull import UNCONVERGED, Points, Projection, prepare, project

PAIRS = 100_000  # pairs for the median distance
CHUNK = 512


def nearest(points: np.ndarray, queries: np.ndarray, exclude: np.ndarray | None = None) -> np.ndarray:
    """Distance of each query to its nearest point.

    Parameters
    ----------
    points : ndarray
        (n, d).
    queries : ndarray
        (m, d).
    exclude : ndarray, optional
        int (m,), number of a point to leave out for each query; by default none.

    Returns
    -------
    ndarray
        float64 (m,).

    Examples
    --------
    >>> corners = np.array([[0.0, 0.0], [3.0, 4.0]])
    >>> nearest(corners, corners).tolist(), nearest(corners, corners, exclude=np.array([0, 1])).tolist()
    ([0.0, 0.0], [5.0, 5.0])
    """
    squares = np.einsum("ij,ij->i", points, points)
    best = np.empty(len(queries))
    for start in range(0, len(queries), CHUNK):
        part = queries[start:start + CHUNK]
        score = squares - 2 * (part @ points.T)
        if exclude is not None:
            score[np.arange(len(part)), exclude[start:start + CHUNK]] = np.inf
        # |p - q|^2 by one product in the precision of the data; then the four smallest are compared in float64
        few = np.argpartition(score, min(3, score.shape[1] - 1), axis=1)[:, :4]
        gaps = np.linalg.norm(points[few].astype(np.float64) - part[:, None], axis=2)
        if exclude is not None:
            gaps[few == exclude[start:start + CHUNK, None]] = np.inf
        best[start:start + CHUNK] = gaps.min(axis=1)
    return best


def scales(points: np.ndarray, seed: int) -> dict[str, float]:
    """Median distance of random pairs, and a lower bound on the diameter (the farthest from the farthest from the mean).

    Parameters
    ----------
    points : ndarray
        (n, d).
    seed : int
        Seed of the pairs.

    Returns
    -------
    dict of str to float
        ``median_pair`` and ``diameter_at_least``.
    """
    draw = generator(seed, "hull", "pairs")
    i, j = draw.integers(0, len(points), (2, PAIRS))
    i, j = i[i != j], j[i != j]
    gaps = np.concatenate([np.linalg.norm(points[a].astype(np.float64) - points[b], axis=1)
                           for a, b in zip(np.array_split(i, 200), np.array_split(j, 200))]) if len(i) else np.zeros(1)
    corner = points[np.argmax(np.linalg.norm(points - points.mean(axis=0), axis=1))]
    for _ in range(3):
        away = np.linalg.norm(points - corner, axis=1)
        corner = points[np.argmax(away)]
    return {"median_pair": float(np.median(gaps)), "diameter_at_least": float(away.max())}


def _ratio(values: np.ndarray, by: np.ndarray | float) -> Estimate | None:
    by = np.broadcast_to(by, values.shape)
    return mean_interval(values[by > 0] / by[by > 0]) if np.any(by > 0) else None


def summarise(result: Projection, near: np.ndarray, to_mean: np.ndarray, common: Mapping[str, float]) -> dict[str, Any]:
    """Estimates over the queries of one projection; distances are upper bounds, ``largest_gap`` bounds their error."""
    m = len(result)
    return {
        "queries": m,
        "outside": share_interval(int(result.outside.sum()), m),
        "inside": share_interval(int((result.status == "inside").sum()), m),
        "unconverged": int((result.status == UNCONVERGED).sum()),
        "distance": mean_interval(result.upper),
        "distance_lower": float(result.lower.mean()),
        "distance_upper": float(result.upper.mean()),
        "largest_gap": float((result.upper - result.lower).max()),
        "over_nearest": _ratio(result.upper, near),
        "over_mean": _ratio(result.upper, to_mean),
        "over_median_pair": _ratio(result.upper, common["median_pair"]),
        "over_diameter": _ratio(result.upper, common["diameter_at_least"]),
        "support": mean_interval(result.support),
        "pricings": float(result.rounds.mean()),
    }


def gaussian_like(points: np.ndarray, queries: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian points, as many as given, and Gaussian queries, with the mean and covariance of the given points.

    Parameters
    ----------
    points : ndarray
        (n, d).
    queries : int
        Number of queries.
    seed : int
        Seed of the draws.

    Returns
    -------
    points : ndarray
        float32 (n, d).
    queries : ndarray
        float32 (queries, d).

    Examples
    --------
    >>> points, queries = gaussian_like(np.random.default_rng(0).random((50, 2)), queries=10, seed=0)
    >>> points.shape, queries.shape
    ((50, 2), (10, 2))
    """
    n, d = points.shape
    mean = points.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((d, d))
    for part in np.array_split(points, max(1, n // 4096)):
        centred = part - mean
        covariance += centred.T @ centred / n
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))).astype(np.float32).T
    draw = generator(seed, "hull", "gaussian")
    mean = mean.astype(np.float32)
    fake, fresh = (mean + draw.standard_normal((count, d), dtype=np.float32) @ root for count in (n, queries))
    return fake, fresh


def measure(space: Space, *, queries: int = 0, leave_one_out: int = -1, n: int = 0, gaussian: int = 0,
            classes: int = 0, seed: int = 0, tol: float = 1e-6) -> dict[str, Any]:
    """Distances of test points from the hull, and those of the controls.

    Parameters
    ----------
    space : Space
        Points, queries and labels.
    queries : int
        Number of test points, drawn at random; 0 for all.
    leave_one_out : int
        Number of training points to compare with the hull of the others; -1 for as many as there are queries.
    n : int
        Number of hull points, a random subset; 0 for all.
    gaussian : int
        Number of queries in the Gaussian control; 0 for none.
    classes : int
        Number of queries to compare with the hull of each class; 0 for none.
    seed : int
        Seed of the draws.
    tol : float
        Relative accuracy of the distances, see :func:`theory.hull.project`.

    Returns
    -------
    dict
        ``test``, ``training`` (leave-one-out), ``gaussian``, ``classes`` (estimates over the queries of each), ``scales``,
        ``n``, ``dim``, ``test_over_training`` (ratio of mean distances minus one, from its logarithm), ``seconds``; and
        ``arrays``, with one number per test query: ``lower, upper, nearest, to_mean, support, label`` and ``wrong``.

    Raises
    ------
    InputError
        If more points are requested than exist.

    References
    ----------
    Yousefzadeh 2021, arXiv 2101.09849; 2022, arXiv 2203.10366.

    Examples
    --------
    >>> from empirical.hull.spaces import pixels
    >>> from empirical.tiny import noise
    >>> result = measure(pixels(noise(rows=40)), queries=5, gaussian=5)
    >>> result["n"], result["test"]["queries"], 0 <= result["test"]["outside"].mean <= 1
    (32, 5, True)
    """
    draw = generator(seed, "hull", "queries and points")
    total, m = len(space.points), len(space.queries)
    queries = queries or m
    n = n or total
    leave_one_out = min(queries, n) if leave_one_out < 0 else leave_one_out
    for name, wanted, available in (("queries", queries, m), ("points", n, total), ("leave-one-out points", leave_one_out, n),
                                    ("class queries", classes, queries)):
        if wanted > available:
            raise InputError(f"{wanted} {name} were requested, but there are only {available}")
    rows = np.sort(draw.permutation(total)[:n]) if n < total else slice(None)
    points, labels = space.points[rows], space.point_labels[rows]
    chosen = np.sort(draw.permutation(m)[:queries]) if queries < m else np.arange(m)
    asked = space.queries[chosen]
    common = scales(points, seed)
    mean = points.mean(axis=0, dtype=np.float64)
    seconds: dict[str, float] = {}
    results: dict[str, Any] = {"space": space.name, "n": n, "dim": points.shape[1], "facts": space.facts, "scales": common,
                               "tol": tol, "seconds": seconds}

    with _timed(seconds, "test"):
        ready = prepare(points)
        result = project(ready, asked, tol, directions=False)
    near, to_mean = nearest(points, asked), np.linalg.norm(asked - mean, axis=1)
    results["test"] = summarise(result, near, to_mean, common)
    arrays = {"row": chosen, "lower": result.lower, "upper": result.upper, "nearest": near, "to_mean": to_mean,
              "support": result.support, "label": space.query_labels[chosen]}
    if space.wrong is not None:
        arrays["wrong"] = space.wrong[chosen]
        results["errors"] = errors_beyond_nearest(arrays["wrong"], result.upper, near)
    if leave_one_out:  # if these are as far from the hull of the others as test points, being outside is an effect of dimension
        with _timed(seconds, "training"):
            kept = np.sort(draw.permutation(n)[:leave_one_out])
            own = project(ready, points[kept], tol, exclude=kept, directions=False)
            near_own, mean_own = nearest(points, points[kept], kept), np.linalg.norm(points[kept] - mean, axis=1)
            results["training"] = summarise(own, near_own, mean_own, common)
            results["test_over_training"] = excess(results["test"]["distance"], results["training"]["distance"])
            results["outside_minus_training"] = share_difference(
                int(result.outside.sum()), queries, int(own.outside.sum()), leave_one_out)
    if gaussian:
        with _timed(seconds, "gaussian"):
            fake, fresh = gaussian_like(points, gaussian, seed)
            null = project(fake, fresh, tol, directions=False)
            results["gaussian"] = summarise(null, nearest(fake, fresh), np.linalg.norm(fresh - mean, axis=1), common)
    if classes:
        with _timed(seconds, "classes"):
            results["classes"] = _class_hulls(points, labels, asked[:classes], arrays["label"][:classes],
                                              result.upper[:classes], tol)
    return {**results, "arrays": arrays}


@contextmanager
def _timed(seconds: dict[str, float], part: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[part] = time.perf_counter() - start


def class_projections(points: np.ndarray, labels: np.ndarray, queries: np.ndarray,
                      tol: float = 1e-6) -> tuple[np.ndarray, list[Projection]]:
    """Names of the classes, (c,), and the projections of the queries onto the hull of each class alone.

    Parameters
    ----------
    points : ndarray
        (n, d).
    labels : ndarray
        Their classes, (n,).
    queries : ndarray
        (m, d).
    tol : float
        Relative accuracy of the distances, see :func:`theory.hull.project`.
    """
    names = np.unique(labels)
    return names, [project(Points(points[labels == c]), queries, tol, directions=False) for c in names]


def _class_hulls(points: np.ndarray, labels: np.ndarray, queries: np.ndarray, true: np.ndarray, whole: np.ndarray,
                 tol: float) -> dict[str, Any]:
    """Distances to the hull of each class alone."""
    names, hulls = class_projections(points, labels, queries, tol)
    distance = np.stack([projection.upper for projection in hulls])
    own = distance[np.searchsorted(names, true), np.arange(len(true))]
    return {
        "queries": len(queries),
        "nearest_class_hull_is_right": share_interval(int((names[distance.argmin(axis=0)] == true).sum()), len(true)),
        "own_class_over_whole": _ratio(own, whole),
        "distance_own": mean_interval(own),
    }


def errors_beyond_nearest(wrong: np.ndarray, hull: np.ndarray, near: np.ndarray) -> dict[str, Estimate | None]:
    """Rank correlation of the network's errors with hull distance, alone and given the nearest-neighbour distance.

    Partial Spearman correlation; intervals by Fisher's z with n - 3 (n - 4) degrees of freedom.

    Parameters
    ----------
    wrong : ndarray
        bool (m,), which queries the network misclassifies.
    hull : ndarray
        Distances from the hull, (m,).
    near : ndarray
        Distances to the nearest point, (m,).
    """
    n = len(wrong)
    if n < 8 or wrong.all() or not wrong.any():
        return {"wrong": share_interval(int(wrong.sum()), n), "alone": None, "given_nearest": None}
    return {"wrong": share_interval(int(wrong.sum()), n),
            "alone": correlation(partial_rank(wrong, hull), n),
            "given_nearest": correlation(partial_rank(wrong, hull, near), n, given=1)}
