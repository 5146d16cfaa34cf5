"""Closed-form ReLU landscape gradient against the bare cost of its square roots and arccosines, one core.

``python -m tests.bench.bench_landscape_gradient [--json]``: process time in microseconds per gradient, median over
interleaved repeats, k = n = d = 20. Bare cost: one root and one arccosine for each of the n(n-1)/2 + n k pairs, by
NumPy (vectorised library calls on an array in cache) and by Numba (scalar libm calls, what a plain compiled loop pays).
"""

import argparse
import json
import math
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numba import njit

TARGET = 2.0


@njit(cache=True, error_model="numpy")
def scalar_bare(cosines, roots, angles):
    for i in range(cosines.size):
        roots[i] = math.sqrt(1.0 - cosines[i] * cosines[i])
        angles[i] = math.acos(cosines[i])


def compare(replicas, n=20, repeats=60):
    from theory.landscape import gradient, gradient_fast
    from theory.landscape.kernels import gradient_replicas

    rng = np.random.default_rng(0)
    students, teachers = rng.standard_normal((replicas, n, n)) / math.sqrt(n), np.eye(n)
    pairs = n * (n - 1) // 2 + n * n
    cosines = rng.uniform(-0.6, 0.6, pairs * min(replicas, 16))
    squares, roots, angles = 1 - cosines**2, np.empty_like(cosines), np.empty_like(cosines)
    inner = max(1, 2000 // replicas)
    runs = {
        "gradient_fast": (lambda: gradient_fast(students, teachers), replicas),
        "kernel": (lambda: gradient_replicas(students, teachers), replicas),
        "plain NumPy": (lambda: gradient(students, teachers), replicas),
        "bare NumPy": (lambda: (np.sqrt(squares, out=roots), np.arccos(cosines, out=angles)), cosines.size / pairs),
        "bare Numba": (lambda: scalar_bare(cosines, roots, angles), cosines.size / pairs),
    }
    times = {name: [] for name in runs}
    for function, _ in runs.values():
        function()
    for repeat in range(repeats):
        for name, (function, gradients) in runs.items():
            calls = 1 if name == "plain NumPy" else inner
            if name == "plain NumPy" and repeat >= 5:
                continue
            start = time.process_time()
            for _ in range(calls):
                function()
            times[name].append((time.process_time() - start) / calls / gradients * 1e6)
    medians = {name: float(np.median(t)) for name, t in times.items()}
    return {"replicas": replicas, "n": n, "microseconds": medians, "target": TARGET,
            "over_bare_numpy": medians["gradient_fast"] / medians["bare NumPy"],
            "over_bare_numba": medians["gradient_fast"] / medians["bare Numba"]}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    rows = [compare(r) for r in (1, 16, 256)]
    if args.json:
        print(json.dumps({"landscape_gradient": rows}))
        return
    for row in rows:
        costs = ", ".join(f"{name} {value:.2f}" for name, value in row["microseconds"].items())
        print(f"{row['replicas']:>4} replicas, microseconds per gradient: {costs}; over bare NumPy "
              f"{row['over_bare_numpy']:.2f}, "
              f"over bare Numba {row['over_bare_numba']:.2f} (target {TARGET:g})")


if __name__ == "__main__":
    main()
