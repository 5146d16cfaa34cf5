"""Pictures of comparisons, drawn from their JSON form."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lab.pictures import BASELINE, NARROW, REVERSE, WIDE

if TYPE_CHECKING:
    import matplotlib.axes

# label; value, null and baseline as paths into the JSON
SHOWN = (
    ("span error", "span_error", "null", "baseline"),
    ("reverse span error", "reverse_span_error", "reverse_null", None),
    ("nonlinear span error", "nonlinear", None, "baselines.nonlinear"),
    ("CKA, debiased", "debiased_cka", None, "baselines.debiased_cka"),
    ("CKA", "cka", "nulls.cka", "baselines.cka"),
    ("mean squared CCA", "cca", "nulls.cca", "baselines.cca"),
    ("SVCCA", "svcca", "nulls.svcca", "baselines.svcca"),
    ("Procrustes", "procrustes", "nulls.procrustes", "baselines.procrustes"),
    ("shared neighbours", "neighbours", "nulls.neighbours", "baselines.neighbours"),
    ("probe of the source", "probes.source", None, "probes.baseline"),
    ("probe of the target", "probes.target", None, None),
)


def _estimate(tree: Mapping, path: str | None) -> Mapping | None:
    """The estimate at a path; None if there is none."""
    node: Mapping | None = tree if path else None
    for key in path.split(".") if path else ():
        node = (node or {}).get(key)
    return node if node and node.get("mean") is not None else None


def draw_comparison(comparison: Mapping, axes: "matplotlib.axes.Axes") -> None:
    """Draw every measure as a dot with its interval, its null as a cross and its baseline as an open square.

    Parameters
    ----------
    comparison : dict
        Result of :meth:`theory.compare.FeatureComparison.to_json`.
    axes : matplotlib.axes.Axes
        Where to draw.
    """
    shown = [(label, estimate, _estimate(comparison, null), _estimate(comparison, other)) for label, value, null, other in SHOWN
             if (estimate := _estimate(comparison, value)) is not None][::-1]
    labels = {"value": "with 95 % interval", "null": "null", "baseline": "baseline"}
    for place, (label, value, null, other) in enumerate(shown):
        colour = NARROW if "span" in label else REVERSE if "probe" in label else WIDE
        mean, low, high = (value[key] for key in ("mean", "low", "high"))
        error = None if low is None or high is None else [[max(0.0, mean - low)], [max(0.0, high - mean)]]
        axes.errorbar([mean], [place], xerr=error, fmt="o", color=colour, zorder=3, label=labels.pop("value", None))
        marks: tuple[tuple[Mapping | None, dict[str, Any], str], ...] = (
            (null, {"marker": "x", "color": BASELINE}, "null"),
            (other, {"marker": "s", "markerfacecolor": "none", "color": BASELINE}, "baseline"))
        for mark, style, key in marks:
            if mark:
                axes.plot([mark["mean"]], [place], linestyle="", zorder=2, label=labels.pop(key, None), **style)
    axes.set_yticks(range(len(shown)), [label for label, *_ in shown])
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
    axes.set_title(f"{comparison['blocks']['source']} → {comparison['blocks']['target']}")
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.1), ncols=3, fontsize="small", handletextpad=0.2, columnspacing=1.0)


def draw_matrix(comparison: Mapping, axes: "matplotlib.axes.Axes") -> None:
    """Draw the span error of each model (row) to each other (column) as a heat map with numbers.

    Parameters
    ----------
    comparison : dict
        Result of :meth:`theory.compare.FeatureMatrix.to_json`.
    axes : matplotlib.axes.Axes
        Where to draw.
    """
    names, values = comparison["models"], comparison["matrices"]["span_error"]
    cells = [[math.nan if value is None else value for value in row] for row in values]
    axes.imshow(cells, cmap="Blues", vmin=0, vmax=1)
    for i, row in enumerate(cells):
        for j, value in enumerate(row):
            if not math.isnan(value):
                axes.text(j, i, f"{value:.2f}", ha="center", va="center", color="white" if value > 0.6 else "black",
                          fontsize="small")
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("explained")
    axes.set_ylabel("explained from")
    axes.grid(False)
    axes.set_title("span error")
