"""One look for all pictures: theory is a line, a simulation open markers with intervals, real networks filled ones."""

import io
import os
from collections.abc import Iterator
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


@contextmanager
def saved(path: str | Path, *, width: float = 4.2, height: float = 2.9):
    """Styled axes whose picture is written to a file at the end: ``with saved("out.svg") as axes: ...``.

    Parameters
    ----------
    path : ends in .svg, .pdf or .png; its folder is made. The same drawing gives the same file.
    width, height : in inches.
    """
    from lab.store import write_atomically

    kind, buffer = Path(path).suffix[1:].lower(), io.BytesIO()
    with canvas(width=width, height=height) as (figure, axes):
        yield axes
        figure.savefig(buffer, format=kind, metadata={"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_atomically(Path(path), buffer.getvalue())


@contextmanager
def drawing(axes=None, *, width: float = 4.2, height: float = 2.9) -> Iterator:
    """Axes to draw on, in the style of the laboratory: those given, or those of a new figure of pyplot, which a notebook shows.

    For the ``plot`` of results: ``with drawing(axes) as axes: ...``.
    """
    if axes is None:
        from matplotlib import pyplot, style

        with style.context(STYLE):
            yield pyplot.subplots(figsize=(width, height))[1]
    else:
        from matplotlib import style

        with style.context(STYLE):
            yield axes


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


def series(axes, x, estimates, label: str, *, theory=None, real: bool = False, **style) -> None:
    """One series of a command's picture: estimates with their intervals, and theory as a line of the same colour.

    Parameters
    ----------
    axes : to draw on.
    x : places; where an estimate is None, as where nothing could be measured, nothing is drawn.
    estimates : :class:`lab.estimate.Estimate` or None at each place.
    label : for the legend.
    theory : numbers or None at each place; None where there is none at all.
    real : filled markers, for real networks.
    """
    there = [(at, e) for at, e in zip(x, estimates) if e is not None]
    mean, low, high = np.array([(e.mean, e.low, e.high) for _, e in there], dtype=float).reshape(-1, 3).T
    drawn = points(axes, [at for at, _ in there], mean, low, high, label, real=real, **style)
    if theory is not None:
        known = [(at, value) for at, value in zip(x, theory) if value is not None]
        theory_line(axes, *np.array(known, dtype=float).reshape(-1, 2).T, color=drawn[0].get_color(), zorder=1)
