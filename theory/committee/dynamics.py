"""Typed functions on top of the kernels: states, derivatives, trajectories, generalisation error."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lab import dormand_prince
from lab.arrays import floats
from lab.docstrings import arguments_as_in
from lab.errors import ArgumentError, InputError
from lab.names import renamed
from lab.results import Results
from theory.committee import kernels

ACTIVATIONS = {activation.name.lower(): activation for activation in kernels.Activation}


@dataclass(frozen=True)
class Trajectory(Results, axes="times error: moment; Q: moment unit other_unit; R: moment unit teacher_unit; v: moment unit",
                 rows="moment", picture="error ~ times", theory=True):
    """Order parameters at the requested times.

    Attributes
    ----------
    times : (S,) float array
        In units of N steps.
    Q : (S, K, K) float array
        Overlaps of the student's units.
    R : (S, K, M) float array
        Overlaps of the student's units with the teacher's.
    v : (S, K) float array
        Output weights of the student.
    error : (S,) float array
        Generalisation error ½ <(y − ŷ)²>, without the σ²/2 of the noise.
    status : {"done", "steady", "diverged", "step limit"}
        How it ended. "steady": the rates of change fell below ``steady``, and later rows repeat the last state. After
        "diverged" and "step limit" later rows are NaN.
    time : float
        Time reached, in units of N steps.
    steps : int
        Steps that the integrator has tried.

    Examples
    --------
    >>> path = integrate([[1.0]], [[1.0]], [[1.0]], [1.0], [1.0], times=[0.0, 10.0])
    >>> path.status, path.error.round(6).tolist()  # a student that starts at its teacher stays there
    ('steady', [0.0, 0.0])
    """

    times: np.ndarray
    Q: np.ndarray
    R: np.ndarray
    v: np.ndarray
    error: np.ndarray
    status: str
    time: float
    steps: int


def order_parameters(W: npt.ArrayLike, B: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Q = WWᵀ/N, R = WBᵀ/N, T = BBᵀ/N.

    Parameters
    ----------
    W : (K, N) array
        Weights of the student.
    B : (M, N) array
        Weights of the teacher.

    Returns
    -------
    Q : (K, K) float array
        Overlaps of the student's units.
    R : (K, M) float array
        Overlaps of the student's units with the teacher's.
    T : (M, M) float array
        Overlaps of the teacher's units.

    Raises
    ------
    InputError
        If the shapes do not fit, or a number is not finite.

    References
    ----------
    Saad & Solla (1995), Phys. Rev. E 52, 4225.

    Examples
    --------
    >>> Q, R, T = order_parameters([[1.0, 1.0]], [[2.0, 0.0], [0.0, 2.0]])
    >>> Q.tolist(), R.tolist(), T.tolist()
    ([[1.0]], [[1.0, 1.0]], [[2.0, 0.0], [0.0, 2.0]])
    """
    W, B = _array(W, 2, "W"), _array(B, 2, "B")
    if W.shape[1] != B.shape[1] or W.shape[1] == 0:
        raise InputError(f"student and teacher see inputs of different dimension: W {W.shape}, B {B.shape}")
    N = W.shape[1]
    return W @ W.T / N, W @ B.T / N, B @ B.T / N


def generalisation_error(Q: npt.ArrayLike, R: npt.ArrayLike, T: npt.ArrayLike, v: npt.ArrayLike, A: npt.ArrayLike,
                         activation: str = "erf") -> Any:
    """eg = ½ uᵀ I2 u, u = (v, −A): half the mean squared difference of student and noiseless teacher.

    Parameters
    ----------
    Q : (..., K, K) array
        Overlaps of the student's units.
    R : (..., K, M) array
        Overlaps of the student's units with the teacher's.
    T : (M, M) array
        Overlaps of the teacher's units.
    v : (..., K) array
        Output weights of the student.
    A : (M,) array
        Output weights of the teacher.
    activation : {"erf", "relu"}, default "erf"
        Activation of student and teacher.

    Returns
    -------
    float, or (...) float array
        ≥ 0 up to rounding (1e-16 Σ|u|²).

    Raises
    ------
    InputError
        If the shapes do not fit, a number is not finite, or the activation is unknown.

    References
    ----------
    Saad & Solla (1995), Phys. Rev. E 52, 4225; Goldt et al. (2019), arXiv 1906.08632.

    Examples
    --------
    >>> generalisation_error([[1.0]], [[1.0]], [[1.0]], [1.0], [1.0])
    0.0
    >>> round(generalisation_error([[1.0]], [[0.0]], [[1.0]], [1.0], [1.0]), 4)  # orthogonal to the teacher
    0.3333
    """
    code = _activation(activation)
    Q, R, v = (floats(x) for x in (Q, R, v))
    T, A = _array(T, 2, "T"), _array(A, 1, "A")
    lead = v.shape[:-1]
    K, M = v.shape[-1] if v.ndim else 0, A.size
    if K == 0 or M == 0 or Q.shape != (*lead, K, K) or R.shape != (*lead, K, M) or T.shape != (M, M):
        raise InputError(f"order parameters do not fit: Q {Q.shape}, R {R.shape}, T {T.shape}, v {v.shape}, A {A.shape}")
    C = np.empty((*lead, K + M, K + M))
    C[..., :K, :K], C[..., :K, K:], C[..., K:, :K], C[..., K:, K:] = Q, R, np.swapaxes(R, -1, -2), T
    u = np.concatenate([v, np.broadcast_to(-A, (*lead, M))], axis=-1)
    row = np.empty(K + M)
    flat = [kernels.error_of(code, c, w, row)
            for c, w in zip(C.reshape(-1, K + M, K + M), np.ascontiguousarray(u.reshape(-1, K + M)))]
    return float(flat[0]) if not lead else np.array(flat).reshape(lead)


@renamed(eta="learning_rate", eta_v="readout_learning_rate", sigma="noise")
def integrate(Q: npt.ArrayLike, R: npt.ArrayLike, T: npt.ArrayLike, v: npt.ArrayLike, A: npt.ArrayLike, times: npt.ArrayLike, *,
              learning_rate: float = 1.0, readout_learning_rate: float | None = None, noise: float = 0.0,
              activation: str = "erf", small_rate: bool = False, rtol: float = 1e-8, atol: float = 1e-10,
              steady: float = 0.0, max_steps: int = 1_000_000) -> Trajectory:
    """Integrate the order-parameter equations from the state (Q, R, v) at times[0].

    Parameters
    ----------
    Q : (K, K) array
        Overlaps of the student's units.
    R : (K, M) array
        Overlaps of the student's units with the teacher's.
    T : (M, M) array
        Overlaps of the teacher's units.
    v : (K,) array
        Output weights of the student.
    A : (M,) array
        Output weights of the teacher.
    times : (S,) increasing array
        In units of N steps of online SGD; the first is the start.
    learning_rate : float > 0, default 1
        η of the first layer; with ``small_rate`` it only sets the unit of time.
    readout_learning_rate : float ≥ 0, optional
        η_v of the second layer (default: ``learning_rate``; 0: the first layer alone is trained).
    noise : float ≥ 0, default 0
        σ, standard deviation of the label noise; without effect for ``small_rate``.
    activation : {"erf", "relu"}, default "erf"
        Activation of student and teacher; "relu" for ``small_rate`` alone, since its I4 has no elementary form.
    small_rate : bool, default False
        Leave out the terms of order η²: population gradient flow.
    rtol : float > 0, default 1e-8
        Relative error per step.
    atol : float > 0, default 1e-10
        Absolute error per step.
    steady : float ≥ 0, default 0
        Stop once max |d/dt| of all order parameters is at most this.
    max_steps : int ≥ 1, default 1000000
        Steps of the integrator, at most.

    Returns
    -------
    Trajectory
        Order parameters and error at the times.

    Raises
    ------
    InputError
        If the shapes do not fit, a number is not finite, (Q, R, T) is not a covariance, a rate is negative, or for ReLU at
        finite learning rate.

    References
    ----------
    Saad & Solla (1995), Phys. Rev. E 52, 4225; Goldt et al. (2019), arXiv 1906.08632, equations 11–13.

    Examples
    --------
    One student that learns from one teacher:

    >>> path = integrate([[1.0]], [[0.1]], [[1.0]], [1.0], [1.0], times=[0.0, 5.0, 100.0])
    >>> path.error.round(4).tolist(), path.R[:, 0, 0].round(2).tolist()
    ([0.3015, 0.0484, 0.0], [0.1, 0.86, 1.02])
    """
    eta, eta_v = learning_rate, learning_rate if readout_learning_rate is None else readout_learning_rate
    y, T, A, K, M, code = _state(Q, R, T, v, A, eta, eta_v, noise, activation, small_rate)
    times = _array(times, 1, "times")
    if times.size == 0 or np.any(np.diff(times) < 0):
        raise ArgumentError("times must be an increasing array with at least one entry")
    if not (rtol > 0 and atol > 0 and steady >= 0 and max_steps >= 1):
        raise ArgumentError("rtol and atol must be positive, steady not negative, max_steps at least 1")
    saved = np.empty((times.size, y.size))
    params = kernels.pack(K, M, code, small_rate, float(eta), float(eta_v), float(noise), T, A)
    status, time, steps = dormand_prince.integrate(kernels.rhs, params, np.empty(kernels.work_size(K, M)), y, times, saved,
                                                   float(rtol), float(atol), float(steady), int(max_steps))
    Q, R, v = _unpack(saved, K, M)
    words = dormand_prince.Status(status).name.lower().replace("_", " ")
    return Trajectory(times, Q, R, v, generalisation_error(Q, R, T, v, A, activation), words, time, steps)


@renamed(eta="learning_rate", eta_v="readout_learning_rate", sigma="noise")
@arguments_as_in(integrate)
def derivatives(Q: npt.ArrayLike, R: npt.ArrayLike, T: npt.ArrayLike, v: npt.ArrayLike, A: npt.ArrayLike, *,
                learning_rate: float = 1.0, readout_learning_rate: float | None = None, noise: float = 0.0,
                activation: str = "erf", small_rate: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dQ/dt, dR/dt, dv/dt) at one state.

    Parameters
    ----------

    Returns
    -------
    dQ : (K, K) float array
        Of the student's overlaps, per N steps.
    dR : (K, M) float array
        Of its overlaps with the teacher.
    dv : (K,) float array
        Of its output weights.

    Raises
    ------
    InputError
        As :func:`integrate`.

    References
    ----------
    Saad & Solla (1995), Phys. Rev. E 52, 4225; Goldt et al. (2019), arXiv 1906.08632, for two trained layers.

    Examples
    --------
    >>> dQ, dR, dv = derivatives([[1.0]], [[0.0]], [[1.0]], [1.0], [1.0], small_rate=True)
    >>> dQ.round(4).tolist(), dR.round(4).tolist(), dv.round(4).tolist()  # away from itself and towards the teacher
    ([[-0.3676]], [[0.3183]], [-0.3333])
    """
    eta, eta_v = learning_rate, learning_rate if readout_learning_rate is None else readout_learning_rate
    y, T, A, K, M, code = _state(Q, R, T, v, A, eta, eta_v, noise, activation, small_rate)
    dy = np.empty_like(y)
    kernels.rhs(kernels.pack(K, M, code, small_rate, float(eta), float(eta_v), float(noise), T, A),
                np.empty(kernels.work_size(K, M)), y, dy)
    dQ, dR, dv = _unpack(dy[None], K, M)
    return dQ[0], dR[0], dv[0]


def _unpack(rows: np.ndarray, K: int, M: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    pairs = K * (K + 1) // 2
    Q = np.empty((rows.shape[0], K, K))
    upper = np.triu_indices(K)
    Q[:, upper[0], upper[1]] = rows[:, :pairs]
    Q[:, upper[1], upper[0]] = rows[:, :pairs]
    return Q, rows[:, pairs:pairs + K * M].reshape(-1, K, M).copy(), rows[:, pairs + K * M:].copy()


def _state(Q: npt.ArrayLike, R: npt.ArrayLike, T: npt.ArrayLike, v: npt.ArrayLike, A: npt.ArrayLike, eta: float, eta_v: float,
           noise: float, activation: str,
           small_rate: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, int, kernels.Activation]:
    code = _activation(activation)
    Q, R, T = _array(Q, 2, "Q"), _array(R, 2, "R"), _array(T, 2, "T")
    v, A = _array(v, 1, "v"), _array(A, 1, "A")
    K, M = v.size, A.size
    if K == 0 or M == 0:
        raise ArgumentError("student and teacher need at least one unit each")
    if Q.shape != (K, K) or R.shape != (K, M) or T.shape != (M, M):
        raise InputError(f"order parameters do not fit: Q {Q.shape}, R {R.shape}, T {T.shape} for K = {K}, M = {M}")
    C = np.block([[Q, R], [R.T, T]])
    if not np.allclose(C, C.T, rtol=1e-9, atol=1e-12):
        raise InputError("Q and T must be symmetric")
    if np.linalg.eigvalsh(C).min() < -1e-8 * max(1.0, np.abs(C).max()):
        raise InputError("Q, R, T are not the overlaps of vectors: the joint matrix is not positive semi-definite")
    if not (np.all(np.isfinite([eta, eta_v, noise])) and eta > 0 and eta_v >= 0 and noise >= 0):
        raise ArgumentError("learning_rate must be positive, readout_learning_rate and noise not negative, all finite")
    if activation == "relu" and not small_rate:
        raise ArgumentError("ReLU order parameters close only at small learning rate: pass small_rate=True")
    y = np.concatenate([Q[np.triu_indices(K)], R.ravel(), v])
    return y, T, A, K, M, code


def _activation(name: str) -> kernels.Activation:
    if name not in ACTIVATIONS:
        raise ArgumentError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {name!r}")
    return ACTIVATIONS[name]


def _array(x: npt.ArrayLike, ndim: int, name: str) -> np.ndarray:
    try:
        x = np.array(x, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise InputError(f"{name} must be an array of numbers") from None
    if x.ndim != ndim:
        raise InputError(f"{name} must have {ndim} dimension(s), not shape {x.shape}")
    if not np.all(np.isfinite(x)):
        raise InputError(f"{name} has entries that are not finite")
    return x
