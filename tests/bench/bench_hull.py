"""Projection on a hull against ``scipy.optimize.nnls`` on all points, one query at a time, on one core.

``python -m tests.bench.bench_hull [--json] [--large]``: process time per query, median over interleaved repeats.
``--large`` measures 50,000 points in dimension 3,072 on all cores instead, which no peer finishes: minutes for 10,000 queries,
extrapolated from ``--queries`` unless ``--whole`` projects all 10,000.
"""

import argparse
import json
import os
import resource
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import numpy as np

TARGETS = {(5000, 64): 17, (5000, 512): 80}


def nnls_distance(points, query):
    """Distance by non-negative least squares over all points: exact, the peer."""
    from scipy.optimize import nnls

    shifted = (points - query).astype(np.float64)
    gamma = np.sqrt((shifted**2).sum(axis=1).mean())
    matrix = np.vstack([shifted.T, np.full(len(points), gamma)])
    target = np.zeros(len(matrix))
    target[-1] = gamma
    weights, _ = nnls(matrix, target, maxiter=50 * len(points))
    return np.linalg.norm(weights @ shifted) / weights.sum()


def compare(n, d, queries=256, peers=4, repeats=3):
    from theory.hull import project

    rng = np.random.default_rng(0)
    points = rng.standard_normal((n, d), dtype=np.float32)
    asked = rng.standard_normal((queries, d), dtype=np.float32)
    ours, theirs, worst = [], [], 0.0
    for repeat in range(repeats):
        start = time.process_time()
        result = project(points, asked, tol=1e-6)
        ours.append((time.process_time() - start) / queries)
        assert np.all(result.upper - result.lower <= 1e-6 * result.upper)
        for i in range(peers):
            number = (repeat * peers + i) % queries
            start = time.process_time()
            distance = nnls_distance(points, asked[number])
            theirs.append(time.process_time() - start)
            worst = max(worst, abs(distance / result.upper[number] - 1))
    mine, peer = float(np.median(ours)), float(np.median(theirs))
    return {"n": n, "d": d, "ms_per_query": 1e3 * mine, "nnls_ms": 1e3 * peer, "ratio": peer / mine,
            "target": TARGETS[n, d], "largest_relative_difference": worst}


def large(queries, n=50_000, d=3072):
    from theory.hull import project

    rng = np.random.default_rng(0)
    points = rng.standard_normal((n, d), dtype=np.float32)
    asked = rng.standard_normal((queries, d), dtype=np.float32)
    start, cpu = time.perf_counter(), time.process_time()
    result = project(points, asked, tol=1e-6)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {"n": n, "d": d, "queries": queries, "wall_seconds": wall, "cpu_seconds": cpu,
            "minutes_for_10000": wall / queries * 10_000 / 60, "converged": float(result.converged.mean()),
            "peak_mb": peak, "data_mb": points.nbytes / 1e6, "support": float(result.support.mean())}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--large", action="store_true", help="only the large problem; set the thread counts yourself")
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--whole", action="store_true", help="the large problem with all 10,000 queries: minutes")
    args = parser.parse_args(argv)
    from theory.hull import project

    project(np.eye(3, dtype=np.float32), np.ones((2, 3), np.float32))  # compile
    if args.large or args.whole:
        rows = [large(10_000 if args.whole else args.queries)]
    else:
        rows = [compare(5000, 64), compare(5000, 512)]
    if args.json:
        print(json.dumps({"hull": rows}))
    else:
        for row in rows:
            print("  ".join(f"{k} {v:.4g}" for k, v in row.items()))


if __name__ == "__main__":
    main()
