"""Train many students of width n on a teacher of k orthonormal ReLU units, to the published criterion.

Protocol (Safran & Shamir 2018, arXiv 1712.08968): W_im ~ N(0, 1/d); gradient descent with step 0.1 until
max_i |∇_i F|·2π ≤ 1e-9; a run is spurious if it ends with F ≥ 1e-3. F decreases along a run, so one whose F has fallen
below 1e-3 is known not to be spurious and is stopped there. A run that meets neither rule within ``max_steps`` is
*unfinished* and, being above 1e-3, counts as spurious; the number of such runs is reported beside every share.

Methods, to be reported apart because they may choose different minima from the same start:

"gradient-descent"  step 0.1, the default; once it has chosen a minimum, and that is certified, accelerated steps take
                    the last stretch (:mod:`toy.relu_landscape.polish`): the same ends in a third of the time;
"flow"              the gradient flow dW/dt = −∇F (:mod:`lab.flow`), to the same criterion;
"minimise"          Nesterov's accelerated descent with restarts: fast, but its momentum may carry it into another basin.

Theory has no formula for the share. What it has is the null of independent tickets and that of independent restarts
(:func:`predict`).
"""

import math
import time
from dataclasses import dataclass, field

import numpy as np

from lab import checks
from lab.arrays import floats
from lab.errors import InputError, UsageError
from lab.estimate import Estimate, share_interval
from lab.streams import normal
from theory.landscape.axes import descent, work_rows
from toy.relu_landscape import METHODS, polish
from toy.relu_landscape import descent as gd

__all__ = ["METHODS", "RATE", "SUCCESS", "TOLERANCE", "Landscape", "initial_weights", "predict", "simulate"]

RATE = 0.1
SUCCESS = 1e-3  # objective below which a run is not spurious
TOLERANCE = 1e-9  # on max_i |∇_i F|·2π
MAX_STEPS = 1_000_000


@dataclass(frozen=True)
class Landscape:
    """Where the replicas ended.

    Attributes
    ----------
    teacher, width, dim, method : as asked for.
    weights : (replicas, width, dim) last weights.
    loss : (replicas,) F there. gradient : (replicas,) max_i |∇_i F| there (flow: an upper bound).
    steps : (replicas,) steps, or evaluations of the gradient for "flow".
    status : (replicas,) see ``toy.relu_landscape.descent.STATUS``.
    rise : largest rise of F between two looks at it in any replica; of the order of rounding where F decreases, as the
        rule for stopping below 1e-3 supposes (gradient descent only, else None).
    seconds : wall time.
    """

    teacher: int
    width: int
    dim: int
    method: str
    weights: np.ndarray = field(repr=False)
    loss: np.ndarray = field(repr=False)
    gradient: np.ndarray = field(repr=False)
    steps: np.ndarray = field(repr=False)
    status: np.ndarray = field(repr=False)
    rise: float | None
    seconds: float

    @property
    def spurious(self) -> np.ndarray:
        """(replicas,) True where the run ended with F ≥ 1e-3."""
        return ~(self.loss < SUCCESS)

    @property
    def minima(self) -> np.ndarray:
        """Indices of the replicas that met the criterion at F ≥ 1e-3."""
        return np.flatnonzero(self.spurious & (self.status == gd.CONVERGED))

    @property
    def unfinished(self) -> int:
        """Runs that met no rule: step cap, time limit or numbers that are not finite. They count as spurious."""
        return int(np.sum((self.status != gd.CONVERGED) & (self.status != gd.BELOW)))

    @property
    def spurious_fraction(self) -> Estimate:
        """Share of spurious runs with its Wilson interval."""
        return share_interval(int(self.spurious.sum()), self.loss.size)


def check(teacher, width, replicas=1, seed=0, dim=None, method="gradient-descent") -> tuple[int, int, int, int]:
    """Refuse arguments that :func:`simulate` cannot take; returns teacher, width, replicas and dim as ints."""
    sizes = [checks.whole_number(name, value)
             for name, value in (("teacher", teacher), ("width", width), ("replicas", replicas))]
    dim = teacher if dim is None else dim
    if checks.whole_number("dim", dim) < teacher:
        raise UsageError(f"{teacher} orthonormal teacher units need at least {teacher} dimensions, got {dim}")
    checks.seed(seed)
    checks.choice("method", method, METHODS)
    checks.fits_memory(replicas=replicas, width=width, dim=dim)
    return *sizes, dim


def initial_weights(width: int, dim: int, replicas: int, seed: int, *, role: str = "start", first: int = 0) -> np.ndarray:
    """W_im ~ N(0, 1/d): (replicas, width, dim), replica r from the stream (seed, "relu-landscape", role, width, first + r).

    Widths are independent: a narrow start is no part of a wide one.
    """
    draws = [normal(seed, "relu-landscape", role, width, first + r, shape=(width, dim)) for r in range(replicas)]
    return np.stack(draws) / math.sqrt(dim)


def simulate(teacher: int, width: int, replicas: int = 1000, seed: int = 0, dim: int | None = None,
             method: str = "gradient-descent", *, start=None, rate: float = RATE, tolerance: float = TOLERANCE,
             success: float | None = SUCCESS, max_steps: int = MAX_STEPS, accelerate: bool = True,
             threads: int | None = None, seconds: float | None = None, progress=None) -> Landscape:
    """Train ``replicas`` students; the same numbers for any number of threads.

    Parameters
    ----------
    teacher, width : k and n, at least 1.
    replicas, seed : replica r has a stream of its own (:func:`initial_weights`).
    dim : input dimension d ≥ k (default k).
    method : see the module.
    start : (replicas, width, dim) initial weights in place of the drawn ones.
    rate : step of gradient descent. "minimise" takes min(rate, 2.2/(width + 2)): it needs a step of at most the
        inverse of the largest curvature, which grows with the width.
    tolerance : on max_i |∇_i F|·2π.
    success : F below which a run stops, or None: every run goes to the criterion (wide students approach zero loss
        like a power of time: expect millions of steps).
    max_steps : steps (flow: evaluations of the gradient) after which a run is unfinished.
    accelerate : of gradient descent: accelerate the last stretch to a minimum that plain steps have chosen; without it
        they go all the way.
    threads, seconds, progress : see :func:`toy.relu_landscape.descent.descend`.

    Raises
    ------
    UsageError
        Impossible sizes or method.
    InputError
        Starts that do not fit or are not finite.
    """
    if start is not None:
        start = floats(start, "start")
        replicas = len(start) if start.ndim else 0
    teacher, width, replicas, dim = check(teacher, width, replicas, seed, dim, method)
    checks.real_number("rate", rate, above=0)
    checks.real_number("tolerance", tolerance, above=0)
    checks.whole_number("max_steps", max_steps, 1, 10**12)
    checks.switch("accelerate", accelerate)
    checks.limits(threads=threads, seconds=seconds)
    if success is not None:
        checks.real_number("success", success)
    if start is None:
        start = initial_weights(width, dim, replicas, seed)
    if start.shape != (replicas, width, dim):
        raise InputError(f"starts must be {(replicas, width, dim)}, got shape {start.shape}")
    began = time.perf_counter()
    params = (width, teacher, dim)
    flat = start.reshape(replicas, width * dim)
    target = -math.inf if success is None else success
    tolerance = tolerance / (2 * math.pi)
    if method == "flow":
        from lab import flow

        # the integrator looks at the largest coordinate; |∇_i| is at most √d times that
        end = flow.solve(descent, params, flat, work_rows=work_rows(width, teacher, dim), value_target=target, threads=threads,
                         gradient_tol=tolerance / math.sqrt(dim), max_evaluations=max_steps, seconds=seconds,
                         progress=progress)
        table = {flow.CONVERGED: gd.CONVERGED, flow.REACHED: gd.BELOW, flow.DIVERGED: gd.DIVERGED,
                 flow.STOPPED: gd.STOPPED, flow.EVALUATION_CAP: gd.UNFINISHED, flow.TIME_CAP: gd.UNFINISHED}
        status = np.array([table[int(s)] for s in end.status])
        # "value reached" interpolates to the level itself: below it, as far as the share is concerned
        loss = np.where(status == gd.BELOW, np.minimum(end.value, np.nextafter(target, -math.inf)), end.value)
        state, gradient, steps, rise = end.state, end.gradient * math.sqrt(dim), end.evaluations, None
    else:
        common = dict(tolerance=tolerance, success=target, max_steps=max_steps, threads=threads, seconds=seconds,
                      progress=progress)
        if method == "minimise":
            state, ends, counts = gd.descend(params, flat, rate=min(rate, 2.2 / (width + 2)), nesterov=True, **common)
        else:
            state, ends, counts = (polish if accelerate else gd).descend(params, flat, rate=rate, **common)
        loss, gradient, steps, status = ends[:, 0], ends[:, 1], counts[:, 1], counts[:, 0]
        rise = None if method == "minimise" else float(np.max(ends[:, 2], initial=0.0, where=np.isfinite(ends[:, 2])))
    return Landscape(teacher, width, dim, method, state.reshape(start.shape), loss, gradient, steps, status, rise,
                     time.perf_counter() - began)


def predict(teacher: int, width: int, replicas: int = 1000, seed: int = 0, dim: int | None = None,
            method: str = "gradient-descent", *, spurious_at_teacher: float | None = None) -> dict:
    """What two nulls say of the share of spurious runs at ``width``, given the share at the teacher's own width.

    Parameters
    ----------
    As :func:`simulate`; ``spurious_at_teacher`` is P_fail(k), simulated with these arguments if it is not given.

    Returns
    -------
    ``independent_tickets`` : P_fail(k)^C(n, k), every k of the n neurons a ticket of their own (None for n < k);
    ``restarts`` : P_fail(k)^(n/k), independent networks of width k with as many neurons in all;
    ``escape_index`` : d − 1 per added neuron at most: H'_ii has a zero mode along w_i.

    Source: :mod:`theory.landscape`; derived here.
    """
    from theory.landscape import ticket_null

    teacher, width, replicas, dim = check(teacher, width, replicas, seed, dim, method)
    if spurious_at_teacher is None:
        spurious_at_teacher = simulate(teacher, teacher, replicas, seed, dim, method).spurious_fraction.mean
    checks.real_number("spurious_at_teacher", spurious_at_teacher, least=0, most=1)
    return {
        "independent_tickets": ticket_null(spurious_at_teacher, width, teacher) if width >= teacher else None,
        "restarts": spurious_at_teacher ** (width / teacher),
        "escape_index": (dim - 1) * max(0, width - teacher),
    }
