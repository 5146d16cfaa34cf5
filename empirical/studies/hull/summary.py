"""The table of a study of hulls with one row a space: means and intervals over its replicas."""

import math
from typing import TYPE_CHECKING

from empirical.hull.statistics import share_over_replicas
from empirical.studies.hull.evidence import SETTING
from lab.estimate import bounded, mean_interval

if TYPE_CHECKING:
    import pandas

SHARES = ("outside", "inside", "changed_at_hull", "changed_on_the_way", "changed_random", "nearest_class_hull_is_right")
SIGNED = ("test_over_training", "outside_minus_training", "changed_excess")  # no range, or both signs


def over_replicas(frame: "pandas.DataFrame") -> "pandas.DataFrame":
    """One row a space; where it has several replicas the numbers are their means, and intervals are over replicas.

    Counts of points (``x_n``) are those of one replica.

    Parameters
    ----------
    frame : table of one study, see :func:`empirical.studies.hull.table.tabulate`.
    """
    import pandas

    rows = []
    for _, group in frame.groupby(SETTING, sort=False, dropna=False):
        row = group.iloc[0].to_dict()
        for name in (column.removesuffix("_low") for column in frame if column.endswith("_low")):
            values = group[name].dropna()
            if len(values) > 1 and values.index.size == group["seed"].nunique():
                share = name.endswith(SHARES)
                found = (share_over_replicas(values, int(group[f"{name}_n"].min())) if share else
                         bounded(mean_interval(values), *_range(name)))
                row |= {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}
        rows.append(row)
    return pandas.DataFrame(rows)


def _range(name: str) -> tuple[float, float]:
    """Where a number of the table lies: distances and their ratios are positive, cosines and correlations at most 1."""
    if name.startswith("cosine"):
        return 0.0, 1.0
    if name.startswith("error_"):
        return -1.0, 1.0
    return (-math.inf if name in SIGNED else 0.0), math.inf
