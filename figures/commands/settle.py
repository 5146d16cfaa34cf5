"""Settle open claims: find the studies that would decide them, and compute these, most decisive first.

Finished runs and declared looks are kept, so the same command resumes after an interruption.
"""

import re
import time

from lab.arguments import add_run_arguments, argument, folder, only, processes
from lab.cli import note, say
from lab.console import called

HELP = "compute what would settle the open claims, most decisive first, within a time budget"
_UNITS = {"s": 1, "m": 60, "h": 3600}
QUICK = 60.0  # seconds


def budget(text: str) -> float:
    """The seconds in ``90s``, ``45m`` or ``2h``."""
    from lab.errors import ArgumentError

    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    if not match:
        raise ArgumentError(f"the budget must be a time such as 90s, 45m or 2h, not {text!r}")
    return float(match[1]) * _UNITS[match[2]]


def add_arguments(parser):
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help="ids of claims to settle (default: all open claims)")
    parser.add_argument("--budget", type=argument(budget), default="45m", help="longest time to spend: 90s, 45m, 2h")
    parser.add_argument("--out", type=folder, default="runs", help="folder of the run store")
    parser.add_argument("--jobs", type=processes, default=None, help="number of processes (default: one per core)")
    add_run_arguments(parser, "--quick", "--dry-run")
    only(parser, "--budget", when=lambda args: not args.quick,
         words="cannot be combined with --quick, which means a budget of one minute")


def run(args) -> dict:
    from figures.wording import counted, duration
    from lab.store import RunStore
    from theory.evidence import theory_evidence

    wanted, store, allowed = _wanted(args.claims), RunStore(args.out), QUICK if args.quick else args.budget
    formulas = theory_evidence()  # computed once: they take a while and never change
    plan, before = _now(store, wanted, formulas)
    if args.dry_run:
        left = allowed
        for step in plan.steps:
            fits = step.seconds is not None and step.seconds <= left
            left -= step.seconds if fits else 0.0
            say(f"{'' if fits else 'beyond the budget: '}{step}")
        _say_stuck(plan.stuck)
        return {"budget": allowed, "steps": plan.steps, "left": left, "stuck": plan.stuck}
    done, failed, start = [], {}, time.monotonic()
    while True:
        left = allowed - (time.monotonic() - start)
        step = next((s for s in plan.steps if s.seconds is not None and s.seconds <= left and s.study not in failed), None)
        if step is None:
            break
        note(f"{duration(left)} left; next: {step}")
        if problem := _carry_out(step, store, args.jobs):
            failed[step.study] = problem
        done.append(step)
        plan, after = _now(store, wanted, formulas)
    after = after if done else before
    changed = {name: (word, after[name]) for name, word in before.items() if after[name] != word}
    for name, (word, other) in changed.items():
        say(f"{name}: {word} -> {other}")
    say(f"computed {counted(len(done), 'study', 'studies')}, which changed {counted(len(changed), 'verdict')}; "
        f"{counted(len(plan.steps), 'study', 'studies')} left that could settle more. {called('figures report')} shows them")
    _say_stuck(plan.stuck)
    return {"budget": allowed, "done": done, "changed": changed, "steps": plan.steps, "stuck": plan.stuck, "failed": failed,
            "exit_code": 1 if failed else 0}


def _now(store, wanted, formulas) -> tuple:
    """The plan from the current tables, and claim -> verdict."""
    from figures import catalogue, ledger, settling

    tables = catalogue.tables(store.root)
    verdicts = ledger.verdicts(ledger.gather(tables, formulas))
    return settling.plan(verdicts, tables, store, wanted), {v.claim.id: v.verdict for v in verdicts}


def _carry_out(step, store, jobs) -> str:
    """Declare the looks of a step and compute it; return what went wrong, or an empty text."""
    from figures import catalogue, settling
    from lab.errors import InputError
    from lab.study import compute

    looks = settling.declare(step, store.root)
    try:
        table = compute(catalogue.study(step.study), step.scale, store=store, jobs=jobs, replicas=step.replicas, looks=looks)
    except InputError as error:
        note(f"{step.study}: {error}")
        return str(error)
    failed = table.manifest["failed"] if table is not None else ()
    return f"{len(failed)} run{'s' * (len(failed) > 1)} failed" if failed else ""


def _say_stuck(stuck: dict) -> None:
    for name, reason in stuck.items():
        say(f"cannot be settled here: {name} ({reason})")


def _wanted(names) -> tuple[str, ...]:
    from figures.catalogue import spelt
    from lab.errors import UsageError
    from theory.claims import claims

    names = tuple(map(spelt, names))
    if unknown := sorted(set(names) - set(claims())):
        raise UsageError(f"no claim is called {unknown[0]!r}; {called('figures verify')} lists them")
    return names
