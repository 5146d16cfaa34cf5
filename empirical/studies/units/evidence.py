"""Evidence for the claims of S1 from the table of a study of units."""

import re
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

from empirical.declared import architectures
from empirical.studies.levels import levels
from lab.combine import bounded
from lab.estimate import mean_interval
from theory.claims import Evidence
from theory.unit_evidence import Case, case_evidence

if TYPE_CHECKING:
    import pandas

PUBLISHED = {name: network.published for name, (_, network) in architectures().items() if network.published}  # base widths
# claim -> column, and sign of the difference between He and Glorot at the largest width
HE_LESS_GLOROT = {"s1.he-repeats-where-glorot-is-removable": ("pair_share", 1), "s1.glorot-is-more-removable": ("auc", -1)}


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Evidence from one study, on all places together.

    Parameters
    ----------
    frame : table of one study, see :func:`empirical.studies.units.table.tabulate`.
    runs : ids of the runs behind it.
    """
    whole = frame[frame["site"] == "all"]
    return [*case_evidence(whole, "real", runs, _describe), *_he_against_glorot(whole, runs)]


def _describe(row: "pandas.Series") -> Case:
    value = row["value"] if isinstance(row["value"], str) else ""
    init = str(row.get("init", "")).split("-")[0]
    return Case(piece=re.sub(r"\W*[^\w/]\W*", "-", value.lower()), start="start", untrained=f"{row['arch']}, {row['data']}",
                setting=row["case"] + _size(row),
                levels={**levels(row["arch"], row["data"]), **({"start": init} if init else {}),
                        "labels": "random" if value == "random labels" else "true"})


def _he_against_glorot(whole: "pandas.DataFrame", runs: tuple[str, ...]) -> Iterator[Evidence]:
    """Differences between networks with the same seed, without batch norm, which would undo the scale of the initialisation."""
    for ((arch, data), rows), suffix in product(whole.groupby(["arch", "data"], sort=False), ("", " uniform")):
        he, glorot = (f"{arch}, {data}, {name}{suffix}" for name in ("he", "glorot"))
        traits = levels(arch, data)
        if not {he, glorot} <= set(rows["case"]) or traits.get("batch norm") != "without":
            continue
        for claim, (column, sign) in HE_LESS_GLOROT.items():
            pair = rows[rows["case"].isin([he, glorot])].pivot(index="replica", columns=["width", "case"], values=column)
            pair = pair.dropna(axis=1)  # widths that every replica has
            common = [w for w in pair.columns.levels[0] if {(w, he), (w, glorot)} <= set(pair.columns)]
            if common:
                gap = pair[max(common)][he] - pair[max(common)][glorot]
                setting = f"He against Glorot{suffix}, {arch}, {data}, alpha {max(common):g}{_size(rows.iloc[0])}"
                yield Evidence(claim, "real", setting, bounded(mean_interval(sign * gap), -1, 1), runs,
                               piece="he-against-glorot" + suffix.replace(" ", "-"), levels=traits)


def _size(row: "pandas.Series") -> str:
    """How a network or its data are smaller than published."""
    base, small = int(row["base_width"]), []
    if base < PUBLISHED.get(row["arch"], 0):
        small.append(f"base width {base} for {PUBLISHED[row['arch']]}")
    small += [f"{int(row['train_size']):,} training images"] * bool(row["train_size"])
    small += [f"{int(row['image_size'])} pixels a side"] * bool(row["image_size"])
    return f" (reduced: {', '.join(small)})" if small else ""
