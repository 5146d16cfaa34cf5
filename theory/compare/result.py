"""The result of a comparison of features, as a table, a picture, JSON or one line."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from lab.cli import jsonable
from lab.estimate import Estimate, exact, mean_interval
from theory.compare.pair import Measured
from theory.measures import compared

if TYPE_CHECKING:
    import pandas

# label in a table, attribute of the result
MEASURES = (
    ("span error", "span_error"), ("reverse span error", "reverse_span_error"), ("gap over the baseline", "gap"),
    ("nonlinear span error", "nonlinear"), ("the same rows, linear", "linear_on_rows"), ("gap, nonlinear", "nonlinear_gap"),
    ("CKA", "cka"), ("CKA, debiased", "debiased_cka"), ("mean squared CCA", "cca"), ("SVCCA", "svcca"),
    ("Procrustes", "procrustes"), ("shared neighbours", "neighbours"), ("rows per unit (n/d)", "n_over_d"),
)
_LABELS = {"copies": "span error, first {} of the source", "held_out": "{} on held-out rows", "probes": "probe: {}",
           "calibrated": "{}, calibrated by shuffled rows",
           "residual": "residual: {}", "effective_rank": "effective rank: {}", "dead_units": "dead units: {}"}
_NAMES = {  # attribute -> name in Measured, where they differ
    "null": "null_span_error", "reverse_null": "null_reverse_span_error", "baseline": "baseline_span_error",
    "nonlinear": "nonlinear_span_error", "linear_on_rows": "linear_rows_span_error", "n_over_d": "rows_per_feature",
}
_GROUPS = {  # attribute -> its entries -> name in Measured
    "residual": {"effective_rank": "residual_rank"},
    "effective_rank": {"source": "rank_narrow", "target": "rank_wide", "baseline": "rank_other"},
    "units": {"source": "features_narrow", "target": "features_wide", "baseline": "features_other"},
    "dead_units": {"source": "dead_narrow", "target": "dead_wide", "baseline": "dead_other"},
    "calibrated": {"cka": "calibrated_cka", "neighbours": "calibrated_neighbours", "cka_p": "p_cka",
                   "neighbours_p": "p_neighbours"},
    "held_out": {"cca": "held_out_cca", "svcca": "held_out_svcca", "procrustes": "held_out_procrustes"},
    "probes": {
        "source": "probe_narrow", "target": "probe_wide", "gap": "probe_error_gap", "baseline": "probe_other",
        "residual": "probe_residual", "source_with_residual": "probe_with_residual", "source_with_noise": "probe_with_noise",
        "accuracy_source": "accuracy_narrow", "accuracy_target": "accuracy_wide",
        "accuracy_source_with_residual": "accuracy_with_residual"},
}
_P_VALUES = ("p_cka", "p_neighbours")  # of one pair; a mean of them says nothing
_EXACT = ("rows_per_feature", "features_narrow", "features_wide", "features_other", "dead_narrow", "dead_wide", "dead_other",
          "null_neighbours", *_P_VALUES)

Numbers = Mapping[str, Estimate]


@dataclass(frozen=True, repr=False)
class FeatureComparison:
    """Comparison of two sets of features, with an interval for every number.

    Shares of variance (span errors, probes) are measured on rows that neither the regression nor its ridge has seen. Similarities
    are in-sample, on the rows of the fit, as in width sweeps: compare them with ``nulls``. ``held_out`` has those whose fitted
    directions are scored on the other rows. A number that does not exist (no baseline given, too few rows) is None.

    Attributes
    ----------
    blocks : mapping of str to str
        Names of "source", "target" and "baseline".
    span_error : Estimate
        Share of the target's variance that ridge regression from the source leaves unexplained.
    reverse_span_error : Estimate or None
        The same from the target to the source.
    null : Estimate or None
        Span error if the target's features are those of other rows; 1 means that nothing is explained.
    reverse_null : Estimate or None
        The same from the target to the source.
    baseline : Estimate or None
        Span error of the baseline block to the target.
    gap : Estimate or None
        ``span_error`` minus ``baseline``.
    reverse_gap : Estimate or None
        ``reverse_span_error`` minus ``baseline``.
    cka : Estimate or None
        Linear CKA (:mod:`theory.measures.similarity`, as the four below).
    debiased_cka : Estimate or None
        CKA from unbiased HSIC.
    cca : Estimate or None
        Mean squared canonical correlation.
    svcca : Estimate or None
        Mean canonical correlation of the leading principal components.
    procrustes : Estimate or None
        Cosine of the best match by rotation.
    neighbours : Estimate or None
        Share of a row's nearest rows that are the same on both sides (subset).
    nonlinear : Estimate or None
        Span error by the better of kernel ridge and a small network (subset).
    linear_on_rows : Estimate or None
        Span error by ridge on the same subset.
    nonlinear_gap : Estimate or None
        ``nonlinear`` minus that of the baseline.
    n_over_d : Estimate
        Rows of the fit per unit of the wider side.
    copies : mapping of str to Estimate
        Span error of the first 1, 2, 4, … blocks of the source, if there are several.
    residual : mapping of str to Estimate
        The residual of the target: its "effective_rank" on the score rows.
    effective_rank : mapping of str to Estimate
        Participation ratio of "source", "target" and "baseline".
    units : mapping of str to Estimate
        Numbers of their units.
    dead_units : mapping of str to Estimate
        Numbers of their units that do not vary.
    probes : mapping of str to Estimate, or None
        Shares of the labels' variance that linear probes leave unexplained, and accuracies of logistic probes (subset); None
        without labels.
    held_out : mapping of str to Estimate
        Similarities on the score rows.
    calibrated : mapping of str to Estimate
        "cka" and "neighbours" as shares of the way from their mean over shuffled rows to 1
        (:mod:`theory.measures.calibrated`), and of a single pair their p-values, "cka_p" and "neighbours_p" (subset); empty
        where rows come in groups.
    nulls : mapping of str to Estimate
        Similarities to the features of other rows.
    baselines : mapping of str to Estimate
        Similarities of the baseline block.
    others : mapping of str to Estimate
        Measures that are declared elsewhere.
    ridges : mapping of str to list
        "grid", the "chosen" ridges, and span errors at each ridge of the grid.
    rows : mapping of str to int
        Numbers of rows of each part of the split, and of the subset.
    split : str
        How the rows were split, in words.
    interval : str
        How intervals were computed, in words.
    seed : int
        Seed of all random draws.
    notes : tuple of str
        Caveats for the reader.

    Examples
    --------
    >>> import numpy as np
    >>> from theory.compare import compare
    >>> x = np.random.default_rng(0).normal(size=(200, 4))
    >>> result = compare(x[:, :2], x, subset=0)
    >>> result.blocks, result.rows
    ({'source': 'source', 'target': 'target'}, {'fit': 75, 'tune': 25, 'score': 100})
    """

    blocks: Mapping[str, str]
    span_error: Estimate
    reverse_span_error: Estimate | None
    null: Estimate | None
    reverse_null: Estimate | None
    baseline: Estimate | None
    gap: Estimate | None
    reverse_gap: Estimate | None
    cka: Estimate | None
    debiased_cka: Estimate | None
    cca: Estimate | None
    svcca: Estimate | None
    procrustes: Estimate | None
    neighbours: Estimate | None
    nonlinear: Estimate | None
    linear_on_rows: Estimate | None
    nonlinear_gap: Estimate | None
    n_over_d: Estimate
    copies: Numbers
    residual: Numbers
    effective_rank: Numbers
    units: Numbers
    dead_units: Numbers
    probes: Numbers | None
    held_out: Numbers
    calibrated: Numbers
    nulls: Numbers
    baselines: Numbers
    others: Numbers
    ridges: Mapping[str, object]
    rows: Mapping[str, int]
    split: str
    interval: str
    seed: int
    notes: tuple[str, ...] = field(default=())

    def table(self) -> "pandas.DataFrame":
        """One row per measure: its value, interval and ``n``, with its null and baseline."""
        import pandas

        rows = []
        for label, name in (*MEASURES, *((name, name) for name in self.others)):
            e = self.others.get(name) or getattr(self, name, None)
            if e is not None:
                rows.append({"measure": label, "value": e.mean, "low": e.low, "high": e.high, "n": e.n,
                             "null": _mean(self._null(name)), "baseline": _mean(self._baseline(name))})
        for group, label in _LABELS.items():
            rows += [{"measure": label.format(name.replace("_", " ")), "value": e.mean, "low": e.low, "high": e.high, "n": e.n}
                     for name, e in (getattr(self, group) or {}).items()]
        return pandas.DataFrame(rows).set_index("measure").astype({"low": float, "high": float})

    def to_frame(self) -> "pandas.DataFrame":
        """One row per number: the names of :meth:`to_json` ("probes.source"), mean, low, high, n and method."""
        import pandas

        return pandas.DataFrame([{"name": name, "mean": e.mean, "low": e.low, "high": e.high, "n": e.n, "method": e.method}
                                 for name, e in self.numbers().items()]).astype({"low": float, "high": float})

    def numbers(self) -> dict[str, Estimate]:
        """All numbers that exist, by flat names: "span_error", "probes.source", ..."""
        flat = {}
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, Estimate):
                flat[entry.name] = value
            elif isinstance(value, Mapping):
                flat |= {f"{entry.name}.{key}": e for key, e in value.items() if isinstance(e, Estimate)}
        return flat

    def to_json(self) -> dict:
        """Plain JSON types: estimates as objects with mean, low, high and n, None for numbers that do not exist."""
        return {entry.name: _plain(getattr(self, entry.name)) for entry in fields(self)}

    def plot(self, axes=None):
        """Draw the measures with their intervals, nulls and baselines; returns the axes.

        Parameters
        ----------
        axes : matplotlib.axes.Axes, optional
            Axes to draw on; by default those of a new figure.
        """
        from lab.pictures import drawing
        from theory.compare.picture import draw_comparison

        with drawing(axes, width=5.0, height=3.4) as axes:
            draw_comparison(self.to_json(), axes)
            return axes

    def __repr__(self) -> str:
        null = "" if self.null is None else f", null {self.null.mean:.3g}"
        other = "" if self.baseline is None else f", baseline {self.baseline.mean:.3g}"
        cka = "" if self.cka is None else f"; CKA {self.cka.mean:.3g}"
        return (f"FeatureComparison({self.blocks['source']} → {self.blocks['target']}: span error {spelt(self.span_error)}{null}"
                f"{other}{cka}; {self.rows['score']:,} rows scored on)")

    def _repr_html_(self) -> str:
        return self.table().to_html(float_format=lambda x: f"{x:.4g}", na_rep="")

    def _null(self, name: str) -> Estimate | None:
        return {"span_error": self.null, "reverse_span_error": self.reverse_null}.get(name) or self.nulls.get(name)

    def _baseline(self, name: str) -> Estimate | None:
        return self.baseline if name == "span_error" else self.baselines.get(name)


def spelt(estimate: Estimate) -> str:
    """An estimate in a few digits: ``0.231 [0.224, 0.238]``."""
    return f"{estimate:.3g}"


def _mean(estimate: Estimate | None) -> float:
    return math.nan if estimate is None else estimate.mean


def _plain(value):
    return None if value is None else jsonable(value)


def combined(measured: Sequence[Measured]) -> dict[str, Estimate]:
    """Estimates over the rows of a single pair, or over several pairs; numbers that exist for no pair are left out."""
    if len(measured) == 1:
        (one,) = measured
        known = {name: value for name, value in one.values.items() if math.isfinite(value)}
        return {name: exact(value) if name in _EXACT else one.estimates.get(name) or Estimate(value)
                for name, value in known.items()}
    names = dict.fromkeys(name for one in measured for name in one.values if name not in _P_VALUES)
    columns = {name: [one.values[name] for one in measured if math.isfinite(one.values.get(name, math.nan))] for name in names}
    return {name: mean_interval(values) for name, values in columns.items() if values}


def assembled(measured: Sequence[Measured], *, blocks: Mapping[str, str], ridges: Sequence[float], split: str, seed: int,
              interval: str | None = None) -> FeatureComparison:
    """The result from the numbers of one pair, or of several.

    Parameters
    ----------
    measured : sequence of Measured
        The numbers of each pair.
    blocks, split, seed : see :class:`FeatureComparison`
        Passed on to the result.
    ridges : sequence of float
        The grid.
    interval : str, optional
        How intervals were computed; by default this follows from the pairs.
    """
    estimates = combined(measured)
    similar = (*compared(), "debiased_cka", "neighbours")
    known = {name for _, name in MEASURES}
    groups: dict[str, Any] = {group: {key: estimates[name] for key, name in entries.items() if name in estimates}
                              for group, entries in _GROUPS.items()}
    curves = {name: [_of_pairs([one.curves[name][i] for one in measured]) for i in range(len(ridges))]
              for name in measured[0].curves}
    numbers: dict[str, Any] = {entry.name: estimates.get(_NAMES.get(entry.name, entry.name))
                               for entry in fields(FeatureComparison)
                               if entry.name in known | {"null", "reverse_null", "baseline", "reverse_gap"}}
    counts = [count for count in measured[0].copies if all(count in one.copies for one in measured)]
    copies = {str(count): _of_pairs([one.copies[count] for one in measured]) for count in counts}
    return FeatureComparison(
        blocks=dict(blocks), **numbers, copies=copies, **{**groups, "probes": groups["probes"] or None},
        nulls={name: estimates[f"null_{name}"] for name in similar if f"null_{name}" in estimates},
        baselines={**{name: estimates[f"baseline_{name}"] for name in similar if f"baseline_{name}" in estimates},
                   **{name: estimates[f"baseline_{_NAMES[name]}"] for name in ("nonlinear", "linear_on_rows")
                      if f"baseline_{_NAMES[name]}" in estimates}},
        others={name: estimates[name] for name in compared() if name not in known and name in estimates},
        ridges={"grid": list(ridges), "chosen": {name: [one.chosen[name] for one in measured] for name in measured[0].chosen},
                **curves},
        rows=dict(measured[0].rows), split=split, interval=interval or _of_intervals(measured), seed=seed,
        notes=tuple(dict.fromkeys(note for one in measured for note in one.notes)))


def _of_pairs(values: Sequence[float]) -> Estimate:
    """Mean over pairs; NaN if any value is."""
    return mean_interval(values) if all(map(math.isfinite, values)) else Estimate(math.nan, n=len(values))


def _of_intervals(measured: Sequence[Measured]) -> str:
    if len(measured) > 1:
        return f"95 %, Student's t over {len(measured)} pairs"
    if not measured[0].estimates:
        return "none: one pair, from its moments alone"
    return "95 %, bootstrap over rows, by group if there are groups (n is their number), with fits held fixed"
