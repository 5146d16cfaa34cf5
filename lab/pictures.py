"""The common style of all pictures: lines for theory, open markers with intervals for simulations, filled ones for networks."""

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
    """Context with a styled figure and its axes: ``with canvas(2) as (figure, axes): ...``; it uses neither a display nor the
    user's pyplot."""
    _load()
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(STYLE):
        figure = Figure(figsize=(width, height * rows))
        yield figure, figure.subplots(rows, columns, **kwargs)


@contextmanager
def saved(path: str | Path, *, width: float = 4.2, height: float = 2.9):
    """Context with styled axes whose picture is written to a file at the end: ``with saved("out.svg") as axes: ...``.

    Parameters
    ----------
    path : str or Path
        Ends in .svg, .pdf or .png; its folder is created. The same drawing gives the same file.
    width, height : float
        In inches.
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
    """Context with styled axes: those given, or those of a new pyplot figure, which a notebook shows.

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
    """Load matplotlib without the backend of the environment: one inherited from a notebook may not be installed.

    Figures are drawn to files without pyplot, so no backend is needed.
    """
    inherited = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib  # noqa: F401
    finally:
        if inherited is not None:
            os.environ["MPLBACKEND"] = inherited


def colours(name: str):
    """The colour map of that name, which maps numbers in [0, 1] to colours."""
    _load()
    from matplotlib import colormaps

    return colormaps[name]


def theory_line(axes, x, y, label=None, **kwargs):
    """Draw a formula as a line without markers."""
    return axes.plot(x, y, **{"linestyle": "-", "marker": "", "label": label, "zorder": 2, **kwargs})


def points(axes, x, mean, low=None, high=None, label=None, *, real=False, **kwargs):
    """Draw measured means with their 95 % intervals: open markers for simulations, filled ones for real networks."""
    mean = np.asarray(mean, dtype=float)
    error = None
    if low is not None and high is not None:
        error = np.abs(np.vstack([mean - np.asarray(low, dtype=float), np.asarray(high, dtype=float) - mean]))
        error = np.nan_to_num(error)  # a single run has no interval
    face = {} if real else {"markerfacecolor": "white"}
    style = {"fmt": "o", "label": label, "zorder": 3, "elinewidth": 1.0, **face}
    return axes.errorbar(x, mean, yerr=error, **{**style, **kwargs})


def series(axes, x, estimates, label: str, *, theory=None, real: bool = False, **style) -> None:
    """Draw one series of a command's picture: estimates with their intervals, and theory as a line of the same colour.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes to draw on.
    x : sequence of float
        Positions.
    estimates : sequence of Estimate or None
        One at each position; None, if nothing was measured there, draws nothing.
    label : str
        Label in the legend.
    theory : sequence of float or None, optional
        Predictions at each position, or None.
    real : bool, default False
        Whether to fill the markers, as for real networks.
    """
    measured = [(place, e) for place, e in zip(x, estimates) if e is not None]
    mean, low, high = np.array([(e.mean, e.low, e.high) for _, e in measured], dtype=float).reshape(-1, 3).T
    drawn = points(axes, [place for place, _ in measured], mean, low, high, label, real=real, **style)
    if theory is not None:
        known = [(place, value) for place, value in zip(x, theory) if value is not None]
        theory_line(axes, *np.array(known, dtype=float).reshape(-1, 2).T, color=drawn[0].get_color(), zorder=1)
