"""What the table of a width sweep says of the claims of S0."""

from fractions import Fraction
from typing import TYPE_CHECKING

from lab.estimate import mean_interval
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas


MATCHED = 0.01  # largest distance of a network's training loss from the target, as a share, in a replica that counts


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Evidence from one sweep, at the penultimate site and the smallest alpha.

    Parameters
    ----------
    frame : table of the sweep, see :func:`empirical.studies.width.table.tabulate`.
    runs : ids of the runs behind it.
    """
    frame = frame[frame["site"] == "penultimate"].assign(width=[float(Fraction(str(a))) for a in frame.loc[
        frame["site"] == "penultimate", "alpha"]])
    if frame.empty or frame["width"].min() == frame["width"].max():
        return []
    whole = frame[frame["copies"] == frame["all_copies"]]
    least = whole[whole["width"] == whole["width"].min()].set_index("seed")
    first = least.iloc[0]
    network = f"{first['arch']} of base width {first['base_width']}"
    setting = f"{network}, {first['data']}, alpha {first['alpha']}"
    found = []

    def add(claim, values, note=""):
        if len(values := values.dropna()):
            found.append(Evidence(claim, "real", setting + note, mean_interval(values), runs))

    # a sweep that changes one thing speaks to that alone
    if first["match"] == "train-loss":
        matched = least[least["mismatch"] <= MATCHED] if "mismatch" in least else least[:0]  # older tables do not tell
        add("s0.gap-survives-matched-training", matched["gap"], f", matched in training loss {first['target_loss']:g}"
            + f" (matched: {len(matched)} of {len(least)} replicas)" * (len(matched) < len(least)))
        return found
    if first["start"] == "slice":
        add("s0.gap-survives-shared-start", least["gap"], ", started as slices")
        return found
    if Fraction(str(first["reference"])) > 1:
        standard = whole[whole["width"] == 1].set_index("seed")
        if len(standard):
            setting = f"{network}, {first['data']}, width {first['reference']} from copies of width 1"
            add("s0.gap-above-width-one", standard["gap"])
        return found
    narrowest = frame[frame["width"] == first["width"]]
    if first["parameter_copies"]:
        every = narrowest[narrowest["copies"] == narrowest["parameter_copies"]].set_index("seed")
        add("s0.gap-at-equal-parameters", every["gap"], f", {int(first['parameter_copies'])} copies")
        return found
    for claim, values in (
            ("s0.narrow-does-not-span-wide", least["gap"]),
            ("s0.wide-does-not-span-narrow", least["reverse_gap"]),
            ("s0.wide-performs-better", least["probe_error_gap"]),
            ("s0.residual-features-perform", least["residual_gain"]),
            ("s0.gap-is-not-linear", least["nonlinear_gap"]),
            ("s0.gap-beyond-null", least["null_span_error"] - least["span_error"])):
        add(claim, values)
    half = whole[whole["width"] == whole["width"].max() / 2].set_index("seed")
    if len(half) and half["width"].iloc[0] != first["width"]:
        add("s0.gap-grows-as-networks-narrow", least["span_error"] - half["span_error"])
    copies = sorted(narrowest["copies"].unique())
    if len(copies) > 1 and copies[-1] == 2 * copies[-2]:
        before, after = (narrowest[narrowest["copies"] == c].set_index("seed")["span_error"] for c in copies[-2:])
        add("s0.copies-saturate", 1 - after / before)
    return found
