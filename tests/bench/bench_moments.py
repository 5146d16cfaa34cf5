"""A streaming pass into Moments against the bare products, and ridge from Moments against scikit-learn's Ridge.

    python -m tests.bench.bench_moments [--json] [--rows 50000] [--units 1024] [--repeat 5]

"time" is process time (all threads), the median over interleaved repetitions in one process. The bare product is
NumPy's float32 symmetric product X^T X over the same blocks of rows (NumPy calls BLAS syrk: half the operations of
a general product), without shift, without check, without float64 sums; "at once" is X^T X in one call; "of_float64" are the
same two passes over float64 features. Memory is the peak of resident memory over the pass in a fresh process that holds the
features (rows x units x 4 bytes) too.
"""

import argparse
import json
import subprocess
import sys
import time

import numpy as np

from theory.measures import (
    effective_rank,
    linear_cka,
    mean_squared_cca,
    predictability,
    procrustes_similarity,
    repeated_units,
    span_error,
    with_residual,
)
from theory.moments import Moments
from theory.moments.accumulate import BLOCK_ROWS

MEMORY = """
import numpy as np
from theory.moments import Moments
peak = lambda: int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1]) / 1024
x = np.random.default_rng(0).standard_normal(({rows}, {units}), dtype=np.float32)
before = peak()
Moments.from_samples({{"x": x}}).covariance("x")
print(before, peak())
"""


def interleaved(functions: dict, repeat: int) -> dict[str, float]:
    """Median process time of each function, called in turn."""
    times = {name: [] for name in functions}
    for turn in range(repeat + 1):
        for name, function in functions.items():
            start = time.process_time()
            function()
            if turn:  # the first turn warms up
                times[name].append(time.process_time() - start)
    return {name: float(np.median(t)) for name, t in times.items()}


def bench_pass(rows: int, units: int, repeat: int) -> dict:
    """The streaming pass."""
    x = np.random.default_rng(0).standard_normal((rows, units), dtype=np.float32)
    halves = {"a": x[:, : units // 2].copy(), "b": x[:, units // 2:].copy()}
    product = np.empty((units, units), np.float32)
    double = x.astype(np.float64)
    double_product = np.empty((units, units))

    def bare(x=x, product=product):
        for i in range(0, rows, BLOCK_ROWS):
            np.matmul(x[i:i + BLOCK_ROWS].T, x[i:i + BLOCK_ROWS], out=product)

    def batches(size):
        moments = Moments()
        for i in range(0, rows, size):
            moments.update({"a": halves["a"][i:i + size], "b": halves["b"][i:i + size]})
        moments.covariance("a", "b")

    times = interleaved({
        "bare": bare,
        "at_once": lambda: np.matmul(x.T, x, out=product),
        "moments": lambda: Moments.from_samples({"x": x}).covariance("x"),
        "moments_batches_of_256": lambda: batches(256),
        "bare_of_float64": lambda: bare(double, double_product),
        "moments_of_float64": lambda: Moments.from_samples({"x": double}).covariance("x"),
        "moments_float64": lambda: Moments.from_samples({"x": x}, precision="float64").covariance("x"),
    }, repeat)
    run = subprocess.run([sys.executable, "-c", MEMORY.format(rows=rows, units=units)],
                         capture_output=True, text=True, check=True)
    before, after = map(float, run.stdout.split())
    exact = Moments.from_samples({"x": x}, precision="float64").covariance("x")
    scale = np.sqrt(np.diag(exact))
    error = (Moments.from_samples({"x": x}, precision="float32").covariance("x") - exact) / np.outer(scale, scale)
    off = error[~np.eye(units, dtype=bool)]
    return {"rows": rows, "units": units, "seconds": times,
            "ratio_to_bare": {name: t / times["bare_of_float64" if name.endswith("of_float64") else "bare"]
                              for name, t in times.items()},
            "ratio_to_at_once": {name: t / times["at_once"] for name, t in times.items()},
            "peak_mb": after, "growth_mb": after - before,
            "rms_error_variance": float(np.sqrt(np.mean(np.diag(error) ** 2))),
            "rms_error_correlation": float(np.sqrt(np.mean(off**2)))}


def bench_ridge(rows: int, units: int, repeat: int) -> dict:
    """Ten ridges from ``units`` to ``units`` features on the fit split, from the features on; scikit-learn in float32."""
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, units), dtype=np.float32)
    y = np.tanh(x @ rng.standard_normal((units, units), dtype=np.float32) / 10)
    ridges = np.logspace(-6, 0, 10)
    total = float(((y - y.mean(0)) ** 2).sum())
    shares = {}

    def ours():
        moments = Moments.from_samples({"a": x, "b": y})
        shares["ours"] = span_error(moments, source="a", target="b", ridge=ridges, score="in-sample")

    def sklearn():
        level = float(((x - x.mean(0)) ** 2).sum() / units)
        shares["sklearn"] = [float(((y - Ridge(alpha=r * level).fit(x, y).predict(x)) ** 2).sum() / total)
                             for r in ridges]

    times = interleaved({"ours": ours, "sklearn": sklearn}, repeat)
    moments = Moments.from_samples({"a": x, "b": y})
    return {"rows": rows, "units": [units, units], "ridges": len(ridges), "seconds": times,
            "sklearn_over_ours": times["sklearn"] / times["ours"],
            "largest_relative_difference": float(np.max(np.abs(shares["ours"] / np.array(shares["sklearn"]) - 1))),
            "seconds_of_each_measure": interleaved({
                "ten_ridges": lambda: span_error(moments, source="a", target="b", ridge=ridges, score="in-sample"),
                "one_ridge": lambda: span_error(moments, source="a", target="b", ridge=1e-3, score="in-sample"),
                "cka": lambda: linear_cka(moments, "a", "b"),
                "cca": lambda: mean_squared_cca(moments, "a", "b", score="in-sample"),
                "procrustes": lambda: procrustes_similarity(moments, "a", "b", score="in-sample"),
                "entropy_rank": lambda: effective_rank(moments, "a", kind="entropy"),
                "predictability": lambda: predictability(moments, "a", score="in-sample"),
                "repeated": lambda: repeated_units(moments, "a"),
                "residual": lambda: with_residual(moments, fit=moments, source="a", target="b"),
            }, 1)}


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--units", type=int, default=1024)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    result = {"pass": bench_pass(args.rows, args.units, args.repeat),
              "ridge": bench_ridge(args.rows, args.units // 2, max(1, args.repeat // 3))}
    print(json.dumps(result) if args.json else json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
