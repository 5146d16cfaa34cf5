"""What the table of a study of units says of the claims of S1."""

from typing import TYPE_CHECKING

from empirical.declared import architectures
from lab.estimate import mean_interval
from theory.claims import Evidence
from theory.unit_evidence import case_evidence

if TYPE_CHECKING:
    import pandas


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Evidence from one study, on all places together.

    Parameters
    ----------
    frame : table of one study, see :func:`empirical.studies.units.table.tabulate`.
    runs : ids of the runs behind it.
    """
    whole = frame[frame["site"] == "all"].copy()
    notes = {case: _size(rows.iloc[0]) for case, rows in whole.groupby("case")}
    found = case_evidence(whole, "real", runs)
    for arch, data in {(a, d) for a, d in zip(whole["arch"], whole["data"])}:
        he, glorot = (f"{arch}, {data}, {name}" for name in ("he", "glorot"))
        if arch == "alexnet" and {he, glorot} <= set(whole["case"]):
            for claim, column, sign in (("s1.he-repeats-where-glorot-is-removable", "pair_share", 1),
                                        ("s1.glorot-is-more-removable", "auc", -1)):
                pair = whole[whole["case"].isin([he, glorot])].pivot(index="replica", columns=["width", "case"], values=column)
                pair = pair.dropna(axis=1)  # widths that every replica has
                common = [w for w in pair.columns.levels[0] if {(w, he), (w, glorot)} <= set(pair.columns)]
                if not common:
                    continue
                gap = pair[max(common)][he] - pair[max(common)][glorot]
                found.append(Evidence(claim, "real", f"He against Glorot, {arch}, {data}, alpha {max(common):g}{notes[he]}",
                                      mean_interval(sign * gap), runs))
    return [Evidence(e.claim, e.column, e.setting + notes.get(e.setting, ""), e.estimate, e.runs) for e in found]


PUBLISHED = {name: found.published for name, (_, found) in architectures().items() if found.published}  # base widths


def _size(row) -> str:
    """What makes a network smaller than the published one, or its data fewer."""
    base, small = int(row["base_width"]), []
    if base < PUBLISHED.get(row["arch"], 0):
        small.append(f"base width {base} for {PUBLISHED[row['arch']]}")
    small += [f"{int(row['train_size']):,} training images"] * bool(row["train_size"])
    small += [f"{int(row['image_size'])} pixels a side"] * bool(row["image_size"])
    return f" (reduced: {', '.join(small)})" if small else ""
