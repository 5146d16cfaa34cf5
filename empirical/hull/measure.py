"""Distances of test points to the hull of the training points, beside what they must be compared with.

Controls: the same number of *training* points, each against the hull of all the others (if they are as far away as the
test points, "outside" is an effect of dimension); Gaussian points with the mean and covariance of the training points;
subsets of n points; distances to the nearest point and to the mean, between pairs, the diameter; hulls of single classes.
"""

import time

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
    """Distance of each query to its nearest point, (m,) float64.

    Parameters
    ----------
    points : (n, d).
    queries : (m, d).
    exclude : int (m,), number of a point that is left out for each query; None leaves none out.
    """
    squares = np.einsum("ij,ij->i", points, points)
    best = np.empty(len(queries))
    for start in range(0, len(queries), CHUNK):
        part = queries[start:start + CHUNK]
        score = squares - 2 * (part @ points.T)
        if exclude is not None:
            score[np.arange(len(part)), exclude[start:start + CHUNK]] = np.inf
        # a few of the best in float32, decided in float64
        few = np.argpartition(score, min(3, score.shape[1] - 1), axis=1)[:, :4]
        gaps = np.linalg.norm(points[few].astype(np.float64) - part[:, None], axis=2)
        if exclude is not None:
            gaps[few == exclude[start:start + CHUNK, None]] = np.inf
        best[start:start + CHUNK] = gaps.min(axis=1)
    return best


def scales(points: np.ndarray, seed: int) -> dict:
    """Median distance of random pairs, and a lower bound on the diameter (farthest from the farthest from the mean).

    Parameters
    ----------
    points : (n, d).
    seed : of the pairs.
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


def _ratio(values: np.ndarray, by: np.ndarray | float) -> Estimate:
    by = np.broadcast_to(by, values.shape)
    return mean_interval(values[by > 0] / by[by > 0]) if np.any(by > 0) else None


def summarise(result: Projection, near: np.ndarray, to_mean: np.ndarray, common: dict) -> dict:
    """Estimates over the queries of one projection; distances are the certified upper ends, ``gap`` bounds their error."""
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
    """As many Gaussian points, and fresh queries, with the mean and covariance of ``points``, float32.

    Parameters
    ----------
    points : (n, d).
    queries : how many queries.
    seed : of the draws.
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
    made = [mean + draw.standard_normal((count, d), dtype=np.float32) @ root for count in (n, queries)]
    return made[0], made[1]


def measure(space: Space, *, queries: int = 0, leave_one_out: int = -1, n: int = 0, gaussian: int = 0,
            classes: int = 0, seed: int = 0, tol: float = 1e-6) -> dict:
    """Distances of test points, and of their controls.

    Parameters
    ----------
    space : points, queries and labels.
    queries : test points, drawn at random; 0 takes all.
    leave_one_out : training points against the hull of the others; -1 takes as many as there are queries.
    n : points of the hull, a random subset; 0 takes all.
    gaussian : queries of the Gaussian control; 0 leaves it out.
    classes : queries measured against the hull of each class; 0 leaves it out.
    seed : of the draws.
    tol : see :func:`theory.hull.project`.

    Returns
    -------
    dict : ``test``, ``training`` (leave-one-out), ``gaussian``, ``classes`` (see :func:`summarise`), ``scales``, ``n``,
        ``dim``, ``test_over_training`` (log ratio of mean distances as a factor minus one), ``seconds``; and
        ``arrays``, per test query: ``lower, upper, nearest, to_mean, support, label`` and ``wrong``.

    Raises
    ------
    InputError
        If more is asked for than there is.
    """
    draw = generator(seed, "hull", "queries and points")
    total, m = len(space.points), len(space.queries)
    queries = queries or m
    n = n or total
    leave_one_out = min(queries, n) if leave_one_out < 0 else leave_one_out
    for name, asked, there in (("queries", queries, m), ("points", n, total), ("leave-one-out points", leave_one_out, n),
                               ("class queries", classes, queries)):
        if asked > there:
            raise InputError(f"{asked} {name} asked for, there are {there}")
    rows = np.sort(draw.permutation(total)[:n]) if n < total else slice(None)
    points, labels = space.points[rows], space.point_labels[rows]
    chosen = np.sort(draw.permutation(m)[:queries]) if queries < m else np.arange(m)
    asked = space.queries[chosen]
    common = scales(points, seed)
    mean = points.mean(axis=0, dtype=np.float64)
    found = {"space": space.name, "n": n, "dim": points.shape[1], "facts": space.facts, "scales": common, "tol": tol}

    start = time.perf_counter()
    ready = prepare(points)
    result = project(ready, asked, tol, directions=False)
    found["seconds"] = {"test": time.perf_counter() - start}
    near, to_mean = nearest(points, asked), np.linalg.norm(asked - mean, axis=1)
    found["test"] = summarise(result, near, to_mean, common)
    arrays = {"row": chosen, "lower": result.lower, "upper": result.upper, "nearest": near, "to_mean": to_mean,
              "support": result.support, "label": space.query_labels[chosen]}
    if space.wrong is not None:
        arrays["wrong"] = space.wrong[chosen]
        found["errors"] = errors_beyond_nearest(arrays["wrong"], result.upper, near)

    if leave_one_out:
        start = time.perf_counter()
        kept = np.sort(draw.permutation(n)[:leave_one_out])
        own = project(ready, points[kept], tol, exclude=kept, directions=False)
        near_own, mean_own = nearest(points, points[kept], kept), np.linalg.norm(points[kept] - mean, axis=1)
        found["training"] = summarise(own, near_own, mean_own, common)
        found["test_over_training"] = excess(found["test"]["distance"], found["training"]["distance"])
        found["outside_minus_training"] = share_difference(
            int(result.outside.sum()), queries, int(own.outside.sum()), leave_one_out)
        found["seconds"]["training"] = time.perf_counter() - start
    if gaussian:
        start = time.perf_counter()
        fake, fresh = gaussian_like(points, gaussian, seed)
        null = project(fake, fresh, tol, directions=False)
        found["gaussian"] = summarise(null, nearest(fake, fresh), np.linalg.norm(fresh - mean, axis=1), common)
        found["seconds"]["gaussian"] = time.perf_counter() - start
    if classes:
        start = time.perf_counter()
        found["classes"] = _class_hulls(points, labels, asked[:classes], arrays["label"][:classes],
                                        result.upper[:classes], tol)
        found["seconds"]["classes"] = time.perf_counter() - start
    return {**found, "arrays": arrays}


def class_projections(points: np.ndarray, labels: np.ndarray, queries: np.ndarray,
                      tol: float = 1e-6) -> tuple[np.ndarray, list[Projection]]:
    """Names of the classes, (c,), and the queries' projections on the hull of each class on its own.

    Parameters
    ----------
    points, labels : (n, d), (n,).
    queries : (m, d).
    tol : see :func:`theory.hull.project`.
    """
    names = np.unique(labels)
    return names, [project(Points(points[labels == c]), queries, tol, directions=False) for c in names]


def _class_hulls(points, labels, queries, true, whole, tol) -> dict:
    """Distances to the hull of each class on its own."""
    names, found = class_projections(points, labels, queries, tol)
    distance = np.stack([result.upper for result in found])
    own = distance[np.searchsorted(names, true), np.arange(len(true))]
    return {
        "queries": len(queries),
        "nearest_class_hull_is_right": share_interval(int((names[distance.argmin(axis=0)] == true).sum()), len(true)),
        "own_class_over_whole": _ratio(own, whole),
        "distance_own": mean_interval(own),
    }


def errors_beyond_nearest(wrong: np.ndarray, hull: np.ndarray, near: np.ndarray) -> dict:
    """Rank correlation of the network's errors with hull distance, alone and given the nearest-neighbour distance.

    Partial Spearman correlation; intervals by Fisher's z with n - 3 (n - 4) degrees of freedom.

    Parameters
    ----------
    wrong : bool (m,), which queries the network misclassifies.
    hull : (m,), distances from the hull.
    near : (m,), distances to the nearest point.
    """
    n = len(wrong)
    if n < 8 or wrong.all() or not wrong.any():
        return {"wrong": share_interval(int(wrong.sum()), n), "alone": None, "given_nearest": None}
    return {"wrong": share_interval(int(wrong.sum()), n),
            "alone": correlation(partial_rank(wrong, hull), n),
            "given_nearest": correlation(partial_rank(wrong, hull, near), n, given=1)}
