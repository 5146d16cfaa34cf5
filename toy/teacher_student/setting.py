"""The checked arguments of the model, and the initial weights of its replicas.

Each replica draws its start from its own streams, in all N dimensions or, for the span law, in the span of teacher and students.
"""

import math
from dataclasses import dataclass

import numpy as np

from lab import checks
from lab.arrays import floats
from lab.errors import ArgumentError, InputError
from lab.streams import generator
from toy.teacher_student.ensemble import ACTIVATIONS, address, check_span

METHODS = ("full", "span")
MOST_STEPS = 1e15


@dataclass(frozen=True)
class Setting:
    """Validated arguments of ``simulate`` and ``predict``."""

    dim: int
    width: int
    strengths: np.ndarray
    teacher_directions: np.ndarray
    activation: str
    teacher_activation: str
    learning_rate: float
    readout_learning_rate: float
    noise: float
    batch_size: int
    weight_decay: float
    samples: int
    init_scale: float
    init_readout: float | None
    init: str
    steps: np.ndarray
    replicas: int
    seed: int


def validated(dim=64, width=4, strengths=(1.0, 1.0), teacher_directions=None, activation="erf", teacher_activation=None,
             learning_rate=0.5, readout_learning_rate=None, noise=0.0, batch_size=1, weight_decay=0.0, samples=0,
             init_scale=0.5, init_readout=None, init="random", times=(0.0, 100.0), replicas=64, seed=0) -> Setting:
    """Check the arguments of :func:`simulate`; returns them in the form that the ensembles take."""
    for name, value, least in (("dim", dim, 1), ("width", width, 1), ("batch_size", batch_size, 1), ("samples", samples, 0),
                               ("replicas", replicas, 1)):
        checks.whole_number(name, value, least)
    checks.seed(seed)
    readout_learning_rate = learning_rate if readout_learning_rate is None else readout_learning_rate
    for name, value in {"learning_rate": learning_rate, "readout_learning_rate": readout_learning_rate, "noise": noise,
                        "weight_decay": weight_decay, "init_scale": init_scale}.items():
        checks.real_number(name, value, least=0)
    if init_readout is not None:
        checks.real_number("init_readout", init_readout)
    teacher_activation = activation if teacher_activation is None else teacher_activation
    checks.choice("activation", activation, tuple(ACTIVATIONS))
    checks.choice("teacher_activation", teacher_activation, tuple(ACTIVATIONS))
    strengths = checks.real_numbers("strengths", strengths)
    if teacher_directions is None:
        if strengths.size > dim:
            raise ArgumentError(f"{strengths.size} orthogonal teacher units need a dim of at least as much, got {dim}",
                                "dim")
        teacher_directions = np.eye(strengths.size)
    teacher_directions = floats(teacher_directions, "teacher_directions")
    if (teacher_directions.ndim != 2 or len(teacher_directions) != strengths.size
            or not np.isfinite(teacher_directions).all() or teacher_directions.shape[1] > dim):
        raise InputError(f"teacher_directions must be finite, with {strengths.size} rows (one per strength) and at most {dim} "
                         f"columns, got shape {teacher_directions.shape}")
    times = checks.real_numbers("times", times, least=0, most=MOST_STEPS / dim, increasing=True)
    checks.choice("init", init, ("random", "teacher"))
    checks.fits_memory(times=times.size, replicas=replicas, width=width, units=width + strengths.size)
    if init == "teacher" and width < strengths.size:
        raise ArgumentError(f"a start at the teacher needs a width of at least {strengths.size}, got {width}", "width")
    if weight_decay * max(learning_rate, readout_learning_rate) >= dim:
        raise ArgumentError("learning_rate x weight_decay must stay below dim", "learning_rate", "weight_decay", "dim")
    return Setting(int(dim), int(width), strengths, teacher_directions, activation, teacher_activation, float(learning_rate),
                    float(readout_learning_rate), float(noise), int(batch_size), float(weight_decay), int(samples),
                    float(init_scale), None if init_readout is None else float(init_readout), init,
                    np.rint(times * dim).astype(np.int64), int(replicas), int(seed))


def check(method: str = "full", **arguments) -> None:
    """Refuse arguments that :func:`simulate` cannot take."""
    check_simulation(validated(**arguments), method)


def check_simulation(s: Setting, method: str) -> None:
    """Refuse a setting that cannot be simulated in this way."""
    check_method(s, method)
    if method == "full":  # the span law has no weights, and so takes any number of inputs
        checks.fits_memory(replicas=s.replicas, width=s.width, dim=s.dim)
        checks.fits_memory(replicas=s.replicas, samples=s.samples, dim=s.dim)


def check_method(s: Setting, method: str) -> None:
    if checks.choice("method", method, METHODS) == "span":
        check_span(s)


def _copies(s: Setting) -> tuple[np.ndarray, np.ndarray]:
    """Teacher weights (K, columns) and readout (K,) of a start at the teacher: a solution without noise.

    Trained readout: unit i copies teacher unit i mod M and the copies share its strength. Fixed readout: the first M
    units are the teacher's, the others zero.
    """
    M = s.strengths.size
    of = np.arange(s.width) % M
    if s.readout_learning_rate == 0:
        return np.where(np.arange(s.width)[:, None] < M, s.teacher_directions[of], 0.0), np.ones(s.width)
    return s.teacher_directions[of], s.strengths[of] / np.bincount(of)[of]


def _readout(s: Setting, draw) -> np.ndarray:
    values = draw.standard_normal(s.width) * s.init_scale
    if s.init == "teacher":
        values = _copies(s)[1] + (values if s.readout_learning_rate else 0.0)
    elif s.init_readout is None and s.readout_learning_rate == 0:
        values[:] = 1.0
    if s.init_readout is not None:
        values[:] = s.init_readout
    return values


def starting_weights(s: Setting, replica: int) -> tuple[np.ndarray, np.ndarray]:
    """Initial weights (K, N) float32 and readout (K,) of one replica."""
    draw = generator(s.seed, *address(s, "weights"), replica)
    weights = draw.standard_normal((s.width, s.dim), dtype=np.float32)
    weights *= np.float32(s.init_scale / math.sqrt(s.dim))
    if s.init == "teacher":
        weights[:, :s.teacher_directions.shape[1]] += _copies(s)[0]
    return weights, _readout(s, draw)


def starting_coordinates(s: Setting, replica: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Initial weights in the span: teacher coordinates (K, k), triangle (K, K), readout (K,).

    Exact in law for Gaussian weights and without drawing N of them: the triangle of K Gaussian vectors in N - k
    dimensions has Gaussian entries below and chi variables on the diagonal (Bartlett 1933).
    """
    draw = generator(s.seed, *address(s, "span weights"), replica)
    k, m = s.teacher_directions.shape[1], s.width
    size = s.init_scale / math.sqrt(s.dim)
    along = draw.standard_normal((m, k)) * size
    if s.init == "teacher":
        along += _copies(s)[0]
    triangle = np.tril(draw.standard_normal((m, m)), -1)
    triangle[np.diag_indices(m)] = np.sqrt(draw.chisquare(s.dim - k - np.arange(m)))
    return along, triangle * size, _readout(s, draw)
