"""Train many students of width n on a teacher of k orthonormal ReLU units, to the published criterion.

Protocol (Safran & Shamir 2018, arXiv 1712.08968): W_im ~ N(0, 1/d); gradient descent with step 0.1 until
max_i |∇_i F|·2π ≤ 1e-9; a run is spurious if it ends with F ≥ 1e-3. F decreases along a run, so a run with F below 1e-3
cannot become spurious and is stopped there. A run that meets neither rule within ``max_steps`` is *unfinished* and, being
above 1e-3, counts as spurious; the number of such runs is reported with every share.

Report the methods separately, because they may choose different minima from the same start:

"gradient-descent"  step 0.1, the default; once it has chosen a minimum, and that is certified, accelerated steps converge
                    to it (:mod:`toy.relu_landscape.polish`): the same ends in a third of the time;
"flow"              the gradient flow dW/dt = −∇F (:mod:`lab.flow`), to the same criterion;
"minimise"          Nesterov's accelerated descent with restarts: fast, but its momentum may carry it into another basin.

Theory has no formula for the share, but two null hypotheses: independent tickets and independent restarts (:func:`predict`).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from lab import checks
from lab.arrays import floats
from lab.docstrings import arguments_as_in
from lab.errors import ArgumentError, InputError
from lab.estimate import Estimate, share_interval
from lab.names import renamed
from lab.results import Results
from lab.streams import normal
from theory.landscape.axes import descent, work_rows
from toy.relu_landscape import METHODS, polish
from toy.relu_landscape import descent as gd

__all__ = ["LEARNING_RATE", "METHODS", "SUCCESS", "TOLERANCE", "Landscape", "Prediction", "initial_weights",
           "predict", "simulate"]

LEARNING_RATE = 0.1
SUCCESS = 1e-3  # objective below which a run is not spurious
TOLERANCE = 1e-9  # on max_i |∇_i F|·2π
MAX_STEPS = 1_000_000


@dataclass(frozen=True)
class Landscape(Results, axes="weights: replica unit input; loss gradient steps status spurious: replica",
                rows="replica", picture="loss"):
    """Final states of the replicas.

    Attributes
    ----------
    teacher_width : int
        k, units of the teacher.
    width : int
        n, hidden units of a student.
    dim : int
        Input dimension d.
    method : str
        Optimiser.
    weights : (replicas, width, dim) array
        Final weights.
    loss : (replicas,) array
        Final F.
    gradient : (replicas,) array
        Final max_i |∇_i F| (flow: an upper bound).
    steps : (replicas,) int array
        Steps, or evaluations of the gradient for "flow".
    status : (replicas,) int array
        Why each run stopped, see ``toy.relu_landscape.descent.STATUS``.
    rise : float or None
        Largest rise of F between two looks at it in any replica; of the order of rounding where F decreases, as the rule
        for stopping below 1e-3 supposes (gradient descent only, else None).
    seconds : float
        Wall time.

    Examples
    --------
    >>> students = simulate(2, 2, replicas=4)
    >>> students.weights.shape, students.spurious.tolist(), students.unfinished
    ((4, 2, 2), [False, False, False, False], 0)
    """

    teacher_width: int
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


@dataclass(frozen=True)
class Prediction(Results, theory=True):
    """The share of spurious runs under two null hypotheses, and the escape directions of minima that become saddles.

    Attributes
    ----------
    independent_tickets : float in [0, 1] or None
        P_fail(k)^C(n, k), if every k of the n neurons are an independent ticket; None for n < k.
    restarts : float in [0, 1]
        P_fail(k)^(n/k), if n/k independent networks of width k are trained instead.
    escape_index : int
        At most d − 1 per added neuron: H'_ii has a zero mode along w_i.

    Examples
    --------
    >>> predict(4, 6, spurious_at_teacher=0.5).escape_index
    6
    """

    independent_tickets: float | None
    restarts: float
    escape_index: int


def check(teacher_width, width, replicas=1, seed=0, dim=None, method="gradient-descent") -> tuple[int, int, int, int]:
    """Refuse arguments that :func:`simulate` cannot take; returns teacher_width, width, replicas and dim as ints."""
    sizes = [checks.whole_number(name, value)
             for name, value in (("teacher_width", teacher_width), ("width", width), ("replicas", replicas))]
    dim = teacher_width if dim is None else dim
    if checks.whole_number("dim", dim) < teacher_width:
        raise ArgumentError(f"{teacher_width} orthonormal teacher units need a dim of at least {teacher_width}, got {dim}",
                            "dim")
    checks.seed(seed)
    checks.choice("method", method, METHODS)
    checks.fits_memory(replicas=replicas, width=width, dim=dim)
    return *sizes, dim


@renamed(first="first_replica")
def initial_weights(width: int, dim: int, replicas: int, seed: int, *, role: str = "start",
                    first_replica: int = 0) -> np.ndarray:
    """Random starts W_im ~ N(0, 1/d), replica r from the stream (seed, "relu-landscape", role, width, first_replica + r).

    Starts of different widths are independent. Students of the same width in different input dimensions read the same stream, but
    cut it into neurons at other places; the published shares are reproduced nevertheless, and no piece of evidence compares two
    such cells.

    Parameters
    ----------
    width : int ≥ 1
        n, hidden units of a student.
    dim : int ≥ 1
        Input dimension d.
    replicas : int ≥ 1
        Students.
    seed : int in 0 … 2⁶⁴ − 1
        Seed of all streams.
    role : str, default "start"
        Part of the stream's address.
    first_replica : int ≥ 0, default 0
        Number of the first student's stream.

    Returns
    -------
    (replicas, width, dim) array
        Weights.

    References
    ----------
    Safran & Shamir 2018 (arXiv 1712.08968).

    Examples
    --------
    >>> initial_weights(width=2, dim=3, replicas=4, seed=0).shape
    (4, 2, 3)
    """
    draws = [normal(seed, "relu-landscape", role, width, first_replica + r, shape=(width, dim)) for r in range(replicas)]
    return np.stack(draws) / math.sqrt(dim)


@renamed(teacher="teacher_width", rate="learning_rate", success="target_loss", seconds="time_limit")
def simulate(teacher_width: int, width: int, replicas: int = 1000, seed: int = 0, dim: int | None = None,
             method: str = "gradient-descent", *, start: np.ndarray | None = None, learning_rate: float = LEARNING_RATE,
             tolerance: float = TOLERANCE, target_loss: float | None = SUCCESS, max_steps: int = MAX_STEPS,
             accelerate: bool = True, threads: int | None = None, time_limit: float | None = None,
             progress: Callable[[int], None] | None = None) -> Landscape:
    """Train ``replicas`` students; the same numbers for any number of threads.

    Parameters
    ----------
    teacher_width : int ≥ 1
        k, orthonormal units of the teacher.
    width : int ≥ 1
        n, hidden units of a student.
    replicas : int ≥ 1, default 1000
        Students.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Replica r has a stream of its own (:func:`initial_weights`).
    dim : int ≥ teacher_width, default teacher_width
        Input dimension d.
    method : {"gradient-descent", "flow", "minimise"}, default "gradient-descent"
        How a minimum is sought, see the module.
    start : (replicas, width, dim) array, optional
        Initial weights in place of the drawn ones.
    learning_rate : float > 0, default 0.1
        Step of gradient descent. "minimise" takes min(learning_rate, 2.2/(width + 2)): it needs a step of at most the
        inverse of the largest curvature, which grows with the width.
    tolerance : float > 0, default 1e-9
        On max_i |∇_i F|·2π.
    target_loss : float or None, default 1e-3
        F below which a run stops, or None: every run goes to the criterion (wide students approach zero loss like a power of
        time: expect millions of steps).
    max_steps : int in 1 … 10¹², default 10⁶
        Steps (flow: evaluations of the gradient) after which a run is unfinished.
    accelerate : bool, default True
        Gradient descent only: accelerate the last phase, towards a minimum that plain steps have chosen. Otherwise all steps are
        plain.
    threads : int ≥ 1, optional
        Results do not depend on it (default: ``NUMBA_NUM_THREADS``).
    time_limit : float > 0, optional
        Seconds after which unfinished runs are stopped.
    progress : callable, optional
        Called with the number of replicas that just ended.

    Returns
    -------
    Landscape
        Where each run ended.

    Raises
    ------
    ArgumentError
        Impossible sizes or method.
    InputError
        Starts that do not fit or are not finite.

    References
    ----------
    Safran & Shamir 2018 (arXiv 1712.08968).

    Examples
    --------
    >>> students = simulate(2, 3, replicas=4)
    >>> students.loss.max() < 1e-3, students.spurious_fraction.mean
    (np.True_, 0.0)
    """
    if start is not None:
        start = floats(start, "start")
        replicas = len(start) if start.ndim else 0
    teacher_width, width, replicas, dim = check(teacher_width, width, replicas, seed, dim, method)
    checks.real_number("learning_rate", learning_rate, above=0)
    checks.real_number("tolerance", tolerance, above=0)
    checks.whole_number("max_steps", max_steps, 1, 10**12)
    checks.switch("accelerate", accelerate)
    checks.limits(threads=threads, time_limit=time_limit)
    if target_loss is not None:
        checks.real_number("target_loss", target_loss)
    if start is None:
        start = initial_weights(width, dim, replicas, seed)
    if start.shape != (replicas, width, dim):
        raise InputError(f"starts must be {(replicas, width, dim)}, got shape {start.shape}")
    began = time.perf_counter()
    params = (width, teacher_width, dim)
    flat = start.reshape(replicas, width * dim)
    target = -math.inf if target_loss is None else target_loss
    tolerance = tolerance / (2 * math.pi)
    if method == "flow":
        from lab import flow

        # the integrator looks at the largest coordinate; |∇_i| is at most √d times that
        end = flow.solve(descent, params, flat, work_rows=work_rows(width, teacher_width, dim), target_loss=target,
                         threads=threads, gradient_tol=tolerance / math.sqrt(dim), max_evaluations=max_steps,
                         time_limit=time_limit, progress=progress)
        table: dict[int, int] = {flow.CONVERGED: gd.CONVERGED, flow.REACHED: gd.BELOW, flow.DIVERGED: gd.DIVERGED,
                                 flow.STOPPED: gd.STOPPED, flow.EVALUATION_CAP: gd.UNFINISHED, flow.TIME_CAP: gd.UNFINISHED}
        status = np.array([table[int(s)] for s in end.status])
        # "value reached" interpolates to the level itself: below it, as far as the share is concerned
        loss = np.where(status == gd.BELOW, np.minimum(end.value, np.nextafter(target, -math.inf)), end.value)
        state, gradient, steps, rise = end.state, end.gradient * math.sqrt(dim), end.evaluations, None
    else:
        common = dict(tolerance=tolerance, target_loss=target, max_steps=max_steps, threads=threads,
                      time_limit=time_limit, progress=progress)
        if method == "minimise":
            state, ends, counts = gd.descend(params, flat, learning_rate=min(learning_rate, 2.2 / (width + 2)),
                                             nesterov=True, **common)
        else:
            state, ends, counts = (polish if accelerate else gd).descend(params, flat, learning_rate=learning_rate, **common)
        loss, gradient, steps, status = ends[:, 0], ends[:, 1], counts[:, 1], counts[:, 0]
        rise = None if method == "minimise" else float(np.max(ends[:, 2], initial=0.0, where=np.isfinite(ends[:, 2])))
    return Landscape(teacher_width, width, dim, method, state.reshape(start.shape), loss, gradient, steps, status, rise,
                     time.perf_counter() - began)


@renamed(teacher="teacher_width")
@arguments_as_in(simulate)
def predict(teacher_width: int, width: int, replicas: int = 1000, seed: int = 0, dim: int | None = None,
            method: str = "gradient-descent", *, spurious_at_teacher: float | None = None) -> Prediction:
    """The share of spurious runs at ``width`` under two null hypotheses, given the share at the teacher's own width.

    Parameters
    ----------
    spurious_at_teacher : float in [0, 1], optional
        P_fail(k); simulated with these arguments if it is not given.

    Returns
    -------
    Prediction
        Both nulls, and the bound on the escape index.

    Raises
    ------
    InputError
        As :func:`simulate`; for a share outside [0, 1].

    References
    ----------
    :mod:`theory.landscape`; derived here.

    Examples
    --------
    >>> null = predict(2, 4, spurious_at_teacher=0.5)
    >>> round(null.independent_tickets, 6), null.restarts  # six pairs of four neurons; two networks of two
    (0.015625, 0.25)
    """
    from theory.landscape import ticket_null

    teacher_width, width, replicas, dim = check(teacher_width, width, replicas, seed, dim, method)
    if spurious_at_teacher is None:
        spurious_at_teacher = simulate(teacher_width, teacher_width, replicas, seed, dim, method).spurious_fraction.mean
    checks.real_number("spurious_at_teacher", spurious_at_teacher, least=0, most=1)
    return Prediction(
        float(ticket_null(spurious_at_teacher, width, teacher_width)) if width >= teacher_width else None,
        spurious_at_teacher ** (width / teacher_width), (dim - 1) * max(0, width - teacher_width))
