r"""Exact projection of many queries on the convex hull of many points, with a certificate for each.

For points d_1..d_n (rows of D) and a query q,

    dist(q) = min_alpha |q - sum_i alpha_i d_i|,   alpha >= 0,  sum alpha = 1.

Any convex combination x gives an upper bound |q - x|. Any direction u of length one gives a lower bound, the distance
from q to the half-space that holds all points, ``(q . u) - max_i d_i . u``; at the projection x* the direction
``u = (q - x*) / |q - x*|`` makes both equal (the dual of the problem). Column generation: solve on a small working set
(:mod:`theory.hull.active_set`, Wolfe's method), price all points in the direction found (:mod:`theory.hull.pricing`,
one matrix product for many queries), add those that violate, until the bounds meet.

Both bounds are rigorous for the numbers given: pricing in float32 carries its rounding margin, whatever it cannot
decide is priced in float64, and distances, scores of candidates and the final bounds are float64 with their rounding
added. A query that did not converge is reported as such and keeps its bounds.

The solver is kept here, with the bounds that it certifies, because a distance to a hull has no closed form: this package is to
:mod:`empirical.hull` what a formula is to a simulation. Its modules, from the outside in: ``batches`` (many queries in
lock-step), ``pricing`` and ``device`` (one matrix product for many directions), ``active_set`` (a round of one query),
``wolfe`` (the small problem), ``factor`` (its triangular factor), ``slots`` (the state).

Sources: Yousefzadeh (arXiv 2101.09849, 2203.10366); P. Wolfe, Math. Programming 11 (1976).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lab.arrays import real
from lab.docstrings import arguments_as_in
from lab.errors import InputError
from lab.results import Results
from theory.hull.batches import Answer, project_all
from theory.hull.device import prepare
from theory.hull.pricing import Points, as_points

__all__ = ["INSIDE", "OUTSIDE", "UNCONVERGED", "Points", "Projection", "leave_one_out", "prepare", "project"]

OUTSIDE, INSIDE, UNCONVERGED = "outside", "inside", "unconverged"


@dataclass(frozen=True)
class Projection(Results, axes="lower upper status support rounds outside converged: query; direction: query input", rows="query",
                 picture="upper"):
    """Projections of m queries on the hull of n points in dimension d.

    Attributes
    ----------
    lower : (m,) float64 array, >= 0
        Lower bound on each distance.
    upper : (m,) float64 array, >= lower
        Upper bound on each distance: ``|q - weights @ points|`` plus rounding.
    status : (m,) array of str
        ``"outside"``: separated from the hull (lower > 0) and converged. ``"inside"``: within ``floor`` of the hull and
        not separated from it. ``"unconverged"``: anything else; its bounds hold nevertheless.
    weights : (m, n) scipy.sparse CSR array
        Rows >= 0 with sum 1: the nearest point of the hull is ``weights @ points``.
    support : (m,) int array
        Number of points with weight.
    direction : (m, d) array or None
        Unit vectors from the hull to the query that certify ``lower`` (zero rows where lower is 0), in the precision of
        the points; None if they were not requested.
    rounds : (m,) int array
        Pricings used.
    tol : float
        Relative accuracy requested.
    floor : float
        Distance up to which a query counts as inside, ``1e-3 tol radius``.
    radius : float
        Largest distance of a point from the mean of all points, max |points - mean|.

    Examples
    --------
    >>> triangle = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> projection = project(triangle, [[1.0, 1.0], [0.25, 0.25]])
    >>> projection.support.tolist(), projection.converged.tolist(), projection.outside.tolist()
    ([2, 3], [True, True], [True, False])
    """

    lower: np.ndarray
    upper: np.ndarray
    status: np.ndarray
    weights: object
    support: np.ndarray
    direction: np.ndarray | None
    rounds: np.ndarray
    tol: float
    floor: float
    radius: float

    @property
    def converged(self) -> np.ndarray:
        """(m,) bool: upper - lower <= tol max(upper, 1e-3 radius)."""
        return self.upper - self.lower <= self.tol * np.maximum(self.upper, 1e-3 * self.radius)

    @property
    def outside(self) -> np.ndarray:
        """(m,) bool: proved to lie outside the hull (a separating hyperplane is known), converged or not."""
        return self.lower > 0

    def __len__(self) -> int:
        return len(self.upper)


def project(points: Points | npt.ArrayLike, queries: npt.ArrayLike, tol: float = 1e-6, *,
            exclude: npt.ArrayLike | None = None, block: int = 64, max_rounds: int = 200, batch: int | None = None,
            directions: bool = True) -> Projection:
    """Project queries on the convex hull of points.

    Parameters
    ----------
    points : (n, d) array or tensor, or Points
        Float32 or float64 (others are converted), or prepared by :func:`prepare`. A tensor on a GPU is priced there.
    queries : (m, d) array or tensor, or (d,) for one query
        Points to project.
    tol : float in (0, 0.1], default 1e-6
        Relative accuracy: converged means ``upper - lower <= tol max(upper, 1e-3 max|points - mean|)``.
    exclude : (m,) int array, -1 to n - 1, optional
        For each query, the index of a point that is left out of its hull, -1 for none.
    block : int >= 1, default 64
        Largest number of points added to a query's working set in a round.
    max_rounds : int >= 1, default 200
        Pricings after which a query is given up as unconverged.
    batch : int >= 1, optional
        Queries priced together (default: 64 for points that fit the cache, else 256, as memory allows).
    directions : bool, default True
        Keep the (m, d) certifying directions.

    Returns
    -------
    Projection
        Bounds on the distances, the nearest points and their certificates, one row per query.

    Raises
    ------
    InputError
        If shapes do not fit, a number is not finite, or a hull would have no points.

    Notes
    -----
    The products run fastest where BLAS uses the processor's widest vectors: on processors that NumPy's OpenBLAS does
    not recognise set ``OPENBLAS_CORETYPE=SkylakeX`` before Python starts (only where the processor has AVX-512).

    References
    ----------
    P. Wolfe, Finding the nearest point in a polytope, Math. Programming 11 (1976) 128-149; the bounds are derived in
    :mod:`theory.hull`.

    Examples
    --------
    >>> triangle = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> projection = project(triangle, [[1.0, 1.0], [0.25, 0.25]])
    >>> projection.status.tolist(), projection.upper.round(4).tolist()
    (['outside', 'inside'], [0.7071, 0.0])
    >>> projection.weights.toarray().round(4)[0].tolist()  # half-way between the second corner and the third
    [0.0, 0.5, 0.5]
    """
    points = prepare(points)
    n, d = points.shape
    rows: Any = queries  # tensors have no type here
    if getattr(rows, "ndim", None) == 1 or (isinstance(rows, list | tuple) and np.ndim(rows) == 1):
        rows = rows[None] if hasattr(rows, "ndim") else [rows]
    queries = as_points(rows, "queries")
    m = len(queries)
    if queries.shape[1] != d:
        raise InputError(f"queries have dimension {queries.shape[1]}, points {d}: they must be equal")
    finite = np.isfinite(queries).all(axis=1)
    if not finite.all():
        raise InputError(f"queries contain NaN or infinity (row {int(np.flatnonzero(~finite)[0])}); remove such rows")
    with np.errstate(over="ignore"):
        far = ~(np.abs(queries - points.centre).max(axis=1, initial=0.0) < 1e140 * max(points.unit, 1e-160))
    if points.radius > 0 and far.any():
        raise InputError(f"query {int(np.flatnonzero(far)[0])} is so far from the points that its distance cannot be squared in "
                         "their units; scale it down")
    if not 0 < tol <= 0.1:
        raise InputError(f"tol must lie in (0, 0.1], got {tol:g}")
    if block < 1 or max_rounds < 1 or (batch is not None and batch < 1):
        raise InputError("block, max_rounds and batch must be at least 1")
    excluded = np.full(m, -1, np.int64) if exclude is None else real(exclude, "exclude")
    legal = excluded.shape == (m,) and excluded.dtype.kind in "iu"
    if not legal or (m and not -1 <= excluded.min() <= excluded.max() < n):
        raise InputError(f"exclude must hold one point number from -1 to {n - 1} per query, shape ({m},)")
    if n == 1 and np.any(excluded == 0):
        raise InputError("leaving out the only point leaves no hull: give at least two points")

    upper, lower = np.full(m, np.inf), np.zeros(m)
    rounds, support = np.zeros(m, np.int64), np.zeros(m, np.int64)
    direction = np.zeros((m, d), points.array.dtype) if directions else None
    index: list[np.ndarray] = [np.zeros(0, np.int64)] * m
    values: list[np.ndarray] = [np.zeros(0)] * m

    if points.radius == 0:  # one point, or copies of it: nothing to solve
        return _single_point(points, queries, excluded, tol, direction)

    def done(i: int, answer: Answer) -> None:
        upper[i], lower[i], rounds[i] = answer.upper * points.unit, answer.lower * points.unit, answer.rounds
        order = np.argsort(answer.index)
        index[i], values[i] = answer.index[order], answer.weights[order]
        support[i] = len(order)
        if direction is not None and answer.direction is not None:
            direction[i] = answer.direction

    project_all(points, queries, excluded.astype(np.int64), tol, min(block, max(n, 2)), max_rounds, batch, done)

    from scipy.sparse import csr_array

    weights = csr_array((np.concatenate([*values, np.zeros(0)]), np.concatenate([*index, np.zeros(0, np.int64)]),
                         np.concatenate([[0], np.cumsum(support)])), shape=(m, n))
    floor = tol * 1e-3 * points.radius
    status = np.full(m, UNCONVERGED, dtype="<U11")
    status[(lower <= 0) & (upper <= floor)] = INSIDE
    status[(lower > 0) & (upper - lower <= tol * np.maximum(upper, 1e-3 * points.radius))] = OUTSIDE
    return Projection(lower, upper, status, weights, support, direction, rounds, tol, floor, points.radius)


def _single_point(points: Points, queries: np.ndarray, excluded: np.ndarray, tol: float, direction) -> Projection:
    """Projection where all points coincide."""
    from scipy.sparse import csr_array

    m, n = len(queries), points.shape[0]
    away = queries.astype(np.float64) - points.array[0]
    longest = np.abs(away).max(axis=1, keepdims=True)
    away /= np.where(longest > 0, longest, 1.0)  # no underflow in the squares
    length = np.linalg.norm(away, axis=1)
    distance = length * longest[:, 0]
    if direction is not None:
        direction[:] = away / np.where(length > 0, length, 1.0)[:, None]
    column = np.where(excluded == 0, min(1, n - 1), 0)
    weights = csr_array((np.ones(m), (np.arange(m), column)), shape=(m, n))
    status = np.where(distance > 0, OUTSIDE, INSIDE).astype("<U11")
    return Projection(distance, distance.copy(), status, weights, np.ones(m, np.int64), direction,
                      np.zeros(m, np.int64), tol, 0.0, 0.0)


@arguments_as_in(project)
def leave_one_out(points: Points | npt.ArrayLike, rows: npt.ArrayLike | None = None, tol: float = 1e-6, *, block: int = 64,
                  max_rounds: int = 200, batch: int | None = None, directions: bool = True) -> Projection:
    """Project training points, each on the hull of all the others.

    Parameters
    ----------
    points : (n, d) array or tensor with n >= 2, or Points
        As in :func:`project`.
    rows : (m,) int array, 0 to n - 1, optional
        Indices of the points to project (default: all).

    Returns
    -------
    Projection
        Projections of the chosen rows, in their order.

    Raises
    ------
    InputError
        As :func:`project`; also if a row number does not exist.

    References
    ----------
    The question is that of Yousefzadeh (arXiv 2101.09849): do the points of a data set lie in the hull of the others?

    Examples
    --------
    >>> points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.25, 0.25]])
    >>> projection = leave_one_out(points, [0, 3])
    >>> projection.status.tolist(), projection.upper.round(4).tolist()
    (['outside', 'inside'], [0.3536, 0.0])
    """
    points = prepare(points)
    n = points.shape[0]
    rows = np.arange(n) if rows is None else real(rows, "rows")
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or (rows.size and not 0 <= rows.min() <= rows.max() < n):
        raise InputError(f"rows must be numbers of points, 0 to {n - 1}")
    return project(points, points.array[rows], tol, exclude=rows.astype(np.int64), block=block, max_rounds=max_rounds,
                   batch=batch, directions=directions)
