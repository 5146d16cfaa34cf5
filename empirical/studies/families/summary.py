"""Means and intervals over the replicas of published families."""

from fractions import Fraction
from typing import TYPE_CHECKING

from lab.estimate import mean_interval

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

SHOWN = ("span_error", "reverse_span_error", "baseline_span_error", "gap", "probe_narrow", "probe_wide", "cka")


def summarise(frame: "pandas.DataFrame") -> list[dict]:
    """Summarise a study for each family and width, with all copies, at the last site.

    Parameters
    ----------
    frame : DataFrame
        Table of one study, see :func:`empirical.studies.families.table.tabulate`.

    Returns
    -------
    list of dict
        ``family, alpha, copies`` and an :class:`~lab.estimate.Estimate` over replicas for each number in ``SHOWN``.
    """
    whole = frame[(frame["site"] == "penultimate") & (frame["copies"] == frame["all_copies"])]
    return [{"family": family, "alpha": alpha, "copies": int(group["copies"].iloc[0]),
             **{key: mean_interval(group[key]) for key in SHOWN}}
            for (family, alpha), group in whole.groupby(["arch", "alpha"], sort=False)]


def draw_families(rows: list[dict], axes: "Axes") -> None:
    """Draw span errors by width: for one family in both directions with its baseline, for several from narrow to wide.

    Parameters
    ----------
    rows : list of dict
        Rows of :func:`summarise`.
    axes : matplotlib.axes.Axes
        Axes to draw on.
    """
    from empirical.studies.width.summary import draw_span_errors
    from lab.pictures import series

    families = dict.fromkeys(row["family"] for row in rows)
    if len(families) == 1:
        draw_span_errors(rows, axes)
        return
    for family in families:
        part = [row for row in rows if row["family"] == family]
        series(axes, [float(Fraction(row["alpha"])) for row in part], [row["span_error"] for row in part], family, real=True)
    axes.set(xlabel="width over that of the wide network", ylabel="span error", xscale="log")
    axes.legend()
