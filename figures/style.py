"""The common style of the report's pictures, on top of that of all pictures (:mod:`lab.pictures`)."""

import io
import math
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html import escape

from lab.combine import bounded
from lab.estimate import mean_interval
from lab.pictures import (  # noqa: F401 (the sections' names of them)
    BASELINE,
    EXTRA,
    NARROW,
    REVERSE,
    SERIES,
    WIDE,
    canvas,
    colours,
    points,
    theory_line,
)

SHARE, POSITIVE = (0.0, 1.0), (0.0, math.inf)  # ranges of quantities, which their intervals respect
LEAST = 3  # fewest replicas for an interval
MARKERS = "osD^vPX*p<"  # more markers than colours, so that a repeated colour comes with another marker
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1.3)), (0, (5, 1.5, 1, 1.5)), (0, (3, 1)), (0, (7, 2)), (0, (1, 3)))
WIDTHS = ("#8fb8dd", "#6b9fcf", "#4583bd", "#2a639f", "#123f70")  # from narrow to wide
ON_COLOURS = "#fffffe"  # white that stays white in dark mode, for marks on a coloured ground


def look(place: int, line: bool = False) -> dict:
    """Colour and marker of a series, with ``line`` a dash too, so that series never differ in colour alone."""
    dash = {"linestyle": DASHES[place % len(DASHES)], "linewidth": 0.9} if line else {}
    return {"color": SERIES[place % len(SERIES)], "fmt": MARKERS[place % len(MARKERS)], **dash}


def stroke(place: int) -> dict:
    """Colour and dash of a line without markers."""
    return {"color": SERIES[place % len(SERIES)], "linestyle": DASHES[place % len(DASHES)]}


def shade(place: int, count: int) -> dict:
    """Colour and dash of a line, the ``place``-th of ``count`` widths: light for narrow ones, dark for wide ones."""
    step = round(place * (len(WIDTHS) - 1) / max(1, count - 1))
    return {"color": WIDTHS[step], "linestyle": DASHES[(count - 1 - place) % len(DASHES)]}


@contextmanager
def panels(count: int, *, most: int = 4, width: float = 7.0, height: float = 2.1, **kwargs) -> Iterator:
    """Like :func:`canvas`, for ``count`` panels in as many rows as needed."""
    columns = min(count, most)
    with canvas(columns, -(-count // columns), width=width, height=height, squeeze=False, **kwargs) as (figure, axes):
        for axis in axes.flat[count:]:
            axis.remove()
        yield figure, list(axes.flat[:count])


def interval(values: Iterable[float], within: tuple[float, float] | None = None) -> tuple[float, float, float]:
    """Mean and 95 % interval of replicas, ``(mean, low, high)``; fewer than three have the mean alone (low = high = mean).

    ``within`` is the range of the quantity, and the interval is limited to it.
    """
    e = mean_interval(values)
    if e.n < LEAST or not e.has_interval:
        return e.mean, e.mean, e.mean
    if within is not None:
        e = bounded(e, *within)
    return e.mean, e.low, e.high


def measured(axis, x: Iterable, ends: Iterable[tuple[float, float, float]], label: str | None = None, **style) -> None:
    """Points with their intervals, each given as :func:`interval` returns it; ``style`` as for :func:`lab.pictures.points`."""
    import numpy as np

    mean, low, high = np.array(list(ends), dtype=float).reshape(-1, 3).T
    points(axis, list(x), mean, low, high, label, **style)


def legend(figure, axes, title: str | None = None, columns: int = 4) -> None:
    """One legend for all axes, placed below them so that it covers no data."""
    entries: dict[str, object] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels()):
            entries.setdefault(label, handle)
    if entries:
        inches = (max(map(len, entries)) * 0.56 + 5) * 7 / 72  # width of an entry: letters, handle and space
        columns = max(1, min(columns, len(entries), int(figure.get_figwidth() / inches)))
        figure.legend(entries.values(), entries, loc="outside lower center", ncols=columns, title=title, fontsize=7,
                      title_fontsize=7)


def fit_titles(figure) -> None:
    """Break titles that are wider than their axes."""
    import textwrap

    for axis in figure.axes:
        title = axis.get_title(loc="left") or axis.get_title()
        place = axis.get_subplotspec()
        if title and place is not None:
            share = len(place.colspan) / place.get_gridspec().ncols
            size = axis.title.get_fontsize() * 0.6 / 72  # inches per letter of bold type
            letters = max(8, int((share * figure.get_figwidth() - 0.5) / size))
            axis.set_title("\n".join(part for line in title.split("\n") for part in textwrap.wrap(line, letters)),
                           fontsize=axis.title.get_fontsize())


def described(figure, title: str) -> str:
    """A picture in words, for screen readers: its panels, axes and series."""
    axes = [axis for axis in figure.axes if axis.get_subplotspec() is not None]
    names = [" ".join((axis.get_title(loc="left") or axis.get_title()).split()) for axis in axes]
    across = dict.fromkeys(" ".join(axis.get_xlabel().split()) for axis in axes)
    up = dict.fromkeys(" ".join(axis.get_ylabel().split()) for axis in axes)
    legends = [*figure.legends, *filter(None, (axis.get_legend() for axis in figure.axes))]
    series = dict.fromkeys(text.get_text() for legend_ in legends for text in legend_.get_texts())
    parts = [title, ", ".join(filter(None, names)) and f"panels: {', '.join(filter(None, names))}"]
    parts += [f"{what}: {', '.join(filter(None, labels))}"
              for what, labels in (("x axis", across), ("y axis", up), ("series", series)) if any(labels)]
    return re.sub(r"[$\\{}]", "", "; ".join(filter(None, parts)))


def width_axis(axes, alphas) -> None:
    """A logarithmic axis of width multipliers, wide on the left, with fractions as labels."""
    from fractions import Fraction

    values = sorted({float(a) for a in alphas}, reverse=True)
    axes.set_xscale("log", base=2)
    axes.set_xlim(max(values) * 1.25, min(values) / 1.25)
    axes.set_xticks(values, [str(Fraction(v).limit_denominator(256)) for v in values])
    axes.minorticks_off()
    axes.set_xlabel("width multiplier α of a narrow copy (1/α copies)")


def to_svg(figure, alt: str = "") -> str:
    """The figure as an inline ``<svg>`` that scales with the page; the same drawing always gives the same text."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg"):]
    head, rest = text.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head, count=2)
    # a figure of 7 inches nearly fills the column; narrower ones keep their font size
    size = f"--wide:{7 * figure.get_figwidth():.1f}rem;max-width:var(--wide)"
    shown = f'<svg role="img" aria-label="{escape(alt)}" style="{size}"'
    return head.replace("<svg", shown, 1) + ">" + re.sub(r"\s*\n\s*", "\n", rest)


def unique_ids(svg: str, prefix: str) -> str:
    """Prefix the ids inside an svg, so that a page can hold several."""
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'(xlink:href="#|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    return svg


def themed(svg: str) -> str:
    """A picture whose colours are CSS variables of the page, so that they follow dark mode."""
    return _COLOUR.sub(lambda m: _THEME.get(m[0].lower(), m[0]), svg)


_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b(?=[;\"])")
_THEME = {"#ffffff": "var(--paper)", "#000000": "var(--ink)", "#e3e3df": "var(--grid)",
          **{colour: f"var(--s{i})" for i, colour in enumerate(SERIES)},
          **{colour: f"var(--w{i})" for i, colour in enumerate(WIDTHS)},
          NARROW: "var(--s1)", WIDE: "var(--s0)", REVERSE: "var(--s2)", BASELINE: "var(--s5)", EXTRA: "var(--s3)"}
