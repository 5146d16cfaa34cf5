"""First reach, simulated: gradient flow of thresholded neurons on the sphere. Equations in :mod:`theory.first_reach`.

Only the coordinates of a neuron along the features and its output weight move by themselves (the rest of the unit vector
shrinks along), so the state of a network is K (M + 1) numbers whatever the input dimension, which enters the start alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from lab.errors import InputError
from lab.flow import CONVERGED, LANES, RHS, solve
from lab.streams import generator, normal
from theory.first_reach import miss_probability, single_keep_probability, weak_miss_probability


@njit(RHS, cache=True, error_model="numpy")
def sphere_flow(params, work, y, out, value):
    """Velocities (the sphere-projected −∇L) and loss. params: K, M, b, A_1 … A_M; work: residuals (M rows), pull (1 row);
    y: row j(M+1)+m holds u_jm, row j(M+1)+M holds v_j."""
    width, features, b = int(params[0]), int(params[1]), params[2]
    row = features + 1
    for lane in range(LANES):
        value[lane] = 0.0
    for m in range(features):
        for lane in range(LANES):
            work[m, lane] = params[3 + m]
        for j in range(width):
            for lane in range(LANES):
                reach = y[j * row + m, lane] - b
                work[m, lane] -= y[j * row + features, lane] * (reach if reach > 0.0 else 0.0)
        for lane in range(LANES):
            value[lane] += 0.5 * work[m, lane] * work[m, lane]
    for j in range(width):
        v = j * row + features
        for lane in range(LANES):
            work[features, lane] = 0.0
            out[v, lane] = 0.0
        for m in range(features):
            for lane in range(LANES):
                reach = y[j * row + m, lane] - b
                push = work[m, lane] if reach > 0.0 else 0.0
                out[v, lane] += push * reach
                out[j * row + m, lane] = push * y[v, lane]
                work[features, lane] += y[j * row + m, lane] * push * y[v, lane]
        for m in range(features):
            for lane in range(LANES):
                out[j * row + m, lane] -= y[j * row + m, lane] * work[features, lane]


@dataclass(frozen=True)
class Reached:
    """What the replicas learnt.

    Attributes
    ----------
    learnt : (replicas, copies, M) bool: does this network answer feature m (to within 10 % of its strength)?
    reached : (replicas, copies, M) bool: did one of its neurons start within reach of it?
    finished : (replicas, copies) bool: the flow came to rest. A few never do: the velocity jumps where a neuron leaves a
        feature's reach, and a neuron that is pushed back and forth across that edge slides along it.
    """

    learnt: np.ndarray
    reached: np.ndarray
    finished: np.ndarray

    @property
    def missed_by_one(self) -> np.ndarray:
        """(M,) share of single networks that miss each feature."""
        return 1.0 - self.learnt.mean(axis=(0, 1))

    @property
    def missed_by_all(self) -> np.ndarray:
        """(replicas, M) bool: no copy of the concatenation has learnt the feature."""
        return ~self.learnt.any(axis=1)


def _validate(strengths, threshold, dim, width, copies, replicas, output_start):
    strengths = np.asarray(strengths, dtype=np.float64)
    if strengths.ndim != 1 or not strengths.size or not np.all(np.isfinite(strengths)) or np.any(strengths <= 0):
        raise InputError("strengths must be a list of positive numbers, one a feature")
    if dim < max(3, strengths.size):
        raise InputError(f"dim must be at least 3 and the number of features ({strengths.size}), got {dim}")
    if not 0 <= threshold < 1:
        raise InputError(f"the threshold must lie in [0, 1), got {threshold}")
    if min(width, copies, replicas) < 1:
        raise InputError("width, copies and replicas must be at least 1")
    if not output_start > 0:
        raise InputError("output weights must start above 0, else nothing moves")
    return strengths


def simulate(strengths: Sequence[float] = (1.0, 0.05), threshold: float = 0.3, dim: int = 4, width: int = 1,
             copies: int = 8, replicas: int = 1000, seed: int = 0, output_start: float = 0.1,
             gradient_tol: float = 1e-6, time_cap: float = 1e8, threads: int | None = None) -> Reached:
    """Train ``replicas`` concatenations of ``copies`` networks of width ``width``.

    Parameters
    ----------
    strengths : A_1 … A_M, positive.
    threshold : b in [0, 1); from 1/√2 on, no neuron reaches two features.
    dim : input dimension d, at least 3 and M.
    width, copies, replicas : neurons a network, networks a concatenation, repetitions of the whole.
    seed : copy c of replica r has a stream of its own for every width, whatever the other counts.
    output_start : v₀ > 0.
    gradient_tol, time_cap : the flow ends when its largest velocity is below the tolerance, or at the cap.
    threads : results do not depend on it.

    Returns
    -------
    Reached

    Raises
    ------
    InputError
        For parameters outside these ranges.
    """
    strengths = _validate(strengths, threshold, dim, width, copies, replicas, output_start)
    features = strengths.size
    start = np.empty((replicas, copies, width, features + 1))
    for r in range(replicas):
        for c in range(copies):
            w = normal(seed, "first-reach", "weights", width, r, c, shape=(width, dim))
            w /= np.linalg.norm(w, axis=1, keepdims=True)
            start[r, c, :, :features] = w[:, :features]
    start[..., features] = output_start
    params = np.concatenate([[width, features, threshold], strengths])
    flow = solve(sphere_flow, params, start.reshape(replicas * copies, -1), work_rows=features + 1,
                 gradient_tol=gradient_tol, time_cap=time_cap, max_evaluations=100_000, threads=threads)
    end = flow.state.reshape(replicas, copies, width, features + 1)
    answer = np.sum(end[..., features:] * np.maximum(end[..., :features] - threshold, 0.0), axis=2)
    return Reached(
        learnt=answer > 0.9 * strengths,
        reached=(start[..., :features] > threshold).any(axis=2),
        finished=(flow.status == CONVERGED).reshape(replicas, copies),
    )


def predict(strengths: Sequence[float] = (1.0, 0.05), threshold: float = 0.3, dim: int = 4, width: int = 1,
            copies: int = 8, replicas: int = 1, seed: int = 0, output_start: float = 0.1) -> dict:
    """Probability that one network, and that a concatenation, misses each feature.

    In the regime of pure reach (b ≥ 1/√2) this is exact. Below it the first feature still is (nothing draws a neuron
    away from the strongest), and with two features the second one's is the limit of a vanishing second strength: exact
    for K = 1, semi-analytic with a standard error above; None for further features.

    Returns
    -------
    dict : ``one`` and ``all`` (lists over features, None where there is no theory), ``standard_error`` of ``one``.
    """
    strengths = _validate(strengths, threshold, dim, width, copies, replicas, output_start)
    pure = float(miss_probability(width, dim, threshold))
    one: list[float | None] = [pure] * strengths.size
    error = [0.0] * strengths.size
    if threshold < np.sqrt(0.5):
        order = np.argsort(-strengths)
        for rank, m in enumerate(order[1:], 1):
            one[m] = None
            if rank == 1 and strengths.size == 2:
                if width == 1:
                    one[m] = 1.0 - single_keep_probability(dim, threshold, strengths[order[0]], output_start)
                else:
                    rng = generator(seed, "first-reach", "theory", width)
                    one[m], error[m] = weak_miss_probability(width, dim, threshold, strengths[order[0]], output_start, rng)
    return {"one": one, "all": [None if p is None else p**copies for p in one], "standard_error": error}
