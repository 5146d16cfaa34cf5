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
from lab.vector_math import asin_and_secant, four_asins_and_secants, rsqrt
from lab.vector_tile import add_tile, no_sums, store_four


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
    """work[i K + k] <- w_i·w_k for k ≤ i (and all within a four): tiles, then the rows of the last one to three units."""
    whole = K // 4 * 4
    for i in range(0, whole, 4):
        for k in range(0, i + 1, 4):
            c0, c1, c2, c3 = add_tile(no_sums(), y, K + i * d, d, 1, y, K + k * d, 1, d, d)
            store_four(work, i * K + k, c0)
            store_four(work, (i + 1) * K + k, c1)
            store_four(work, (i + 2) * K + k, c2)
            store_four(work, (i + 3) * K + k, c3)
    for i in range(whole, K):
        for k in range(i + 1):
            c = splat(0.0)
            for j in range(d):
                c += load(y, K + i * d + j) * load(y, K + k * d + j)
            store(work, i * K + k, c)


@njit(forceinline=True, error_model="numpy")
def _put_row(work, out, at, taught, left, scale, c):
    """out[at …] <- scale (c + S_im b e_m): four coordinates, ``left`` of which have a unit of the teacher."""
    for j in range(4):
        x = c[0] if j == 0 else c[1] if j == 1 else c[2] if j == 2 else c[3]
        store(out, at + j, (x + load(work, taught + j)) * scale if j < left else x * scale)


@njit(forceinline=True, error_model="numpy")
def _mix(work, y, out, teacher_at, K, M, d):
    """out[w_i] <- −(2/π) (Σ_k S[i, k] w_k + Σ_m S[i, m] b e_m): tiles of 4×4, then the rest entry by entry."""
    scale = -2.0 / math.pi
    i = 0
    while i < K:
        four = i + 4 <= K
        j = 0
        while four and j + 4 <= d:
            c0, c1, c2, c3 = add_tile(no_sums(), work, i * K, K, 1, y, K + j, d, 1, K)
            at, taught = K + i * d + j, teacher_at + i * M + j
            _put_row(work, out, at, taught, M - j, scale, c0)
            _put_row(work, out, at + d, taught + M, M - j, scale, c1)
            _put_row(work, out, at + 2 * d, taught + 2 * M, M - j, scale, c2)
            _put_row(work, out, at + 3 * d, taught + 3 * M, M - j, scale, c3)
            j += 4
        last = i + 4 if four else K
        for a in range(i, last):
            for m in range(j, d):
                c = load(work, teacher_at + a * M + m) if m < M else splat(0.0)
                for k in range(K):
                    c += load(work, a * K + k) * load(y, K + k * d + m)
                store(out, K + a * d + m, c * scale)
        i = last


@njit(forceinline=True, error_model="numpy")
def _pair(work, y, at, K, k, c, angle, secant, v, vp, amp, tilt):
    """One pair of students, i (v_i, v_i p_i) and k: S in both its places, and this pair's part of amplitude and tilt of both."""
    amp_at, tilt_at, p_at, row, i = at
    vk = load(y, k)
    amp += vk * angle
    s = vp * vk * load(work, p_at + k) * secant
    sc = s * c
    store(work, amp_at + k, load(work, amp_at + k) + v * angle)
    store(work, tilt_at + k, load(work, tilt_at + k) + sc)
    store(work, row + k, s)
    store(work, k * K + i, s)
    return amp, tilt + sc


@njit(forceinline=True, error_model="numpy")
def _taught(work, at, A, norm, w, angle, secant, vq, overlap, tilt):
    """One pair of a student and the teacher's unit of strength A: S, and this pair's part of −amplitude and tilt."""
    s = vq * (secant * (A * norm))
    store(work, at, s)
    return overlap + A * angle, tilt + s * w


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
        # with the units before it, whose sums grow, too: four at a time
        k = 0
        while k + 4 <= i:
            c0, c1 = load(work, i * K + k), load(work, i * K + k + 1)
            c2, c3 = load(work, i * K + k + 2), load(work, i * K + k + 3)
            x0, x1 = c0 * p * load(work, p_at + k), c1 * p * load(work, p_at + k + 1)
            x2, x3 = c2 * p * load(work, p_at + k + 2), c3 * p * load(work, p_at + k + 3)
            angle, secant = four_asins_and_secants(x0, x1, x2, x3, M)
            rows = amp_at, tilt_at, p_at, i * K, i
            amp, tilt = _pair(work, y, rows, K, k, c0, angle[0], secant[0], v, vp, amp, tilt)
            amp, tilt = _pair(work, y, rows, K, k + 1, c1, angle[1], secant[1], v, vp, amp, tilt)
            amp, tilt = _pair(work, y, rows, K, k + 2, c2, angle[2], secant[2], v, vp, amp, tilt)
            amp, tilt = _pair(work, y, rows, K, k + 3, c3, angle[3], secant[3], v, vp, amp, tilt)
            k += 4
        while k < i:
            c0 = load(work, i * K + k)
            angle, secant = asin_and_secant(c0 * p * load(work, p_at + k))
            amp, tilt = _pair(work, y, (amp_at, tilt_at, p_at, i * K, i), K, k, c0, angle, secant, v, vp, amp, tilt)
            k += 1
        # with the teacher: C_im = b w_im
        overlap, scaled, vq = zero, norm * p * p_teacher, vp * (-p_teacher)
        m, at = 0, teacher_at + i * M
        while m + 4 <= M:
            w0, w1, w2, w3 = load(y, row + m), load(y, row + m + 1), load(y, row + m + 2), load(y, row + m + 3)
            angle, secant = four_asins_and_secants(w0 * scaled, w1 * scaled, w2 * scaled, w3 * scaled, M)
            overlap, tilt = _taught(work, at + m, params[6 + m], norm, w0, angle[0], secant[0], vq, overlap, tilt)
            overlap, tilt = _taught(work, at + m + 1, params[7 + m], norm, w1, angle[1], secant[1], vq, overlap, tilt)
            overlap, tilt = _taught(work, at + m + 2, params[8 + m], norm, w2, angle[2], secant[2], vq, overlap, tilt)
            overlap, tilt = _taught(work, at + m + 3, params[9 + m], norm, w3, angle[3], secant[3], vq, overlap, tilt)
            m += 4
        while m < M:
            w0 = load(y, row + m)
            angle, secant = asin_and_secant(w0 * scaled)
            overlap, tilt = _taught(work, at + m, params[6 + m], norm, w0, angle, secant, vq, overlap, tilt)
            m += 1
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
    _mix(work, y, out, teacher_at, K, M, d)

    store(work, 0, total)
    for lane in range(LANES):
        value[lane] = own + work[0, lane] / math.pi
