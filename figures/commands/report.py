"""Write the report from the tables that exist."""

from lab.arguments import folder
from lab.cli import say

HELP = "write report/index.html and report/ledger.json from the tables that exist"


def add_arguments(parser):
    parser.add_argument("--out", type=folder, default="runs", help="folder of the run store")
    parser.add_argument("--report", type=folder, default="report", help="folder of the report")


def write(args, workers=None) -> dict:
    """Build the report, with the help of ``workers`` if they are at work already, and say where it is."""
    from figures.ledger import notes
    from figures.report import build

    built = build(args.out, args.report, workers)
    say("claims: " + ", ".join(f"{count} {verdict}" for verdict, count in built["verdicts"].items()))
    if built["repeated"]:
        numbers, same = (sum(row[key] for row in built["repeated"]) for key in ("numbers", "same"))
        say(f"computed again here: {same} of {numbers} numbers are judged as in the kept tables, which the report shows")
    for line in notes(built):
        say(line)
    say(f"the report is {built['report']}")
    return {key: built[key] for key in ("report", "ledger", "verdicts", "missing", "repeated", "set_aside", "own")}


def run(args) -> dict:
    return write(args)
