"""The real width sweeps as the sections show them: their names, their controls, their rows."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from figures.style import points
from lab.estimate import mean_interval
from lab.tables import Table

REAL = {"resnet18-digits": "ResNet-18, digits", "resnet18-cifar10": "ResNet-18, CIFAR-10 (JPEG re-encoding)",
        "vgg16-cifar10": "VGG-16, CIFAR-10 (JPEG re-encoding)", "transformer-snli": "Transformer, SNLI subset",
        "transformer-entailment": "Transformer, generated entailment"}
CONTROLS = {"": "as they are", "-loss": "same training loss", "-slices": "start as slices", "-parameters": "equal parameters",
            "-wider": "copies of width 1\nagainst width 4"}


def short(name: str) -> str:
    """A sweep's name for a narrow place; * for re-encoded images."""
    return REAL[name].replace(" (JPEG re-encoding)", "*")


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


def against_parameters(table: Table):
    """Rows of the smallest width with all copies that were trained (as many parameters as the wide network)."""
    frame = with_width(table)
    frame = frame[(frame.site == "penultimate") & (frame.width == frame.width.min())]
    return frame[frame.copies == frame.parameter_copies]


def estimates(axis, groups: Iterable, column: str, label: str | None, **style) -> None:
    """Mean and interval of a column in every group ``(x, rows)``; groups without a number are left out."""
    found = [(x, mean_interval(values)) for x, rows in groups if len(values := rows[column].dropna())]
    if found:
        points(axis, [x for x, _ in found], [e.mean for _, e in found],
               [e.low if e.low is not None else e.mean for _, e in found],
               [e.high if e.high is not None else e.mean for _, e in found], label, **style)


def present(tables: Mapping[str, Table]) -> list[str]:
    """The sweeps that have a table, in order."""
    return [name for name in REAL if name in tables]
