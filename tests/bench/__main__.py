"""``python -m tests.bench [TOPIC ...] [--json]``: every benchmark, or those named; each in a process of its own."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

TOPICS = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"among {', '.join(TOPICS)} (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    args = parser.parse_args()
    unknown = set(args.topics) - set(TOPICS)
    if unknown:
        parser.error(f"no benchmark is called {sorted(unknown)[0]}; there are {', '.join(TOPICS)}")
    results, failed = {}, []
    for topic in args.topics or TOPICS:
        print(f"== {topic}", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"tests.bench.bench_{topic}"]
        if args.json:
            done = subprocess.run([*command, "--json"], stdout=subprocess.PIPE, text=True)
            if done.returncode == 0:
                results[topic] = json.loads(done.stdout)
        else:
            done = subprocess.run(command)
        if done.returncode:
            failed.append(topic)
    if args.json:
        print(json.dumps({"benchmarks": results, "failed": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
