"""Evidence for the claims of S0 from the table of a width sweep.

One piece of evidence is one sweep; its unit is the replica, a seed with its own networks. Differences are taken within a replica.
A sweep with a control is evidence on that control only.
"""

from fractions import Fraction
from typing import TYPE_CHECKING

from empirical.declared import architectures
from lab.estimate import mean_interval
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

MATCHED = 0.01  # a replica counts if every network's training loss is within this share of the target
ARCHITECTURES = {"mlp": "mlp", "transformer": "transformer"}  # all other built-in architectures are convolutional
DATA = {"digits": ("digits", "easy"), "MNIST": ("digits", "easy"), "CIFAR-10": ("images", "hard"),
        "entailment": ("synthetic", "hard"), "SNLI": ("text", "hard"), "MultiNLI": ("text", "hard")}  # kind, and difficulty


def levels_of(arch: str, data: str) -> dict[str, str]:
    """Attributes that may separate settings: architecture, data, and whether even the narrowest copies learn the task.

    Parameters
    ----------
    arch : str
        As in the table.
    data : str
        As in the table; a user's own data have no known difficulty.
    """
    kind, difficulty = next((entry for name, entry in DATA.items() if data.startswith(name)), ("", ""))
    architecture = ARCHITECTURES.get(arch, "convolutional" if arch in architectures() else "")
    levels = {"architecture": architecture, "data": kind, "difficulty": difficulty}
    return {name: level for name, level in levels.items() if level}


class Sweep:
    """The table of one sweep at the penultimate site, for its evidence.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of the sweep, see :func:`empirical.studies.width.table.tabulate`.

    Attributes
    ----------
    whole : pandas.DataFrame
        Rows with as many copies as match the wide network's features.
    least : pandas.DataFrame
        Rows of the smallest alpha, by seed.
    first : pandas.Series
        One of them, for what they share.
    setting : str
        The setting in words.
    levels : dict of str to str
        Attributes that may separate the setting from others.
    """

    def __init__(self, frame: "pandas.DataFrame"):
        frame = frame[frame["site"] == "penultimate"]
        self.frame = frame.assign(width=[float(Fraction(str(a))) for a in frame["alpha"]])
        self.empty = self.frame.empty or self.frame["width"].min() == self.frame["width"].max()
        if self.empty:
            return
        self.whole = self.frame[self.frame["copies"] == self.frame["all_copies"]]
        self.least = self.at(self.whole["width"].min())
        self.first = self.least.iloc[0]
        base = f" of base width {self.first['base_width']}" if self.first["base_width"] else ""  # 0: a user's own network
        self.network = f"{self.first['arch']}{base}, {self.first['data']}"
        self.setting = f"{self.network}, alpha {self.first['alpha']}"
        self.levels = levels_of(self.first["arch"], str(self.first["data"]))

    def at(self, width: float) -> "pandas.DataFrame":
        """Rows with all copies of a width, by seed."""
        return self.whole[self.whole["width"] == width].set_index("seed")

    @property
    def matched(self) -> "pandas.DataFrame":
        """``least``, in a sweep to a target loss only the replicas in which all networks met it. Older tables do not record the
        distance from the target, so none of their replicas counts as matched."""
        if self.first["match"] != "train-loss":
            return self.least
        return self.least[self.least["mismatch"] <= MATCHED] if "mismatch" in self.least else self.least[:0]


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Evidence from one sweep, at the penultimate site and the smallest alpha.

    Parameters
    ----------
    frame : table of the sweep, see :func:`empirical.studies.width.table.tabulate`.
    runs : ids of the runs behind it.
    """
    sweep, pieces = Sweep(frame), []
    if sweep.empty:
        return []
    first, least, setting = sweep.first, sweep.least, sweep.setting

    def add(claim, values, setting=setting, cluster=""):
        if len(values := values.dropna()):
            note = f"{len(values)} of {len(least)} replicas" * (len(values) < len(least))
            pieces.append(Evidence(claim, "real", setting, mean_interval(values), runs, note, cluster=cluster,
                                   levels=sweep.levels))

    if first["match"] == "train-loss":  # sweeps to several losses stop the same networks earlier or later: one cluster
        add("s0.gap-survives-matched-training", sweep.matched["gap"], f"{setting}, matched in training loss "
            f"{first['target_loss']:g}", f"{sweep.network}, matched")
        return pieces
    if first["start"] == "slice":
        add("s0.gap-survives-shared-start", least["gap"], f"{setting}, started as slices")
        return pieces
    if Fraction(str(first["reference"])) > 1:
        standard = sweep.at(1.0)
        if len(standard):
            add("s0.gap-above-width-one", standard["gap"],
                f"{sweep.network}, width {first['reference']} from copies of width 1")
        return pieces
    narrowest = sweep.frame[sweep.frame["width"] == first["width"]]
    if first["parameter_copies"]:
        every = narrowest[narrowest["copies"] == narrowest["parameter_copies"]].set_index("seed")
        add("s0.gap-at-equal-parameters", every["gap"], f"{setting}, {int(first['parameter_copies'])} copies")
        return pieces
    for claim, values in (
            ("s0.narrow-does-not-span-wide", least["gap"]),
            ("s0.wide-does-not-span-narrow", least["reverse_gap"]),
            ("s0.wide-performs-better", least["probe_error_gap"]),
            ("s0.residual-features-perform", least["residual_gain"]),
            ("s0.gap-is-not-linear", least["nonlinear_gap"]),
            ("s0.gap-beyond-null", least["null_span_error"] - least["span_error"])):
        add(claim, values)
    half = sweep.at(sweep.whole["width"].max() / 2)
    if len(half) and half["width"].iloc[0] != first["width"]:
        add("s0.gap-grows-as-networks-narrow", least["span_error"] - half["span_error"])
    before = narrowest[2 * narrowest["copies"] == narrowest["all_copies"]].set_index("seed")
    if len(before):  # the last doubling, to as many copies as match the wide network's features
        add("s0.copies-saturate", 1 - least["span_error"] / before["span_error"])
    return pieces
