"""Gradient of the ReLU landscape in float64 against PyTorch, JAX, NumPy and plain Numba, and 1000 runs to the end.

    python -m tests.bench.bench_relu_landscape [--json] [--width 20] [--replicas 128] [--repeat 9] [--no-runs]

"microseconds" are process time (one thread each) per gradient and replica, the median over interleaved rounds in one
process. The peers' gradients are written by hand from the same formulas: PyTorch and NumPy with batched products,
in-place operations and preallocated arrays (PyTorch at its best of several batch sizes, cut to fit the cache, as well as
at all replicas at once), JAX as one jitted function, and by automatic differentiation of the loss; plain Numba is
``theory.landscape.axes.gradient_plain``, a scalar loop with the library's arctangent. "runs" are wall seconds of
1000 replicas k = n = 20 to max_i |grad_i| < 1e-10 on two threads: by minimisation, and faithful to the flow.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import argparse
import contextlib
import json
import math
import time

import numpy as np
from numba import njit

import theory.landscape as exact
from lab.flow_lanes import LANES, aligned
from tests.bench.landscape_parts import breakdown, report
from theory.landscape.axes import descent, gradient_plain, work_rows
from toy.relu_landscape.model import initial_weights, simulate


@njit(error_model="numpy")
def all_blocks(params, work, y, out, value):
    for b in range(y.shape[0]):
        descent(params, work, y[b], out[b], value)


@njit(error_model="numpy")
def all_plain(weights, k, out):
    for r in range(weights.shape[0]):
        gradient_plain(weights[r], k, out[r])


def ours(weights):
    replicas, n, d = weights.shape
    y = aligned(replicas // LANES, n * d, LANES)
    y[:] = weights.reshape(-1, LANES, n * d).transpose(0, 2, 1)
    out, work, value = aligned(*y.shape), aligned(work_rows(n, d, d), LANES), np.zeros(LANES)
    params = np.array([n, d, d], dtype=float)

    def call():
        all_blocks(params, work, y, out, value)
        return -out.transpose(0, 2, 1).reshape(weights.shape)

    def timed():
        all_blocks(params, work, y, out, value)

    return call, timed


def torch_by_hand(weights, batch):
    import torch

    torch.set_num_threads(1)
    batch = min(batch, len(weights))
    n, d = weights.shape[1:]
    parts = [torch.tensor(weights[i:i + batch]) for i in range(0, len(weights), batch)]
    unit, side, along = (torch.empty(batch, n, d, dtype=torch.float64) for _ in range(3))
    angle, sine = (torch.empty(batch, n, n, dtype=torch.float64) for _ in range(2))
    grads = [torch.empty_like(part) for part in parts]

    def gradient(w, out):
        size = torch.linalg.vector_norm(w, dim=2, keepdim=True)
        torch.div(w, size, out=unit)
        torch.bmm(unit, unit.transpose(1, 2), out=angle)
        angle.clamp_(-1.0, 1.0)
        torch.mul(angle, angle, out=sine)
        sine.neg_().add_(1.0).sqrt_()
        angle.neg_().acos_()  # π − θ
        angle.diagonal(dim1=1, dim2=2).fill_(math.pi)
        sine.diagonal(dim1=1, dim2=2).zero_()
        scale = torch.bmm(sine, size)
        torch.mul(unit, unit, out=side)
        scale.sub_(side.neg_().add_(1.0).clamp_(min=0.0).sqrt_().sum(2, keepdim=True))
        torch.neg(unit, out=along)
        along.acos_()
        torch.bmm(angle, w, out=out)
        out.addcmul_(unit, scale).sub_(along).mul_(0.5 / math.pi)

    def timed():
        for part, out in zip(parts, grads):
            gradient(part, out)

    def call():
        timed()
        return torch.cat(grads).numpy()

    return call, timed


def numpy_by_hand(weights, batch=32):
    batch = min(batch, len(weights))
    parts = [weights[i:i + batch].copy() for i in range(0, len(weights), batch)]
    diagonal = np.arange(weights.shape[1])
    grads = [np.empty_like(part) for part in parts]

    def timed():
        for w, out in zip(parts, grads):
            size = np.sqrt(np.einsum("rnd,rnd->rn", w, w))[..., None]
            unit = w / size
            cosine = np.matmul(unit, unit.transpose(0, 2, 1))
            np.clip(cosine, -1, 1, out=cosine)
            sine = np.sqrt(1 - cosine * cosine)
            angle = np.arccos(-cosine)
            angle[:, diagonal, diagonal] = math.pi
            sine[:, diagonal, diagonal] = 0
            scale = np.matmul(sine, size) - np.sqrt(np.maximum(1 - unit * unit, 0)).sum(2, keepdims=True)
            np.matmul(angle, w, out=out)
            out += unit * scale
            out -= np.arccos(-unit)
            out *= 0.5 / math.pi

    def call():
        timed()
        return np.concatenate(grads)

    return call, timed


def jax_peers(weights):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    n = weights.shape[1]
    off = 1 - jnp.eye(n)

    def gradient(w):
        size = jnp.sqrt(jnp.sum(w * w, 1, keepdims=True))
        unit = w / size
        cosine = jnp.clip(unit @ unit.T, -1, 1)
        sine = jnp.sqrt(1 - cosine * cosine) * off
        angle = jnp.where(off == 1, jnp.arccos(-cosine), math.pi)
        scale = sine @ size - jnp.sqrt(jnp.maximum(1 - unit * unit, 0)).sum(1, keepdims=True)
        return (angle @ w + unit * scale - jnp.arccos(-unit)) * (0.5 / math.pi)

    def loss(w):
        size = jnp.sqrt(jnp.sum(w * w, 1, keepdims=True))
        unit = w / size
        cosine = jnp.where(off == 1, unit @ unit.T, 0.0)
        pair = (jnp.sqrt(1 - cosine * cosine) + jnp.arccos(-cosine) * cosine) * (size @ size.T) * off
        taught = jnp.sqrt(1 - unit * unit) + jnp.arccos(-unit) * unit
        return 0.25 * jnp.sum(w * w) + (0.5 * jnp.sum(pair) - jnp.sum(size * taught)) * (0.5 / math.pi)

    w = jnp.asarray(weights)
    peers = {}
    for name, function in (("jax by hand", gradient), ("jax grad", jax.grad(loss))):
        compiled = jax.jit(jax.vmap(function))
        peers[name] = (lambda f=compiled: np.asarray(f(w)), lambda f=compiled: f(w).block_until_ready())
    return peers


def bench_gradient(width: int, replicas: int, repeat: int) -> dict:
    """All of them, interleaved; each is checked against theory.landscape first."""
    weights = initial_weights(width, width, replicas, seed=0)
    plain = np.empty_like(weights)
    entries = {"ours": ours(weights)}
    for batch in (32, 64, 128, replicas):
        name = "torch by hand" if batch == replicas else f"torch by hand, batches of {batch}"
        entries[name] = torch_by_hand(weights, batch)
    with contextlib.suppress(ImportError):
        entries |= jax_peers(weights)
    entries["numpy by hand"] = numpy_by_hand(weights)
    entries["plain numba"] = (lambda: (all_plain(weights, width, plain), plain)[1],
                              lambda: all_plain(weights, width, plain))
    reference = exact.gradient(weights, np.eye(width))
    errors = {name: float(np.abs(call() - reference).max()) for name, (call, _) in entries.items()}
    times = {name: [] for name in entries}
    inner = max(1, 20_000 // replicas // 4)
    for turn in range(repeat + 1):
        for name, (_, timed) in entries.items():
            calls = inner if name == "ours" else max(1, inner // 4)
            start = time.process_time()
            for _ in range(calls):
                timed()
            if turn:
                times[name].append((time.process_time() - start) / calls / replicas * 1e6)
    micro = {name: float(np.median(t)) for name, t in times.items()}
    hand = {name: t for name, t in micro.items() if "by hand" in name}
    best = min(hand, key=hand.get)
    return {"width": width, "replicas": replicas, "microseconds": micro, "largest_error": errors,
            "ratio": {name: t / micro["ours"] for name, t in micro.items()},
            "best_hand_written_peer": best, "ratio_to_best": hand[best] / micro["ours"],
            "ratio_to_torch_at_all_replicas": micro["torch by hand"] / micro["ours"]}


def bench_runs(replicas: int = 1000) -> dict:
    """1000 replicas, k = n = 20, to |grad| < 1e-10."""
    result = {}
    for method in ("minimise", "flow"):
        simulate(4, 4, 16, method=method)  # compile
        start = time.process_time()
        found = simulate(20, 20, replicas, method=method, tolerance=2 * math.pi * 1e-10, target_loss=None, threads=2)
        result[method] = {"seconds": found.seconds, "process_seconds": time.process_time() - start,
                          "unfinished": found.unfinished, "gradient": float(found.gradient.max()),
                          "spurious": found.spurious_fraction.mean}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--width", type=int, default=20)
    parser.add_argument("--replicas", type=int, default=128)
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--no-runs", action="store_true")
    args = parser.parse_args()
    result = {"gradient": bench_gradient(args.width, args.replicas // LANES * LANES, args.repeat)}
    if args.width % 4 == 0:
        result["parts"] = breakdown(args.width)
    if not args.no_runs:
        result["runs"] = bench_runs()
    if args.json:
        print(json.dumps(result))
        return
    gradient = result["gradient"]
    print(f"gradient, k = n = d = {args.width}, float64, microseconds a replica (ratio to ours, largest error)")
    for name, t in gradient["microseconds"].items():
        print(f"  {name:<30} {t:8.2f}  {gradient['ratio'][name]:6.1f}  {gradient['largest_error'][name]:.1e}")
    print(f"  best hand-written peer: {gradient['best_hand_written_peer']}, {gradient['ratio_to_best']:.1f} times ours")
    if "parts" in result:
        print(report(result["parts"], gradient["microseconds"][gradient["best_hand_written_peer"]]))
    for method, run in result.get("runs", {}).items():
        print(f"1000 runs by {method}: {run['seconds']:.2f} s ({run['process_seconds']:.2f} s of processor time), "
              f"|grad| <= {run['gradient']:.1e}, {run['unfinished']} unfinished")


if __name__ == "__main__":
    main()
