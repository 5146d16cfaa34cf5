"""What the table of a width sweep says of the claims of S0.

A piece of evidence is one sweep; its unit is the replica, a seed with its own networks. Differences are taken within a replica.
A sweep that changes one thing speaks of that alone.
"""

from fractions import Fraction
from typing import TYPE_CHECKING

from lab.estimate import mean_interval
from lab.study import CONFIRMATORY
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

MATCHED = 0.01  # largest distance of a network's training loss from the target, as a share, in a replica that counts
ARCHITECTURES = {"mlp": "mlp", "transformer": "transformer"}  # all others are convolutional
DATA = {"digits": ("digits", "easy"), "MNIST": ("digits", "easy"), "CIFAR-10": ("images", "hard"),
        "entailment": ("synthetic", "hard"), "SNLI": ("text", "hard"), "MultiNLI": ("text", "hard")}  # kind, and difficulty


def levels_of(arch: str, data: str) -> dict[str, str]:
    """What may separate settings: kind of architecture and data, and whether the narrowest copies learn the task as well.

    Parameters
    ----------
    arch, data : as in the table; data that a user brings have no known difficulty.
    """
    kind, difficulty = next((found for name, found in DATA.items() if data.startswith(name)), ("", ""))
    found = {"architecture": ARCHITECTURES.get(arch, "convolutional"), "data": kind, "difficulty": difficulty}
    return {name: level for name, level in found.items() if level}


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Evidence from one sweep, at the penultimate site and the smallest alpha.

    Parameters
    ----------
    frame : table of the sweep, see :func:`empirical.studies.width.table.tabulate`.
    runs : ids of the runs behind it.
    """
    frame = frame[frame["site"] == "penultimate"]
    frame = frame.assign(width=[float(Fraction(str(a))) for a in frame["alpha"]])
    if frame.empty or frame["width"].min() == frame["width"].max():
        return []
    whole = frame[frame["copies"] == frame["all_copies"]]
    least = whole[whole["width"] == whole["width"].min()].set_index("seed")
    first = least.iloc[0]
    network = first["arch"] + (f" of base width {first['base_width']}" if first["base_width"] else "")  # 0: a user's own
    setting = f"{network}, {first['data']}, alpha {first['alpha']}"
    about = {"levels": levels_of(first["arch"], str(first["data"])), "pilot": bool(frame["seed"].min() < CONFIRMATORY)}
    found = []

    def add(claim, values, setting=setting, cluster=""):
        if len(values := values.dropna()):
            left_out = f"{len(values)} of {len(least)} replicas" * (len(values) < len(least))
            found.append(Evidence(claim, "real", setting, mean_interval(values), runs, left_out, cluster=cluster, **about))

    if first["match"] == "train-loss":
        # older tables do not tell; sweeps to several losses stop the same networks earlier or later
        matched = least[least["mismatch"] <= MATCHED] if "mismatch" in least else least[:0]
        add("s0.gap-survives-matched-training", matched["gap"], f"{setting}, matched in training loss {first['target_loss']:g}",
            f"{network}, {first['data']}, matched")
        return found
    if first["start"] == "slice":
        add("s0.gap-survives-shared-start", least["gap"], f"{setting}, started as slices")
        return found
    if Fraction(str(first["reference"])) > 1:
        standard = whole[whole["width"] == 1].set_index("seed")
        if len(standard):
            add("s0.gap-above-width-one", standard["gap"],
                f"{network}, {first['data']}, width {first['reference']} from copies of width 1")
        return found
    narrowest = frame[frame["width"] == first["width"]]
    if first["parameter_copies"]:
        every = narrowest[narrowest["copies"] == narrowest["parameter_copies"]].set_index("seed")
        add("s0.gap-at-equal-parameters", every["gap"], f"{setting}, {int(first['parameter_copies'])} copies")
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
    before = narrowest[2 * narrowest["copies"] == narrowest["all_copies"]].set_index("seed")
    if len(before):  # the last doubling, to as many copies as have the wide network's features
        add("s0.copies-saturate", 1 - least["span_error"] / before["span_error"])
    return found
