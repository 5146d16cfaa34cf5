"""A command that sweeps over squares, for tests that need a process of their own: ``python -m tests.lab.squares``."""

import sys

HELP = "squares of whole numbers"


def add_arguments(parser):
    from lab.arguments import add_run_arguments

    parser.add_argument("--numbers", type=int, default=3)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--scheduler")
    add_run_arguments(parser, "--jobs", "--out")


def run(args) -> dict:
    from lab.cluster import Cluster
    from lab.store import RunStore
    from lab.sweep import sweep
    from tests.lab.experiments import Square

    outcome = sweep("squares", "tests.lab.experiments:square", [Square(x) for x in range(args.numbers)],
                    store=RunStore(args.out), jobs=args.jobs or 1, options={"pause": args.pause},
                    executor=Cluster(args.scheduler) if args.scheduler else None)
    return {"values": [result["value"] for _, result in outcome.finished]}


if __name__ == "__main__":
    from lab.cli import main

    sys.exit(main("tests.lab", {"squares": "tests.lab.squares|squares"}, ["squares", *sys.argv[1:]]))
