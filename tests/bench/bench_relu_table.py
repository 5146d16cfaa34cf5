"""The table of Safran & Shamir, 45 cells of 1,000 runs each, on two cores: ``python -m tests.bench.bench_relu_table [--json]``.

Each cell is a run of the study ``relu-landscape``, in a process of its own with one thread. Wall seconds, compilation excluded.
"""

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import json
import time
from multiprocessing import get_context
from pathlib import Path


def cell(config) -> dict:
    """One cell: what it took, and its share of spurious runs."""
    from toy.relu_landscape.study import run_landscape

    begin = time.process_time()
    spurious = run_landscape(config, Path())["spurious"]
    return {"teacher_width": config.teacher_width, "width": config.width, "seconds": time.process_time() - begin,
            "spurious": spurious}


def main() -> None:
    """Measure; print a line or one JSON object."""
    from toy.relu_landscape.model import simulate
    from toy.relu_landscape.study import cells

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--replicas", type=int, default=1000)
    args = parser.parse_args()
    simulate(6, 6, 20)  # compile
    begin = time.perf_counter()
    with get_context("spawn").Pool(2) as pool:
        rows = pool.map(cell, cells(range(6, 21), replicas=args.replicas), chunksize=1)
    seconds = time.perf_counter() - begin
    if args.json:
        print(json.dumps({"seconds": seconds, "cells": rows}))
        return
    slowest = max(rows, key=lambda row: row["seconds"])
    processor = sum(row["seconds"] for row in rows)
    print(f"{len(rows)} cells in {seconds:.0f} s ({processor:.0f} s of processor time); the slowest, k = "
          f"{slowest['teacher_width']}, n = {slowest['width']}, took {slowest['seconds']:.0f} s")


if __name__ == "__main__":
    main()
