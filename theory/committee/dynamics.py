"""Typed functions on top of the kernels: states, derivatives, trajectories, generalisation error."""

from dataclasses import dataclass

import numpy as np

from lab.arrays import floats
from lab.errors import ArgumentError, InputError
from lab.names import renamed
from lab.results import Results
from theory.committee import kernels

ACTIVATIONS = {"erf": kernels.ERF, "relu": kernels.RELU}
STATUS = ("done", "steady", "diverged", "step limit")


@dataclass(frozen=True)
class Trajectory(Results, axes="times error: moment; Q: moment unit other_unit; R: moment unit teacher_unit; v: moment unit",
                 rows="moment", picture="error ~ times", theory=True):
    """Order parameters at the requested times.

    Attributes
    ----------
    times : (S,) in units of N steps.
    Q : (S, K, K) student–student overlaps.
    R : (S, K, M) student–teacher overlaps.
    v : (S, K) output weights.
    error : (S,) generalisation error ½ <(y − ŷ)²> without the noise σ²/2.
    status : "done"; "steady" (rates fell below ``steady``, later rows repeat the last state); "diverged" or "step
        limit" (later rows are NaN).
    time : where the integration ended.
    steps : steps tried by the integrator.
    """

    times: np.ndarray
    Q: np.ndarray
    R: np.ndarray
    v: np.ndarray
    error: np.ndarray
    status: str
    time: float
    steps: int


def order_parameters(W, B) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Q = WWᵀ/N, R = WBᵀ/N, T = BBᵀ/N.

    Parameters
    ----------
    W : array (K, N), student weights.
    B : array (M, N), teacher weights.

    Returns
    -------
    Q (K, K), R (K, M), T (M, M).

    Raises
    ------
    InputError : shapes that do not match, or entries that are not finite.

    Source: Saad & Solla (1995).
    """
    W, B = _array(W, 2, "W"), _array(B, 2, "B")
    if W.shape[1] != B.shape[1] or W.shape[1] == 0:
        raise InputError(f"student and teacher see inputs of different dimension: W {W.shape}, B {B.shape}")
    N = W.shape[1]
    return W @ W.T / N, W @ B.T / N, B @ B.T / N


def generalisation_error(Q, R, T, v, A, activation: str = "erf"):
    """eg = ½ uᵀ I2 u, u = (v, −A): half the mean squared difference of student and noiseless teacher.

    Parameters
    ----------
    Q : array (..., K, K); R : array (..., K, M); T : array (M, M); v : array (..., K); A : array (M,).
    activation : "erf" or "relu".

    Returns
    -------
    float, or array of the leading shape; ≥ 0 up to rounding (1e-16 × Σ|u|²).

    Raises
    ------
    InputError : shapes, NaN, unknown activation.

    Source: Saad & Solla (1995); Goldt et al. (2019), arXiv 1906.08632.
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
def derivatives(Q, R, T, v, A, *, learning_rate: float = 1.0, readout_learning_rate: float | None = None,
                noise: float = 0.0, activation: str = "erf",
                small_rate: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dQ/dt, dR/dt, dv/dt) at one state; arguments as in :func:`integrate`.

    Raises
    ------
    InputError : as :func:`integrate`.

    Source: Saad & Solla (1995); Goldt et al. (2019), eqs. for two trained layers.
    """
    eta, eta_v = learning_rate, learning_rate if readout_learning_rate is None else readout_learning_rate
    y, T, A, K, M, code = _state(Q, R, T, v, A, eta, eta_v, noise, activation, small_rate)
    n = K + M
    dy = np.empty_like(y)
    pairs = n * (n + 1) // 2
    kernels.rhs(y, dy, K, M, code, small_rate, float(eta), float(eta_v), float(noise) ** 2,
                T, A, np.empty((n, n)), np.empty((K, n)), np.empty(K), np.empty(n), np.empty((3, n)), np.empty(pairs),
                np.empty(pairs))
    dQ, dR, dv = _unpack(dy[None], K, M)
    return dQ[0], dR[0], dv[0]


@renamed(eta="learning_rate", eta_v="readout_learning_rate", sigma="noise")
def integrate(Q, R, T, v, A, times, *, learning_rate: float = 1.0, readout_learning_rate: float | None = None,
              noise: float = 0.0, activation: str = "erf", small_rate: bool = False, rtol: float = 1e-8, atol: float = 1e-10,
              steady: float = 0.0, max_steps: int = 1_000_000) -> Trajectory:
    """Integrate the order-parameter equations from the state (Q, R, v) at times[0].

    Parameters
    ----------
    Q : array (K, K), student overlaps; R : array (K, M), student–teacher; T : array (M, M), teacher.
    v : array (K,), output weights of the student; A : array (M,), of the teacher.
    times : increasing array (S,), in units of N steps of online SGD; the first is the start.
    learning_rate : η of the first layer (> 0); for ``small_rate`` it only sets the unit of time.
    readout_learning_rate : η_v of the second layer (default: learning_rate; 0: first layer only).
    noise : σ, standard deviation of the label noise (irrelevant for ``small_rate``).
    activation : "erf", or "relu" (``small_rate`` only: its I4 has no elementary form).
    small_rate : leave out the terms of order η²: population gradient flow.
    rtol, atol : error per step.
    steady : stop when max |d/dt| of all order parameters falls to this value (0: never).
    max_steps : of the integrator.

    Returns
    -------
    Trajectory

    Raises
    ------
    InputError : shapes, NaN, a (Q, R, T) that is no covariance, negative rates, ReLU at finite rate.

    Source: Saad & Solla (1995); Goldt et al. (2019), arXiv 1906.08632, eqs. 11–13.
    """
    eta, eta_v = learning_rate, learning_rate if readout_learning_rate is None else readout_learning_rate
    y, T, A, K, M, code = _state(Q, R, T, v, A, eta, eta_v, noise, activation, small_rate)
    times = _array(times, 1, "times")
    if times.size == 0 or np.any(np.diff(times) < 0):
        raise ArgumentError("times must be an increasing array with at least one entry")
    if not (rtol > 0 and atol > 0 and steady >= 0 and max_steps >= 1):
        raise ArgumentError("rtol and atol must be positive, steady not negative, max_steps at least 1")
    saved = np.empty((times.size, y.size))
    status, time, steps = kernels.dopri5(
        y, times, saved, K, M, code, small_rate, float(eta), float(eta_v),
        float(noise) ** 2, T, A, float(rtol), float(atol), float(steady), int(max_steps))
    Q, R, v = _unpack(saved, K, M)
    return Trajectory(times, Q, R, v, generalisation_error(Q, R, T, v, A, activation), STATUS[status], time, steps)


def _unpack(rows, K, M):
    pairs = K * (K + 1) // 2
    Q = np.empty((rows.shape[0], K, K))
    upper = np.triu_indices(K)
    Q[:, upper[0], upper[1]] = rows[:, :pairs]
    Q[:, upper[1], upper[0]] = rows[:, :pairs]
    return Q, rows[:, pairs:pairs + K * M].reshape(-1, K, M).copy(), rows[:, pairs + K * M:].copy()


def _state(Q, R, T, v, A, eta, eta_v, noise, activation, small_rate):
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
        raise InputError("Q, R, T are no overlaps of vectors: the joint matrix is not positive semi-definite")
    if not (np.all(np.isfinite([eta, eta_v, noise])) and eta > 0 and eta_v >= 0 and noise >= 0):
        raise ArgumentError("learning_rate must be positive, readout_learning_rate and noise not negative, all finite")
    if activation == "relu" and not small_rate:
        raise ArgumentError("ReLU order parameters close only at small learning rate: pass small_rate=True")
    y = np.concatenate([Q[np.triu_indices(K)], R.ravel(), v])
    return y, T, A, K, M, code


def _activation(name):
    if name not in ACTIVATIONS:
        raise ArgumentError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {name!r}")
    return ACTIVATIONS[name]


def _array(x, ndim, name):
    try:
        x = np.array(x, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise InputError(f"{name} must be an array of numbers") from None
    if x.ndim != ndim:
        raise InputError(f"{name} must have {ndim} dimension(s), not shape {x.shape}")
    if not np.all(np.isfinite(x)):
        raise InputError(f"{name} has entries that are not finite")
    return x
