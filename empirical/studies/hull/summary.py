"""The table of a study of hulls with one row per space: means and intervals over replicas."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from empirical.hull.statistics import share_over_replicas
from empirical.studies.hull.evidence import SETTING
from lab.combine import bounded
from lab.estimate import Estimate, mean_interval

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

GROUPS = {"test": "test points", "training": "left-out training points", "gaussian": "Gaussian, same covariance"}
SHARES = ("outside", "inside", "changed_at_hull", "changed_on_the_way", "changed_random", "nearest_class_hull_is_right")
SIGNED = ("test_over_training", "outside_minus_training", "changed_excess")  # quantities that may be negative


def over_replicas(frame: "pandas.DataFrame") -> "pandas.DataFrame":
    """One row per space; with several replicas, numbers are means, and intervals are over replicas.

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
                e = (share_over_replicas(values, int(group[f"{name}_n"].min())) if share else
                     bounded(mean_interval(values), *_range(name)))
                row |= {name: e.mean, f"{name}_low": e.low, f"{name}_high": e.high}
        rows.append(row)
    return pandas.DataFrame(rows)


def _range(name: str) -> tuple[float, float]:
    """The range of a quantity: distances and their ratios are positive, cosines and correlations are at most 1."""
    if name.startswith("cosine"):
        return 0.0, 1.0
    if name.startswith("error_"):
        return -1.0, 1.0
    return (-math.inf if name in SIGNED else 0.0), math.inf


def outside(frame: "pandas.DataFrame") -> tuple[list[str], dict[str, list[Estimate | None]]]:
    """The share of points outside the hull, as arguments of :func:`draw_outside`.

    Parameters
    ----------
    frame : DataFrame
        Table of one study, see :func:`empirical.studies.hull.table.tabulate`.

    Returns
    -------
    spaces : list of str
        Short description of each space.
    shares : dict of str to list
        Kind of points → an :class:`~lab.estimate.Estimate` per space, over replicas if there are several; None if the points
        were not projected.
    """
    rows = over_replicas(frame).to_dict("records")
    return ([space_in_words(row["name"], row["dim"], row["n"], row["alpha"] if row["arch"] else None) for row in rows],
            {words: [_estimate(row, f"{group}_outside") for row in rows] for group, words in GROUPS.items()})


def _estimate(row: Mapping, name: str) -> Estimate | None:
    if (mean := row.get(name)) is None or math.isnan(mean):
        return None
    return Estimate(mean, row[f"{name}_low"], row[f"{name}_high"], int(row[f"{name}_n"]))


def space_in_words(name: str, dim: int, n: int, alpha: str | None = None) -> str:
    """The label of a space on an axis, in two lines.

    Parameters
    ----------
    name : str
        Name of the space.
    dim, n : int
        Dimension of the space, and number of hull points.
    alpha : str, optional
        Width of the network, if there is one.
    """
    return f"{name}, {dim}" + (f", α = {alpha}" if alpha else "") + f"\n{n} points"


def draw_outside(spaces: Sequence[str], shares: Mapping[str, Sequence[Estimate | None]], axes: "Axes") -> None:
    """Draw the share of test points outside the hull, with left-out training points and Gaussian points as controls.

    Parameters
    ----------
    spaces : sequence of str
        Description of each space.
    shares : mapping of str to sequence
        Kind of points → an estimate per space, or None.
    axes : matplotlib.axes.Axes
        Axes to draw on.
    """
    from lab.pictures import series

    for i, (label, estimates) in enumerate(shares.items()):
        series(axes, [place + 0.12 * (i - 1) for place in range(len(spaces))], estimates, label, real=i == 0)
    axes.set_xticks(range(len(spaces)), spaces)
    if len(spaces) > 3:
        axes.tick_params(axis="x", labelrotation=30)
        for text in axes.get_xticklabels():
            text.set_horizontalalignment("right")
    axes.set(ylabel="share outside the hull", xlim=(-0.6, len(spaces) - 0.4))
    axes.legend()
