"""Multi-view data, simulated: gradient flow of the two coordinates of every neuron. Equations in :mod:`theory.multi_view`."""

import math
from dataclasses import dataclass

import numpy as np

from lab import checks
from lab.compiled import njit
from lab.flow import CONVERGED, LANES, REACHED, RHS, solve
from lab.names import renamed
from lab.results import Results
from lab.streams import normal
from theory.multi_view import learn_probabilities


@njit(RHS, cache=True, error_model="numpy")
def view_flow(params, work, y, out, value):
    """−∇L and L. params: m, q, μ₂; y: m rows a_r, then m rows b_r; work: one row, F."""
    width, power = int(params[0]), int(params[1])
    for lane in range(LANES):
        work[0, lane] = 0.0
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
    for lane in range(LANES):
        small = np.exp(-work[0, lane])
        value[lane] = np.log1p(small)
        work[0, lane] = small / (1.0 + small)
    for j in range(2 * width):
        for lane in range(LANES):
            out[j, lane] *= work[0, lane]


@dataclass(frozen=True)
class Views(Results, axes="learnt: replica copy view; finished both_by_one: replica copy; both_by_all: replica",
            rows="replica copy view", picture="learnt ~ view"):
    """What the replicas learnt.

    Attributes
    ----------
    learnt : (replicas, copies, 2) bool: does this view alone suffice for this network (F_i ≥ κ)?
    finished : (replicas, copies) bool: training reached its loss, or no start was positive.
    """

    learnt: np.ndarray
    finished: np.ndarray

    @property
    def both_by_one(self) -> np.ndarray:
        """(replicas, copies) bool: single networks that learnt both views."""
        return self.learnt.all(axis=2)

    @property
    def both_by_all(self) -> np.ndarray:
        """(replicas,) bool: concatenations whose networks have learnt both views between them."""
        return self.learnt.any(axis=1).all(axis=1)


@dataclass(frozen=True)
class Prediction(Results, theory=True):
    """Probabilities of the leading-neuron theory.

    Attributes
    ----------
    both_by_one, both_by_all : that one network learns both views, and that a concatenation does between its networks.
    first, second : that one network learns this view.
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
        μ₂; the first view has 1.
    width : int ≥ 1, default 16
        Neurons a network.
    copies : int ≥ 1, default 1
        Networks a concatenation.
    replicas : int ≥ 1, default 1000
        Repetitions of the whole.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Copy c of replica r has a stream of its own for every width, whatever the other counts.
    init_scale : float > 0, default 0.2
        σ₀, standard deviation of the starts.
    power : int in 3 … 100, default 4
        q of the activation.
    target_loss : float in (0, log 2), default 0.01
        ε, the loss at which training stops.
    margin : float > 0, default 1
        κ, the answer that makes a view learnt.
    time_cap : float > 0, default 1e18
        Flow time at which a network is given up.
    threads : int ≥ 1, optional
        Results do not depend on it (default: ``NUMBA_NUM_THREADS``).

    Returns
    -------
    Views

    Raises
    ------
    InputError
        For parameters outside these ranges.
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
def predict(second_strength: float = 0.8, width: int = 16, copies: int = 1, replicas: int = 1000, seed: int = 0,
            init_scale: float = 0.2, power: int = 4, target_loss: float = 0.01, margin: float = 1.0) -> Prediction:
    """Who learns both views, by the theory of each view's leading neuron.

    Parameters
    ----------
    second_strength, width, copies, init_scale, power, target_loss, margin
        As in :func:`simulate`.
    replicas, seed
        Of the simulation; theory does not depend on them.

    Returns
    -------
    Prediction

    Raises
    ------
    InputError
        As :func:`simulate`.
    """
    check(second_strength, width, copies, replicas, seed, init_scale, power, target_loss, margin)
    p = learn_probabilities(width, second_strength, init_scale, power, target_loss, margin)
    # a concatenation misses "both" if no copy has the first, or none the second, view
    everything = 1 - (1 - p["first"]) ** copies - (1 - p["second"]) ** copies + p["neither"] ** copies
    return Prediction(p["both"], everything, p["first"], p["second"])
