"""Loss, gradient and Hessian of two-layer erf students of the graded teacher, in NumPy.

    student  f(x) = Σ_i v_i g(w_i·x),   teacher  y(x) = Σ_m A_m g(b e_m·x),   g(z) = erf(z/√2),   x ~ N(0, I)
    L = ½ ⟨(f − y)²⟩ = ½ Σ_ab u_a u_b I2(a, b),   u = (v, −A)

A state is (v_1 … v_K, w_1 … w_K), directions of D coordinates of which the first M are the teacher's; D = M + 1 is
enough to see every direction: all coordinates outside the teacher's span are alike. The gradient is a composition of
analytic functions, so that a step of 10⁻³⁰ i gives the Hessian without cancellation (complex-step derivative).

Source: Saad & Solla 1995 for the integrals; the rest derived here (``theory.span.derive``). This is a second program,
independent of the compiled kernels of ``toy.graded_teacher``.
"""

import numpy as np


def gradient(state: np.ndarray, strengths: np.ndarray, norm: float, width: int) -> np.ndarray:
    """∂L/∂(v, w), same shape as ``state`` (…, width (1 + D)); complex states are allowed."""
    A = np.asarray(strengths, dtype=np.float64)
    lead, K, M = state.shape[:-1], width, A.size
    D = state.shape[-1] // K - 1
    v, W = state[..., :K], state[..., K:].reshape((*lead, K, D))
    X = np.concatenate([W, np.broadcast_to(norm * np.eye(M, D), (*lead, M, D))], axis=-2)
    u = np.concatenate([v, np.broadcast_to(-A, (*lead, M))], axis=-1)[..., None, :]
    C = W @ np.swapaxes(X, -1, -2)
    q = 1 + np.sum(X * X, axis=-1)
    own, other = q[..., :K, None], q[..., None, :]
    by_output = np.sum(u * (2 / np.pi) * np.arcsin(C / np.sqrt(own * other)), axis=-1)
    S = v[..., None] * u * (2 / np.pi) / np.sqrt(own * other - C * C)
    by_direction = S @ X - np.sum(S * C, axis=-1)[..., None] / own * W
    return np.concatenate([by_output, by_direction.reshape((*lead, K * D))], axis=-1)


def loss(state: np.ndarray, strengths: np.ndarray, norm: float, width: int) -> float:
    """L of one state."""
    A = np.asarray(strengths, dtype=np.float64)
    D = state.size // width - 1
    X = np.concatenate([state[width:].reshape(width, D), norm * np.eye(A.size, D)])
    u = np.concatenate([state[:width], -A])
    C = X @ X.T
    root = np.sqrt(1 + np.diag(C))
    return float(0.5 * u @ ((2 / np.pi) * np.arcsin(C / np.outer(root, root))) @ u)


def hessian(state: np.ndarray, strengths: np.ndarray, norm: float, width: int) -> np.ndarray:
    """∂²L of one state, (n, n), symmetric."""
    h = 1e-30
    H = gradient(state + 1j * h * np.eye(state.size), strengths, norm, width).imag / h
    return (H + H.T) / 2
