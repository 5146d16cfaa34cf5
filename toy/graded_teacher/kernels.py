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
from numba import njit

from lab.flow import LANES, RHS
from lab.lanes import asin_and_secant, load, rsqrt, splat, store


def pack(strengths, direction_norm: float, width: int, dim: int) -> np.ndarray:
    """The model's constants as the kernel wants them: K, M, d, b, p_teacher, ½⟨y²⟩, A_1 … A_M."""
    strengths = np.asarray(strengths, dtype=np.float64)
    square = direction_norm**2
    own = np.sum(strengths**2) * (2 / math.pi) * math.asin(square / (1 + square))  # orthogonal units do not mix
    return np.array([width, strengths.size, dim, direction_norm, 1 / math.sqrt(1 + square), 0.5 * own, *strengths])


def work_rows(strengths, width: int) -> int:
    """Rows of scratch that :func:`descent` needs."""
    return width * (width + np.size(strengths) + 4)


@njit(RHS, cache=True, error_model="numpy")
def descent(params, work, y, out, value):
    """out <- −∇L, value <- L for eight students; ``lab.flow.RHS``."""
    K, M, d = int(params[0]), int(params[1]), int(params[2])
    norm, p_teacher, own = params[3], params[4], params[5]
    two_over_pi = 2.0 / math.pi
    # rows of work: pair coefficients S[i, k] (k < i), teacher coefficients, p_i, C_ii, Σ_b s_ib C_ib, Σ_b u_b asin ξ_ib
    teacher_at, p_at = K * K, K * (K + M)
    c_at, tilt_at, amp_at = p_at + K, p_at + 2 * K, p_at + 3 * K
    zero = splat(0.0)
    total = zero

    for i in range(K):
        c = zero
        for j in range(d):
            w = load(y, K + i * d + j)
            c += w * w
        store(work, c_at + i, c)
        store(work, p_at + i, rsqrt(1.0 + c))

    for i in range(K):
        v, p, row = load(y, i), load(work, p_at + i), K + i * d
        vp = v * p
        # with itself: w_i − C_ii p_i² w_i = p_i² w_i
        c = load(work, c_at + i)
        angle, secant = asin_and_secant(c * p * p)
        amp = v * angle
        store(work, i * K + i, vp * vp * p * p * secant)
        tilt = zero
        for k in range(i):
            c = zero
            for j in range(d):
                c += load(y, row + j) * load(y, K + k * d + j)
            vk, pk = load(y, k), load(work, p_at + k)
            angle, secant = asin_and_secant(c * p * pk)
            amp += vk * angle
            s = vp * vk * pk * secant
            sc = s * c
            tilt += sc
            store(work, amp_at + k, load(work, amp_at + k) + v * angle)
            store(work, tilt_at + k, load(work, tilt_at + k) + sc)
            store(work, i * K + k, s)
            store(work, k * K + i, s)
        overlap = zero
        for m in range(M):
            c = norm * load(y, row + m)
            angle, secant = asin_and_secant(c * p * p_teacher)
            overlap += params[6 + m] * angle
            s = vp * (secant * (-p_teacher * params[6 + m]))
            tilt += s * c
            store(work, teacher_at + i * M + m, s * norm)
        store(work, amp_at + i, amp - overlap)
        store(work, tilt_at + i, tilt)
        total -= v * overlap  # the teacher's half of 2L − ⟨y²⟩

    for i in range(K):
        v, p, row = load(y, i), load(work, p_at + i), K + i * d
        amp = load(work, amp_at + i)
        total += v * amp
        store(out, i, amp * (-two_over_pi))
        own_coefficient = load(work, i * K + i) - load(work, tilt_at + i) * p * p
        store(work, i * K + i, own_coefficient)
        j = 0
        while j + 4 <= d:
            g0, g1, g2, g3 = zero, zero, zero, zero
            for k in range(K):
                s = load(work, i * K + k)
                at = K + k * d + j
                g0 += s * load(y, at)
                g1 += s * load(y, at + 1)
                g2 += s * load(y, at + 2)
                g3 += s * load(y, at + 3)
            store(out, row + j, g0 * (-two_over_pi))
            store(out, row + j + 1, g1 * (-two_over_pi))
            store(out, row + j + 2, g2 * (-two_over_pi))
            store(out, row + j + 3, g3 * (-two_over_pi))
            j += 4
        while j < d:
            g0 = zero
            for k in range(K):
                g0 += load(work, i * K + k) * load(y, K + k * d + j)
            store(out, row + j, g0 * (-two_over_pi))
            j += 1
        for m in range(M):
            store(out, row + m, load(out, row + m) - load(work, teacher_at + i * M + m) * two_over_pi)

    store(work, 0, total)
    for lane in range(LANES):
        value[lane] = own + work[0, lane] / math.pi
