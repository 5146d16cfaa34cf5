"""The ledger on the terminal: every claim in one sentence, one claim in full, or all evidence as a table."""

import csv
import io
from pathlib import Path

from lab.arguments import folder
from lab.cli import say

HELP = "print the ledger: every claim with its verdict from theory, toy models and real networks"
COLUMNS = ("theory", "toy", "real")
NAMED_RUNS = 3  # runs of a piece of evidence to print; the others are counted


def add_arguments(parser):
    parser.add_argument("--only", nargs="+", metavar="ID", help="only claims whose id starts with one of these")
    parser.add_argument("--claim", metavar="ID", help="print one claim in full: rule, settings, p-values, pooled mean, "
                        "moderator, power, runs")
    parser.add_argument("--table", nargs="?", const="-", metavar="FILE", help="write all evidence as CSV, one row per piece; to "
                        "standard output without FILE")
    parser.add_argument("--out", type=folder, default="runs", help="folder of the run store")


def run(args) -> dict:
    from figures import catalogue, ledger
    from figures.wording import chance
    from theory.verdict.decide import wrong

    wanted = _wanted(args)
    verdicts = ledger.verdicts(ledger.gather(catalogue.tables(args.out)))
    rows = [row for row in ledger.rows(verdicts) if row["id"].startswith(wanted)]
    unjudged, errors = ledger.unjudged(args.out), wrong(verdicts)
    if args.table:
        _write(table(rows), args.table)
    elif args.claim:
        say("\n".join(in_full(rows[0])))
    else:
        for row in rows:
            say(f"{row['id']}: {row['verdict'].upper()}\n  {row['claim']}\n  {row['summary']}")
        say(chance(errors))
    if not (args.claim or args.table):
        for line in ledger.notes(unjudged):
            say(line)
    return {"rows": rows, "wrong": errors, **unjudged}


def _wanted(args) -> tuple[str, ...]:
    """Prefixes of the requested ids, checked before any table is read."""
    from difflib import get_close_matches

    from figures.catalogue import spelt
    from lab.errors import UsageError
    from theory.claims import claims

    if args.claim and args.only:
        raise UsageError("--claim selects one claim and cannot be combined with --only")
    if args.table == "-" and args.json:
        raise UsageError("--table and --json cannot both go to standard output: give a file, --table FILE")
    if args.claim:
        name = spelt(args.claim)
        if name not in claims():
            near = get_close_matches(name, claims(), 1, 0.3)
            raise UsageError(f"no claim is called {args.claim!r}{f'; did you mean {near[0]}?' if near else ''}")
        return (name,)
    wanted = tuple(map(spelt, args.only or [""]))
    if not any(name.startswith(wanted) for name in claims()):
        raise UsageError(f"no claim's id starts with {args.only[0]!r}")
    return wanted


# --------------------------------------------------------------------------------------------------- one claim in full
def in_full(row: dict) -> list[str]:
    """A claim in full, as lines of text."""
    lines = [f"{row['id']}: {row['verdict'].upper()}", f"  {row['claim']} ({row['source']})", f"  {row['summary']}"]
    facts = {"statistic": row["statistic"], "rule": row["rule"], "why this bound": row["bound_reason"],
             "refuted by": row["refuted_by"], "scope": row["scope"], "moderator": row["moderator"],
             "primary setting": ", ".join(f"{column} {key}" for column, key in row["primary"].items())}
    lines += [f"  {name}: {text}" for name, text in facts.items() if text]
    lines += [f"  changed {change['date']}: {change['what']} ({change['reason']})" for change in row["changes"]]
    for name in COLUMNS:
        if row[name]:
            lines += _column(name, row[name])
    return lines


def _column(name: str, column: dict) -> list[str]:
    lines = [f"{name}: {column['verdict']}; {column['summary']}"]
    if pooled := column["pooled"]:
        low, high = pooled["prediction"]
        lines.append(f"  mean over {pooled['n']} settings {_number(pooled)}, spread between settings ±{pooled['spread']:.3g}, "
                     f"prediction interval for a new setting [{low:.3g}, {high:.3g}]")
    if tested := column["moderator"]:
        lines.append(f"  {tested['name']}: p = {tested['p']:.2g}; " + ", ".join(
            f"{level} {_number(mean)} over {mean['n']}" for level, mean in tested["means"].items()))
    for item in column["evidence"]:
        lines += _piece(item)
    return lines


def _piece(item: dict) -> list[str]:
    judgement = item["judgement"] + " (primary)" * item["primary"]
    count = f" n={item['n']}" if item["n"] else " exact"
    lines = [f"  {judgement:<22} {_number(item)}{count}  {item['setting']}" + (f" ({item['note']})" if item["note"] else "")]
    if item["p_holds"] == item["p_holds"] and item["n"]:
        needed = "" if item["needed"] is None else f", replicas for 80 % power {item['needed']}"
        p = ", ".join(f"{name} {item[key]:.2g}" for name, key in (("holds", "p_holds"), ("fails", "p_fails"),
                                                                  ("no effect", "p_no_effect")))
        lines.append(f"{'':<24} p: {p}{needed}")
    if runs := item["runs"]:
        more = f" and {len(runs) - NAMED_RUNS} more (--json lists all)" if len(runs) > NAMED_RUNS else ""
        lines.append(f"{'':<24} {item['key']}: {len(runs)} run{'s' * (len(runs) > 1)}, {', '.join(runs[:NAMED_RUNS])}{more}")
    return lines


def _number(item: dict) -> str:
    if item["mean"] is None:
        return "no number"
    interval = "" if item["n"] == 0 or item["low"] is None else f" [{item['low']:.3g}, {item['high']:.3g}]"
    return f"{item['mean']:.3g}{interval}"


# ----------------------------------------------------------------------------------------------------- all as a table
def table(rows: list[dict]) -> str:
    """All evidence as CSV: one row per piece, with the verdicts of its claim and column."""
    text = io.StringIO()
    names = ("setting", "key", "judgement", "primary", "mean", "low", "high", "n", "p_holds", "p_fails", "p_no_effect", "needed",
             "cluster", "note")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["claim", "verdict", "column", "column_verdict", "rule", *names])
    for row in rows:
        for name in COLUMNS:
            for item in (row[name] or {"evidence": []})["evidence"]:
                judged = (row["id"], row["verdict"], name, row[name]["verdict"], row["rule"])
                writer.writerow([*judged, *(item[key] for key in names)])
    return text.getvalue()


def _write(text: str, file: str) -> None:
    from lab.store import write_atomically

    if file == "-":
        say(text.removesuffix("\n"))
    else:
        write_atomically(Path(file), text)
        say(f"wrote {text.count(chr(10)) - 1} pieces of evidence to {file}")
