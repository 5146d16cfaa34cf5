"""The solutions that narrow students of the graded teacher reach: critical points of two forms, followed by Newton's method.

The minima that students from small initial weights reach at width K < M have one of two forms (known from simulation, and
followed here by Newton's method from an untilted guess):

* *pool*: K − 1 neurons isolate one teacher unit each (w_i ≈ B_m, v_i ≈ A_m, slightly tilted) and the last one pools the
  other M − K + 1: a short w along their Σ A_m B_m with a large v, an almost linear neuron that copies their
  weighted mean. With steep strengths the pool is mostly its strongest unit: the student holds the K strongest units.
* *tilt*: K neurons isolate one unit each, and all of them tilt a little towards the other units (for K close to M and a
  small norm, where the pool is a saddle).

A solution is named by the set S of units it isolates, K − 1 or K of them.

Isolating the strongest units gives the lowest loss. Which other solutions are stable too, and where they end:
:mod:`theory.span.uniqueness`. Derived here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from lab import checks
from lab.errors import ArgumentError, InputError
from lab.results import Results
from theory.span.closed_form import check_norm, gradient, hessian, in_units, loss

STABLE = -1e-9  # eigenvalues above this count as not negative (Newton's residual is about 1e-14)


@dataclass(frozen=True)
class Solution(Results, axes="output: unit; directions: unit input; eigenvalues: direction", rows="unit"):
    """A critical point of the width-K student.

    Attributes
    ----------
    isolated : tuple of int
        The set S, counted from 0 in the order of the strengths; K − 1 units (pool) or K (tilt), all where K ≥ M.
    output : ndarray of shape (K,)
        v; a pool last.
    directions : ndarray of shape (K, M)
        Overlaps of w with the teacher's unit vectors.
    loss : float
        L.
    eigenvalues : ndarray
        Of the Hessian, ascending, in the teacher's span and one direction outside it; with ``residual`` in units of the
        largest strength (``theory.span.closed_form``).
    residual : float
        max |∇L|.

    Examples
    --------
    >>> teacher = solution([1.0, 0.5], 2.0, 2)
    >>> teacher.stable, teacher.output
    (True, array([1. , 0.5]))
    """

    isolated: tuple[int, ...]
    output: np.ndarray
    directions: np.ndarray
    loss: float
    eigenvalues: np.ndarray
    residual: float

    @property
    def stable(self) -> bool:
        """Whether it is a minimum."""
        return bool(self.eigenvalues[0] > STABLE)

    @property
    def rest(self) -> tuple[int, ...]:
        """The units that are not isolated."""
        return tuple(m for m in range(self.directions.shape[1]) if m not in self.isolated)

    def times(self, unit: float) -> "Solution":
        """The solution for strengths ``unit`` times as large."""
        return replace(self, output=self.output * unit, loss=self.loss * unit**2)


def newton(state: np.ndarray, A: np.ndarray, norm: float, K: int, tolerance: float = 1e-13, steps: int = 60,
            reach: float = np.inf) -> tuple[np.ndarray, float]:
    """Newton's method with backtracking on |∇L|, to a nearby critical point of any index; returns (state, max|∇L|).

    It stops, with whatever residual it has, once an entry of a direction has moved by more than ``reach``: following a
    solution in small steps takes a few iterations, and most of the time would be spent on those that diverge.
    """
    start, g = state, gradient(state, A, norm, K)
    for _ in range(steps):
        size = np.linalg.norm(g)
        if np.abs(g).max() <= tolerance or np.abs(state[K:] - start[K:]).max() > reach:
            break
        H = hessian(state, A, norm, K)
        try:
            step = np.linalg.solve(H, -g)
        except np.linalg.LinAlgError:
            step = np.linalg.lstsq(H, -g, rcond=1e-13)[0]
        part = min(1.0, 0.2 / np.abs(step).max())
        for _ in range(12):
            new = gradient(state + part * step, A, norm, K)
            if np.all(np.isfinite(new)) and np.linalg.norm(new) < size:
                break
            part *= 0.5
        else:
            break
        state, g = state + part * step, new
    return state, float(np.abs(g).max())


@lru_cache(maxsize=256)
def _pool(strengths: tuple[float, ...], norm: float) -> np.ndarray:
    """(v, w) of the width-1 student of these units, by minimisation."""
    A = np.array(strengths)
    start = np.concatenate([[A.sum()], A / np.linalg.norm(A) * 0.5 * norm])
    return newton(_minimise(start, A, norm, 1), A, norm, 1)[0]


def _minimise(start: np.ndarray, A: np.ndarray, norm: float, K: int) -> np.ndarray:
    """Minimise to moderate precision. Newton's method, which alone would stop at any critical point, then refines this."""
    from scipy.optimize import minimize

    return minimize(lambda y: (loss(y, A, norm, K), gradient(y, A, norm, K)), start, jac=True, method="BFGS",
                    options={"gtol": 1e-6, "maxiter": 2000}).x


def ansatz(A: np.ndarray, norm: float, K: int, isolated: Sequence[int]) -> np.ndarray:
    """Initial guess, with D = M + 1: isolated units copied exactly; a pool as if it were a student of the other units alone.

    A tilt is minimised from there.
    """
    M = A.size
    W, v = np.zeros((K, M + 1)), np.empty(K)
    for i, m in enumerate(isolated):
        W[i, m], v[i] = norm, A[m]
    if len(isolated) < K:
        pooled = [m for m in range(M) if m not in isolated]
        pool = _pool(tuple(A[pooled]), norm)
        v[-1], W[-1, pooled] = pool[0], pool[1:]
    state = np.concatenate([v, W.ravel()])
    return state if len(isolated) < K else _minimise(state, A, norm, K)


def _is_type(state: np.ndarray, norm: float, K: int, isolated: Sequence[int], M: int) -> bool:
    """Whether every isolated unit still dominates its own neuron, and a pool holds none of them."""
    W = state[K:].reshape(K, -1)[:, :M]
    length = np.linalg.norm(W, axis=1)
    if np.any(length > 3 * norm) or np.any(state[:K] <= 0):
        return False
    cosine = W / length[:, None]
    own = all(cosine[i, m] > 0.7 for i, m in enumerate(isolated))
    return own and (len(isolated) == K or np.abs(cosine[-1, list(isolated)]).max(initial=0.0) < 0.7)


def _package(state: np.ndarray, A: np.ndarray, norm: float, K: int, isolated: Iterable[int]) -> Solution:
    M = A.size
    return Solution(tuple(isolated), state[:K].copy(), state[K:].reshape(K, -1)[:, :M].copy(), loss(state, A, norm, K),
                    np.linalg.eigvalsh(hessian(state, A, norm, K)),
                    float(np.abs(gradient(state, A, norm, K)).max()))


def solution(strengths: npt.ArrayLike, direction_norm: float, width: int,
             isolated: Iterable[int] | None = None) -> Solution | None:
    """The solution that isolates the given units.

    Parameters
    ----------
    strengths : sequence of float, shape (M,)
        A_m, any order; signs do not matter (a unit is odd) and come out positive.
    direction_norm : float
        b, in 1e-3 … 1e3.
    width : int
        K. K ≥ M gives the teacher itself.
    isolated : iterable of int, optional
        K − 1 units (the last neuron pools the others) or K (tilt), counted from 0 in the order of ``strengths``. By default
        the strongest ones, in the form that is stable, or in that of lower loss if both are.

    Returns
    -------
    Solution or None
        None if there is no critical point of this form.

    Raises
    ------
    InputError
        Unusable strengths, norm, width or set.

    Examples
    --------
    >>> solution([1.0, 0.5], 2.0, 2).directions
    array([[2., 0.],
           [0., 2.]])
    """
    A, unit = in_units(strengths)
    check_norm(direction_norm)
    checks.whole_number("width", width)
    best = _solution(A, direction_norm, width, isolated)
    return None if best is None else best.times(unit)


def best_solution(strengths: npt.ArrayLike, direction_norm: float, width: int) -> Solution:
    """:func:`solution` of the strongest units, which must exist.

    Raises
    ------
    InputError
        No solution of that width.
    """
    best = solution(strengths, direction_norm, width)
    if best is None:
        raise InputError(f"no solution of width {width} was found for these strengths")
    return best


def _solution(A: np.ndarray, direction_norm: float, width: int, isolated: Iterable[int] | None = None) -> Solution | None:
    """:func:`solution` in units of the largest strength."""
    M = A.size
    if width >= M:
        W, v = np.zeros((width, M + 1)), np.zeros(width)
        W[:M, :M], v[:M] = direction_norm * np.eye(M), A
        return _package(np.concatenate([v, W.ravel()]), A, direction_norm, width, range(M))
    if isolated is None:
        order = np.argsort(-A, kind="stable")
        both = (_solution(A, direction_norm, width, order[:size]) for size in (width - 1, width))
        forms = [s for s in both if s is not None]
        return min(forms, key=lambda s: (not s.stable, round(s.loss, 12), len(s.isolated)), default=None)
    isolated = tuple(sorted(int(m) for m in isolated))
    if len(set(isolated)) not in (width - 1, width) or any(not 0 <= m < M for m in isolated):
        raise ArgumentError(f"a student of width {width} isolates {width - 1} or {width} different units of 0..{M - 1}, "
                            f"got {isolated}")
    guess = ansatz(A, direction_norm, width, isolated)
    state, residual = newton(guess, A, direction_norm, width)
    near = np.abs(state[width:] - guess[width:]).max() < 0.5 * direction_norm
    if residual > 1e-11 or not near or not _is_type(state, direction_norm, width, isolated, M):
        # by continuation from equal strengths, where the form is exact
        followed = _follow(np.full(M, A.mean()), A, direction_norm, width, isolated)
        if followed is None:
            return None
        state = followed
    return _package(state, A, direction_norm, width, isolated)


def _follow(A0: np.ndarray, A1: np.ndarray, norm: float, K: int, isolated: Sequence[int],
            resolution: float = 1e-3) -> np.ndarray | None:
    """Follow the critical point along log A = (1−t) log A0 + t log A1; the state at t = 1, or None if it ends."""
    state, residual = newton(ansatz(A0, norm, K, isolated), A0, norm, K)
    if residual > 1e-11:
        return None
    t, step = 0.0, 0.05
    while t < 1.0:
        new = min(1.0, t + step)
        trial = follow_step(state, np.exp((1 - new) * np.log(A0) + new * np.log(A1)), norm, K, isolated)
        if trial is not None:
            state, t, step = trial, new, step * 1.5
        else:
            step *= 0.4
            if step < resolution:
                return None
    return state


def follow_step(state: np.ndarray, A: np.ndarray, norm: float, K: int, isolated: Sequence[int]) -> np.ndarray | None:
    """The same critical point after a small change of the strengths, or None."""
    trial, residual = newton(state, A, norm, K, steps=12, reach=0.2 * norm)
    moved = np.abs(trial[K:] - state[K:]).max()
    if residual > 1e-11 or moved > 0.2 * norm or not _is_type(trial, norm, K, isolated, len(A)):
        return None
    return trial


def competitors(strengths: npt.ArrayLike, direction_norm: float, width: int, swaps: int = 1) -> list[Solution]:
    """The other stable solutions besides the best one.

    Solutions of the same form with up to ``swaps`` units exchanged, and that of the strongest units in the other form.

    Parameters
    ----------
    strengths : sequence of float, shape (M,)
        A_m, none 0.
    direction_norm : float
        b, in 1e-3 … 1e3.
    width : int
        K.
    swaps : int, default 1
        Largest number of exchanged units.

    Returns
    -------
    list of Solution
        Lowest loss first.

    Raises
    ------
    InputError
        Strengths or norm out of range.

    Examples
    --------
    >>> competitors([1.0, 0.5], 2.0, 2)
    []
    """
    A, unit = in_units(strengths)
    check_norm(direction_norm)
    if width >= A.size or width < 2:
        return []
    order = np.argsort(-A, kind="stable")
    best = _solution(A, direction_norm, width)
    if best is None:
        return []
    others: list[Solution] = []
    size = len(best.isolated)
    top, left_out = order[:size], order[size:]
    for k in range(1, min(swaps, size, left_out.size) + 1):
        for out in combinations(top, k):
            for into in combinations(left_out, k):
                s = _solution(A, direction_norm, width, [m for m in top if m not in out] + list(into))
                # if a pool is steep, different sets can name the same minimum
                if s is not None and s.stable and not any(same(s, known) for known in (best, *others)):
                    others.append(s)
    other = _solution(A, direction_norm, width, order[: 2 * width - 1 - size])
    if other is not None and other.stable and not same(other, best):
        others.append(other)
    return [s.times(unit) for s in sorted(others, key=lambda s: s.loss)]


def same(a: Solution, b: Solution) -> bool:
    """Whether two solutions are the same critical point up to the order of the neurons."""

    def features(s: Solution) -> np.ndarray:
        order = np.lexsort(np.round(s.directions, 5).T)
        return s.directions[order]

    return abs(a.loss - b.loss) <= 1e-9 * (1 + abs(b.loss)) and np.allclose(features(a), features(b), atol=1e-4)
