"""The width sweeps of real networks for the sections, with the labels and controls that their studies declare."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache

from figures.style import interval, measured
from lab.study import Study, declared_studies, load
from lab.tables import Table

NO_CONTROL = "no control"  # label of the sweeps themselves, beside their controls


@cache
def family(name: str) -> dict[str, Study]:
    """Studies of real networks of a family by name, in the order of their declaration."""
    studies = (load(where) for where in declared_studies("empirical").values())
    return {study.name: study for study in studies if study.family == name}


def sweeps() -> dict[str, str]:
    """Width sweep -> its label, without the controls."""
    return {name: study.label for name, study in family("width").items() if not study.control_of}


def controls() -> list[str]:
    """The labels of the controls, :data:`NO_CONTROL` first."""
    return [NO_CONTROL, *dict.fromkeys(study.label for study in family("width").values() if study.control_of)]


def controlled(name: str, control: str) -> list[str]:
    """The sweeps that apply a control to the sweep of that name."""
    if control == NO_CONTROL:
        return [name]
    return [study.name for study in family("width").values() if (study.control_of, study.label) == (name, control)]


def short(name: str) -> str:
    """A sweep's label shortened for pictures; * marks re-encoded images."""
    return sweeps()[name].replace(" (JPEG re-encoding)", "*")


def with_width(table: Table):
    """The rows of a table, with alpha as a number in the column ``width``."""
    return table.frame.assign(width=[float(Fraction(str(a))) for a in table.frame.alpha])


def whole(table: Table, sites: bool = False):
    """Rows with equally many features on both sides, at the penultimate site or at all ``sites``."""
    frame = with_width(table)
    frame = frame[frame.copies == frame.all_copies]
    return frame if sites else frame[frame.site == "penultimate"]


def narrowest(table: Table):
    """The rows of :func:`whole` with the smallest width."""
    frame = whole(table)
    return frame[frame.width == frame.width.min()]


def controlled_rows(table: Table):
    """Rows of the narrowest copies under a control: width 1 if the wide network is wider than standard; as many copies as have
    the wide network's parameters if the control trains so many."""
    frame = whole(table)
    if frame.width.max() > 1:
        return frame[frame.width == 1]
    if not frame.parameter_copies.any():
        return narrowest(table)
    frame = with_width(table)
    frame = frame[(frame.site == "penultimate") & (frame.width == frame.width.min())]
    return frame[frame.copies == frame.parameter_copies]


def estimates(axis, groups: Iterable, column: str, label: str | None, within=None, **style) -> None:
    """Plot the mean and interval (:func:`figures.style.interval`) of a column in each group ``(x, rows)``; groups without a
    number are skipped."""
    means = [(x, interval(values, within)) for x, rows in groups if len(values := rows[column].dropna())]
    if means:
        measured(axis, [x for x, _ in means], [ends for _, ends in means], label, **style)


def present(tables: Mapping[str, Table]) -> list[str]:
    """The sweeps that have a table, in order."""
    return [name for name in sweeps() if name in tables]
