"""Memory of the online-SGD simulator over that of its weights, growth of its time with size, and two threads over one.

    python -m tests.bench.bench_scaling [--json] [--no-time] [--rounds 7]

"memory" is the growth of the peak resident set of a process of its own while ``simulate`` runs (after a small run that
loads and compiles everything), less the order parameters that it returns, over the bytes of the float32 first-layer
weights; target: at most 1.2. Beside the weights there are copies of one replica's weights (at the start and for order
parameters) and a thread's block of inputs (16 inputs x 4 steps where lanes are replicas): small where replicas are many.
"growth" is the time a step of twice the replicas, widths or inputs over the time of one (median of interleaved rounds;
linear is 2); "threads" the wall time of one thread over that of two (target: at least 1.8, on two idle cores).
"""

import argparse
import json
import subprocess
import sys
import time

import numpy as np

CELLS = [(256, 4, 8192), (256, 8, 8192), (64, 8, 32768), (256, 16, 4096), (256, 64, 2048), (16, 64, 16384),
         (256, 256, 1024)]  # replicas, width, inputs

CHILD = """
import json, resource, sys
import numpy as np
from toy.teacher_student.model import simulate
replicas, width, inputs = json.loads(sys.argv[1])
def run(replicas, inputs):
    return simulate(dim=inputs, width=width, strengths=np.ones(4), learning_rate=0.1, replicas=replicas, times=[16 / inputs])
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024
run(16, 64)
before = peak()
made = run(replicas, inputs)
print(json.dumps((peak() - before - made.Q.nbytes - made.R.nbytes) / (4 * replicas * width * inputs)))
"""


def memory() -> dict:
    """Growth of the peak resident set over the bytes of the weights, each in a process of its own."""
    found = {}
    for cell in CELLS:
        done = subprocess.run([sys.executable, "-c", CHILD, json.dumps(cell)], capture_output=True, text=True, check=True)
        found["replicas {}, width {}, inputs {}".format(*cell)] = json.loads(done.stdout)
    return found


def steps(replicas, width, inputs):
    from toy.teacher_student import ensemble, model

    s = model.validated(dim=inputs, width=width, strengths=np.ones(4), learning_rate=0.1, replicas=replicas)
    return ensemble.FullEnsemble(s, model.starting_weights).advance


def medians(programs: dict, count: int, rounds: int) -> dict:
    """Median wall seconds of `count` steps, rounds interleaved. Values: (threads, advance)."""
    import numba

    took = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, (threads, advance) in programs.items():
            numba.set_num_threads(threads)
            began = time.perf_counter()
            advance(count)
            if turn:
                took[name].append(time.perf_counter() - began)
    return {name: float(np.median(t)) for name, t in took.items()}


def growth_and_threads(rounds: int) -> tuple[dict, dict | None]:
    import numba

    sizes = {"one": (256, 64, 64), "replicas": (512, 64, 64), "width": (256, 128, 64), "inputs": (256, 64, 128)}
    took = medians({name: (1, steps(*size)) for name, size in sizes.items()}, 64, rounds)
    growth = {name: took[name] / took["one"] for name in sizes if name != "one"}
    if numba.config.NUMBA_NUM_THREADS < 2:
        return growth, None
    threads = {}
    for name, size in {"width 8": (512, 8, 256), "width 64": (512, 64, 64)}.items():
        took = medians({count: (count, steps(*size)) for count in (1, 2)}, 128, rounds)
        threads[name] = took[1] / took[2]
    return growth, threads


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-time", action="store_true", help="memory alone")
    parser.add_argument("--no-memory", action="store_true", help="time alone")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    result = {}
    if not args.no_memory:
        result["memory"] = memory()
    if not args.no_time:
        result["growth"], result["threads"] = growth_and_threads(args.rounds)
    if args.json:
        print(json.dumps(result))
        return
    for name, ratio in result.get("memory", {}).items():
        print(f"memory over weights, {name}: {ratio:.2f} (target 1.2)")
    for name, ratio in result.get("growth", {}).items():
        print(f"time of twice the {name}: {ratio:.2f} times")
    for name, ratio in (result.get("threads") or {}).items():
        print(f"two threads, {name}: {ratio:.2f} times one (target 1.8)")


if __name__ == "__main__":
    main()
