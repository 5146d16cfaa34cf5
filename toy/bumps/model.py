r"""Bumps on the line, simulated. Equations without interaction in :mod:`theory.bumps`.

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
from lab.flow import LANES, RHS, solve
from lab.names import renamed
from lab.results import Results
from lab.streams import generator
from theory.bumps import arrival_probability, coverage_loss
from toy.bumps import MODES

RANGE = {"least": 1e-100, "most": 1e100}  # of lengths: their squares are numbers too
ARRIVED = 0.1  # in widths: a bump this close to the target's place has arrived


@njit(RHS, cache=True, error_model="numpy")
def bump_flow(params, work, y, out, value):
    """−∇L and L. params: m, s, move centres (0, 1), move heights (0, 1); y: m centres, then m heights."""
    m, s, centres, heights = int(params[0]), params[1], params[2], params[3]
    top = np.sqrt(np.pi) * s
    narrow = 1.0 / (4.0 * s * s)
    for lane in range(LANES):
        value[lane] = 0.5 * top
    for i in range(m):
        for lane in range(LANES):
            c, a = y[i, lane], y[m + i, lane]
            target = top * np.exp(-narrow * c * c)
            force = -2.0 * narrow * c * target
            field = target
            energy = -target
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
    """What became of the replicas.

    Attributes
    ----------
    times : (T,) times asked for.
    loss : (replicas, T) relative to the loss of no bump at all, L / (½ √π s).
    nearest : (replicas, T) distance from the target's place to the nearest bump that stands (height at least ½).
    start : (replicas, m) first centres.
    """

    times: np.ndarray
    loss: np.ndarray
    nearest: np.ndarray
    start: np.ndarray

    @property
    def arrived(self) -> np.ndarray:
        """(replicas, T) bool: is some standing bump within ``ARRIVED`` of the target's place?"""
        return self.nearest <= ARRIVED


@dataclass(frozen=True)
class Prediction(Results, axes="times arrived loss: moment", picture="arrived loss ~ times", theory=True):
    """What theory says at the times; None where it has nothing to say.

    Attributes
    ----------
    times : (T,) times asked for.
    arrived : (T,) P(some bump has arrived), when sliding: it neglects that bumps repel each other (exact for one bump).
    loss : (T,) mean relative loss, when covering with several bumps: exact for an infinite lattice, averaged over its offset.
    """

    times: np.ndarray
    arrived: np.ndarray | None = None
    loss: np.ndarray | None = None

    @property
    def curve(self) -> np.ndarray | None:
        """The one of them that there is, if any."""
        return self.loss if self.arrived is None else self.arrived


def check(mode, bumps, half_line, bump_width, times, replicas, seed=0) -> np.ndarray:
    """Refuse arguments that :func:`simulate` cannot take; returns the times as an array."""
    checks.choice("mode", mode, MODES)
    sizes = {name: checks.whole_number(name, value) for name, value in (("bumps", bumps), ("replicas", replicas))}
    checks.real_number("half_line", half_line, **RANGE)
    checks.real_number("bump_width", bump_width, **RANGE)
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
        m. A lattice of m > 1 bumps has the spacing 2l/(m−1); for ``cover`` replicas differ in its offset.
    half_line : float > 0, default 10
        l: starts lie within this distance of the target's place.
    bump_width : float > 0, default 1
        s of bumps and target.
    times : (T,) increasing floats ≥ 0, default (1, 10, 100, 1000)
        Flow times at which to look.
    replicas : int ≥ 1, default 1000
        Repetitions.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Replica r has a stream of its own for every mode and number of bumps.
    threads : int ≥ 1, optional
        Results do not depend on it (default: ``NUMBA_NUM_THREADS``).

    Returns
    -------
    Bumps

    Raises
    ------
    InputError
        For parameters outside these ranges.
    """
    times = check(mode, bumps, half_line, bump_width, times, replicas, seed)
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
    flow = solve(bump_flow, params, start, times=times, keep_states=True, gradient_tol=0.0,
                 time_cap=max(float(times[-1]), 1e-9) * (1 + 1e-9), rtol=1e-6, atol=1e-9, threads=threads)
    centres, heights = flow.states[..., :bumps], flow.states[..., bumps:]
    away = np.where(heights >= 0.5, np.abs(centres), np.inf).min(axis=2)
    return Bumps(times, flow.values / (0.5 * np.sqrt(np.pi) * bump_width), away, start[:, :bumps])


@renamed(width="bump_width")
def predict(mode: str = "slide", bumps: int = 1, half_line: float = 10.0, bump_width: float = 1.0,
            times: Sequence[float] = (1.0, 10.0, 100.0, 1000.0), replicas: int = 1000, seed: int = 0) -> Prediction:
    """Theory at the times: who has arrived when sliding, the loss when covering; nothing is known of both together.

    Parameters
    ----------
    mode, bumps, half_line, bump_width, times
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
    times = check(mode, bumps, half_line, bump_width, times, replicas, seed)
    if mode == "slide":
        return Prediction(times, arrived=np.asarray(
            arrival_probability(times, bumps, half_line, ARRIVED, bump_width=bump_width)))
    if mode == "cover" and bumps > 1:
        spacing = 2 * half_line / (bumps - 1)
        offsets = 0.5 * spacing * np.polynomial.legendre.leggauss(12)[0]
        weights = np.polynomial.legendre.leggauss(12)[1] / 2
        return Prediction(times, loss=sum(w * np.asarray(coverage_loss(times, spacing, bump_width, abs(o)))
                                          for w, o in zip(weights, offsets)))
    return Prediction(times)
