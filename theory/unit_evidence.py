"""Evidence on removable and repeated units from a table with one row per network, for toy and real networks alike.

The table has ``case`` (the setting in words), ``width`` (a number), ``replica`` and the numbers of a network: ``auc``,
``prunability``, ``pair_share``, ``compressibility``, ``pair_share_start``, ``compressibility_start`` (the latter two before
training, as a null), ``kept_share`` and ``agreement`` (of the smaller network).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lab.combine import bounded, largest, stepped
from lab.estimate import Estimate, mean_interval
from theory.claims import Evidence
from theory.measures.ablation import growth_per_doubling

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Case:
    """Description of a case for the register.

    Attributes
    ----------
    piece : str
        Short name within its study.
    start : str
        Short name of its untrained networks; cases with the same one share these.
    untrained : str
        The untrained networks in words.
    setting : str
        The case in words; "" for its name in the table.
    levels : mapping of str to str
        Attributes of the setting, see :class:`theory.claims.Evidence`.

    Examples
    --------
    >>> Case("mlp", "mlp-start", "MLP").setting
    ''
    """

    piece: str
    start: str
    untrained: str
    setting: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)


def by_width(table: "pandas.DataFrame", case: str, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Widths of one case, and a column's values.

    Widths that some replica lacks (in an interrupted sweep) are left out, then replicas without a value.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per network, as in the module's docstring.
    case : str
        Name of the case in the table.
    column : str
        A column of the table.

    Returns
    -------
    widths : ndarray of shape (widths,)
    values : ndarray of shape (replicas, widths)

    Examples
    --------
    >>> import pandas
    >>> table = pandas.DataFrame({"case": "a", "width": [4, 8, 4, 8], "replica": [0, 0, 1, 1], "auc": [0.5, 0.75, 0.25, 1.0]})
    >>> by_width(table, "a", "auc")
    (array([4., 8.]), array([[0.5 , 0.75],
           [0.25, 1.  ]]))
    """
    rows = table[table.case == case]
    replicas = rows.groupby("width").replica.nunique()
    rows = rows[rows.width.isin(replicas.index[replicas == rows.replica.nunique()])]
    shares = rows.pivot(index="replica", columns="width", values=column).dropna()
    return shares.columns.to_numpy(dtype=float), shares.to_numpy(dtype=float)


def growth(table: "pandas.DataFrame", case: str, column: str, *, absolute: bool = False) -> Estimate | None:
    """Factor of growth per doubling of width over the replicas.

    This is the geometric mean, as for all ratios. Shares below half a pair of the narrowest network's units, including 0, are
    raised to that. Leaving out networks without a share would select by the outcome, and a floor that decreases with the width
    (wide networks can have smaller shares) would itself look like a falling share.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per network, as in the module's docstring.
    case : str
        Name of the case in the table.
    column : str
        A share.
    absolute : bool, default False
        Whether to multiply the share by the width first.

    Returns
    -------
    Estimate or None
        None with fewer than two widths or replicas, or if no network has a share above 0.

    Examples
    --------
    >>> import pandas
    >>> table = pandas.DataFrame({"case": "a", "width": [4, 8, 4, 8], "replica": [0, 0, 1, 1], "share": [0.25, 0.5, 0.125, 0.25]})
    >>> round(growth(table, "a", "share").mean, 4)
    2.0
    """
    widths, values = by_width(table, case, column)
    if len(widths) < 2 or len(values) < 2 or not np.any(values > 0):
        return None
    units = _units(table, case, widths[0])
    values = np.maximum(values, 1 / max(units * (units - 1), 1))
    return mean_interval(growth_per_doubling(widths, values * widths if absolute else values), log=True)


def at_widest(table: "pandas.DataFrame", case: str, column: str, minus: str | None = None) -> Estimate | None:
    """A share at the largest width, minus another one.

    A difference of shares of units is known at best to one unit.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per network, as in the module's docstring.
    case : str
        Name of the case in the table.
    column : str
        The share.
    minus : str, optional
        The share to subtract.

    Returns
    -------
    Estimate or None
        None with fewer than two replicas.

    Examples
    --------
    >>> import pandas
    >>> table = pandas.DataFrame({"case": "a", "width": 4, "replica": [0, 1], "auc": [0.5, 0.75]})
    >>> at_widest(table, "a", "auc").mean
    0.625
    """
    widths, values = by_width(table, case, column)
    if len(widths) == 0 or len(values) < 2:
        return None
    if minus is None:
        return bounded(mean_interval(values[:, -1]), 0, 1)
    gap = mean_interval(values[:, -1] - by_width(table, case, minus)[1][:, -1])
    return bounded(stepped(gap, 1 / _units(table, case, widths[-1])), -1, 1)


def _units(table: "pandas.DataFrame", case: str, width: float) -> float:
    """Hidden units of a network of a width: all of them, if the table has their number."""
    rows = table[(table.case == case) & (table.width == width)]
    return float(rows["units"].min()) if "units" in rows else width


def change(table: "pandas.DataFrame", case: str, column: str) -> Estimate | None:
    """The share at the largest width minus that at the smallest.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per network, as in the module's docstring.
    case : str
        Name of the case in the table.
    column : str
        The share.

    Returns
    -------
    Estimate or None
        None with fewer than two widths or replicas.

    Examples
    --------
    >>> import pandas
    >>> table = pandas.DataFrame({"case": "a", "width": [4, 8, 4, 8], "replica": [0, 0, 1, 1], "auc": [0.5, 0.75, 0.25, 1.0]})
    >>> change(table, "a", "auc").mean
    0.5
    """
    widths, values = by_width(table, case, column)
    return bounded(mean_interval(values[:, -1] - values[:, 0]), -1, 1) if len(widths) > 1 and len(values) > 1 else None


def case_evidence(table: "pandas.DataFrame", column: str, runs: tuple[str, ...],
                  describe: Callable[["pandas.Series"], Case]) -> list[Evidence]:
    """Evidence for the claims to which every case contributes, and from the untrained networks, once for each kind.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per network, as in the module's docstring.
    column : {"toy", "real"}
        Column of the ledger.
    runs : tuple of str
        Ids of the runs behind the table.
    describe : callable
        Maps the first row of a case to its :class:`Case`.

    Returns
    -------
    list of Evidence

    Examples
    --------
    >>> import pandas
    >>> shares = ("prunability", "pair_share", "auc", "pair_share_start", "compressibility", "compressibility_start", "agreement",
    ...           "kept_share")
    >>> table = pandas.DataFrame({"case": "a", "width": [4, 8, 4, 8], "replica": [0, 0, 1, 1],
    ...                           **{name: [0.25, 0.5, 0.125, 0.25] for name in shares}})
    >>> evidence = case_evidence(table, "toy", (), lambda row: Case("mlp", "mlp-start", "MLP"))
    >>> sorted({one.claim for one in evidence})[0]
    's1.compressibility-beyond-start'
    """
    evidence: list[Evidence] = []
    starts: dict[str, tuple[str, Case]] = {}
    for name, rows in table.groupby("case", sort=False):
        case = describe(rows.iloc[0])
        statistics = {
            "s1.width-raises-either": largest(growth(table, name, "prunability"), growth(table, name, "pair_share")),
            "s1.removable-share-grows": change(table, name, "auc"),
            "s1.similar-share-grows": growth(table, name, "pair_share"),
            "s1.more-similar-than-start": at_widest(table, name, "pair_share", "pair_share_start"),
            "s1.compressibility-beyond-start": at_widest(table, name, "compressibility", "compressibility_start"),
            "s1.smaller-network-agrees": at_widest(table, name, "agreement"),
            "s1.kept-share-falls": change(table, name, "kept_share"),
        }
        evidence += [Evidence(claim, column, case.setting or name, e, runs, piece=case.piece, levels=case.levels)
                     for claim, e in statistics.items() if e is not None]
        if case.start not in starts or len(rows) > len(table[table.case == starts[case.start][0]]):
            starts[case.start] = name, case
    for start, (name, case) in starts.items():
        doubling = growth(table, name, "pair_share_start", absolute=True)
        if doubling is not None:
            evidence.append(Evidence("s1.random-layers-double", column, f"untrained {case.untrained}", doubling, runs,
                                     piece=start, levels=case.levels))
    return evidence
