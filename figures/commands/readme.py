"""Write the README's table of claims from the kept tables, so that the two always agree."""

from pathlib import Path

from lab.cli import say

HELP = "write the table of claims in README.md from the tables that are kept with the project"
MARKS = ("<!-- claims -->", "<!-- end of claims -->")


def add_arguments(parser):
    parser.add_argument("--file", default="README.md", help="file with the marks that enclose the table")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the table in the file is out of date")


def claims_table() -> str:
    """The table in Markdown: one row per claim, with its verdict and summary."""
    from figures import catalogue, ledger

    rows = ledger.rows(ledger.gather(catalogue.tables(Path("no run store"))))
    lines = ["| claim | verdict | in short |", "|---|---|---|"]
    for row in rows:
        summary = row["summary"].replace("|", "\\|")
        lines.append(f"| {row['claim']} <sub>{row['id']}</sub> | **{row['verdict']}** | {summary} |")
    return "\n".join(lines)


def run(args) -> dict:
    from lab.errors import InputError
    from lab.store import write_atomically

    path = Path(args.file)
    text = path.read_text() if path.exists() else ""
    before, mark, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not (mark and end):
        raise InputError(f"{path} has no pair of lines {MARKS[0]} and {MARKS[1]}; add them where the table should go")
    new = f"{before}{MARKS[0]}\n{claims_table()}\n{MARKS[1]}{after}"
    same = new == text
    if not (args.check or same):
        write_atomically(path, new)
    say(f"{path}: the table of claims is {'up to date' if same else 'out of date' if args.check else 'written'}")
    return {"file": str(path), "same": same, "exit_code": 1 if args.check and not same else 0}
