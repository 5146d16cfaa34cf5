"""Online SGD of 256 two-layer students against PyTorch, JAX and NumPy: one core, float32, erf, both layers trained.

    python -m tests.bench.bench_sgd [--json] [--rounds 5] [--quick] [--batch 1 32] [--width …] [--inputs …] [--cells-only]
                                    [--plot FILE.svg]

The same algorithm with gradients written by hand in every program (torch: batched bmm; JAX: vmap, scan and jit; NumPy:
einsum-free matmul), fresh Gaussian inputs, a teacher of four units. Process time per step and replica, medians of
interleaved rounds in one process on one core; ratios are peer over ours. "peak" is the fastest single-thread float32 matrix
product of torch and NumPy, "units" what the multiply units do from registers alone. Both take part in every round: the speed of a
shared core changes within seconds, and a neighbour that loads much slows every product but not the units. Beside the share of
the units stands the share that the instructions of a step allow (:func:`tests.bench.sgd_parts.bound`). Then the span law against
the full simulator, and the growth of time in replicas and width. With ``--plot``, the shares of a step that sampling, products,
activation and update take are measured and drawn.
"""

import argparse
import json
import os
import sys
import time

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import numpy as np  # noqa: E402 - after the thread counts are set

from tests.bench.sgd_parts import bound, breakdown, draw, multiply  # noqa: E402

R, K = 256, 4
RATE = 0.1
SLOPE, HALF = (2 / np.pi)**0.5, 0.5**0.5
TARGETS = {"batch 1, width <= 16": (12, 6), "batch 1, width >= 64": (8, 5), "batch 32": (6, 3.5), "span law": (25, 8)}


def start(m, d):
    rng = np.random.default_rng(0)
    return ((0.1 * rng.standard_normal((R, m, d))).astype(np.float32), np.full((R, m), 0.5, np.float32),
            (rng.standard_normal((K, d)) / d**0.5).astype(np.float32))


def torch_steps(m, d, batch):
    """Gradients by hand, in place where torch allows it."""
    import torch

    torch.set_num_threads(1)
    W, v, T = (torch.from_numpy(a) for a in start(m, d))
    x, A, rate = torch.empty(R, batch, d), torch.ones(K), RATE / d / batch

    @torch.no_grad()
    def one_sample(steps):  # as matrix times vector and rank-one update: the fastest form at batch 1
        for _ in range(steps):
            x.normal_()
            lam = torch.bmm(W, x.transpose(1, 2))
            y = torch.erf((x.view(-1, d) @ T.t()).mul_(HALF)) @ A
            slope = torch.exp(lam.square().mul_(-0.5)).mul_(SLOPE)
            g = torch.erf(lam.mul_(HALF))
            e = y.view(R, 1).sub_(torch.bmm(v[:, None], g)[:, 0]).mul_(rate)
            W.baddbmm_(slope.mul_(v[:, :, None]).mul_(e[:, :, None]), x)
            v.addcmul_(g[:, :, 0], e)

    @torch.no_grad()
    def many_samples(steps):
        for _ in range(steps):
            x.normal_()
            lam = torch.bmm(x, W.transpose(1, 2))
            y = (torch.erf((x.view(-1, d) @ T.t()).mul_(HALF)) @ A).view(R, batch)
            slope = torch.exp(lam.square().mul_(-0.5)).mul_(SLOPE)
            g = torch.erf(lam.mul_(HALF))
            e = y.sub_(torch.bmm(g, v[:, :, None])[:, :, 0]).mul_(rate)
            change = torch.bmm(e[:, None], g)[:, 0]
            W.baddbmm_(slope.mul_(v[:, None]).mul_(e[:, :, None]).transpose(1, 2), x)
            v.add_(change)

    run = one_sample if batch == 1 else many_samples
    return run


def jax_steps(m, d, batch):
    """vmap over replicas, scan over steps, one jit; the faster of JAX's two generators is used."""
    import jax
    import jax.numpy as jnp

    W, v, T = (jnp.asarray(a) for a in start(m, d))
    rate = RATE / d / batch

    def one(W, v, x):
        lam = x @ W.T
        g = jax.lax.erf(lam * HALF)
        e = (jax.lax.erf((x @ T.T) * HALF).sum(1) - g @ v) * rate
        return W + (jnp.exp(-0.5 * lam * lam) * SLOPE * v * e[:, None]).T @ x, v + e @ g

    def body(state, key):
        return jax.vmap(one)(*state, jax.random.normal(key, (R, batch, d))), None

    from functools import partial

    @partial(jax.jit, static_argnums=(3,))
    def many(W, v, key, steps):
        return jax.lax.scan(body, (W, v), jax.random.split(key, steps))[0]

    key = jax.random.key(0, impl="rbg")

    def run(steps):
        jax.block_until_ready(many(W, v, key, steps))

    return run


def numpy_steps(m, d, batch):
    from scipy.special import erf

    W, v, T = start(m, d)
    rng, rate = np.random.Generator(np.random.SFC64(0)), np.float32(RATE / d / batch)

    def run(steps):
        nonlocal v
        for _ in range(steps):
            x = rng.standard_normal((R, batch, d), dtype=np.float32)
            lam = x @ W.transpose(0, 2, 1)
            y = erf((x @ T.T) * np.float32(HALF)).sum(-1)
            g = erf(lam * np.float32(HALF))
            e = (y - (g @ v[:, :, None])[:, :, 0]) * rate
            delta = np.exp(-0.5 * lam * lam) * np.float32(SLOPE) * v[:, None] * e[:, :, None]
            W.__iadd__(delta.transpose(0, 2, 1) @ x)
            v = v + (e[:, None] @ g)[:, 0]

    return run


def our_steps(m, d, batch, replicas=R, method="full"):
    from toy.teacher_student import ensemble, model

    s = model.validated(dim=d, width=m, strengths=np.ones(K), learning_rate=RATE, batch_size=batch, replicas=replicas,
                       init_readout=0.5)
    students = (ensemble.FullEnsemble(s, model.starting_weights) if method == "full"
                else ensemble.SpanEnsemble(s, model.starting_coordinates))
    return students.advance


def seconds(run, steps):
    begin = time.process_time()
    run(steps)
    return time.process_time() - begin


def measure(programs, rounds, budget):
    """Median process time a step of each program: steps chosen so that a round takes about `budget` seconds."""
    steps = {}
    for name, run in programs.items():
        run(16)  # compiles
        count = int(np.clip(budget / max(seconds(run, 16) / 16, 1e-9), 2, 4000))
        steps[name] = count // 16 * 16 or count
        if name == "jax":
            run(steps[name])  # a new length compiles again
    times = {name: [] for name in programs}
    for _ in range(rounds):
        for name, run in programs.items():
            times[name].append(seconds(run, steps[name]) / steps[name])
    return {name: float(np.median(t)) for name, t in times.items()}


def fastest_product():
    """The fastest float32 matrix product of torch and NumPy on this core: as a program, and its operations a step."""
    import torch

    torch.set_num_threads(1)
    best = {}
    for n in (512, 1024):
        a = np.ones((n, n), np.float32)
        for x in (a, torch.from_numpy(a)):
            run = lambda steps, x=x: [x @ x for _ in range(steps)]  # noqa: E731
            run(2)
            best[2 * n**3 / max(min(seconds(run, 1) for _ in range(5)), 1e-9)] = run, 2 * n**3
    return best[max(best)]


def parts(widths, inputs, rounds):
    """The breakdown of a step of one replica, batch 32, for every cell that the wide kernel takes."""
    return [{"width": m, "inputs": d, "batch": 32, "seconds": breakdown(our_steps(m, d, 32, replicas=1), m, d, 32, K, rounds)}
            for m in widths if m >= 16 for d in inputs]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="smallest inputs only")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--width", type=int, nargs="+", default=[4, 16, 64, 256])
    parser.add_argument("--inputs", type=int, nargs="+", default=[16, 64, 256])
    parser.add_argument("--cells-only", action="store_true", help="without the span law and the growth of time")
    parser.add_argument("--plot", metavar="FILE.svg", help="draw the shares of a step's parts (batch 32, widths from 16)")
    args = parser.parse_args()
    peers = {"torch": torch_steps, "numpy": numpy_steps}
    try:
        import jax  # noqa: F401

        peers["jax"] = jax_steps
    except ImportError:
        print("jax is not installed: left out", file=sys.stderr)
    (product, operations), rows = fastest_product(), []
    say = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731
    for batch in args.batch:
        for m in args.width:
            for d in args.inputs[:1 if args.quick else None]:
                programs = {"ours": our_steps(m, d, batch), **{n: peer(m, d, batch) for n, peer in peers.items()},
                            "peak": product, "units": lambda steps: multiply(10_000 * steps)}
                took = measure(programs, args.rounds, 0.25)  # as long as simulate goes without a look at the clock
                row = {"batch": batch, "width": m, "inputs": d, "ours_ns": took["ours"] / R * 1e9,
                       "peak_gflops": operations / took["peak"] / 1e9, "units_gflops": 10_000 * 2 * 16 * 16 / took["units"] / 1e9,
                       "bound": bound(m, d, batch, K),
                       **{f"{n}_ratio": took[n] / took["ours"] for n in peers}}
                rate = 4 * m * d * batch / row["ours_ns"]
                row["share_of_peak"], row["share_of_units"] = rate / row["peak_gflops"], rate / row["units_gflops"]
                row["ratio"] = min(row[f"{n}_ratio"] for n in peers if n != "numpy")
                rows.append(row)
                say(f"B={batch:<3} m={m:<4} d={d:<4} {row['ours_ns']:>9.0f} ns a step and replica, "
                    f"{row['share_of_peak']:.0%} of a peak of {row['peak_gflops']:.0f} GFLOP/s, {row['share_of_units']:.0%} of "
                    f"{row['units_gflops']:.0f} (bound {row['bound']:.0%}); "
                    + ", ".join(f"{n} {row[f'{n}_ratio']:.1f}x" for n in peers))
    groups = {"batch 1, width <= 16": [r for r in rows if r["batch"] == 1 and r["width"] <= 16],
              "batch 1, width >= 64": [r for r in rows if r["batch"] == 1 and r["width"] >= 64],
              "batch 32": [r for r in rows if r["batch"] == 32]}
    summary = {}
    for name, chosen in groups.items():
        if not chosen:
            continue
        ratios = [r["ratio"] for r in chosen]
        summary[name] = {"geometric_mean": float(np.exp(np.mean(np.log(ratios)))), "smallest": min(ratios)}
    for m in args.width if 32 in args.batch else ():
        ratios = [r["ratio"] for r in rows if r["batch"] == 32 and r["width"] == m]
        summary["batch 32"][f"width {m}"] = float(np.exp(np.mean(np.log(ratios))))

    if not args.cells_only:
        took = measure({"full": our_steps(4, 1024, 1), "span": our_steps(4, 1024, 1, method="span"),
                        "span, a million inputs": our_steps(4, 10**6, 1, method="span"),
                        "span, 64 inputs": our_steps(4, 64, 1, method="span")}, args.rounds, 0.1)
        summary["span law"] = {"geometric_mean": took["full"] / took["span"], "span_ns": took["span"] / R * 1e9,
                               "million_over_64_inputs": took["span, a million inputs"] / took["span, 64 inputs"]}
        took = measure({"1": our_steps(64, 64, 1), "2": our_steps(64, 64, 1, replicas=2 * R), "w": our_steps(128, 64, 1)},
                       args.rounds, 0.1)
        summary["growth"] = {"twice_the_replicas": took["2"] / took["1"], "twice_the_width": took["w"] / took["1"]}
    for name, values in summary.items():
        target = f"  (target {TARGETS[name][0]}x, floor {TARGETS[name][1]}x)" if name in TARGETS else ""
        say(f"{name}: " + ", ".join(f"{k} {v:.2f}" for k, v in values.items()) + target)
    peak = float(np.median([row["units_gflops"] for row in rows]))
    results = {"units_gflops": peak, "rows": rows, "summary": summary}
    if args.plot:
        results["parts"] = parts(args.width, args.inputs[:1 if args.quick else None], args.rounds)
        for row in results["parts"]:
            say(f"m={row['width']:<4} d={row['inputs']:<4} " + ", ".join(
                f"{name} {seconds * 1e9:.0f}" for name, seconds in row["seconds"].items()) + " ns")
        draw(results["parts"], peak, args.plot)
    if args.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
