"""Final generalisation errors of erf students under label noise, and their range of validity.

Near any student that equals the teacher (output error zero) the deviations per direction, X, obey

    dX/dt = −η (H X + X H) + η² [ J(X) + σ² H ],     H_ik = v_i v_k J2(i,k),
    J(X)_ik = v_i v_k Σ_ab v_a v_b <g'(i) g'(k) g'(a) g'(b)> X_ab,      eg = ½ tr(H X),

derived by ``python -m theory derive committee-final-general``. Hence, to first order in σ²:

* small η: eg* = (η σ²/4) tr H = (η σ²/4) Σ_i v_i² J2(i,i);
  first layer only, v = A = 1, T = 1, K = M + L: σ²η/(2π) (L + M/√3);
  both layers, K = Z M copies: σ²η M²/(2π√3 K);
* any η below the largest stable rate η_c: one linear system (:func:`final_error`).

Range of validity.

* η ≪ η_c (:func:`critical_rate`; one student, one teacher: π √(4S+1)/(v² √(2S+1)) = 4.06 at S = v = 1) for the formulas
  of first order; :func:`final_error` removes this limit.
* ησ² small: the noise also shifts the fixed point and anharmonicity enters (``derive committee-next-order``). Share of
  the next order: first layer only, K = M: −ησ²/12 for M = 1, −25ησ²/84 for M = 2; both layers, Z copies: −7.25 ησ²/Z for
  M = 1, −16.9 ησ²/Z for M = 2, since v and the norm of w nearly compensate. So at σ = 1 the first-order value for both
  layers is 6 % (M = 1) and 11 % (M = 2) too high at η = 0.01 and useless beyond η ≈ 0.1.
* L ≥ 2, first layer only: pairs of superfluous students are driven apart along w, −w, where they cancel
  (:func:`pair_drift`). The value with L is a plateau that lasts about π ln(1/Q0)/(2η²σ²) (:func:`pair_lifetime`), Q0 the
  squared norm the pair starts from; then eg falls towards the value without the pair. For L = 1 there is no such
  direction and the value lasts while ησ² is small.

Source: the two special cases are Goldt et al. (2019), arXiv 1906.08632; the rest is derived here.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lab import checks
from lab.arrays import floats
from lab.docstrings import arguments_as_in
from lab.errors import ArgumentError, InputError
from lab.names import renamed
from theory.committee.dynamics import _array
from theory.gaussian import erf_j2


@renamed(eta="learning_rate", sigma="noise")
def final_error_first_layer(M: int, L: int, learning_rate: npt.ArrayLike, noise: npt.ArrayLike) -> Any:
    """σ²η/(2π) (L + M/√3): final error with the first layer trained, v = A = 1, T = 1, K = M + L, first order in η.

    For L ≥ 2 it is a plateau, see the module's text.

    Parameters
    ----------
    M : int ≥ 1
        Units of the teacher.
    L : int ≥ 0
        Superfluous units of the student.
    learning_rate : float > 0, or array of them
        η.
    noise : float ≥ 0, or array of them
        σ, standard deviation of the label noise.

    Returns
    -------
    float, or float array of the common shape
        The error eg*.

    Raises
    ------
    InputError
        If a count or a rate is out of range.

    References
    ----------
    Goldt et al. (2019), arXiv 1906.08632; derived in ``theory.committee.derive`` (committee-final-first-layer).

    Examples
    --------
    >>> round(final_error_first_layer(M=2, L=1, learning_rate=0.1, noise=0.5), 5)
    0.00857
    """
    _counts(M=(M, 1), L=(L, 0))
    eta, sigma = _rates(learning_rate, noise)
    return _plain(sigma**2 * eta / (2 * math.pi) * (L + M / math.sqrt(3)))


@renamed(eta="learning_rate", sigma="noise")
def final_error_copies(M: int, K: int, learning_rate: npt.ArrayLike, noise: npt.ArrayLike) -> Any:
    """σ²η M²/(2π√3 K): final error of K = Z M students with both layers trained, Z copies of every teacher unit, A = 1.

    It is of first order in ησ²; the share of the next order is −7.25 ησ²/Z for M = 1 and −16.9 ησ²/Z for M = 2.

    Parameters
    ----------
    M : int ≥ 1
        Units of the teacher.
    K : int ≥ 1
        Units of the student, a multiple of M.
    learning_rate : float > 0, or array of them
        η.
    noise : float ≥ 0, or array of them
        σ, standard deviation of the label noise.

    Returns
    -------
    float, or float array of the common shape
        The error eg*.

    Raises
    ------
    InputError
        If a count or a rate is out of range, or K is not a multiple of M.

    References
    ----------
    Goldt et al. (2019), arXiv 1906.08632; derived in ``theory.committee.derive`` (committee-final-copies).

    Examples
    --------
    >>> [round(final_error_copies(M=2, K=K, learning_rate=0.1, noise=0.5), 5) for K in (2, 4, 8)]
    [0.00459, 0.0023, 0.00115]
    """
    _counts(M=(M, 1), K=(K, 1))
    if K % M:
        raise ArgumentError(f"copies need K to be a multiple of M, not K = {K}, M = {M}")
    eta, sigma = _rates(learning_rate, noise)
    return _plain(sigma**2 * eta * M**2 / (2 * math.pi * math.sqrt(3) * K))


@renamed(eta="learning_rate", sigma="noise")
def final_error(Q: npt.ArrayLike, v: npt.ArrayLike, learning_rate: float, noise: float) -> float:
    """Final error near a student that equals the teacher: all orders in η, first order in σ².

    Parameters
    ----------
    Q : (K, K) array
        Overlaps of the student's units at the point of zero error (1 or 0 for copies of orthonormal teachers).
    v : (K,) array
        Output weights there.
    learning_rate : float > 0
        η of the first layer.
    noise : float ≥ 0
        σ, standard deviation of the label noise.

    Returns
    -------
    float
        The error eg*; infinite at the critical rate and above.

    Raises
    ------
    InputError
        If the shapes do not fit, a number is not finite, or a rate is out of range.

    References
    ----------
    Derived in ``theory.committee.derive`` (committee-final-general).

    Examples
    --------
    >>> [round(final_error([[1.0]], [1.0], eta, noise=0.5), 4) for eta in (0.1, 1.0, 4.5)]
    [0.0024, 0.0305, inf]
    """
    eta, sigma = (float(x) for x in _rates(learning_rate, noise))
    H, J = _noise_operators(Q, v)
    if J is None:
        return 0.0
    drift, spread, basis = J
    if eta >= _critical(drift, spread):
        return math.inf
    X = np.linalg.solve(drift - eta * spread, eta * sigma**2 * (basis.T @ H @ basis).ravel())
    return float(0.5 * np.dot((basis.T @ H @ basis).ravel(), X))


@arguments_as_in(final_error)
def critical_rate(Q: npt.ArrayLike, v: npt.ArrayLike) -> float:
    """Largest learning rate at which a student that equals the teacher is stable against its own noise.

    Parameters
    ----------

    Returns
    -------
    float > 0
        η_c; infinite if no student has an output weight.

    Raises
    ------
    InputError
        If the shapes do not fit, or a number is not finite.

    References
    ----------
    Derived in ``theory.committee.derive`` (committee-final-general); for K = M = 1 Saad & Solla (1995) find the same π√(5/3).

    Examples
    --------
    >>> round(critical_rate([[1.0]], [1.0]), 4), round(math.pi * math.sqrt(5 / 3), 4)
    (4.0558, 4.0558)
    """
    _, J = _noise_operators(Q, v)
    return math.inf if J is None else _critical(*J[:2])


@renamed(eta="learning_rate", sigma="noise")
def pair_drift(Q: npt.ArrayLike, learning_rate: npt.ArrayLike, noise: npt.ArrayLike) -> Any:
    """dQ/dt = 2 η²σ² Q/(π (1+2Q)^{3/2}): slow growth of two superfluous students that cancel each other (v = 1).

    Parameters
    ----------
    Q : float ≥ 0, or array of them
        Squared norm of either.
    learning_rate : float > 0, or array of them
        η.
    noise : float ≥ 0, or array of them
        σ, standard deviation of the label noise.

    Returns
    -------
    float, or float array of the common shape
        dQ/dt, per N steps.

    Raises
    ------
    InputError
        If Q is negative, or a rate is out of range.

    References
    ----------
    Derived in ``theory.committee.derive`` (committee-pair-drift).

    Examples
    --------
    >>> pair_drift([0.0, 0.1, 1.0], learning_rate=0.1, noise=1.0).round(5).tolist()
    [0.0, 0.00048, 0.00123]
    """
    Q = floats(Q, "Q")
    if not np.all(Q >= 0):
        raise ArgumentError("a squared norm cannot be negative")
    eta, sigma = _rates(learning_rate, noise)
    return _plain(2 * eta**2 * sigma**2 * Q / (math.pi * (1 + 2 * Q) ** 1.5))


@renamed(eta="learning_rate", sigma="noise")
def pair_lifetime(Q0: float, Q1: float, learning_rate: float, noise: float) -> float:
    """Time in which such a pair grows from squared norm Q0 to Q1: the integral of dQ over :func:`pair_drift`.

    Parameters
    ----------
    Q0 : float > 0
        Initial squared norm.
    Q1 : float ≥ Q0
        Final squared norm.
    learning_rate : float > 0
        η.
    noise : float > 0
        σ, standard deviation of the label noise.

    Returns
    -------
    float
        In units of N steps.

    Raises
    ------
    InputError
        If a number is out of range.

    Notes
    -----
    ∫ (1+2Q)^{3/2} dQ/Q = F(√(1+2Q)), F(r) = 2r³/3 + 2r + ln((r−1)/(r+1)).

    References
    ----------
    Derived in ``theory.committee.derive`` (committee-pair-drift).

    Examples
    --------
    >>> round(pair_lifetime(0.01, 0.5, learning_rate=0.1, noise=1.0))
    872
    """
    eta, sigma = (float(x) for x in _rates(learning_rate, noise))
    if not 0 < Q0 <= Q1 < math.inf or sigma == 0:
        raise ArgumentError("a lifetime needs 0 < Q0 ≤ Q1 and noise")

    def primitive(q):
        r = math.sqrt(1 + 2 * q)
        return 2 * r**3 / 3 + 2 * r + math.log(2 * q / (r + 1) ** 2)  # (r−1)/(r+1) without cancellation

    return math.pi / (2 * eta**2 * sigma**2) * (primitive(Q1) - primitive(Q0))


def _noise_operators(Q: npt.ArrayLike, v: npt.ArrayLike) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray] | None]:
    """H, and (drift, noise) acting on X.ravel() within the range of H, with that range's basis (None if H = 0)."""
    Q, v = _array(Q, 2, "Q"), _array(v, 1, "v")
    K = v.size
    if K == 0 or Q.shape != (K, K):
        raise InputError(f"Q must be K×K for K output weights, not {Q.shape} for {K}")
    index = np.arange(K)
    H = np.outer(v, v) * erf_j2(Q, index[:, None], index)
    values, vectors = np.linalg.eigh(H)
    basis = vectors[:, values > 1e-10 * max(values.max(), 1e-300)]
    rank = basis.shape[1]
    if rank == 0 or values.max() <= 0:
        return H, None
    four = np.stack(np.meshgrid(index, index, index, index, indexing="ij"), axis=-1)
    blocks = Q[four[..., :, None], four[..., None, :]] + np.eye(4)
    J4 = (2 / math.pi) ** 2 / np.sqrt(np.linalg.det(blocks)) * np.einsum("i,k,a,b->ikab", v, v, v, v)
    noise = np.einsum("ikab,ip,kq,ar,bs->pqrs", J4, basis, basis, basis, basis, optimize=True)
    h, one = basis.T @ H @ basis, np.eye(rank)
    drift = np.kron(h, one) + np.kron(one, h)
    return H, (drift, noise.reshape(rank**2, rank**2), basis)


def _critical(drift: np.ndarray, noise: np.ndarray) -> float:
    growth = np.linalg.eigvals(np.linalg.solve(drift, noise)).real.max()
    return math.inf if growth <= 0 else float(1.0 / growth)


def _counts(**counts):
    for name, (value, least) in counts.items():
        checks.whole_number(name, value, least)


def _rates(eta: npt.ArrayLike, sigma: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    eta, sigma = floats(eta, "learning_rate"), floats(sigma, "noise")
    if not (np.all(np.isfinite(eta)) and np.all(eta > 0) and np.all(np.isfinite(sigma)) and np.all(sigma >= 0)):
        raise ArgumentError("learning_rate must be positive and noise not negative, both finite")
    return eta, sigma


def _plain(x: np.ndarray) -> Any:
    return float(x) if np.ndim(x) == 0 else np.asarray(x)
