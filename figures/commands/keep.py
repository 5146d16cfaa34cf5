"""Keep fresh tables with the project, as ``figures/results/<name>.csv`` with a manifest."""

from lab.arguments import folder
from lab.cli import say
from lab.console import called

HELP = "copy fresh tables from the run store to figures/results, ready to commit"


def add_arguments(parser):
    parser.add_argument("names", nargs="+", metavar="STUDY", help="studies whose tables to keep")
    parser.add_argument("--out", type=folder, default="runs", help="folder of the run store")


def run(args) -> dict:
    from pathlib import Path

    from figures.catalogue import KEPT, spelt
    from lab.errors import InputError
    from lab.tables import write_table

    if not (Path(__file__).parents[2] / "pyproject.toml").exists():
        raise InputError("tables are kept with the project's sources: run this from a checkout, not from an installed package")
    folder = Path(args.out) / "tables"
    tables = [_worth_keeping(spelt(name), folder) for name in args.names]  # all, before the first is written
    paths = [str(write_table(table, KEPT)) for table in tables]
    for path in paths:
        say(f"kept {path}")
    return {"kept": paths}


def _worth_keeping(name: str, folder):
    """The fresh table of a study, if it is evidence and not of a smaller scale than the one that it would replace."""
    from figures.catalogue import KEPT, objection
    from lab.errors import InputError
    from lab.tables import PARTIAL, read_manifest, read_table, size

    facts = read_manifest(name, folder) or read_manifest(name + PARTIAL, folder)
    kept = read_manifest(name, KEPT)
    if facts is None:
        reason = f"there is no table {name} in {folder}"
    elif reason := objection(name, facts):
        reason = f"the table {name} in {folder} is not evidence: {reason}"
    elif kept and size(kept) > size(facts):
        reason = f"the table {name} in {folder} has the scale {facts['scale']!r}, but the kept one has {kept['scale']!r}"
    if reason:
        scale = kept["scale"] if kept else "full"
        raise InputError(f"{reason}; compute it with: {called(f'figures run --scale {scale} --only {name}')}")
    return read_table(name, folder)
