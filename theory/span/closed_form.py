"""Loss, gradient and Hessian of two-layer erf students of the graded teacher, in NumPy.

    student  f(x) = Σ_i v_i g(w_i·x),   teacher  y(x) = Σ_m A_m g(b e_m·x),   g(z) = erf(z/√2),   x ~ N(0, I)
    L = ½ ⟨(f − y)²⟩ = ½ Σ_ab u_a u_b I2(a, b),   u = (v, −A)

A state is (v_1 … v_K, w_1 … w_K), with directions of D coordinates, the first M of which are the teacher's. D = M + 1 covers
all directions, since all coordinates outside the teacher's span are equivalent.

Scale. L(λv, w; λA) = λ² L(v, w; A). So critical points scale with the strengths (v* → λ v*, w* and all span errors
unchanged, L* → λ² L*) and keep their type: ∇²L becomes D ∇²L D with D = 1 on v and λ on w, whose eigenvalues have the
same signs. The plain gradient flow does not scale. With v = λ ṽ and L = λ² L̃ it reads

    dṽ/dt = −∂L̃/∂ṽ,    dw/dt = −λ² ∂L̃/∂w:

directions learn λ² times as fast relative to the outputs, and no rescaling of time or of the start undoes that, since g
is not homogeneous in w. All of theory and simulation is therefore stated in units of the largest strength λ = max |A_m|
(:func:`in_units`): the problem is solved for A/λ, with its own times, curvatures, tolerances and scale of starts, and outputs
are multiplied by λ and losses by λ² at the end. In the units of A the flow is dv/dt = −∂L/∂v, dw/dt = −λ⁻² ∂L/∂w from starts
v ~ N(0, λ²σ²), w ~ N(0, σ²); for a largest strength of 1 it is the plain flow. Derived here.

Source: Saad & Solla 1995 for the integrals; everything else is derived here (``theory.span.derive``). The code is independent of
the compiled kernels of ``toy.graded_teacher``.
"""

import numpy as np
import numpy.typing as npt

from lab import checks
from lab.arrays import floats
from lab.errors import ArgumentError

NORMS = (1e-3, 1e3)  # range of the teacher's norms: beyond it, units are linear, or step functions, within the tolerances


def in_units(strengths: npt.ArrayLike) -> tuple[np.ndarray, float]:
    """|A_m| in units of the largest, shape (M,), and that largest strength λ.

    Raises
    ------
    InputError
        No strengths, a strength that is 0 or not finite, or a largest one whose square over- or underflows.
    """
    A = np.abs(checks.real_numbers("strengths", strengths))
    if np.any(A == 0):
        raise ArgumentError("strengths must be numbers other than 0", "strengths")
    unit = float(A.max())
    if not 1e-150 <= unit <= 1e150:
        raise ArgumentError(f"the largest of strengths must lie in 1e-150 ... 1e150, got {unit:g}: losses are its square",
                            "strengths")
    return A / unit, unit


def check_norm(direction_norm: float) -> None:
    """Refuse a norm b of the teacher's directions outside ``NORMS``."""
    checks.real_number("direction_norm", direction_norm, least=NORMS[0], most=NORMS[1])


def _parts(state: np.ndarray, strengths: npt.ArrayLike, norm: float, width: int) -> tuple[np.ndarray, ...]:
    """v, W, all directions X = (W, b e), u = (v, −A), C = W X^T and q = 1 + |x|²."""
    A = floats(strengths, "strengths")
    D = state.size // width - 1
    v, W = state[:width], state[width:].reshape(width, D)
    X, u = np.concatenate([W, norm * np.eye(A.size, D)]), np.concatenate([v, -A])
    return v, W, X, u, W @ X.T, 1 + (X * X).sum(1)


def gradient(state: np.ndarray, strengths: npt.ArrayLike, norm: float, width: int) -> np.ndarray:
    """∂L/∂(v, w), same shape as ``state``, (width (1 + D),); a complex state is allowed."""
    v, W, X, u, C, q = _parts(state, strengths, norm, width)
    own = q[:width, None]
    product = own * q
    by_output = (2 / np.pi) * (np.arcsin(C / np.sqrt(product)) @ u)
    S = (2 / np.pi) * v[:, None] * u / np.sqrt(product - C * C)
    by_direction = S @ X - (S * C).sum(1)[:, None] / own * W
    return np.concatenate([by_output, by_direction.ravel()])


def loss(state: np.ndarray, strengths: npt.ArrayLike, norm: float, width: int) -> float:
    """L of one state."""
    A = floats(strengths, "strengths")
    D = state.size // width - 1
    X = np.concatenate([state[width:].reshape(width, D), norm * np.eye(A.size, D)])
    u = np.concatenate([state[:width], -A])
    C = X @ X.T
    root = np.sqrt(1 + np.diag(C))
    return float(0.5 * u @ ((2 / np.pi) * np.arcsin(C / np.outer(root, root))) @ u)


def hessian(state: np.ndarray, strengths: npt.ArrayLike, norm: float, width: int) -> np.ndarray:
    """∂²L of one state, (n, n), symmetric: the derivative of :func:`gradient`, pair by pair.

    With q_a = 1 + |x_a|², R² = q_i q_j − C², S_ij = (2/π) v_i u_j/R and t_ij = x_j − (C/q_i) w_i the gradient is

        ∂L/∂v_i = Σ_j u_j (2/π) arcsin(C/√(q_i q_j)),    ∂L/∂w_i = Σ_j S_ij t_ij,

    and ∂arcsin/∂w_i = t_ij/R,  ∂S_ij/∂w_i = −(q_j/R²) S_ij t_ji.
    """
    v, W, X, u, C, q = _parts(state, strengths, norm, width)
    K, D = W.shape
    own = q[:K, None]
    square = own * q - C * C
    slope = (2 / np.pi) / np.sqrt(square)
    S = np.outer(v, u) * slope
    t = X - (C / own)[:, :, None] * W[:, None, :]  # t_ij
    back = W[:, None, :] - (C / q)[:, :, None] * X  # t_ji
    each, unit = np.arange(K), np.eye(D)

    by_output = (u[:K] * slope[:, :K])[:, :, None] * back[:, :K]  # ∂²L/∂v_i ∂w_j, the pair's other side
    by_output[each, each] += np.sum((u * slope)[:, :, None] * t, axis=1)
    # ∂²L/∂w_i ∂w_j of two different neurons; the block of a neuron with itself, where both sides move, comes next
    outer = W[:, :, None] * W[:, None, :]
    between = S[:, :K, None, None] * (unit - (outer / own[:, :, None])[:, None]
                                      - (own / square[:, :K])[:, :, None, None] * t[:, :K, :, None] * t[:, :K, None, :])
    S[each, each] = 0.0
    weight = S * C / own
    alone = (-np.sum(weight, axis=1)[:, None, None] * unit + 2 * (np.sum(weight, axis=1)[:, None] / own)[:, :, None] * outer
             - W[:, :, None] * (S @ X / own)[:, None, :]
             - np.swapaxes((S * q / square)[:, :, None] * t, 1, 2) @ back)
    own = q[:K]
    itself = (2 / np.pi) * v * v / np.sqrt(2 * own - 1) / own
    alone += itself[:, None, None] * (unit - (2 / (2 * own - 1) + 2 / own)[:, None, None] * outer)
    between[each, each] = alone

    H = np.empty((state.size, state.size))
    H[:K, :K] = (2 / np.pi) * np.arcsin(C[:, :K] / np.sqrt(np.outer(own, own)))
    H[:K, K:] = by_output.reshape(K, K * D)
    H[K:, :K] = H[:K, K:].T
    H[K:, K:] = np.swapaxes(between, 1, 2).reshape(K * D, K * D)
    return (H + H.T) / 2
