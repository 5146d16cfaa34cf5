r"""Bumps on the line, simulated. :mod:`theory.bumps` has the equations without interaction.

The model is Σ_i a_i exp(−(x − c_i)²/2s²), the target one bump of height 1 and the same width s at 0, inputs uniform with
density 1. With the overlap O(Δ) = √π s exp(−Δ²/4s²), half the squared error is
    L = ½ Σ_ij a_i a_j O(c_i − c_j) − Σ_i a_i O(c_i) + ½ O(0),
and its gradient flow is closed form. Three ways to move:

``slide``
    m bumps of height 1 at random places; only centres move. Bumps repel each other, which the theory neglects.
``cover``
    m bumps on a lattice over [−l, l]; only heights move, from 0. The problem is linear.
``both``
    m bumps at random places; centres and heights move, heights from 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lab import checks
from lab.compiled import njit
from lab.docstrings import arguments_as_in
from lab.flow import LANES, RHS, solve
from lab.names import renamed
from lab.results import Results
from lab.streams import generator
from theory.bumps import arrival_probability, coverage_loss
from toy.bumps import MODES

ARRIVED = 0.1  # a bump this close to the centre of the target has arrived


@njit(RHS, cache=True, error_model="numpy")
def bump_flow(params, work, y, out, value):
    """Velocities −∇L and loss L of every lane.

    params: m, s, centres move (0 or 1), heights move (0 or 1). y, out: row i holds centre c_i, row m + i height a_i. ``work`` is
    not used. Plain twin: ``naive_loss`` in tests/toy/test_bumps.py.
    """
    m, s, centres, heights = int(params[0]), params[1], params[2], params[3]
    top = np.sqrt(np.pi) * s
    narrow = 1.0 / (4.0 * s * s)
    # L = ½ O(0) + Σ_i a_i (½ Σ_j a_j O(c_i − c_j) − O(c_i)), with O(Δ) = top exp(−narrow Δ²) and O'(Δ) = −2 narrow Δ O(Δ)
    for lane in range(LANES):
        value[lane] = 0.5 * top
    for i in range(m):
        for lane in range(LANES):
            c, a = y[i, lane], y[m + i, lane]
            # the target pulls:  −∂L/∂c_i = a_i O'(c_i) + …,  −∂L/∂a_i = O(c_i) − …
            target = top * np.exp(-narrow * c * c)
            force = -2.0 * narrow * c * target
            field = target
            energy = -target
            # the bumps repel each other:  −a_i Σ_j a_j O'(c_i − c_j)  and  −Σ_j a_j O(c_i − c_j)
            for j in range(m):
                d = c - y[j, lane]
                o = y[m + j, lane] * top * np.exp(-narrow * d * d)
                field -= o
                force += 2.0 * narrow * d * o
                energy += 0.5 * o
            out[i, lane] = centres * a * force
            out[m + i, lane] = heights * field
            value[lane] += a * energy


@dataclass(frozen=True)
class Bumps(Results, axes="times: moment; loss nearest arrived: replica moment; start: replica bump",
            rows="replica moment", picture="arrived ~ times"):
    """Losses of the replicas over time, and whether a bump has reached the target.

    Attributes
    ----------
    times : (T,) float array
        Times of the rows below.
    loss : (replicas, T) float array
        L / (½ √π s): 1 without any bump.
    nearest : (replicas, T) float array
        Distance from the centre of the target to the nearest bump of height at least ½; inf where there is none.
    start : (replicas, m) float array
        Centres at time 0.

    Examples
    --------
    >>> sliding = simulate(mode="slide", bumps=1, half_line=2.0, times=(0.0, 3.0, 100.0), replicas=40)
    >>> sliding.start.shape, sliding.loss.shape
    ((40, 1), (40, 3))
    >>> sliding.arrived.mean(axis=0)
    array([0.075, 0.45 , 1.   ])
    """

    times: np.ndarray
    loss: np.ndarray
    nearest: np.ndarray
    start: np.ndarray

    @property
    def arrived(self) -> np.ndarray:
        """(replicas, T) bool: is a bump of height at least ½ within ``ARRIVED`` of the target's centre?"""
        return self.nearest <= ARRIVED


@dataclass(frozen=True)
class Prediction(Results, axes="times arrived loss: moment", picture="arrived loss ~ times", theory=True):
    """Predicted curves; None where there is no theory.

    Attributes
    ----------
    times : (T,) float array
        Times of the entries below.
    arrived : (T,) float array or None
        Sliding: P(some bump has arrived). It neglects that bumps repel each other, and is exact for one bump.
    loss : (T,) float array or None
        Covering with several bumps: mean relative loss, exact for an infinite lattice and averaged over its offset.

    Examples
    --------
    >>> theory = predict(mode="cover", bumps=8, half_line=4.0, times=(0.0, 1.0, 10.0))
    >>> theory.loss.round(4)
    array([1.    , 0.0319, 0.0023])
    >>> theory.arrived is None
    True
    """

    times: np.ndarray
    arrived: np.ndarray | None = None
    loss: np.ndarray | None = None

    @property
    def curve(self) -> np.ndarray | None:
        """(T,) ``arrived`` or ``loss``, whichever is predicted; None if neither is."""
        return self.loss if self.arrived is None else self.arrived


def check(mode, bumps, half_line, bump_width, times, replicas, seed=0) -> np.ndarray:
    """Refuse arguments that :func:`simulate` cannot take; returns the times as an array.

    Lengths are limited so that their squares are finite and above zero.
    """
    checks.choice("mode", mode, MODES)
    sizes = {name: checks.whole_number(name, value) for name, value in (("bumps", bumps), ("replicas", replicas))}
    checks.real_number("half_line", half_line, least=1e-100, most=1e100)
    checks.real_number("bump_width", bump_width, least=1e-100, most=1e100)
    checks.seed(seed)
    times = checks.real_numbers("times", times, least=0, most=1e300, increasing=True)
    checks.fits_memory(times=times.size, **sizes)
    return times


@renamed(width="bump_width")
def simulate(mode: str = "slide", bumps: int = 1, half_line: float = 10.0, bump_width: float = 1.0,
             times: Sequence[float] = (1.0, 10.0, 100.0, 1000.0), replicas: int = 1000, seed: int = 0,
             threads: int | None = None) -> Bumps:
    """Gradient flow of many replicas.

    Parameters
    ----------
    mode : {"slide", "cover", "both"}, default "slide"
        What moves: centres, heights, or both.
    bumps : int ≥ 1, default 1
        Number of bumps m. Covering, m > 1 bumps are 2l/(m − 1) apart, and replicas differ in the offset of that lattice.
    half_line : float in [1e-100, 1e100], default 10
        Bumps start within this distance l of the target's centre.
    bump_width : float in [1e-100, 1e100], default 1
        Width s of bumps and target.
    times : (T,) increasing floats in [0, 1e300], default (1, 10, 100, 1000)
        Flow times at which loss and distance are recorded.
    replicas : int ≥ 1, default 1000
        Independent repetitions.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Replica r draws from a stream of its own for each mode and number of bumps.
    threads : int ≥ 1, optional
        Results do not depend on it (default: ``NUMBA_NUM_THREADS``).

    Returns
    -------
    Bumps
        Losses and distances at the times.

    Raises
    ------
    InputError
        For parameters outside these ranges, or arrays that would not fit the memory.

    References
    ----------
    Derived here: the equations are in the docstring of :mod:`toy.bumps.model`.

    Examples
    --------
    The mean loss of bumps that only cover, beside theory:

    >>> sizes = dict(mode="cover", bumps=8, half_line=4.0, times=(0.0, 1.0, 10.0), replicas=10)
    >>> simulate(**sizes).loss.mean(axis=0).round(4)
    array([1.    , 0.0322, 0.0024])
    >>> predict(**sizes).loss.round(4)
    array([1.    , 0.0319, 0.0023])
    """
    moments = check(mode, bumps, half_line, bump_width, times, replicas, seed)
    checks.limits(threads=threads)
    start = np.zeros((replicas, 2 * bumps))
    spacing = 2 * half_line / max(bumps - 1, 1)
    for r in range(replicas):
        u = generator(seed, "bumps", "centres", mode, bumps, r).uniform(-1, 1, bumps)
        if mode == "cover":
            start[r, :bumps] = spacing * (np.arange(bumps) - (bumps - 1) / 2) + 0.5 * spacing * u[0]
        else:
            start[r, :bumps] = half_line * u
    start[:, bumps:] = 1.0 if mode == "slide" else 0.0
    params = np.array([bumps, bump_width, mode != "cover", mode != "slide"], dtype=np.float64)
    flow = solve(bump_flow, params, start, times=moments, keep_states=True, gradient_tol=0.0,
                 time_cap=max(float(moments[-1]), 1e-9) * (1 + 1e-9), rtol=1e-6, atol=1e-9, threads=threads)
    centres, heights = flow.states[..., :bumps], flow.states[..., bumps:]
    away = np.where(heights >= 0.5, np.abs(centres), np.inf).min(axis=2)
    return Bumps(moments, flow.values / (0.5 * np.sqrt(np.pi) * bump_width), away, start[:, :bumps])


@renamed(width="bump_width")
@arguments_as_in(simulate)
def predict(mode: str = "slide", bumps: int = 1, half_line: float = 10.0, bump_width: float = 1.0,
            times: Sequence[float] = (1.0, 10.0, 100.0, 1000.0), replicas: int = 1000, seed: int = 0) -> Prediction:
    """Theory at the times: the probability of arrival when sliding, the loss when covering; none for both at once.

    Parameters
    ----------
    replicas : int ≥ 1, default 1000
        Not used: theory does not depend on it.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Not used, likewise.

    Returns
    -------
    Prediction
        Curves over the times.

    Raises
    ------
    InputError
        As :func:`simulate`.

    References
    ----------
    Derived in :mod:`theory.bumps`.

    Examples
    --------
    >>> predict(mode="slide", bumps=1, half_line=2.0, times=(0.0, 3.0, 100.0)).arrived.round(3)
    array([0.05 , 0.591, 1.   ])
    """
    moments = check(mode, bumps, half_line, bump_width, times, replicas, seed)
    if mode == "slide":
        return Prediction(moments, arrived=np.asarray(
            arrival_probability(moments, bumps, half_line, ARRIVED, bump_width=bump_width)))
    if mode == "cover" and bumps > 1:
        spacing = 2 * half_line / (bumps - 1)
        nodes, weights = np.polynomial.legendre.leggauss(12)  # the offset is uniform over a spacing
        loss = np.zeros(moments.shape)
        for weight, offset in zip(weights / 2, 0.5 * spacing * nodes):
            loss += weight * np.asarray(coverage_loss(moments, spacing, bump_width, abs(offset)))
        return Prediction(moments, loss=loss)
    return Prediction(moments)
