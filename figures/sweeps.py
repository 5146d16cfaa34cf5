"""The real width sweeps as the sections show them, found with their labels and controls where they are declared."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache

from figures.style import interval, measured
from lab.study import Study, declared_studies, load
from lab.tables import Table

AS_THEY_ARE = "as they are"  # the sweeps themselves, beside their controls


@cache
def family(name: str) -> dict[str, Study]:
    """Real studies of a family by name, in the order of their declaration."""
    studies = (load(where) for where in declared_studies("empirical").values())
    return {study.name: study for study in studies if study.family == name}


def sweeps() -> dict[str, str]:
    """Width sweep -> how it is called, without the controls."""
    return {name: study.label for name, study in family("width").items() if not study.control_of}


def controls() -> list[str]:
    """What is changed, one thing at a time; first :data:`AS_THEY_ARE`."""
    return [AS_THEY_ARE, *dict.fromkeys(study.label for study in family("width").values() if study.control_of)]


def controlled(name: str, control: str) -> list[str]:
    """The sweeps that change one thing in the sweep of that name."""
    if control == AS_THEY_ARE:
        return [name]
    return [study.name for study in family("width").values() if (study.control_of, study.label) == (name, control)]


def short(name: str) -> str:
    """A sweep's name for a narrow place; * for re-encoded images."""
    return sweeps()[name].replace(" (JPEG re-encoding)", "*")


def with_width(table: Table):
    """Its rows with alpha as the number ``width``."""
    return table.frame.assign(width=[float(Fraction(str(a))) for a in table.frame.alpha])


def whole(table: Table, sites: bool = False):
    """Rows with as many features on both sides, at the penultimate site or at all ``sites``."""
    frame = with_width(table)
    frame = frame[frame.copies == frame.all_copies]
    return frame if sites else frame[frame.site == "penultimate"]


def narrowest(table: Table):
    """Of :func:`whole` those of the smallest width."""
    frame = whole(table)
    return frame[frame.width == frame.width.min()]


def controlled_rows(table: Table):
    """Rows of the narrowest copies, as the control has it: width 1 below a wider network; with all copies that were trained
    where these are as many as have the wide network's parameters."""
    frame = whole(table)
    if frame.width.max() > 1:
        return frame[frame.width == 1]
    if not frame.parameter_copies.any():
        return narrowest(table)
    frame = with_width(table)
    frame = frame[(frame.site == "penultimate") & (frame.width == frame.width.min())]
    return frame[frame.copies == frame.parameter_copies]


def estimates(axis, groups: Iterable, column: str, label: str | None, within=None, **style) -> None:
    """Mean and interval (:func:`figures.style.interval`) of a column in every group ``(x, rows)``; groups without a number are
    left out."""
    found = [(x, interval(values, within)) for x, rows in groups if len(values := rows[column].dropna())]
    if found:
        measured(axis, [x for x, _ in found], [ends for _, ends in found], label, **style)


def present(tables: Mapping[str, Table]) -> list[str]:
    """The sweeps that have a table, in order."""
    return [name for name in sweeps() if name in tables]
