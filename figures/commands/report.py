"""Write the report from existing tables."""

from figures.wording import counted
from lab.arguments import folder, processes
from lab.cli import say

HELP = "write report/index.html and report/ledger.json from existing tables"


def add_arguments(parser):
    parser.add_argument("--runs", "--out", dest="out", type=folder, default="runs", help="folder of the run store")
    parser.add_argument("--report", type=folder, default="report", help="folder of the report")
    parser.add_argument("--jobs", type=processes, default=None, help="number of processes that draw (default: one per core)")


def write(args, workers=None) -> dict:
    """Build the report, with the help of ``workers``, and print its verdicts and where it is."""
    from figures.ledger import notes
    from figures.report import build

    built = build(args.out, args.report, workers)
    say("claims: " + ", ".join(f"{count} {verdict}" for verdict, count in built["verdicts"].items()))
    for line in [*repetition(built["repeated"]), *notes(built)]:
        say(line)
    say(f"the report is {built['report']}")
    return {key: built[key] for key in ("report", "ledger", "verdicts", "missing", "repeated", "set_aside", "own")}


def repetition(repeated) -> list[str]:
    """How the numbers recomputed here compare with the kept tables, as lines of text."""
    numbers, same = (sum(row[key] for row in repeated) for key in ("numbers", "same"))
    if not numbers:
        return []
    differ = [(row["study"], d) for row in repeated for d in row["differ"]]
    lines = [f"recomputed here with fewer replicas: {counted(numbers, 'number')} of the kept tables; "
             + (f"{same} agree within chance, {len(differ)} differ by more:" if differ else "all agree within chance")]
    lines += [f"  {name}, {d['claim']}, {d['setting']}: {d['here']['mean']:.3g} here, {d['kept']['mean']:.3g} kept"
              for name, d in differ[:MOST]]
    lines += [f"  and {len(differ) - MOST} more, listed in the report under 'Recomputed here'"] * (len(differ) > MOST)
    return [*lines, "the report shows the kept tables, which have more replicas"]


MOST = 5  # differing numbers to print on the terminal


def run(args) -> dict:
    from lab.manifest import cores
    from lab.sweep import Workers

    with Workers(args.jobs or cores()) as workers:
        return write(args, workers)
