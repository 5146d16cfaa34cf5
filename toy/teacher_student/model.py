"""Teacher and student: two-layer networks trained by online SGD, and the theory of them.

Student y^ = sum_i v_i g(w_i . x) of width K, teacher y = sum_m A_m g(t_m . x) + noise * zeta, inputs x ~ N(0, I_N), fresh
at every step or drawn from a finite set. One step on a batch of B samples, time t = steps / N:

    w_i += (eta / N) <v_i g'(w_i . x) (y - y^) x>_batch,     v_i += (eta_v / N) <g(w_i . x) (y - y^)>_batch,

and weight decay kappa multiplies w by 1 - eta kappa / N, v by 1 - eta_v kappa / N. Order parameters Q = w w^T, R = w t^T,
T = t t^T (Saad & Solla's, whose weights are sqrt(N) times ours); error eg = <(sum v g - sum A g)**2> / 2, without the
label noise. Sources: Saad & Solla (1995); Goldt et al. (2019), arXiv 1906.08632; kernels and span law: derived here.

``simulate`` and ``predict`` take the same arguments. The full simulator (``kernels``) costs O(K N) per step, the span law
(``span_law``: batches of one, fresh inputs) O(K (K + M)), and its results have the same distribution.
"""

import math
import time as clock
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lab import checks
from lab.docstrings import arguments_as_in
from lab.errors import ArgumentError
from lab.names import renamed
from lab.results import Results
from toy.teacher_student.ensemble import FullEnsemble, SpanEnsemble
from toy.teacher_student.overlaps import errors
from toy.teacher_student.setting import (
    check_method,
    check_simulation,
    starting_coordinates,
    starting_weights,
    validated,
)

TOO_LARGE = 1e6  # a readout or weight beyond this counts as diverged
SLICE = 0.25  # seconds between two looks at the clock


@dataclass(frozen=True)
class Result(Results, axes="times: moment; error training_error: moment replica; Q: moment replica unit other_unit; "
             "R: moment replica unit teacher_unit; v: moment replica unit; T: teacher_unit other_teacher_unit; A: teacher_unit; "
             "diverged: replica", rows="moment replica", picture="error training_error ~ times"):
    """Order parameters of every replica at the saved times.

    Attributes
    ----------
    times : (S,) array
        Times in units of N steps, as simulated (rounded to whole steps).
    error : (S, replicas) array
        Generalisation error without label noise; NaN where not reached or diverged.
    Q : (S, replicas, K, K) array
        Overlaps of the students' units.
    R : (S, replicas, K, M) array
        Overlaps of the students' units with the teacher's.
    v : (S, replicas, K) array
        Output weights.
    T : (M, M) array
        Overlaps of the teacher's units.
    A : (M,) array
        Output weights of the teacher.
    training_error : (S, replicas) array or None
        Mean of (y - y^)**2 / 2 over the finite set, or None for fresh inputs.
    diverged : (replicas,) bool array
        True where weights grew beyond 1e6 or to NaN.
    finished : bool
        False if the time limit stopped the run.
    steps : int
        Steps taken.
    seconds : float
        Wall time.

    Examples
    --------
    >>> result = simulate(dim=8, width=2, strengths=(1.0,), times=(0.0, 1.0), replicas=3)
    >>> result.Q.shape, result.R.shape, result.steps, result.finished
    ((2, 3, 2, 2), (2, 3, 2, 1), 8, True)
    """

    times: np.ndarray
    error: np.ndarray
    Q: np.ndarray
    R: np.ndarray
    v: np.ndarray
    T: np.ndarray
    A: np.ndarray
    training_error: np.ndarray | None
    diverged: np.ndarray
    finished: bool
    steps: int
    seconds: float

    def final_error(self, last: int = 1):
        """Mean error over replicas that have not diverged, each averaged over its last saved times, with its interval."""
        from lab.estimate import mean_interval

        return mean_interval(self.error[-last:].mean(axis=0)[~self.diverged])


@renamed(inputs="dim", teacher="teacher_directions", readout_rate="readout_learning_rate", batch="batch_size",
         initial_scale="init_scale", initial_readout="init_readout", start="init")
def simulate(*, dim: int = 64, width: int = 4, strengths: Sequence[float] = (1.0, 1.0),
             teacher_directions: np.ndarray | None = None, activation: str = "erf", teacher_activation: str | None = None,
             learning_rate: float = 0.5, readout_learning_rate: float | None = None, noise: float = 0.0, batch_size: int = 1,
             weight_decay: float = 0.0, samples: int = 0, init_scale: float = 0.5, init_readout: float | None = None,
             init: str = "random", times: Sequence[float] = (0.0, 100.0), replicas: int = 64, seed: int = 0,
             method: str = "full", time_limit: float | None = None,
             progress: Callable[[int, int], None] | None = None) -> Result:
    """Train many students by online SGD.

    Parameters
    ----------
    dim : int ≥ 1, default 64
        Input dimension N.
    width : int ≥ 1, default 4
        Hidden units K of a student.
    strengths : (M,) floats, default (1, 1)
        Output weights A of the teacher.
    teacher_directions : (M, at most N) array, default orthonormal
        Directions t_m; missing columns are zero.
    activation : {"erf", "relu", "tanh", "linear"}, default "erf"
        Activation of the student; erf stands for erf(x/√2).
    teacher_activation : {"erf", "relu", "tanh", "linear"}, default activation
        Activation of the teacher.
    learning_rate : float ≥ 0, default 0.5
        Learning rate η of the first layer; a step is η/N.
    readout_learning_rate : float ≥ 0, default learning_rate
        Learning rate η_v of the output weights; 0 trains the first layer only.
    noise : float ≥ 0, default 0
        Standard deviation of the label noise.
    batch_size : int ≥ 1, default 1
        Samples B of a step.
    weight_decay : float ≥ 0, default 0
        Weight decay κ.
    samples : int ≥ 0, default 0
        Size of a finite training set, which every replica draws for itself; 0 for fresh inputs.
    init_scale : float ≥ 0, default 0.5
        w_ij ~ N(0, init_scale²/N), so that Q_ii starts near its square; v_i ~ N(0, init_scale²), or v_i = 1 where the
        readout is not trained.
    init_readout : float, optional
        Start of all v_i, in place of the above.
    init : {"random", "teacher"}, default "random"
        "teacher" adds such weights to a solution in which each unit is a copy of a teacher unit (with a readout fixed at 1, the
        units beyond the first M start near zero). It gives stationary errors without the time that finding a solution takes.
    times : (S,) increasing floats ≥ 0, default (0, 100)
        Times at which order parameters are recorded, in units of N steps.
    replicas : int ≥ 1, default 64
        Independent students.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Replica r has streams of its own at every width, for each method.
    method : {"full", "span"}, default "full"
        "span": exact in law in the span of teacher and students (batches of 1, fresh inputs), at any N.
    time_limit : float > 0, optional
        Seconds after which the run stops unfinished.
    progress : callable, optional
        Called with (steps done, steps in all).

    Returns
    -------
    Result
        Order parameters and errors of every replica.

    Raises
    ------
    InputError
        An argument out of range, or a setting that the method cannot treat.

    References
    ----------
    Saad & Solla 1995; Goldt et al. 2019.

    Examples
    --------
    >>> result = simulate(dim=8, width=1, strengths=(1.0,), init="teacher", init_scale=0.0, times=(1.0,), replicas=2)
    >>> bool(result.error.max() < 1e-6)  # without noise nothing moves a student that is the teacher
    True
    """
    s = validated(dim, width, strengths, teacher_directions, activation, teacher_activation, learning_rate,
                 readout_learning_rate, noise, batch_size, weight_decay, samples, init_scale, init_readout, init, times,
                 replicas, seed)
    K, M, S, n = s.width, s.strengths.size, s.steps.size, s.replicas
    if time_limit is not None:
        checks.real_number("time_limit", time_limit, least=0, finite=False)
    check_simulation(s, method)
    ensemble = FullEnsemble(s, starting_weights) if method == "full" else SpanEnsemble(s, starting_coordinates)
    Q, R, v = (np.full((S, n, *shape), np.nan) for shape in ((K, K), (K, M), (K,)))
    training = np.full((S, n), np.nan) if s.samples else None
    diverged = np.zeros(n, dtype=bool)
    start, done, rate, finished = clock.perf_counter(), 0, None, True
    for saved, target in enumerate(s.steps):
        while done < target and finished and not diverged.all():
            # slices end on whole blocks, so that looking at the clock changes no rounding
            length = ensemble.chunk if rate is None else max(1, int(SLICE * rate) // ensemble.chunk) * ensemble.chunk
            length = min(length - done % ensemble.chunk, int(target) - done)
            began = clock.perf_counter()
            ensemble.advance(length)
            rate = length / max(clock.perf_counter() - began, 1e-9)
            done += length
            diverged |= ensemble.diverged(TOO_LARGE)
            if progress is not None:
                progress(done, int(s.steps[-1]))
            finished = time_limit is None or clock.perf_counter() - start <= time_limit
        if done < target:
            break
        ensemble.order_parameters(Q[saved], R[saved], v[saved])
        for lost in (Q, R, v):
            lost[saved, diverged] = np.nan
        if training is not None and isinstance(ensemble, FullEnsemble):  # the span law has no finite set
            training[saved] = ensemble.training_error()
    T = s.teacher_directions @ s.teacher_directions.T
    return Result(s.steps / s.dim, errors(Q, R, T, v, s.strengths, s.activation, s.teacher_activation), Q, R, v, T,
                  s.strengths, training, diverged, bool(finished), done, clock.perf_counter() - start)


@renamed(inputs="dim", teacher="teacher_directions", readout_rate="readout_learning_rate", batch="batch_size",
         initial_scale="init_scale", initial_readout="init_readout", start="init")
@arguments_as_in(simulate)
def predict(*, dim: int = 64, width: int = 4, strengths: Sequence[float] = (1.0, 1.0),
            teacher_directions: np.ndarray | None = None, activation: str = "erf", teacher_activation: str | None = None,
            learning_rate: float = 0.5, readout_learning_rate: float | None = None, noise: float = 0.0, batch_size: int = 1,
            weight_decay: float = 0.0, samples: int = 0, init_scale: float = 0.5, init_readout: float | None = None,
            init: str = "random", times: Sequence[float] = (0.0, 100.0), replicas: int = 64, seed: int = 0,
            method: str = "full", small_rate: bool = False) -> Result:
    """The order-parameter equations (large N), from the starts of the same replicas.

    Parameters
    ----------
    small_rate : bool, default False
        Leave out the terms of second order in η (population gradient flow).

    Returns
    -------
    Result
        As that of :func:`simulate`, from the equations.

    Raises
    ------
    InputError
        As :func:`simulate`; where there is no theory: finite data, weight decay, activations other than erf (ReLU with
        ``small_rate``), batches larger than 1 at finite learning rate.

    References
    ----------
    Saad & Solla 1995; Goldt et al. 2019 (:mod:`theory.committee`).

    Examples
    --------
    >>> theory = predict(dim=8, width=1, strengths=(1.0,), times=(0.0, 1.0), replicas=2)
    >>> theory.error.shape, theory.diverged.tolist()
    ((2, 2), [False, False])
    """
    from theory.committee import integrate

    s = validated(dim, width, strengths, teacher_directions, activation, teacher_activation, learning_rate,
                 readout_learning_rate, noise, batch_size, weight_decay, samples, init_scale, init_readout, init, times,
                 replicas, seed)
    checks.switch("small_rate", small_rate)
    check_method(s, method)
    if s.samples or s.weight_decay:
        raise ArgumentError("the order-parameter equations hold for fresh inputs without weight decay")
    if s.teacher_activation != s.activation:
        raise ArgumentError("the order-parameter equations need the same activation in teacher and student")
    if s.batch_size > 1 and not small_rate:
        raise ArgumentError("a batch larger than 1 is predicted at small learning rate only: pass small_rate=True")
    start = clock.perf_counter()
    moments, T = s.steps / s.dim, s.teacher_directions @ s.teacher_directions.T
    K, M, S, n = s.width, s.strengths.size, s.steps.size, s.replicas
    Q, R, v = (np.full((S, n, *shape), np.nan) for shape in ((K, K), (K, M), (K,)))
    error, diverged = np.full((S, n), np.nan), np.zeros(n, dtype=bool)
    for r in range(n):
        if method == "span":
            along, triangle, v0 = starting_coordinates(s, r)
            Q0, R0 = along @ along.T + triangle @ triangle.T, along @ s.teacher_directions.T
        else:
            weights, v0 = starting_weights(s, r)
            weights = weights.astype(np.float64)
            Q0, R0 = weights @ weights.T, weights[:, :s.teacher_directions.shape[1]] @ s.teacher_directions.T
        path = integrate(Q0, R0, T, v0, s.strengths, np.concatenate([[0.0], moments]), learning_rate=s.learning_rate,
                         readout_learning_rate=s.readout_learning_rate, noise=s.noise, activation=s.activation,
                         small_rate=small_rate)
        Q[:, r], R[:, r], v[:, r], error[:, r] = path.Q[1:], path.R[1:], path.v[1:], path.error[1:]
        diverged[r] = path.status == "diverged"
    return Result(moments, error, Q, R, v, T, s.strengths, None, diverged, True, int(s.steps[-1]),
                  clock.perf_counter() - start)


def final_error_first_layer(learning_rate: float, noise: float, teacher_width: int, width: int) -> float:
    """Stationary error σ²η/(2π) (L + M/√3), L = K − M: erf, T = I, A = v = 1, first layer trained; first order in η.

    Parameters
    ----------
    learning_rate : float ≥ 0
        η.
    noise : float ≥ 0
        Standard deviation σ of the label noise.
    teacher_width : int ≥ 1
        M, units of the teacher.
    width : int ≥ M
        K, hidden units of the student.

    Returns
    -------
    float
        Generalisation error without label noise.

    References
    ----------
    Goldt et al. 2019.

    Examples
    --------
    >>> round(final_error_first_layer(0.1, 0.1, teacher_width=2, width=4), 6)
    0.000502
    """
    return noise**2 * learning_rate / (2 * math.pi) * (width - teacher_width + teacher_width / math.sqrt(3))


def final_error_both_layers(learning_rate: float, noise: float, teacher_width: int, width: int) -> float:
    """Stationary error σ²ηM²/(2π√3 K) where all K = Z M units are copies: erf, T = I, A = 1, both layers trained at the
    same rate; first order in η.

    Parameters
    ----------
    learning_rate : float ≥ 0
        η.
    noise : float ≥ 0
        Standard deviation σ of the label noise.
    teacher_width : int ≥ 1
        M, units of the teacher.
    width : int ≥ M
        K, hidden units of the student.

    Returns
    -------
    float
        Generalisation error without label noise.

    References
    ----------
    Derived for this project, confirmed by the equations of :mod:`theory.committee`.

    Examples
    --------
    >>> round(final_error_both_layers(0.1, 0.1, teacher_width=2, width=4), 6)
    9.2e-05
    """
    return noise**2 * learning_rate * teacher_width**2 / (2 * math.pi * math.sqrt(3) * width)
