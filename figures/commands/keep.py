"""Keep fresh tables with the project, as ``figures/results/<name>.csv`` and its manifest."""

from lab.cli import say

HELP = "copy fresh tables from the run store to figures/results, to be committed"


def add_arguments(parser):
    parser.add_argument("names", nargs="+", metavar="STUDY", help="studies whose tables to keep")
    parser.add_argument("--out", default="runs", help="folder of the run store")


def run(args) -> dict:
    from pathlib import Path

    from figures.catalogue import KEPT, objection
    from lab.errors import InputError
    from lab.tables import read_table, write_table

    paths = []
    for name in args.names:
        table = read_table(name, Path(args.out) / "tables")
        if table is None:
            raise InputError(f"there is no table {name} in {args.out}/tables; compute it with: "
                             f"python -m figures run --only {name}")
        if reason := objection(name, table.manifest):
            raise InputError(f"the table {name} in {args.out}/tables is no evidence: {reason}; compute it with: "
                             f"python -m figures run --only {name}")
        paths.append(str(write_table(table, KEPT)))
        say(f"kept {paths[-1]}")
    return {"kept": paths}
