"""The section of small networks: paragraphs that follow from tables, and pictures of tables as small as they come."""

import pytest

from empirical.studies import STUDIES
from figures import catalogue, ledger, style
from figures.findings import NOT_MEASURED, paragraph
from figures.sections.network_words import SUBJECTS
from figures.sections.networks import SECTION
from lab.store import RunStore
from lab.study import compute, load
from tests.figures.defects import defects


def test_without_tables_every_paragraph_says_so_and_nothing_is_drawn():
    found = list(SECTION.findings({}))
    assert len(found) == len(SUBJECTS) == 11 and all(text.endswith(f"</b> {NOT_MEASURED}") for text in found)
    assert list(SECTION.draw({})) == []
    studies = {name: load(where) for name, where in STUDIES.items() if ".solutions." in where}
    assert set(SECTION.studies) == {name for name, study in studies.items() if study.evidence.__name__ != "<lambda>"}


def test_a_paragraph_tells_numbers_and_what_they_say_of_claims(tmp_path):
    (tickets,) = (subject for subject in SUBJECTS if subject.heading == "Tickets")
    have = catalogue.tables(tmp_path, ["tickets-digits"])
    text = paragraph(tickets, have)
    wins = have["tickets-digits"].frame.query("rewind == 0 and arm == 'failed rest'").wins.mean()
    assert text.startswith("<b>Tickets.</b> MLP: ") and f"{wins:.0%} with the rest taken from a failed network" in text
    judged = [row for row in ledger.rows(ledger.gather(have, ())) if row["real"] and row["real"]["evidence"]]
    assert len(judged) == 4 and all(f"“{row['claim']}” — {row['real']['summary']}." in text for row in judged)
    assert paragraph(tickets, {}) == f"<b>Tickets.</b> {NOT_MEASURED}"


@pytest.mark.slow
def test_quick_tables_are_told_and_drawn(tmp_path, monkeypatch):
    tables = {name: compute(load(STUDIES[name]), "quick", store=RunStore(tmp_path), jobs=1) for name in SECTION.studies}
    tables = {name: table for name, table in tables.items() if table is not None}
    tables = catalogue.tables(tmp_path, list(tables))
    found = {}
    monkeypatch.setattr(style, "to_svg", lambda figure, alt="": str(found.setdefault(alt, defects(figure))))
    pictures, texts = list(SECTION.draw(tables)), list(SECTION.findings(tables))
    assert len(pictures) >= len(SUBJECTS) - 1  # a short search may find no critical point
    assert {alt: lines for alt, lines in found.items() if lines} == {}
    assert not any(NOT_MEASURED in text or "nan" in text for text in texts)
