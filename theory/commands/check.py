"""``python -m theory check``: compare every prediction with an independent number."""

import fnmatch
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from lab.arguments import add_run_arguments, only
from lab.cli import say
from lab.console import called
from lab.errors import UsageError
from lab.manifest import cores
from theory import derivation as framework

HELP = "compare each prediction with an independent number"


def add_arguments(parser) -> None:
    """--only, and the flags of a run."""
    parser.add_argument("--only", action="append", metavar="NAME", default=None,
                        help="a check's name, the start of one, or a pattern like 'erf-*'; may be repeated")
    add_run_arguments(parser, "--seed", "--jobs", "--quick", "--dry-run")
    only(parser, "--only", when=lambda args: not args.quick, words="goes without --quick, which takes one check of each kind")


def select(names: list[str], wanted: list[str] | None) -> list[str]:
    """The names that equal, or start with, or match as a pattern, one of ``wanted``.

    Raises
    ------
    UsageError
        If one of ``wanted`` matches nothing.
    """
    if not wanted:
        return names
    chosen = []
    for want in wanted:
        hits = [n for n in names if n == want or n.startswith(want) or fnmatch.fnmatchcase(n, want)]
        if not hits:
            raise UsageError(f"no check matches {want!r}; see {called('theory list')}")
        chosen += [n for n in hits if n not in chosen]
    return chosen


def _run_named(name: str, seed: int):
    begin = time.perf_counter()
    try:
        predictions = framework.run_check(name, framework.check_functions()[name], seed)
        return name, predictions, None, time.perf_counter() - begin
    except Exception as error:  # a check that breaks fails by itself, without stopping the others
        return name, [], f"{type(error).__name__}: {error}", time.perf_counter() - begin


def run(args) -> dict:
    """Run the chosen checks and print a table; the exit code is 1 if any prediction fails."""
    names = framework.quick_checks() if args.quick else select(list(framework.check_functions()), args.only)
    if args.dry_run:
        for name in names:
            say(name)
        return {"would_check": names}
    jobs = min(args.jobs or min(2, cores()), max(len(names), 1))
    if jobs > 1:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            outcomes = list(pool.map(_run_named, names, [args.seed] * len(names)))
    else:
        outcomes = [_run_named(name, args.seed) for name in names]
    predictions = [p for _, made, _, _ in outcomes for p in made]
    broken = {name: error for name, _, error, _ in outcomes if error}
    width = max([len(p.name) for p in predictions] + [10])
    say(f"{'prediction':<{width}}  {'formula':>16}  {'independent':>16}  {'std. error':>10}  {'deviation':>10}  "
        f"{'limit':>8}  verdict  method")
    for p in predictions:
        error = "" if p.standard_error is None else f"{p.standard_error:.2g}"
        unit = " se" if p.standard_error is not None else "   "
        say(f"{p.name:<{width}}  {p.symbolic:>16.10g}  {p.numeric:>16.10g}  {error:>10}  {p.deviation:>7.2g}{unit}  "
            f"{p.limit:>8.2g}  {'pass   ' if p.passed else 'FAIL   '}  {p.method}")
    for name, error in broken.items():
        say(f"{name:<{width}}  FAIL: the check itself broke: {error}")
    failed = [p.name for p in predictions if not p.passed] + list(broken)
    say(f"{len(predictions)} predictions from {len(names)} checks, {len(failed)} failed"
        + (": " + ", ".join(failed) if failed else ""))
    return {"predictions": [p.to_json() for p in predictions], "failed": failed, "broken": broken,
            "seconds": {name: seconds for name, _, _, seconds in outcomes}, "exit_code": int(bool(failed))}
