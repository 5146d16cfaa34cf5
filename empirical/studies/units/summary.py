"""Means and intervals over the networks of a study of units."""

from typing import TYPE_CHECKING

import numpy as np

from lab.estimate import mean_interval

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

SHOWN = ("auc", "prunability", "pair_share", "pair_share_start", "twin_share", "similar_per_unit", "similar_per_unit_start",
         "compressibility", "compressibility_start", "predictable", "dead", "constant", "kept_share", "agreement",
         "kept_merged", "agreement_merged", "train_accuracy", "test_accuracy")


def summarise(frame: "pandas.DataFrame") -> list[dict]:
    """Summarise a study for each case, width and place.

    Parameters
    ----------
    frame : DataFrame
        Table of one study, see :func:`empirical.studies.units.table.tabulate`.

    Returns
    -------
    list of dict
        ``case, alpha, site`` and an :class:`~lab.estimate.Estimate` over the seeds for each number in ``SHOWN``, None if a
        network lacks it.
    """
    rows = []
    for (case, width, site), group in frame.groupby(["case", "width", "site"], sort=False):
        numbers = {key: group[key].to_numpy(dtype=float) for key in SHOWN if key in group}
        rows.append({"case": case, "alpha": width, "site": site,
                     **{key: mean_interval(v) if np.all(np.isfinite(v)) else None for key, v in numbers.items()}})
    return rows


def draw_prunability(rows: list[dict], axes: "Axes") -> None:
    """Draw prunability by width, one line per value of the hyperparameter.

    Parameters
    ----------
    rows : list of dict
        Rows of :func:`summarise`.
    axes : matplotlib.axes.Axes
        Axes to draw on.
    """
    from lab.pictures import series

    rows = [row for row in rows if row["site"] == "all"]
    for case in dict.fromkeys(row["case"] for row in rows):
        part = [row for row in rows if row["case"] == case]
        series(axes, [float(row["alpha"]) for row in part], [row["prunability"] for row in part], str(case), real=True)
    axes.set(xlabel="width multiplier", ylabel="prunable share of the units", xscale="log")
    axes.legend()
