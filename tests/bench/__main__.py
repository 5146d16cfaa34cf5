"""``python -m tests.bench [TOPIC ...] [--json] [--details] [--keep]``: every benchmark, or those named, each in its own process.

Prints each target beside the figure; exits with 1 if a benchmark failed or a floor is broken (see :mod:`tests.bench.targets`).
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tests.bench.kept import keep
from tests.bench.targets import judged, line

TOPICS = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"among {', '.join(TOPICS)} (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--details", action="store_true", help="everything that was measured, too")
    parser.add_argument("--keep", action="store_true", help="keep the figures with the project, and write the README's table")
    args = parser.parse_args()
    unknown = set(args.topics) - set(TOPICS)
    if unknown:
        parser.error(f"no benchmark is called {sorted(unknown)[0]}; there are {', '.join(TOPICS)}")
    results, failed, broken = {}, [], []
    for topic in args.topics or TOPICS:
        print(f"== {topic}", file=sys.stderr, flush=True)
        done = subprocess.run([sys.executable, "-m", f"tests.bench.bench_{topic}", "--json"], stdout=subprocess.PIPE, text=True)
        if done.returncode:
            failed.append(topic)
            continue
        results[topic] = json.loads(done.stdout)
        if args.details and not args.json:
            print(json.dumps(results[topic], indent=1))
        for target, figure in judged({topic: results[topic]}):
            print(line(target, figure), file=sys.stderr if args.json else sys.stdout, flush=True)
            if not target.holds(figure, target.bound):
                broken.append(target.what)
    if args.keep:
        keep(results)
    if args.json:
        print(json.dumps({"benchmarks": results, "failed": failed, "broken": broken}))
    return 1 if failed or broken else 0


if __name__ == "__main__":
    sys.exit(main())
