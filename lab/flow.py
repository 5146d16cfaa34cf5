"""One integrator for gradient flows, many replicas at a time.

The flow
    dy/dt = f(y) = −∇L(y)
is stiff near minima: the largest curvature is of the order of the width, while the slowest direction determines when max|∇L|
falls below the tolerance. An explicit Runge–Kutta pair, whose steps are limited by stability, would take far too many. The
Jacobian −∇²L is symmetric, so its spectrum is real, which suits an explicit *stabilised* method: the second-order
Runge–Kutta–Chebyshev method (RKC: Sommeijer, Shampine & Verwer 1997, J. Comput. Appl. Math. 88, 315), s stages of which
stay stable up to a step of 2(s²−1)/3 over the spectral radius. It needs neither the Jacobian nor linear algebra; a step costs
s evaluations of f.

    Y_0 = y,  Y_1 = Y_0 + μ̃_1 h f_0,
    Y_j = (1−μ_j−ν_j) Y_0 + μ_j Y_{j−1} + ν_j Y_{j−2} + μ̃_j h f(Y_{j−1}) + γ̃_j h f_0,   y_new = Y_s,
    error = (12 (y − y_new) + 6 h (f_0 + f_new)) / 15.

The error is held below ``atol + rtol |y|`` in each coordinate *and* below a tenth of the step's own length, so that the decay
towards a minimum is followed down to rounding. The spectral radius comes from a nonlinear power iteration, renewed
every few steps. Dense output is cubic Hermite; that of the loss uses dL/dt = −|∇L|² and is kept between the losses at the two
ends of the step. Convergence is checked after each step, so its time is late by at most one step.

Lanes. Models are evaluated for ``LANES`` replicas at once, ``y[coordinate, lane]``, so that every inner loop of a model
is a vector operation. Each lane is a replica with its own step size, number of stages, spectral radius and phase of the
method; a finished lane is refilled at once. A lane's numbers depend on its replica alone, so results are bit-identical for any
number of threads and any batching.

A model is one function compiled with ``RHS`` as its signature::

    @njit(RHS, cache=True, error_model="numpy")
    def rhs(params, work, y, out, value):
        # params: 1-d, the model's constants; work: (rows, LANES) scratch
        # y: (n, LANES) states; out: (n, LANES) <- −∇L; value: (LANES,) <- L

It is passed to the compiled integrator as a first-class function: one integrator, compiled once and kept on disk,
serves every model.
"""

from dataclasses import dataclass

import numpy as np

from lab import compile_ahead
from lab.errors import InputError
from lab.flow_kernel import integrate
from lab.flow_lanes import (
    CONVERGED,
    DIVERGED,
    EVALUATION_CAP,
    LANES,
    MAX_STAGES,
    REACHED,
    RHS,
    ROWS,
    STATUS,
    STOPPED,
    TIME_CAP,
    Control,
    Status,
    aligned,
    coefficients,
    fresh_lanes,
)
from lab.names import renamed
from lab.team import Team

__all__ = ["CONVERGED", "DIVERGED", "EVALUATION_CAP", "LANES", "MAX_STAGES", "REACHED", "RHS", "STATUS", "STOPPED",
           "TIME_CAP", "Flow", "Status", "solve"]


@dataclass(frozen=True)
class Flow:
    """Paths and end points of the replicas of a gradient flow.

    Attributes
    ----------
    state : (replicas, n) float array
        Last states.
    value : (replicas,) float array
        Loss at the last state.
    time : (replicas,) float array
        Time reached.
    gradient : (replicas,) float array
        max |∇L| at the last state.
    status : (replicas,) int array
        Why each stopped, a :class:`Status`; ``STATUS`` has them in words.
    evaluations : (replicas,) int array
        Evaluations of the gradient.
    times : (T,) float array
        Requested times.
    values : (replicas, T) float array
        Loss at the requested times. After a replica has converged, its last value; after it has stopped for another reason,
        NaN.
    states : (replicas, T, n) float array or None
        States at the requested times, in the same way; None if they were not kept.
    """

    state: np.ndarray
    value: np.ndarray
    time: np.ndarray
    gradient: np.ndarray
    status: np.ndarray
    evaluations: np.ndarray
    times: np.ndarray
    values: np.ndarray
    states: np.ndarray | None

    def count(self) -> dict[str, int]:
        """Number of replicas by status; statuses that did not occur are left out."""
        counts = np.bincount(self.status, minlength=len(STATUS))
        return {name: int(c) for name, c in zip(STATUS, counts) if c}


def prepare(rhs, *others) -> None:
    """Announce that a model will be integrated, so that it is compiled meanwhile (:func:`lab.compile_ahead.prepare`).

    Parameters
    ----------
    rhs : compiled function
        The model, as for :func:`solve`.
    *others : compiled functions
        What else will be wanted.
    """
    compile_ahead.prepare(integrate, rhs, *others)


@renamed(value_target="target_loss", seconds="time_limit")
def solve(rhs, params, start, *, work_rows=1, times=(), keep_states=False, gradient_tol=1e-8, time_cap=np.inf,
          target_loss=-np.inf, rtol=1e-5, atol=1e-7, max_evaluations=10_000_000, threads=None, time_limit=None,
          progress=None) -> Flow:
    """Follow the gradient flow of many replicas until the gradient vanishes.

    Parameters
    ----------
    rhs : compiled function
        The model, with the signature ``RHS``: −∇L and L for ``LANES`` replicas (module docstring).
    params : (c,) float array
        The model's constants, the same for all replicas.
    start : (replicas, n) float array
        Initial states.
    work_rows : int ≥ 0, default 1
        Rows of the scratch array ``(rows, LANES)`` that the model needs.
    times : (T,) increasing float array, default ()
        Times at which to record the loss (and, with ``keep_states``, the state).
    keep_states : bool, default False
        Whether to record the states at these times, too.
    gradient_tol : float ≥ 0, default 1e-8
        A replica has converged once max|∇L| is at most this at the end of a step.
    time_cap : float ≥ 0, default ∞
        Flow time at which a replica is abandoned (status "time cap").
    target_loss : float or (replicas,) float array, default −∞
        Stop where the loss crosses this value (status "value reached").
    rtol : float > 0, default 1e-5
        Local error per step, in the mean-square norm, relative to each coordinate.
    atol : float > 0, default 1e-7
        The same, absolute.
    max_evaluations : int ≥ 1, default 10000000
        Evaluations of the gradient after which a replica is abandoned, at the end of its step.
    threads : int ≥ 1, optional
        Number of threads; by default as many as Numba would use. Results do not depend on it.
    time_limit : float ≥ 0, optional
        Seconds of wall time after which all unfinished replicas are stopped (status "stopped").
    progress : callable, optional
        Called with the number of replicas that just finished.

    Returns
    -------
    Flow
        The paths and their end points.

    Raises
    ------
    InputError
        If shapes or values cannot be used.
    """
    params = np.array(params, dtype=np.float64, order="C")
    start = np.array(start, dtype=np.float64, order="C")
    times = np.array(times, dtype=np.float64, order="C")
    if start.ndim != 2 or start.shape[1] == 0:
        raise InputError(f"start must be (replicas, coordinates), got shape {start.shape}")
    if not (np.all(np.isfinite(start)) and np.all(np.isfinite(params))):
        raise InputError("initial states and parameters must be finite")
    if times.ndim != 1 or np.any(np.diff(times) < 0) or not np.all(np.isfinite(times)):
        raise InputError("times must be finite and increasing")
    if not (gradient_tol >= 0 and time_cap >= 0 and rtol > 0 and atol > 0):
        raise InputError("gradient_tol and time_cap must not be negative, rtol and atol must be positive")
    if gradient_tol == 0 and not np.isfinite(time_cap):
        raise InputError("without a gradient tolerance the flow needs a cap on time")
    replicas, n = start.shape
    target = np.array(np.broadcast_to(target_loss, (replicas,)), dtype=np.float64)
    control = Control(float(gradient_tol), float(time_cap), float(rtol), float(atol), int(min(max_evaluations, 2**52)))
    ends, state = fresh_lanes(replicas), start.copy()
    for field in ("t", "size", "value"):
        ends[field] = np.nan
    ends["end"] = Status.STOPPED
    values = np.full((replicas, times.size), np.nan)
    states = np.full((replicas if keep_states else 0, times.size, n), np.nan)
    table = coefficients()
    compile_ahead.ready(integrate, rhs)  # the time limit is for integrating

    with Team(threads, time_limit) as team:
        # enough pieces to share the work evenly, large enough to keep the lanes full
        piece = max(LANES, min(16 * LANES, -(-replicas // team.threads)))

        def work(part):
            if not team.stopped:
                integrate(rhs, params, start[part], target[part], times, control, table, aligned(work_rows, LANES),
                          aligned(6, n, LANES), aligned(ROWS, LANES), np.zeros(LANES), fresh_lanes(), ends[part], state[part],
                          values[part], states[part], team.stop)
            if progress is not None:
                progress(part.stop - part.start)

        team.run(work, [slice(i, min(i + piece, replicas)) for i in range(0, replicas, piece)])
    value, time, size, end, evaluations = (np.array(ends[field]) for field in ("value", "t", "size", "end", "evaluations"))
    return Flow(state, value, time, size, end, evaluations, times, values, states if keep_states else None)
