"""Published numbers compared with ours: which are met, by how much the others are off, which cannot be reached here and why."""

from lab.arguments import add_run_arguments, folder, processes
from lab.cli import say

HELP = "compare published numbers with ours; --anew computes our studies of them first"


def add_arguments(parser):
    parser.add_argument("names", nargs="*", metavar="NAME", help="numbers whose names start like this (default: all)")
    parser.add_argument("--anew", action="store_true", help="compute our studies of them, even if tables are kept; finished runs "
                        "are not repeated")
    parser.add_argument("--out", type=folder, default="runs", help="folder of the run store")
    parser.add_argument("--jobs", type=processes, default=None, help="number of processes (default: one per core)")
    add_run_arguments(parser, "--quick", "--dry-run")


def run(args) -> dict:
    from figures.catalogue import tables
    from figures.published import meet
    from lab.cli import jsonable

    numbers = _wanted(args.names)
    studies = list(dict.fromkeys(number.study for number in numbers if number.study and number.ours))
    if args.dry_run or args.anew:
        plans = _computed(studies, args)
        if args.dry_run:
            return {"studies": plans}
    met = meet(numbers, tables(args.out, studies))
    for meeting in met:
        say(line(meeting))
    return {"numbers": [jsonable({"name": m.number.name, "verdict": m.verdict, "theirs": m.theirs.to_json(),
                                  "ours": m.ours and m.ours.to_json(), "gap": m.gap and m.gap.to_json(),
                                  "reduced": m.number.reduced, "why": m.number.why}) for m in met]}


def _wanted(names) -> list:
    """The requested numbers."""
    from figures.published import published
    from lab.errors import UsageError

    numbers = list(published().values())
    for name in names:
        if not any(number.name.startswith(name) for number in numbers):
            raise UsageError(f"no published number's name starts with {name!r}; the groups are "
                             f"{', '.join(dict.fromkeys(number.group for number in numbers))}")
    return [number for number in numbers if number.name.startswith(tuple(names) or "")]


def _computed(names, args) -> list[dict]:
    """The finished and missing runs of each study, which is then computed unless this is a dry run."""
    from figures.catalogue import study
    from lab.cli import note
    from lab.errors import InputError
    from lab.store import RunStore
    from lab.study import compute, in_order
    from lab.sweep import dry_run

    store, scale, plans = RunStore(args.out), "quick" if args.quick else "full", []
    for each in in_order([study(name) for name in names]):
        plans.append(dry_run(each.name, each.runs(each.at(scale)), store=store, schema=each.schema_of))
        if args.dry_run:
            say(f"{each.name}: {plans[-1]['done']} done, {plans[-1]['missing']} missing")
            continue
        try:
            compute(each, scale, store=store, jobs=args.jobs)
        except InputError as error:
            note(f"{each.name}: {error}")
    return plans


def line(meeting) -> str:
    """One number in words."""
    number = meeting.number
    theirs = "no number" if number.value != number.value else f"{meeting.theirs:.3g}"
    parts = [f"theirs {number.sense} {theirs}".replace("  ", " ")]
    if meeting.ours is not None:
        parts.append(f"ours {meeting.ours:.3g}")
        parts.append(f"gap {meeting.gap:.2g}")
    parts += [f"reduced: {number.reduced}"] * bool(number.reduced) + [number.why] * bool(number.why)
    return f"{number.name}: {meeting.verdict.upper()}\n  {number.quantity}\n  {'; '.join(parts)}"
