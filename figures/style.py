"""One look for all pictures: theory is a line, a simulation open markers with intervals, real networks filled ones."""

import io
import os
import re
from contextlib import contextmanager
from pathlib import Path

import numpy as np

STYLE = Path(__file__).parent / "widthlab.mplstyle"
NARROW, WIDE, REVERSE, BASELINE, EXTRA = "#d1662b", "#1f5a99", "#3c8d5a", "#6b6b6b", "#8a4f9e"
SERIES = ("#1f5a99", "#d1662b", "#3c8d5a", "#8a4f9e", "#b8312f", "#6b6b6b", "#c39b1e")


@contextmanager
def canvas(columns: int = 1, rows: int = 1, *, width: float = 7.0, height: float = 2.6, **kwargs):
    """A styled figure and its axes: ``with canvas(2) as (figure, axes): ...``; no display, and the user's pyplot is left
    alone."""
    _load()
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(STYLE):
        figure = Figure(figsize=(width, height * rows))
        yield figure, figure.subplots(rows, columns, **kwargs)


def _load() -> None:
    """Load matplotlib whatever the backend that the environment asks for: a notebook's, inherited, may not be there.

    A figure is drawn to a file without pyplot, so that no backend is ever chosen.
    """
    inherited = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib  # noqa: F401
    finally:
        if inherited is not None:
            os.environ["MPLBACKEND"] = inherited


def colours(name: str):
    """The colour map of that name: number in [0, 1] -> colour."""
    _load()
    from matplotlib import colormaps

    return colormaps[name]


def theory_line(axes, x, y, label=None, **kwargs):
    """A formula: a line without markers."""
    return axes.plot(x, y, **{"linestyle": "-", "marker": "", "label": label, "zorder": 2, **kwargs})


def points(axes, x, mean, low=None, high=None, label=None, *, real=False, **kwargs):
    """Measured means with their 95 % intervals: open markers for simulations, filled ones for real networks."""
    mean = np.asarray(mean, dtype=float)
    error = None
    if low is not None and high is not None:
        error = np.abs(np.vstack([mean - np.asarray(low, dtype=float), np.asarray(high, dtype=float) - mean]))
        error = np.nan_to_num(error)  # a single run has no interval
    face = {} if real else {"markerfacecolor": "white"}
    style = {"fmt": "o", "label": label, "zorder": 3, "elinewidth": 1.0, **face}
    return axes.errorbar(x, mean, yerr=error, **{**style, **kwargs})


def width_axis(axes, alphas) -> None:
    """A logarithmic axis of width multipliers, wide on the left, with fractions as labels."""
    from fractions import Fraction

    values = sorted({float(a) for a in alphas}, reverse=True)
    axes.set_xscale("log", base=2)
    axes.set_xlim(max(values) * 1.25, min(values) / 1.25)
    axes.set_xticks(values, [str(Fraction(v).limit_denominator(256)) for v in values])
    axes.minorticks_off()
    axes.set_xlabel("width multiplier α of a narrow copy (1/α copies)")


def to_svg(figure) -> str:
    """The figure as an inline ``<svg>`` that scales with the page; the same drawing gives the same text."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg"):]
    head, rest = text.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head, count=2)
    # a figure of 7 inches fills the column; narrower ones keep the size of their type
    size = f"--wide:{8 * figure.get_figwidth():.1f}rem;max-width:var(--wide)"
    return head.replace("<svg", f'<svg role="img" style="{size}"', 1) + ">" + re.sub(r"\s*\n\s*", "\n", rest)


def unique_ids(svg: str, prefix: str) -> str:
    """Prefix the ids inside an svg, so that several can stand in one page."""
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'(xlink:href="#|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    return svg
