"""The command that compares two files of features, from the prompt to the picture.

    python -m tests.bench.bench_compare [--json] [--rows 50000] [--units 1024]

One run in a process of its own: "wall" is from its start to its end, "cpu" the time of all its threads (two at most), "peak"
its resident memory. The target is a minute of wall time on two cores that have nothing else to do; elsewhere look at "cpu".
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def write_features(folder: Path, rows: int, units: int) -> list[str]:
    """Two files of rectified features that share a quarter of as many inputs."""
    inputs = np.random.default_rng(0).standard_normal((rows, units // 4), dtype=np.float32)
    for name, seed in (("a", 1), ("b", 2)):
        rng = np.random.default_rng(seed)
        weights = rng.standard_normal((units // 4, units), dtype=np.float32) / np.sqrt(units // 4, dtype=np.float32)
        noise = rng.standard_normal((rows, units), dtype=np.float32)
        np.save(folder / f"{name}.npy", np.maximum(inputs @ weights + np.float32(0.3) * noise, 0))
    return [str(folder / "a.npy"), str(folder / "b.npy")]


def bench(rows: int, units: int) -> dict:
    """Time one comparison, with its picture."""
    with tempfile.TemporaryDirectory() as name:
        files = write_features(Path(name), rows, units)
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([sys.executable, "-m", "theory", "compare", *files, "--plot", f"{name}/picture.svg", "--json"], cwd=ROOT,
                       check=True, capture_output=True)
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"rows": rows, "units": [units, units], "wall": wall, "cpu": cpu, "peak_mb": after.ru_maxrss / 1024}


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--units", type=int, default=1024)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    result = bench(args.rows, args.units)
    print(json.dumps(result) if args.json else json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
