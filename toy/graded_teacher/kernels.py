"""Loss and gradient of two-layer erf students of a graded teacher, in closed form, eight students at a time.

    student  f(x) = Σ_i v_i g(w_i·x),   teacher  y(x) = Σ_m A_m g(b e_m·x),   g(z) = erf(z/√2),   x ~ N(0, I_d)
    L = ½ ⟨(f − y)²⟩ = ½ Σ_ab u_a u_b I2(a, b),   u = (v, −A),   I2(a, b) = (2/π) asin( C_ab / √((1+C_aa)(1+C_bb)) )
    ∂L/∂v_i = Σ_b u_b I2(i, b)
    ∂L/∂w_i = v_i Σ_b u_b (2/π)/√Λ_ib [w_b − C_ib/(1+C_ii) w_i],   Λ_ib = (1+C_ii)(1+C_bb) − C_ib²

C is the Gram matrix of all directions. With p_a = 1/√(1+C_aa) and ξ = C_ab p_a p_b: I2 = (2/π) asin ξ and
1/√Λ = p_a p_b/√(1−ξ²). The law of x is the same in every direction, so the teacher's orthogonal directions are taken
along the first M axes and the student's overlap with them is b times a coordinate.

A state is ``(v_1 … v_K, w_1 …  w_K)`` with n = K (1 + d) coordinates; constants are packed by :func:`pack`.
"""

import math

import numpy as np

from lab.arrays import floats
from lab.compiled import njit
from lab.flow import LANES, RHS
from lab.vector import load, splat, store
from lab.vector_math import asin_and_secant, rsqrt


def pack(strengths, direction_norm: float, width: int, dim: int) -> np.ndarray:
    """The model's constants as the kernel wants them: K, M, d, b, p_teacher, ½⟨y²⟩, A_1 … A_M."""
    strengths = floats(strengths, "strengths")
    square = direction_norm**2
    own = np.sum(strengths**2) * (2 / math.pi) * math.asin(square / (1 + square))  # orthogonal units do not mix
    return np.array([width, strengths.size, dim, direction_norm, 1 / math.sqrt(1 + square), 0.5 * own, *strengths])


def work_rows(strengths, width: int) -> int:
    """Rows of scratch that :func:`descent` needs."""
    return width * (width + np.size(strengths) + 3)


@njit(forceinline=True, error_model="numpy")
def _gram(work, y, K, d):
    """work[i K + k] <- w_i·w_k for k ≤ i, four columns at a time: five loads for four multiplications."""
    zero = splat(0.0)
    for i in range(K):
        row, k = K + i * d, 0
        while k + 4 <= i + 1:
            at = K + k * d
            c0, c1, c2, c3 = zero, zero, zero, zero
            for j in range(d):
                w = load(y, row + j)
                c0 += w * load(y, at + j)
                c1 += w * load(y, at + d + j)
                c2 += w * load(y, at + 2 * d + j)
                c3 += w * load(y, at + 3 * d + j)
            store(work, i * K + k, c0)
            store(work, i * K + k + 1, c1)
            store(work, i * K + k + 2, c2)
            store(work, i * K + k + 3, c3)
            k += 4
        while k <= i:
            c0 = zero
            for j in range(d):
                c0 += load(y, row + j) * load(y, K + k * d + j)
            store(work, i * K + k, c0)
            k += 1


@njit(forceinline=True, error_model="numpy")
def _mix(work, y, out, K, d):
    """out[w_i] <- −(2/π) Σ_k S[i, k] w_k, in tiles of two neurons and four coordinates."""
    zero, scale = splat(0.0), -2.0 / math.pi
    for i in range(0, K - 1, 2):
        row, j = K + i * d, 0
        while j + 4 <= d:
            a0, a1, a2, a3 = zero, zero, zero, zero
            b0, b1, b2, b3 = zero, zero, zero, zero
            at = K + j
            for k in range(K):
                s, r = load(work, i * K + k), load(work, (i + 1) * K + k)
                w = load(y, at)
                a0, b0 = a0 + s * w, b0 + r * w
                w = load(y, at + 1)
                a1, b1 = a1 + s * w, b1 + r * w
                w = load(y, at + 2)
                a2, b2 = a2 + s * w, b2 + r * w
                w = load(y, at + 3)
                a3, b3 = a3 + s * w, b3 + r * w
                at += d
            store(out, row + j, a0 * scale)
            store(out, row + j + 1, a1 * scale)
            store(out, row + j + 2, a2 * scale)
            store(out, row + j + 3, a3 * scale)
            store(out, row + d + j, b0 * scale)
            store(out, row + d + j + 1, b1 * scale)
            store(out, row + d + j + 2, b2 * scale)
            store(out, row + d + j + 3, b3 * scale)
            j += 4
        while j < d:
            a0, b0 = zero, zero
            for k in range(K):
                w = load(y, K + k * d + j)
                a0, b0 = a0 + load(work, i * K + k) * w, b0 + load(work, (i + 1) * K + k) * w
            store(out, row + j, a0 * scale)
            store(out, row + d + j, b0 * scale)
            j += 1
    if K % 2 == 1:
        i = K - 1
        for j in range(d):
            a0 = zero
            for k in range(K):
                a0 += load(work, i * K + k) * load(y, K + k * d + j)
            store(out, K + i * d + j, a0 * scale)


@njit(RHS, cache=True, error_model="numpy")
def descent(params, work, y, out, value):
    """out <- −∇L, value <- L for eight students; ``lab.flow.RHS``.

    ``params`` by :func:`pack`; rows of ``work``: Gram matrix, then S[i, k] = v_i v_k p_i p_k/√(1−ξ²) (K K); the same with the
    teacher's units (K M); p_i; the *tilt* Σ_b S_ib C_ib; the *amplitude* Σ_b u_b asin ξ_ib (K each).

    Plain twin: ``loss_and_gradient`` in tests/naive_graded.py.
    """
    K, M, d = int(params[0]), int(params[1]), int(params[2])
    norm, p_teacher, own = params[3], params[4], params[5]
    two_over_pi = 2.0 / math.pi
    teacher_at, p_at = K * K, K * (K + M)
    tilt_at, amp_at = p_at + K, p_at + 2 * K
    zero = splat(0.0)
    total = zero

    # 1. C_ik = w_i·w_k and p_i = 1/√(1+C_ii)
    _gram(work, y, K, d)
    for i in range(K):
        store(work, p_at + i, rsqrt(1.0 + load(work, i * K + i)))

    # 2. every pair once: angle asin ξ for L and ∂L/∂v, secant 1/√(1−ξ²) for ∂L/∂w
    for i in range(K):
        v, p, row = load(y, i), load(work, p_at + i), K + i * d
        vp = v * p
        # with itself: w_i − C_ii p_i² w_i = p_i² w_i
        angle, secant = asin_and_secant(load(work, i * K + i) * p * p)
        amp, tilt = v * angle, zero
        store(work, i * K + i, vp * vp * p * p * secant)
        # with the units before it, whose sums grow, too
        for k in range(i):
            c, vk, pk = load(work, i * K + k), load(y, k), load(work, p_at + k)
            angle, secant = asin_and_secant(c * p * pk)
            amp += vk * angle
            s = vp * vk * pk * secant
            sc = s * c
            tilt += sc
            store(work, amp_at + k, load(work, amp_at + k) + v * angle)
            store(work, tilt_at + k, load(work, tilt_at + k) + sc)
            store(work, i * K + k, s)
            store(work, k * K + i, s)
        # with the teacher: C_im = b w_im
        overlap, scaled, vq = zero, norm * p, vp * (-p_teacher)
        for m in range(M):
            w, A = load(y, row + m), params[6 + m]
            angle, secant = asin_and_secant(w * scaled * p_teacher)
            overlap += A * angle
            s = vq * (secant * (A * norm))
            tilt += s * w
            store(work, teacher_at + i * M + m, s)
        store(work, amp_at + i, amp - overlap)
        store(work, tilt_at + i, tilt)
        total -= v * overlap  # the teacher's half of 2L − ⟨y²⟩

    # 3. ∂L/∂v_i, and −C_ik/(1+C_ii) w_i of all pairs as one more term on the diagonal of S
    for i in range(K):
        p, amp, at = load(work, p_at + i), load(work, amp_at + i), i * K + i
        total += load(y, i) * amp
        store(out, i, amp * (-two_over_pi))
        store(work, at, load(work, at) - load(work, tilt_at + i) * p * p)
    # 4. ∂L/∂w_i = (2/π) (Σ_k S_ik w_k + Σ_m S_im b e_m)
    _mix(work, y, out, K, d)
    for i in range(K):
        row = K + i * d
        for m in range(M):
            store(out, row + m, load(out, row + m) - load(work, teacher_at + i * M + m) * two_over_pi)

    store(work, 0, total)
    for lane in range(LANES):
        value[lane] = own + work[0, lane] / math.pi
