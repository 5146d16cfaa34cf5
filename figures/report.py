"""``report/index.html``, one self-contained page, and ``report/ledger.json``."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from html import escape
from pathlib import Path

from figures import answer, catalogue, ledger, own, strips
from figures.reproduction import reproduction
from figures.section import Picture, Section, sections
from figures.style import themed, unique_ids
from figures.wording import COLUMN_NAMES, capital, cell, chance, counted, estimate
from lab import manifest
from lab.cli import jsonable
from lab.store import write_atomically
from lab.tables import Table
from theory.claims import COLUMNS, claims
from theory.evidence import theory_evidence
from theory.verdict.decide import VERDICTS, wrong

# The picture of the first screen: claims that measure the same gap, each with one thing changed
CONTROLS = {"s0.narrow-does-not-span-wide": "no control", "s0.gap-survives-matched-training": "same training loss",
            "s0.gap-survives-shared-start": "start as slices", "s0.gap-at-equal-parameters": "equal parameters",
            "s0.gap-is-not-linear": "nonlinear maps", "s0.gap-above-width-one": "wider than standard"}
KEY_CLAIMS = 3  # claims shown unfolded in a section that names no key claims


def drawn(number: int, store: Path) -> tuple[list, dict[str, str]]:
    """Pictures, and tables as HTML, of the section at this position in the report."""
    section = sections()[number]
    have = catalogue.tables(store, section.studies)
    return list(section.draw(have)), {caption: frame_html(frame) for caption, frame in section.frames(have).items()}


_DONE: dict[tuple, Future] = {}  # cache of this process: results by function, arguments and everything else they depend on


def _once(workers, function, *arguments, of: tuple = ()) -> Future:
    """The cached result of a function that also depends on ``of``: computed by workers, or here if there are none."""
    key = (function, *arguments, *of)
    if key not in _DONE:
        if workers is not None:
            _DONE[key] = workers.submit(function, *arguments)
        else:
            future: Future = Future()
            _DONE[key] = future
            try:
                future.set_result(function(*arguments))
            except BaseException:
                del _DONE[key]
                raise
    return _DONE[key]


def build(store: Path, out: Path, workers=None) -> dict:
    """Write the report and the ledger from the tables that exist.

    Parameters
    ----------
    store : the run store; ``tables/`` in it holds fresh tables, kept ones come with the project.
    out : folder of the report.
    workers : a :class:`lab.sweep.Workers` that draws pictures and evaluates formulas (default: this process does). A report of
        one section is always drawn here, because starting processes would take longer.

    Returns
    -------
    dict : ``report``, ``ledger`` (paths), ``rows``, ``verdicts`` (counts), ``missing`` (studies without a table),
        ``repeated`` (:func:`figures.reproduction.reproduction`), ``set_aside`` and ``own``
        (:func:`figures.ledger.unjudged`).
    """
    workers = workers if len(sections()) > 1 else None
    formulas = _once(workers, theory_evidence)
    tables = catalogue.tables(store)
    drawings = [_once(workers, drawn, number, store, of=(section, *(_state(tables.get(name)) for name in section.studies)))
                for number, section in enumerate(sections())]
    judged = ledger.verdicts(ledger.gather(tables, formulas.result()))
    rows = ledger.rows(judged)
    unjudged, repeated = ledger.unjudged(store), reproduction(store)
    shown_rows = answer.shown(rows)
    pages = [_page(section, drawing.result(), shown_rows, tables, unjudged["set_aside"])
             for section, drawing in zip(sections(), drawings)]
    counts = Counter(row["verdict"] for row in rows)
    verdicts = {v: counts.get(v, 0) for v in VERDICTS}
    errors = wrong(judged)
    html = page_html(shown_rows, pages=pages, errors=errors, tables=list(tables.values()), repeated=repeated,
                     remarks={name: catalogue.remark(table) for name, table in tables.items()},
                     set_aside=unjudged["set_aside"], **owned(store, unjudged["own"]))
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(jsonable({"rows": rows, "wrong": errors, **unjudged}), indent=1, allow_nan=False)
    write_atomically(out / "ledger.json", text + "\n")
    write_atomically(out / "index.html", html)
    return {"report": str(out / "index.html"), "ledger": str(out / "ledger.json"), "rows": rows, "verdicts": verdicts,
            "repeated": repeated, "missing": sorted(set(catalogue.studies()) - set(tables)), **unjudged}


def owned(store: Path, tables: Sequence[Mapping]) -> dict:
    """The user's own tables (:func:`figures.ledger.unjudged`) for the page: ``own`` with pictures, and ``own_rows``."""
    by_name = {table.name: table for table in catalogue.own_tables(store)} if tables else {}
    shown = [{**item, "pictures": _shown(own.pictures(by_name[item["table"]]), f"own{i}")} for i, item in enumerate(tables)]
    return {"own": shown, "own_rows": answer.shown(own.own_rows(by_name.values()))}


def _state(table: Table | None) -> tuple:
    """Everything of a table on which a drawing depends."""
    return () if table is None else (table.name, table.manifest.get("digest"), table.manifest["kept"])


def _page(section: Section, drawing, rows: Sequence[Mapping], tables: Mapping, set_aside: Sequence[Mapping]) -> dict:
    """A section for the page template, with its main picture first and its key claims unfolded."""
    pictures, frames = drawing
    of_section = [row for row in rows if row["id"].startswith(section.claims)]
    keys = [row for row in of_section if row["id"].startswith(section.key)] if section.key else of_section[:KEY_CLAIMS]
    shown = _shown(sorted(pictures, key=lambda p: p.title != section.main), section.id)
    present = {name: tables[name] for name in section.studies if name in tables}
    return {"section": section, "pictures": shown, "frames": frames, "rows": of_section, "foremost": keys,
            "findings": list(section.findings(present)),
            "others": [row for row in of_section if row not in keys], "tally": answer.tally(of_section) if of_section else "",
            "aside": [item for item in set_aside if item["table"] in section.studies],
            "missing": [name for name in section.studies if name not in present]}


def _shown(pictures: Sequence[Picture], name: str) -> list[dict]:
    """Pictures for the page template; ``name`` prefixes the ids inside them."""
    return [{"title": p.title, "caption": p.caption, "table": p.table, "svg": themed(unique_ids(p.svg, f"{name}{i}"))}
            for i, p in enumerate(pictures, 1)]


def page_html(rows: Sequence[Mapping], *, pages=(), tables=(), repeated=(), remarks=None, set_aside=(), own=(), own_rows=(),
              errors: Mapping | None = None) -> str:
    """The page as HTML, from rows of the ledger (:func:`figures.answer.shown`), sections and tables."""
    from jinja2 import Environment, FileSystemLoader, select_autoescape

    from empirical.studies.units.evidence import PUBLISHED

    register = claims()
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"),
                              autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True)

    def strip(row, column, lanes=5):
        return strips.strip(register[row["id"]].rule, row[column]["evidence"], column, lanes)

    def mark(row, column):
        return strips.summary(register[row["id"]].rule, row[column], column)

    environment.filters.update(estimate=estimate, slug=strips.slug, place=strips.place, strip=strip, mark=mark,
                               summary=answer.summary, notes=_notes, settings=lambda row: sum(_counts(row).values()))
    by_id = {row["id"]: row for row in rows}
    gap = [{"claim": claim, "label": f"{label}, {column}", "strip": strip(by_id[claim], column, 8)}
           for claim, label in CONTROLS.items() for column in ("toy", "real") if claim in by_id and by_id[claim][column]]
    points: Counter[str] = Counter()
    for row in rows:
        points.update(_counts(row))
    marks = [word for word in strips.SHAPES if any(p["judgement"] == word for claim in CONTROLS if claim in by_id
                                                   for column in COLUMNS for p in (by_id[claim][column] or _NONE)["evidence"])]
    return environment.get_template("report.html").render(
        rows=rows, pages=pages, tables=tables, repeated=repeated, remarks=remarks or {}, set_aside=set_aside, own=own,
        own_rows=own_rows,
        claims=register, environment=manifest.environment(), symbols=strips.symbols(), ticks=strips.TICKS,
        answer=answer.answer(rows), limits=capital(answer.limits(rows, tables, PUBLISHED)), tally=answer.tally(rows),
        chance=capital(chance(errors)) + "." if errors else "",
        counts={"points": sum(points.values()), "formulas": points["theory"], "toy": points["toy"], "real": points["real"]},
        gap=gap, marks=marks, verdicts=VERDICTS, texts=sorted({row["id"][:2] for row in rows}), rooms=COLUMNS)


_NONE: dict[str, list] = {"evidence": []}


def _counts(row: Mapping) -> dict[str, int]:
    """The number of pieces of evidence in each column."""
    return {column: len((row[column] or _NONE)["evidence"]) for column in COLUMNS}


def _notes(row: Mapping) -> list[tuple[str, str]]:
    """The distinct notes on a claim's settings, each with the settings it applies to: ``all 6 settings of real networks``."""
    notes = []
    for column in COLUMNS:
        pieces = (row[column] or _NONE)["evidence"]
        for note, count in Counter(p["note"] for p in pieces if p["note"]).items():
            where = f"the only setting of {COLUMN_NAMES[column]}" if len(pieces) == 1 else (
                f"{'all ' * (count == len(pieces))}{counted(count, 'setting')} of {COLUMN_NAMES[column]}")
            notes.append((note, where))
    return notes


def frame_html(frame) -> str:
    """A DataFrame as a plain table with readable numbers."""
    head = "".join(f"<th>{escape(str(column))}</th>" for column in frame.columns)
    body = "".join("<tr>" + "".join(f"<td>{cell(v)}</td>" for v in row) + "</tr>" for row in frame.itertuples(index=False))
    return f"<table class=data><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
