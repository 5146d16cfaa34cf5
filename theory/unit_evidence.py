"""Evidence on removable and repeated units from a table with one row a network, toy or real alike.

The table has ``case`` (a setting, for a person), ``width`` (a number), ``replica`` and the numbers of a network:
``auc``, ``prunability``, ``pair_share``, ``compressibility``, ``pair_share_start``, ``compressibility_start`` (the same before
training: the null of these), ``kept_share`` and ``agreement`` (the smaller network).
"""

from typing import TYPE_CHECKING

import numpy as np

from lab.estimate import Estimate, largest, mean_interval
from theory.claims import Evidence
from theory.measures.ablation import growth_per_doubling

if TYPE_CHECKING:
    import pandas


def by_width(table: "pandas.DataFrame", case: str, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Widths (w,), and a column's values (replicas, w) of one case.

    Widths that a replica lacks are left out (a sweep that was cut short), then replicas without a value.
    """
    rows = table[table.case == case]
    replicas = rows.groupby("width").replica.nunique()
    rows = rows[rows.width.isin(replicas.index[replicas == rows.replica.nunique()])]
    found = rows.pivot(index="replica", columns="width", values=column).dropna()
    return found.columns.to_numpy(dtype=float), found.to_numpy(dtype=float)


def growth(table, case: str, column: str, *, absolute: bool = False) -> Estimate | None:
    """Factor of growth per doubling of width over the replicas; ``absolute`` multiplies a share by the width first.

    None with fewer than two widths or replicas, or where a value is zero: then there is no ratio.
    """
    widths, values = by_width(table, case, column)
    if len(widths) < 2 or len(values) < 2:
        return None
    found = growth_per_doubling(widths, values * widths if absolute else values)
    return mean_interval(found) if np.all(np.isfinite(found)) else None


def at_widest(table, case: str, column: str, minus: str | None = None) -> Estimate | None:
    """A column at the largest width, less another column; None with fewer than two replicas."""
    widths, values = by_width(table, case, column)
    if len(widths) == 0 or len(values) < 2:
        return None
    return mean_interval(values[:, -1] - (by_width(table, case, minus)[1][:, -1] if minus else 0))


def change(table, case: str, column: str) -> Estimate | None:
    """The largest width's value less the smallest's."""
    widths, values = by_width(table, case, column)
    return mean_interval(values[:, -1] - values[:, 0]) if len(widths) > 1 and len(values) > 1 else None


def case_evidence(table: "pandas.DataFrame", column: str, runs: tuple[str, ...]) -> list[Evidence]:
    """Evidence of the claims that every case speaks to; ``column`` is "toy" or "real"."""
    found = []
    for case in table.case.unique():
        statistics = {
            "s1.width-raises-either": largest(growth(table, case, "prunability", absolute=True),
                                             growth(table, case, "pair_share", absolute=True)),
            "s1.width-raises-either-share": largest(growth(table, case, "prunability"), growth(table, case, "pair_share")),
            "s1.removable-share-grows": change(table, case, "auc"),
            "s1.similar-share-grows": growth(table, case, "pair_share"),
            "s1.random-layers-double": growth(table, case, "pair_share_start", absolute=True),
            "s1.more-similar-than-start": at_widest(table, case, "pair_share", "pair_share_start"),
            "s1.compressibility-beyond-start": at_widest(table, case, "compressibility", "compressibility_start"),
            "s1.smaller-network-agrees": at_widest(table, case, "agreement"),
            "s1.kept-share-falls": change(table, case, "kept_share"),
        }
        found += [Evidence(claim, column, case, e, runs) for claim, e in statistics.items() if e is not None]
    return found
