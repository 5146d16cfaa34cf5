"""Settle what is open: find which studies would decide which claims, and compute them, most decisive first.

Finished runs are kept, and so are the declared looks: a settlement that was stopped goes on with the same command.
"""

import re
import time

from lab.arguments import add_run_arguments, argument, folder, only, processes
from lab.cli import note, say
from lab.console import called

HELP = "compute what would settle the open claims, most decisive first, within a budget of time"
_UNITS = {"s": 1, "m": 60, "h": 3600}
QUICK = 60.0  # seconds


def budget(text: str) -> float:
    """Seconds in ``90s``, ``45m`` or ``2h``."""
    from lab.errors import ArgumentError

    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    if not found:
        raise ArgumentError(f"a budget is a time such as 90s, 45m or 2h, not {text!r}")
    return float(found[1]) * _UNITS[found[2]]


def add_arguments(parser):
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help="ids of claims to settle (default: all that are open)")
    parser.add_argument("--budget", type=argument(budget), default="45m", help="time that it may take: 90s, 45m, 2h")
    parser.add_argument("--out", type=folder, default="runs", help="folder of the run store")
    parser.add_argument("--jobs", type=processes, default=None, help="processes (default: one a core)")
    add_run_arguments(parser, "--quick", "--dry-run")
    only(parser, "--budget", when=lambda args: not args.quick, words="goes without --quick, which is a budget of a minute")


def run(args) -> dict:
    from figures.wording import duration
    from lab.store import RunStore
    from theory.evidence import theory_evidence

    wanted, store, allowed = _wanted(args.claims), RunStore(args.out), QUICK if args.quick else args.budget
    formulas = theory_evidence()  # which take a while, and stay what they are
    found, before = _now(store, wanted, formulas)
    if args.dry_run:
        left = allowed
        for step in found.steps:
            fits = step.seconds is not None and step.seconds <= left
            left -= step.seconds if fits else 0.0
            say(f"{'' if fits else 'beyond the budget: '}{step}")
        _say_stuck(found.stuck)
        return {"budget": allowed, "steps": found.steps, "left": left, "stuck": found.stuck}
    done, failed, start = [], {}, time.monotonic()
    while True:
        left = allowed - (time.monotonic() - start)
        step = next((s for s in found.steps if s.seconds is not None and s.seconds <= left and s.study not in failed), None)
        if step is None:
            break
        note(f"{duration(left)} left; next: {step}")
        if problem := _carry_out(step, store, args.jobs):
            failed[step.study] = problem
        done.append(step)
        found, after = _now(store, wanted, formulas)
    after = after if done else before
    changed = {name: (word, after[name]) for name, word in before.items() if after[name] != word}
    for name, (word, other) in changed.items():
        say(f"{name}: {word} -> {other}")
    say(f"{len(done)} stud{'y was' if len(done) == 1 else 'ies were'} computed, {len(changed)} verdicts changed; "
        f"{len(found.steps)} studies would settle more; {called('figures report')} shows them")
    _say_stuck(found.stuck)
    return {"budget": allowed, "done": done, "changed": changed, "steps": found.steps, "stuck": found.stuck, "failed": failed,
            "exit_code": 1 if failed else 0}


def _now(store, wanted, formulas) -> tuple:
    """The plan by what is known now, and claim -> verdict."""
    from figures import catalogue, ledger, settling

    tables = catalogue.tables(store.root)
    verdicts = ledger.verdicts(ledger.gather(tables, formulas))
    return settling.plan(verdicts, tables, store, wanted), {v.claim.id: v.verdict for v in verdicts}


def _carry_out(step, store, jobs) -> str:
    """Declare the step's looks and compute it; returns what went wrong, "" if nothing did."""
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
    return f"{len(failed)} runs failed" if failed else ""


def _say_stuck(stuck: dict) -> None:
    for name, reason in stuck.items():
        say(f"not to be settled here: {name} ({reason})")


def _wanted(names) -> tuple[str, ...]:
    from figures.catalogue import spelt
    from lab.errors import UsageError
    from theory.claims import claims

    names = tuple(map(spelt, names))
    if unknown := sorted(set(names) - set(claims())):
        raise UsageError(f"no claim is called {unknown[0]!r}; {called('figures verify')} lists them")
    return names
