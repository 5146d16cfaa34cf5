"""First reach, simulated: gradient flow of thresholded neurons on the sphere. Equations in :mod:`theory.first_reach`.

The flow closes in a neuron's coordinates along the features and its output weight; the other coordinates of the unit vector only
follow its norm. So the state of a network is K (M + 1) numbers in any input dimension, which enters through the start alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lab import checks
from lab.compiled import njit
from lab.docstrings import arguments_as_in
from lab.errors import ArgumentError
from lab.flow import CONVERGED, LANES, RHS, solve
from lab.names import renamed
from lab.results import Results
from lab.streams import generator, normal
from theory.first_reach import miss_probability, single_keep_probability, weak_miss_probability

NEGLIGIBLE = 0.002  # A₂/A₁ up to which the limit of a vanishing second strength is given as the prediction
WEAK = 0.05  # A₂/A₁ up to which the strongest feature is learnt as if it were alone (to ± 0.002, the simulations' resolution)


@njit(RHS, cache=True, error_model="numpy")
def sphere_flow(params, work, y, out, value):
    """Velocities (−∇L projected onto the sphere) and loss L of every lane.

    params: K, M, b, A_1 … A_M. y, out: row j(M+1)+m holds u_jm, row j(M+1)+M holds v_j. work: M rows of residuals r_m, one row
    u_j·g_j. Plain twin: ``naive_loss_and_velocity`` in tests/toy/test_first_reach.py, in all d dimensions.
    """
    width, features, b = int(params[0]), int(params[1]), params[2]
    row = features + 1
    for lane in range(LANES):
        value[lane] = 0.0
    # residuals r_m = A_m − Σ_j v_j relu(u_jm − b) and loss L = ½ Σ_m r_m²
    for m in range(features):
        for lane in range(LANES):
            work[m, lane] = params[3 + m]
        for j in range(width):
            for lane in range(LANES):
                reach = y[j * row + m, lane] - b
                work[m, lane] -= y[j * row + features, lane] * (reach if reach > 0.0 else 0.0)
        for lane in range(LANES):
            value[lane] += 0.5 * work[m, lane] * work[m, lane]
    # v̇_j = Σ_m r_m relu(u_jm − b),  g_jm = r_m v_j 1[u_jm > b],  u̇_j = g_j − u_j (u_j·g_j)
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
class Reached(Results, axes="learnt reached: replica copy feature; finished: replica copy; missed_by_one: feature; "
              "missed_by_all: replica feature", rows="replica copy feature", picture="missed_by_one missed_by_all ~ feature"):
    """Which features the networks learnt.

    Attributes
    ----------
    learnt : (replicas, copies, M) bool array
        Is the network's response to feature m more than 90 % of the strength?
    reached : (replicas, copies, M) bool array
        Did one of its neurons start within reach of the feature?
    finished : (replicas, copies) bool array
        Did the flow come to rest? A few networks never do: the velocity jumps where a neuron leaves a feature's reach, and a
        neuron that is pushed back and forth across that edge slides along it until the evaluations run out.

    Examples
    --------
    Beyond b = 1/√2, what is learnt is what was reached:

    >>> networks = simulate(threshold=0.72, width=2, copies=3, replicas=4)
    >>> networks.learnt.shape
    (4, 3, 2)
    >>> np.array_equal(networks.learnt, networks.reached)
    True
    """

    learnt: np.ndarray
    reached: np.ndarray
    finished: np.ndarray

    @property
    def missed_by_one(self) -> np.ndarray:
        """(M,) share of single networks that miss each feature."""
        return 1.0 - np.asarray(self.learnt.mean(axis=(0, 1)))

    @property
    def missed_by_all(self) -> np.ndarray:
        """(replicas, M) bool: no copy of the concatenation has learnt the feature."""
        return ~np.any(self.learnt, axis=1)


@dataclass(frozen=True)
class Prediction(Results, axes="missed_by_one missed_by_all kind standard_error limit_by_one limit_by_all "
                 "limit_standard_error: feature", picture="missed_by_one missed_by_all ~ feature", theory=True):
    """Probabilities that one network, and that a concatenation, misses each feature.

    Attributes
    ----------
    missed_by_one : (M,) tuple of float or None
        By one network; None where there is no theory at these strengths.
    missed_by_all : (M,) tuple of float or None
        By all copies of a concatenation.
    kind : (M,) tuple of {"exact", "limit", None}
        Whether the two above are exact or the limit of a vanishing second strength.
    standard_error : (M,) tuple of float or None
        Monte Carlo error of ``missed_by_one``; 0 where nothing was sampled.
    limit_by_one : (M,) tuple of float or None
        Limit A₂/A₁ → 0 of ``missed_by_one``, whatever the strengths; None for features without one.
    limit_by_all : (M,) tuple of float or None
        Limit of ``missed_by_all``, likewise.
    limit_standard_error : (M,) tuple of float or None
        Monte Carlo error of ``limit_by_one``.

    Examples
    --------
    >>> theory = predict(strengths=(1.0, 0.05, 0.05), threshold=0.3, width=1, copies=8)
    >>> theory.kind
    ('limit', None, None)
    >>> round(theory.missed_by_one[0], 4), round(theory.missed_by_all[0], 4)
    (0.6881, 0.0502)
    """

    missed_by_one: tuple[float | None, ...]
    missed_by_all: tuple[float | None, ...]
    kind: tuple[str | None, ...]
    standard_error: tuple[float | None, ...]
    limit_by_one: tuple[float | None, ...]
    limit_by_all: tuple[float | None, ...]
    limit_standard_error: tuple[float | None, ...]


def check(strengths, threshold, dim, width, copies, replicas, seed=0, init_readout=0.1) -> np.ndarray:
    """Refuse arguments that :func:`simulate` cannot take; returns the strengths as an array."""
    strengths = checks.real_numbers("strengths", strengths, above=0)
    checks.real_number("threshold", threshold, least=0, below=1)
    checks.whole_number("dim", dim, max(3, strengths.size))
    sizes = {name: checks.whole_number(name, value)
             for name, value in (("width", width), ("copies", copies), ("replicas", replicas))}
    checks.seed(seed)
    checks.real_number("init_readout", init_readout, above=0)  # from 0 nothing moves
    checks.fits_memory(**sizes, numbers_a_neuron=strengths.size + 1)
    checks.fits_memory(width=width, dim=dim)
    return strengths


@renamed(output_start="init_readout")
def simulate(strengths: Sequence[float] = (1.0, 0.05), threshold: float = 0.3, dim: int = 4, width: int = 1,
             copies: int = 8, replicas: int = 1000, seed: int = 0, init_readout: float = 0.1,
             gradient_tol: float = 1e-6, time_cap: float = 1e8, threads: int | None = None) -> Reached:
    """Train ``replicas`` concatenations of ``copies`` networks of width ``width``.

    Parameters
    ----------
    strengths : (M,) floats > 0, default (1, 0.05)
        Responses A_1 … A_M that the features require.
    threshold : float in [0, 1), default 0.3
        Threshold b of the neurons; from 1/√2 on, none reaches two features.
    dim : int ≥ max(3, M), default 4
        Input dimension d.
    width : int ≥ 1, default 1
        Neurons K per network.
    copies : int ≥ 1, default 8
        Networks per concatenation.
    replicas : int ≥ 1, default 1000
        Independent concatenations.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Copy c of replica r draws from a stream of its own for each width, whatever the other counts.
    init_readout : float > 0, default 0.1
        Output weight v₀ of every neuron at the start.
    gradient_tol : float > 0, default 1e-6
        The flow ends when its largest velocity is below this; at most a hundredth of the smallest strength times v₀.
    time_cap : float > 0, default 1e8
        Flow time at which training stops without convergence.
    threads : int ≥ 1, optional
        Results do not depend on it (default: ``NUMBA_NUM_THREADS``).

    Returns
    -------
    Reached
        What every network learnt, and what was within its reach.

    Raises
    ------
    InputError
        For parameters outside these ranges, or arrays that would not fit the memory.

    References
    ----------
    A reconstruction of the toy of S0 from its public reviews; equations in :mod:`theory.first_reach`.

    Examples
    --------
    Single neurons miss either feature more often than a network of four:

    >>> for width, copies in ((1, 4), (4, 1)):
    ...     print(width, simulate(width=width, copies=copies, replicas=20).missed_by_one)
    1 [0.75   0.8125]
    4 [0.2  0.25]
    """
    A = check(strengths, threshold, dim, width, copies, replicas, seed, init_readout)
    checks.real_number("gradient_tol", gradient_tol, above=0)
    checks.real_number("time_cap", time_cap, above=0, finite=False)
    checks.limits(threads=threads)
    slowest = A.min() * init_readout
    if gradient_tol > 0.01 * slowest:
        raise ArgumentError(f"the weakest feature moves a neuron at about {slowest:.1g}: gradient_tol must be at most a "
                            f"hundredth of that, got {gradient_tol:g}, else the flow ends before it starts",
                            "gradient_tol", "init_readout")
    features = A.size
    start = np.empty((replicas, copies, width, features + 1))
    for r in range(replicas):
        for c in range(copies):
            w = normal(seed, "first-reach", "weights", width, r, c, shape=(width, dim))
            w /= np.linalg.norm(w, axis=1, keepdims=True)
            start[r, c, :, :features] = w[:, :features]
    start[..., features] = init_readout
    params = np.concatenate([[width, features, threshold], A])
    flow = solve(sphere_flow, params, start.reshape(replicas * copies, -1), work_rows=features + 1,
                 gradient_tol=gradient_tol, time_cap=time_cap, max_evaluations=100_000, threads=threads)
    end = flow.state.reshape(replicas, copies, width, features + 1)
    response = np.sum(end[..., features:] * np.maximum(end[..., :features] - threshold, 0.0), axis=2)
    return Reached(
        learnt=response > 0.9 * A,
        reached=np.any(start[..., :features] > threshold, axis=2),
        finished=(flow.status == CONVERGED).reshape(replicas, copies),
    )


@renamed(output_start="init_readout")
@arguments_as_in(simulate)
def predict(strengths: Sequence[float] = (1.0, 0.05), threshold: float = 0.3, dim: int = 4, width: int = 1,
            copies: int = 8, replicas: int = 1000, seed: int = 0, init_readout: float = 0.1) -> Prediction:
    """Probability that one network, and that a concatenation, misses each feature.

    In the regime of pure reach (b ≥ 1/√2), and with one feature, this is exact. Below, theory covers only the limit A₂/A₁ → 0.
    There the strongest feature is learnt as if it were alone, since nothing draws a neuron away from it (up to ``WEAK`` no
    simulation can tell the difference). The second of two features takes an integral for K = 1 and Monte Carlo above
    (``theory.first_reach.DRAWS``). At A₂/A₁ = 0.05 that limit is off by a sixth (K = 8, b = 0.3, d = 4: 0.0687 against
    0.0597 ± 0.0024 simulated), so it counts as the prediction only up to ``NEGLIGIBLE``, and is given separately otherwise.

    Parameters
    ----------
    replicas : int ≥ 1, default 1000
        Not used: theory does not depend on it.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Seed of the Monte Carlo.

    Returns
    -------
    Prediction
        Probabilities for each feature.

    Raises
    ------
    InputError
        As :func:`simulate`.

    References
    ----------
    Derived in :mod:`theory.first_reach`.

    Examples
    --------
    >>> pure = predict(strengths=(1.0, 0.5), threshold=0.72, width=2, copies=4)
    >>> pure.kind, [round(p, 4) for p in pure.missed_by_all]
    (('exact', 'exact'), [0.4909, 0.4909])
    """
    A = check(strengths, threshold, dim, width, copies, replicas, seed, init_readout)
    pure = float(miss_probability(width, dim, threshold))
    order, count = np.argsort(-A), A.size
    limit: list[float | None] = [None] * count
    limit_error: list[float | None] = [None] * count
    one: list[float | None] = [None] * count
    error: list[float | None] = [None] * count
    kind: list[str | None] = [None] * count
    if threshold >= np.sqrt(0.5) or count == 1:
        one, error, kind = [pure] * count, [0.0] * count, ["exact"] * count
    else:
        ratio = A[order[1]] / A[order[0]]
        limit[order[0]], limit_error[order[0]] = pure, 0.0
        if ratio <= WEAK:
            one[order[0]], error[order[0]], kind[order[0]] = pure, 0.0, "limit"
    if threshold < np.sqrt(0.5) and count == 2:
        m, strongest = order[1], float(A[order[0]])
        if width == 1:
            limit[m], limit_error[m] = 1.0 - single_keep_probability(dim, threshold, strongest, init_readout), 0.0
        else:
            rng = generator(seed, "first-reach", "theory", width)
            limit[m], limit_error[m] = weak_miss_probability(width, dim, threshold, strongest, init_readout, rng)
        if ratio <= NEGLIGIBLE:
            one[m], error[m], kind[m] = limit[m], limit_error[m], "limit"
    return Prediction(tuple(one), _together(one, copies), tuple(kind), tuple(error), tuple(limit), _together(limit, copies),
                      tuple(limit_error))


def _together(one: list[float | None], copies: int) -> tuple[float | None, ...]:
    """Probabilities that independent copies all miss."""
    return tuple(None if p is None else p**copies for p in one)
