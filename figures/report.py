"""``report/index.html``, one self-contained page, and ``report/ledger.json``."""

import json
import re
from collections import Counter
from concurrent.futures import Future
from pathlib import Path

from figures import catalogue, ledger
from figures.reproduction import reproduction
from figures.section import sections
from figures.style import unique_ids
from lab import manifest
from lab.cli import jsonable
from lab.store import write_atomically
from theory.claims import claims
from theory.evidence import theory_evidence
from theory.verdict.decide import VERDICTS


def number(value, digits: int = 3) -> str:
    """A number for a reader: three significant digits, no needless exponent."""
    if value is None or value != value:
        return "–"
    if abs(value) < 1e-12:
        return "0"
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa}·10<sup>{int(exponent)}</sup>".replace("-", "−")
    return text.replace("-", "−")


def estimate(item) -> str:
    """``mean [low, high]`` of one piece of evidence, its n left to the caller."""
    if item["n"] == 0:
        return number(item["mean"])
    if item["low"] is None:
        return f"{number(item['mean'])} (one run)"
    return f"{number(item['mean'])} <span class=interval>[{number(item['low'])}, {number(item['high'])}]</span>"


def drawn(number: int, store: Path) -> tuple[list, dict[str, str]]:
    """Pictures, and tables as HTML, of the section at a place in the report."""
    section = sections()[number]
    have = catalogue.tables(store, section.studies)
    return list(section.draw(have)), {caption: frame_html(frame) for caption, frame in section.frames(have).items()}


def _here(function, *arguments) -> Future:
    """As an executor's ``submit``, at once and in this process."""
    done = Future()
    done.set_result(function(*arguments))
    return done


def build(store: Path, out: Path, workers=None) -> dict:
    """Write the report and the ledger from the tables that exist.

    Parameters
    ----------
    store : the run store, whose ``tables/`` hold fresh tables; kept ones come with the project.
    out : folder of the report.
    workers : a :class:`lab.sweep.Workers` that is at work already, to draw and to work out formulas (default: here).

    Returns
    -------
    dict : ``report``, ``ledger`` (paths), ``rows``, ``verdicts`` (counts), ``missing`` (studies without a table),
        ``repeated`` (:func:`figures.reproduction.reproduction`), ``set_aside`` and ``own``
        (:func:`figures.ledger.unjudged`).
    """
    from jinja2 import Environment, FileSystemLoader, select_autoescape

    submit = workers.submit if workers is not None and workers.started else _here
    formulas = submit(theory_evidence)
    drawings = [submit(drawn, number, store) for number in range(len(sections()))]
    tables = catalogue.tables(store)
    rows = ledger.rows(ledger.gather(tables, formulas.result()))
    beside = ledger.unjudged(store)
    remarks = {name: catalogue.remark(table) for name, table in tables.items()}
    pages = []
    for section, drawing in zip(sections(), drawings):
        found, frames = drawing.result()
        pictures = [(p, unique_ids(p.svg, f"{section.id}{i}")) for i, p in enumerate(found, 1)]
        own = [row for row in rows if row["id"].startswith(section.claims)]
        pages.append({"section": section, "pictures": pictures, "rows": own, "frames": frames,
                      "aside": [item for item in beside["set_aside"] if item["table"] in section.studies],
                      "missing": [name for name in section.studies if name not in tables]})
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"),
                              autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(estimate=estimate, slug=lambda text: re.sub(r"[^a-z]+", "-", text.lower()).strip("-"))
    repeated = reproduction(store)
    counts = Counter(row["verdict"] for row in rows)
    html = environment.get_template("report.html").render(
        pages=pages, rows=rows, verdicts={v: counts.get(v, 0) for v in VERDICTS},
        tables=list(tables.values()), remarks=remarks, environment=manifest.environment(), repeated=repeated,
        **beside, claims=claims(),
    )
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(jsonable({"rows": rows, **beside}), indent=1, allow_nan=False)
    write_atomically(out / "ledger.json", text + "\n")
    write_atomically(out / "index.html", html)
    return {"report": str(out / "index.html"), "ledger": str(out / "ledger.json"), "rows": rows,
            "verdicts": {v: counts.get(v, 0) for v in VERDICTS},
            "repeated": repeated, "missing": sorted(set(catalogue.studies()) - set(tables)), **beside}


def frame_html(frame) -> str:
    """A DataFrame as a plain table with readable numbers."""
    head = "".join(f"<th>{column}</th>" for column in frame.columns)
    body = "".join("<tr>" + "".join(f"<td>{number(v, 4) if isinstance(v, float) else v}</td>" for v in row) + "</tr>"
                   for row in frame.itertuples(index=False))
    return f"<table class=data><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
