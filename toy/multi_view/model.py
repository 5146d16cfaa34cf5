"""Multi-view data, simulated: gradient flow of each neuron's two coordinates. Equations in :mod:`theory.multi_view`."""

import math
from dataclasses import dataclass

import numpy as np

from lab import checks
from lab.compiled import njit
from lab.docstrings import arguments_as_in
from lab.flow import CONVERGED, LANES, REACHED, RHS, solve
from lab.names import renamed
from lab.results import Results
from lab.streams import normal
from theory.multi_view import learn_probabilities


@njit(RHS, cache=True, error_model="numpy")
def view_flow(params, work, y, out, value):
    """Velocities −∇L and loss L of every lane.

    params: m, q, μ₂. y, out: row r holds a_r, row m + r holds b_r. work: one row, F and then g. Plain twin: the loss in
    tests/toy/test_multi_view.py, with its finite differences.
    """
    width, power = int(params[0]), int(params[1])
    for lane in range(LANES):
        work[0, lane] = 0.0
    # F = Σ_views Σ_r σ(μ y_r), σ(z) = z₊^q / q; out gets ∂F/∂y_r = μ z₊^(q−1)
    for view in range(2):
        strength = 1.0 if view == 0 else params[2]
        for j in range(view * width, (view + 1) * width):
            for lane in range(LANES):
                z = strength * y[j, lane]
                z = z if z > 0.0 else 0.0
                p = z
                for _ in range(power - 2):
                    p *= z
                out[j, lane] = strength * p
                work[0, lane] += p * z / power
    # L = log(1 + e^−F) and g = −dL/dF = 1 / (1 + e^F)
    for lane in range(LANES):
        small = np.exp(-work[0, lane])
        value[lane] = np.log1p(small)
        work[0, lane] = small / (1.0 + small)
    # −∂L/∂y = g ∂F/∂y
    for j in range(2 * width):
        for lane in range(LANES):
            out[j, lane] *= work[0, lane]


@dataclass(frozen=True)
class Views(Results, axes="learnt: replica copy view; finished both_by_one: replica copy; both_by_all: replica",
            rows="replica copy view", picture="learnt ~ view"):
    """Which views the networks learnt.

    Attributes
    ----------
    learnt : (replicas, copies, 2) bool array
        Does this view alone suffice for this network (F_i ≥ κ)?
    finished : (replicas, copies) bool array
        Did training reach the target loss, or start without any positive coordinate, so that it cannot move?

    Examples
    --------
    >>> views = simulate(width=4, copies=2, replicas=8)
    >>> views.learnt.shape, views.both_by_one.shape, views.both_by_all.shape
    ((8, 2, 2), (8, 2), (8,))
    """

    learnt: np.ndarray
    finished: np.ndarray

    @property
    def both_by_one(self) -> np.ndarray:
        """(replicas, copies) bool: single networks that learnt both views."""
        return np.asarray(self.learnt.all(axis=2))

    @property
    def both_by_all(self) -> np.ndarray:
        """(replicas,) bool: concatenations whose networks have learnt both views between them."""
        return np.asarray(np.any(self.learnt, axis=1).all(axis=1))


@dataclass(frozen=True)
class Prediction(Results, theory=True):
    """Probabilities by the theory of each view's leading neuron.

    Attributes
    ----------
    both_by_one : float in [0, 1]
        One network learns both views.
    both_by_all : float in [0, 1]
        The networks of a concatenation learn both views between them.
    first : float in [0, 1]
        One network learns the first view.
    second : float in [0, 1]
        One network learns the second view.

    Examples
    --------
    >>> Prediction(both_by_one=0.004, both_by_all=0.444, first=0.66, second=0.34)
    Prediction(both_by_one=0.004, both_by_all=0.444, first=0.66, second=0.34)
    """

    both_by_one: float
    both_by_all: float
    first: float
    second: float


def check(second_strength, width, copies, replicas, seed=0, init_scale=0.2, power=4, target_loss=0.01, margin=1.0) -> None:
    """Refuse arguments that :func:`simulate` cannot take."""
    checks.real_number("second_strength", second_strength, above=0, most=1)
    sizes = {name: checks.whole_number(name, value)
             for name, value in (("width", width), ("copies", copies), ("replicas", replicas))}
    checks.seed(seed)
    checks.real_number("init_scale", init_scale, above=0)
    checks.whole_number("power", power, 3, 100)  # below 3 there is no race
    checks.real_number("target_loss", target_loss, above=0, below=math.log(2))  # which is where training starts
    checks.real_number("margin", margin, above=0)
    checks.fits_memory(views=2, **sizes)


@renamed(scale="init_scale", loss="target_loss")
def simulate(second_strength: float = 0.8, width: int = 16, copies: int = 1, replicas: int = 1000, seed: int = 0,
             init_scale: float = 0.2, power: int = 4, target_loss: float = 0.01, margin: float = 1.0,
             time_cap: float = 1e18, threads: int | None = None) -> Views:
    """Train ``replicas`` concatenations of ``copies`` networks of width ``width``.

    Parameters
    ----------
    second_strength : float in (0, 1], default 0.8
        Strength μ₂ of the second view; the first has 1.
    width : int ≥ 1, default 16
        Neurons m per network.
    copies : int ≥ 1, default 1
        Networks per concatenation.
    replicas : int ≥ 1, default 1000
        Independent concatenations.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Copy c of replica r draws from a stream of its own for each width, whatever the other counts.
    init_scale : float > 0, default 0.2
        Standard deviation σ₀ of the starts.
    power : int in 3 … 100, default 4
        Exponent q of the activation.
    target_loss : float in (0, log 2), default 0.01
        Loss ε at which training stops.
    margin : float > 0, default 1
        Output κ from which a view counts as learnt.
    time_cap : float > 0, default 1e18
        Flow time at which training stops without convergence.
    threads : int ≥ 1, optional
        Results do not depend on it (default: ``NUMBA_NUM_THREADS``).

    Returns
    -------
    Views
        Which views every network learnt.

    Raises
    ------
    InputError
        For parameters outside these ranges, or arrays that would not fit the memory.

    References
    ----------
    After Allen-Zhu & Li (2020), arXiv 2012.09816; equations in :mod:`theory.multi_view`.

    Examples
    --------
    With views of unequal strength, wide networks ignore the second:

    >>> for width in (1, 16):
    ...     print(width, simulate(second_strength=0.8, width=width, replicas=50).learnt.mean(axis=(0, 1)))
    1 [0.36 0.32]
    16 [0.92 0.1 ]
    """
    check(second_strength, width, copies, replicas, seed, init_scale, power, target_loss, margin)
    checks.real_number("time_cap", time_cap, above=0, finite=False)
    checks.limits(threads=threads)
    start = np.empty((replicas, copies, 2 * width))
    for r in range(replicas):
        for c in range(copies):
            start[r, c] = normal(seed, "multi-view", "weights", width, r, c, shape=2 * width)
    start *= init_scale
    flow = solve(view_flow, np.array([width, power, second_strength]), start.reshape(replicas * copies, -1),
                 gradient_tol=0.0, target_loss=target_loss, time_cap=time_cap, threads=threads)
    z = np.maximum(flow.state.reshape(replicas, copies, 2, width), 0.0) * np.array([1.0, second_strength])[:, None]
    parts = np.sum(z**power, axis=3) / power
    finished = (flow.status == REACHED) | (flow.status == CONVERGED)
    return Views(parts >= margin, finished.reshape(replicas, copies))


@renamed(scale="init_scale", loss="target_loss")
@arguments_as_in(simulate)
def predict(second_strength: float = 0.8, width: int = 16, copies: int = 1, replicas: int = 1000, seed: int = 0,
            init_scale: float = 0.2, power: int = 4, target_loss: float = 0.01, margin: float = 1.0) -> Prediction:
    """Probabilities that the views are learnt, by the theory of each view's leading neuron.

    Parameters
    ----------
    replicas : int ≥ 1, default 1000
        Not used: theory does not depend on it.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Not used, likewise.

    Returns
    -------
    Prediction
        For one network and for a concatenation.

    Raises
    ------
    InputError
        As :func:`simulate`.

    References
    ----------
    Derived in :mod:`theory.multi_view`, after Allen-Zhu & Li (2020), arXiv 2012.09816.

    Examples
    --------
    >>> theory = predict(second_strength=0.8, width=4, copies=2)
    >>> round(theory.both_by_one, 3), round(theory.both_by_all, 3)
    (0.004, 0.444)
    """
    check(second_strength, width, copies, replicas, seed, init_scale, power, target_loss, margin)
    p = learn_probabilities(width, second_strength, init_scale, power, target_loss, margin)
    # inclusion and exclusion: a concatenation fails if no copy has the first view, or none the second
    everything = 1 - (1 - p["first"]) ** copies - (1 - p["second"]) ** copies + p["neither"] ** copies
    return Prediction(p["both"], everything, p["first"], p["second"])
