"""The first answer: every toy command with an empty kernel cache, in a process of its own.

    python -m tests.bench.bench_first_answer [--json] [MODEL ...]

"word" is the wall time until the command has written anything at all, "answer" until it has ended, with the small runs of
``--quick``; "cpu" is the time of all its threads and of the process that compiles beside it (:mod:`lab.compile_ahead`). Compiling
takes nearly all of it.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from toy.models import commands

ROOT = Path(__file__).resolve().parents[2]


def first_answer(model: str) -> dict:
    """One command, as a newcomer meets it."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        environment.pop("WIDTHLAB_SILENT_COMPILER", None)
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        with subprocess.Popen([sys.executable, "-m", "toy", model, "--quick"], cwd=folder, env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as run:
            assert run.stdout is not None
            run.stdout.read(1)
            word = time.perf_counter() - begin
            run.stdout.read()
        answer = time.perf_counter() - begin
    if run.returncode:
        raise SystemExit(f"toy {model} --quick failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"model": model, "word": word, "answer": answer,
            "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows = [first_answer(name) for name in args.models or list(commands())]
    print(json.dumps({"commands": rows, "slowest_word": max(row["word"] for row in rows),
                      "slowest_answer": max(row["answer"] for row in rows)}, indent=None if args.json else 1))


if __name__ == "__main__":
    main()
