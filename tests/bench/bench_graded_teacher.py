"""Gradient of the graded teacher's closed-form loss: ours against torch, JAX and NumPy, one thread, float64.

``python -m tests.bench.bench_graded_teacher [--json] [--rounds 7]``. All compute −∇L (both layers) of R = 256 students;
all use that the teacher's directions lie along the axes. Interleaved in one process; medians of CPU time.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", NUMBA_NUM_THREADS="1",
                  XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import argparse
import json
import math
import statistics
import time

import numpy as np
from numba import njit

from lab.flow_lanes import LANES, aligned
from toy.graded_teacher import kernels

CASES = [(2, 4, 10), (4, 8, 10), (8, 8, 10), (16, 4, 10), (20, 20, 20), (32, 8, 16)]  # width, units, dim
REPLICAS, NORM = 256, 3.0
C = 2 / math.pi


@njit(nogil=True)
def _ours(params, work, y, out, value):
    for block in range(y.shape[0]):
        kernels.descent(params, work, y[block], out[block], value)


def ours(v, W, A):
    R, K, d = W.shape
    params = kernels.pack(A, NORM, K, d)
    state = np.concatenate([v, W.reshape(R, -1)], axis=1).reshape(R // 8, 8, -1).transpose(0, 2, 1)
    y, out = aligned(*state.shape), aligned(*state.shape)
    y[:] = state
    work, value = aligned(kernels.work_rows(A, K), LANES), np.zeros(LANES)

    def call():
        _ours(params, work, y, out, value)
        flat = out.transpose(0, 2, 1).reshape(R, -1)
        return -flat[:, :K], -flat[:, K:].reshape(R, K, d)

    return call, lambda: _ours(params, work, y, out, value)


def numpy_by_hand(v, W, A):
    M = A.size
    q_teacher = 1 + NORM**2

    def call():
        G = W @ W.transpose(0, 2, 1)
        q = 1 + np.einsum("rkk->rk", G)
        X = NORM * W[:, :, :M]
        own, cross = q[:, :, None] * q[:, None, :], q[:, :, None] * q_teacher
        gv = C * (np.einsum("rik,rk->ri", np.arcsin(G / np.sqrt(own)), v) - np.arcsin(X / np.sqrt(cross)) @ A)
        S = C * v[:, :, None] * v[:, None, :] / np.sqrt(own - G * G)
        T = -C * v[:, :, None] * A / np.sqrt(cross - X * X)
        tilt = ((S * G).sum(2) + (T * X).sum(2)) / q
        gW = S @ W - tilt[:, :, None] * W
        gW[:, :, :M] += NORM * T
        return gv, gW

    return call, call


def torch_by_hand(v, W, A):
    import torch

    torch.set_num_threads(1)
    v, W, A = (torch.from_numpy(np.ascontiguousarray(x)) for x in (v, W, A))
    M = A.numel()
    q_teacher = 1 + NORM**2
    negative = -C * A

    @torch.inference_mode()
    def call():
        G = torch.bmm(W, W.transpose(1, 2))
        q = 1 + torch.diagonal(G, dim1=1, dim2=2)
        p = torch.rsqrt(q)
        X = W[:, :, :M] * NORM
        # ξ = C p p; 1/√Λ = p p / √(1 − ξ²): products of small factors, few passes over the pairs
        pp = p.unsqueeze(2) * p.unsqueeze(1)
        pt = (p * (1 / math.sqrt(q_teacher))).unsqueeze(2)
        xi, xt = G * pp, X * pt
        gv = torch.bmm(torch.asin(xi), v.unsqueeze(2)).squeeze(2).sub_(torch.matmul(torch.asin(xt), A)).mul_(C)
        S = pp.mul_(torch.rsqrt(1 - xi * xi)).mul_(v.unsqueeze(2) * C).mul_(v.unsqueeze(1))
        T = torch.rsqrt(1 - xt * xt).mul_(pt).mul_(v.unsqueeze(2)).mul_(negative)
        tilt = (torch.einsum("rik,rik->ri", S, G) + torch.einsum("rim,rim->ri", T, X)) / q
        gW = torch.bmm(S, W).sub_(tilt.unsqueeze(2) * W)
        gW[:, :, :M].add_(T, alpha=NORM)
        return gv, gW

    return lambda: tuple(x.numpy() for x in call()), call


def jax_grad(v, W, A):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    M = A.size

    def loss(v, W):
        G = W @ W.T
        q = 1 + jnp.diagonal(G)
        X = NORM * W[:, :M]
        own = jnp.arcsin(G / jnp.sqrt(q[:, None] * q[None, :]))
        cross = jnp.arcsin(X / jnp.sqrt(q[:, None] * (1 + NORM**2)))
        return C * (0.5 * v @ own @ v - v @ cross @ A)

    gradient = jax.jit(jax.vmap(jax.grad(loss, argnums=(0, 1))))
    v, W = jnp.asarray(v), jnp.asarray(W)

    def call():
        return jax.block_until_ready(gradient(v, W))

    return lambda: tuple(np.asarray(x) for x in call()), call


def jax_by_hand(v, W, A):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    M = A.size
    q_teacher = 1 + NORM**2

    @jax.jit
    def gradient(v, W):
        G = jnp.einsum("rkd,rld->rkl", W, W)
        q = 1 + jnp.einsum("rkk->rk", G)
        p = jax.lax.rsqrt(q)
        X = NORM * W[:, :, :M]
        pp, pt = p[:, :, None] * p[:, None, :], p[:, :, None] / math.sqrt(q_teacher)
        xi, xt = G * pp, X * pt
        gv = C * (jnp.einsum("rik,rk->ri", jnp.arcsin(xi), v) - jnp.arcsin(xt) @ A)
        S = C * v[:, :, None] * v[:, None, :] * pp * jax.lax.rsqrt(1 - xi * xi)
        T = -C * v[:, :, None] * A * pt * jax.lax.rsqrt(1 - xt * xt)
        tilt = ((S * G).sum(2) + (T * X).sum(2)) / q
        return gv, (S @ W - tilt[:, :, None] * W).at[:, :, :M].add(NORM * T)

    v, W = jnp.asarray(v), jnp.asarray(W)

    def call():
        return jax.block_until_ready(gradient(v, W))

    return lambda: tuple(np.asarray(x) for x in call()), call


PEERS = {"ours": ours, "torch by hand": torch_by_hand, "jax by hand": jax_by_hand, "jax grad": jax_grad,
         "numpy by hand": numpy_by_hand}


def measure(width: int, units: int, dim: int, rounds: int) -> dict:
    """Microseconds of CPU time per gradient and student, by program."""
    rng = np.random.default_rng([width, units, dim])
    v, W = rng.normal(size=(REPLICAS, width)), rng.normal(size=(REPLICAS, width, dim))
    A = np.arange(1, units + 1) ** -0.5
    programs, skipped = {}, {}
    for name, make in PEERS.items():
        try:
            programs[name] = make(v, W, A)
        except ImportError as error:
            skipped[name] = str(error)
    reference = programs["numpy by hand"][0]()
    for name, (result, _) in programs.items():
        for got, want in zip(result(), reference):
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-10, err_msg=name)
    times = {name: [] for name in programs}
    for _ in range(rounds):
        for name, (_, call) in programs.items():
            repeat = 0
            begin = time.process_time()
            while time.process_time() - begin < 0.05:
                call()
                repeat += 1
            times[name].append((time.process_time() - begin) / repeat / REPLICAS * 1e6)
    return {name: statistics.median(t) for name, t in times.items()}


def main() -> None:
    """Measure all cases; print a table or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    rows = []
    for width, units, dim in CASES:
        t = measure(width, units, dim, args.rounds)
        peers = {name: value / t["ours"] for name, value in t.items() if name != "ours"}
        best = min(peers[name] for name in peers if name.endswith("by hand"))
        rows.append({"width": width, "units": units, "dim": dim, "microseconds": t, "ratios": peers,
                     "smallest_by_hand": best})
        if not args.json:
            print(f"K={width:<3} M={units:<3} d={dim:<3} ours {t['ours']:.3f} µs   "
                  + "   ".join(f"{name} {ratio:.1f}×" for name, ratio in peers.items()), flush=True)
    mean = math.exp(statistics.fmean(math.log(row["smallest_by_hand"]) for row in rows))
    if args.json:
        print(json.dumps({"cases": rows, "geometric_mean_over_best_by_hand": mean}))
    else:
        print(f"geometric mean over the best peer by hand: {mean:.1f}×")


if __name__ == "__main__":
    main()
