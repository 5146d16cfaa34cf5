"""Flat channels to infinity: two hidden units that merge while their readouts diverge with opposite signs.

Two units of a network, v_i σ(w_i·x) + v_j σ(w_j·x). With w = (w_i + w_j)/2, δ = (w_i − w_j)/2, s = v_i + v_j and
c = (v_i − v_j)/2 they compute, to first order in δ (derived here),

    s σ(w·x) + (g·x) σ'(w·x),        g = 2 c δ,

a gated linear unit. This function depends on s, w and g alone: c may grow without bound while δ falls as 1/c. Along such a
channel the loss falls, ever more slowly, towards that of the gated unit. There is no minimum, but the gradient vanishes as
training goes on, so a run meets any tolerance on the gradient somewhere in the channel and counts as converged.

A pair counts as being in a channel if its incoming weights have merged (|w_i − w_j| is small compared with their length) and its
readouts have opposite signs and are both large compared with the readout that the target requires. If σ is odd (erf, tanh),
(v, w) and (−v, −w) are the same unit, and pairs with opposite incoming weights are turned first.

Source: Martinelli et al. 2025, flat channels to infinity (arXiv 2506.14951); the expansion: derived here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lab import checks
from lab.arrays import floats
from lab.errors import InputError
from theory.derivation import Prediction, derivation

if TYPE_CHECKING:
    from theory.derivation.steps import Derivation

NEAR, LARGE = 0.3, 5.0  # merged: closer than this share of the length; diverged: readouts above this many usual ones


@dataclass(frozen=True)
class Channel:
    """Two units in a channel, and the gated linear unit that they tend to.

    Attributes
    ----------
    units : tuple of int
        Indices of the two.
    distance : float
        |w_i − w_j| over the mean of their lengths.
    readout : float
        The smaller of |v_i| and |v_j|.
    total : float
        s = v_i + v_j.
    inputs : ndarray of shape (inputs,)
        w, the mean of their incoming weights.
    gate : ndarray of shape (inputs,)
        g.

    Examples
    --------
    >>> (channel,) = channels([[1.0, 0.1], [1.0, -0.1]], [20.0, -19.0])
    >>> channel.units, channel.total, channel.gate.round(2).tolist()
    ((0, 1), 1.0, [0.0, 3.9])
    """

    units: tuple[int, int]
    distance: float
    readout: float
    total: float
    inputs: np.ndarray
    gate: np.ndarray


def channels(weights: npt.ArrayLike, readouts: npt.ArrayLike, *, usual: float = 1.0, near: float = NEAR, large: float = LARGE,
             odd: bool = True) -> list[Channel]:
    """Pairs of units of a network that are in a flat channel.

    Parameters
    ----------
    weights : array_like of shape (units, inputs)
        Incoming weights w, none of them zero.
    readouts : array_like of shape (units,)
        Readouts v.
    usual : float, default 1
        Size of a readout that the target requires (the teacher's largest).
    near : float, default 0.3
        Largest distance between merged incoming weights, as a share of their length.
    large : float, default 5
        Smallest readout of both units, in units of ``usual``.
    odd : bool, default True
        Whether σ is odd.

    Returns
    -------
    list of Channel
        The closest pair first; no unit is in two channels.

    Raises
    ------
    InputError
        Shapes that do not fit, values that are not finite, bounds out of range.

    References
    ----------
    Martinelli et al. 2025 (arXiv 2506.14951) for channels; the default bounds are chosen here.

    Examples
    --------
    >>> channels([[1.0, 0.0], [1.0, 0.0]], [0.5, 0.5])
    []
    """
    w, v = floats(weights, "weights"), floats(readouts, "readouts")
    if w.ndim != 2 or v.shape != w.shape[:1] or not (np.isfinite(w).all() and np.isfinite(v).all()):
        raise InputError(f"channels take finite weights (units, inputs) and readouts (units,), not {w.shape} and {v.shape}")
    for name, value in (("usual", usual), ("near", near), ("large", large)):
        checks.real_number(name, value, above=0)
    pairs = []
    for i in range(len(v)):
        for j in range(i + 1, len(v)):
            turn = -1.0 if odd and w[i] @ w[j] < 0 else 1.0
            other, readout = turn * w[j], turn * v[j]
            length = (np.linalg.norm(w[i]) + np.linalg.norm(other)) / 2
            distance = np.linalg.norm(w[i] - other)
            if v[i] * readout < 0 and distance <= near * length and min(abs(v[i]), abs(readout)) >= large * usual:
                pairs.append(Channel((i, j), float(distance / length), float(min(abs(v[i]), abs(readout))), float(v[i] + readout),
                                     (w[i] + other) / 2, (v[i] - readout) * (w[i] - other) / 2))
    return _disjoint(sorted(pairs, key=lambda channel: channel.distance))


def _disjoint(channels: list[Channel]) -> list[Channel]:
    """The channels that share no unit with an earlier one."""
    taken: set[int] = set()
    kept = []
    for channel in channels:
        if taken.isdisjoint(channel.units):
            kept.append(channel)
            taken.update(channel.units)
    return kept


@derivation("flat-channel", "Two units that merge while their readouts diverge become a gated linear unit.", "derived here",
            symbols={"s": "sum of the readouts", "c": "half their difference", "u": "w x", "g": "gate x"})
def derive_channel(d: "Derivation") -> object:
    """Expand in the distance, which falls as the readouts grow."""
    import sympy as sp

    s, c, u, g = sp.symbols("s c u g", real=True)
    sigma = sp.Function("sigma")
    delta = g / (2 * c)  # projected on x
    first, second = s / 2 + c, s / 2 - c
    t = sp.symbols("t", positive=True)  # 1/c
    taylor = [sigma(u) + sign * delta * sp.diff(sigma(u), u) + delta**2 / 2 * sp.diff(sigma(u), u, 2) for sign in (1, -1)]
    pair = d.step("The two units to second order in their distance, which is g/(2c) either way.",
                  sp.expand(first * taylor[0] + second * taylor[1]))
    limit = d.step("The limit as c grows without bound.", sp.expand(sp.limit(sp.expand(pair.subs(c, 1 / t)), t, 0)))
    d.vanishes("It is s sigma(u) + g sigma'(u).", limit - s * sigma(u) - g * sp.diff(sigma(u), u), "difference")
    return d.conclude(limit)


def _check_channel(rng: np.random.Generator) -> Iterator[Prediction]:
    """Two tanh units far down a channel against the gated unit."""
    x, w, g = rng.standard_normal((50, 3)), rng.standard_normal(3), rng.standard_normal(3)
    total, half = 0.7, 1e4
    ends = [w + g / (2 * half), w - g / (2 * half)]
    pair = (total / 2 + half) * np.tanh(x @ ends[0]) + (total / 2 - half) * np.tanh(x @ ends[1])
    gated = total * np.tanh(x @ w) + (x @ g) / np.cosh(x @ w) ** 2
    yield Prediction("flat channel: two units", float(np.linalg.norm(gated)), float(np.linalg.norm(pair)), tolerance=1e-6,
                     method="two units with readouts of 1e4")


DERIVATIONS = {"flat-channel": derive_channel}
CHECKS = {"flat-channel": _check_channel}
