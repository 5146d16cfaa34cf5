"""Paragraphs on what was found: a sentence of numbers for each table, then the verdict on each claim that it speaks to.

Every word follows from tables. Claims are judged by their rules on the evidence of the paragraph's own studies, so a paragraph
says where the numbers agree with a claim, where they contradict it, and what they leave open.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from figures.ledger import gather, verdicts
from lab.tables import Table
from theory.verdict import words

if TYPE_CHECKING:
    import pandas

NOT_MEASURED = "Not yet measured."


@dataclass(frozen=True)
class Subject:
    """The subject of one paragraph.

    Attributes
    ----------
    heading : a few words.
    studies : the studies whose tables it reports → the network of each if tables of several networks are reported, else "".
    numbers : table → one sentence of numbers, with its full stop.
    """

    heading: str
    studies: Mapping[str, str]
    numbers: Callable[["pandas.DataFrame"], str]


def paragraph(subject: Subject, tables: Mapping[str, Table]) -> str:
    """The paragraph as HTML; "Not yet measured" if none of its studies has a table.

    Parameters
    ----------
    subject : what it is about.
    tables : tables by name; those of other studies are ignored.
    """
    present = {name: tables[name] for name in subject.studies if name in tables}
    sentences = [": ".join(filter(None, (subject.studies[name], subject.numbers(table.frame))))
                 for name, table in present.items()]
    for verdict in verdicts(gather(present, ())) if present else ():
        column = verdict.columns.get("real")
        if column is not None and column.pieces:
            sentences.append(f"“{verdict.claim.claim}” — {words.column_summary(verdict.claim.rule, column)}.")
    return f"<b>{escape(subject.heading)}.</b> {escape(' '.join(sentences) or NOT_MEASURED, quote=False)}"


def paragraphs(subjects: Sequence[Subject], tables: Mapping[str, Table]) -> Iterator[str]:
    """One paragraph per subject, in order."""
    return (paragraph(subject, tables) for subject in subjects)
