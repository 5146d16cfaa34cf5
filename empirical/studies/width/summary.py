"""Means and intervals over the replicas of a width sweep."""

from fractions import Fraction
from typing import TYPE_CHECKING

from lab.estimate import Estimate, mean_interval
from theory.measures import compared

if TYPE_CHECKING:
    import pandas

SITES = ("span_error", "reverse_span_error", "baseline_span_error", "null_span_error", "untrained_span_error", "gap",
         "reverse_gap", "probe_narrow", "probe_wide", "probe_error_gap", "probe_with_residual", "probe_with_untrained",
         "probe_with_noise", "residual_gain")  # at every site
ON_ROWS = ("kernel_span_error", "mlp_span_error", "linear_rows_span_error", "baseline_kernel_span_error",
           "baseline_mlp_span_error", "nonlinear_gap", "accuracy_narrow", "accuracy_wide", "accuracy_with_residual",
           "accuracy_with_untrained")  # at the penultimate site
TRAINED = ("train_accuracy", "test_accuracy", "train_loss", "test_loss", "epochs", "reached")


def _mean(values) -> Estimate:
    """Mean and interval of the existing values; NaN if there are none."""
    values = values.dropna()
    return mean_interval(values) if len(values) else Estimate(float("nan"), n=0)


def short_of_target(frame: "pandas.DataFrame") -> tuple[int, int]:
    """The number of networks that ended above the target loss, and of all networks; (0, 0) without a target."""
    main = frame[(frame["site"] == "penultimate") & (frame["copies"] == frame["all_copies"]) & (frame["target_loss"] > 0)]
    wide = main.drop_duplicates("seed")
    # at alpha = reference the copy is the second wide network, which older tables took from the next seed
    own = ~main["other_seed"].isin(wide["seed"]) if "other_seed" in main else len(wide) == 1
    narrow = main[(main["alpha"] != main["reference"]) | own]
    networks = narrow[["all_copies", "parameter_copies"]].max(axis=1)
    short = (1 - wide["reached_wide"].astype(float)).sum() + ((1 - narrow["reached_narrow"].astype(float)) * networks).sum()
    return round(short), int(len(wide) + networks.sum())


def summarise(frame: "pandas.DataFrame") -> list[dict]:
    """Summarise a sweep at each width.

    Parameters
    ----------
    frame : table of one sweep, see :func:`empirical.studies.width.table.tabulate`.

    Returns
    -------
    list of dict
        One per alpha, the largest first: training results, and at each site every measure with all copies, as mean and
        interval over seeds.
    """
    frame = frame.assign(width=[float(Fraction(a)) for a in frame["alpha"]])
    whole = frame[frame["copies"] == frame["all_copies"]]
    named = (f"{prefix}{name}" for name in compared() for prefix in ("", "baseline_", "untrained_", "null_"))
    measures = [*SITES, *(column for column in named if column in frame)]  # runs made before a measure was added lack it
    out = []
    for _, group in sorted(whole.groupby("width"), key=lambda item: -item[0]):
        first = group[group["site"] == "penultimate"]
        part = frame[(frame["width"] == group["width"].iloc[0]) & (frame["site"] == "penultimate")]
        out.append({
            "alpha": group["alpha"].iloc[0],
            "copies": int(group["all_copies"].iloc[0]),
            **{f"{key}_{side}": _mean(first[f"{key}_{side}"]) for key in TRAINED for side in ("narrow", "wide")},
            **{key: _mean(first[key]) for key in (*measures, *ON_ROWS)},
            "span_error_by_copies": {int(c): _mean(g["span_error"]) for c, g in part.groupby("copies")},
            "sites": {site: {key: _mean(g[key]) for key in measures}
                      for site, g in group.groupby("site", sort=False)},
        })
    return out


def draw_span_errors(rows: list[dict], axes) -> None:
    """Draw span errors in both directions by width, with a second wide network as the baseline.

    Parameters
    ----------
    rows : rows of :func:`summarise`.
    axes : matplotlib axes to draw on.
    """
    from lab.pictures import BASELINE, NARROW, REVERSE, series

    widths = [float(Fraction(row["alpha"])) for row in rows]
    shown = {"span_error": ("narrow copies → wide", NARROW), "reverse_span_error": ("wide → narrow copies", REVERSE),
             "baseline_span_error": ("wide → another wide", BASELINE)}
    for key, (label, colour) in shown.items():
        series(axes, widths, [row[key] for row in rows], label, real=True, color=colour)
    axes.set_xscale("log", base=2)
    axes.set_xticks(widths, [row["alpha"] for row in rows])
    axes.minorticks_off()
    axes.set(xlabel="width multiplier of a copy", ylabel="span error")
    axes.legend()
