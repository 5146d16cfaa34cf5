"""The ledger on a terminal: every claim by theory, toy and real networks."""

from lab.arguments import folder
from lab.cli import say

HELP = "put every result beside theory and toy in the ledger and print it"


def add_arguments(parser):
    parser.add_argument("--only", nargs="+", metavar="ID", help="claims whose id starts like this")
    parser.add_argument("--out", type=folder, default="runs", help="folder of the run store")


def run(args) -> dict:
    from figures import catalogue, ledger
    from lab.errors import UsageError
    from theory.claims import claims

    wanted = tuple(map(catalogue.spelt, args.only or [""]))
    if not any(name.startswith(wanted) for name in claims()):  # before the tables are read
        raise UsageError(f"no claim's id starts with {args.only[0]!r}")
    rows = [row for row in ledger.rows(ledger.gather(catalogue.tables(args.out))) if row["id"].startswith(wanted)]
    for row in rows:
        say(f"{row['id']}: {row['verdict'].upper()}\n  {row['claim']}")
        for column in row["speaks"]:
            cell = row[column]
            if not cell["evidence"]:
                say(f"  {column:<6} not yet measured")
                continue
            for item in cell["evidence"]:
                interval = "" if item["n"] == 0 or item["low"] is None else f" [{item['low']:.3g}, {item['high']:.3g}]"
                number = f"{item['mean']:.3g}{interval} n={item['n']}"
                note = f" ({item['note']})" if item["note"] else ""
                say(f"  {column:<6} {item['judgement']:<9} {number}  {item['setting']}{note}")
    beside = ledger.unjudged(args.out)
    for line in ledger.notes(beside):
        say(line)
    return {"rows": rows, **beside}
