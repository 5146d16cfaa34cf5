"""One set of features against another: what second moments cannot tell, on a bounded number of rows.

The span error after a nonlinear map, by kernel ridge regression and by a small MLP beside ridge on the same rows; and
the accuracy of a logistic probe on the copies' features, on the wide network's, and on the copies' with the residual or
with random features appended. The same rows of inputs are used on both sides.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lab.streams import generator
from theory.compare.sites import TARGET
from theory.measures import ridge_map
from theory.measures.nonlinear import logistic_probe, mlp_span_error, nonlinear_span_error
from theory.moments import Moments

Rows = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class OnRows:
    """Measures on rows, and what each score row adds to them.

    Attributes
    ----------
    values : the measures by name, see :func:`compare_rows`.
    left : of each span error the squares that are left over, shape (score rows,); of each accuracy whether the row's class
        is predicted.
    total : of each span error the squares of the target about its mean, shape (score rows,).
    """

    values: dict[str, float] = field(default_factory=dict)
    left: dict[str, np.ndarray] = field(default_factory=dict)
    total: dict[str, np.ndarray] = field(default_factory=dict)


def compare_rows(fit: Rows, score: Rows, wide: str, other: str | None, narrow: Sequence[str], *, untrained: str | None = None,
                 ridge: float, seed: int = 0) -> OnRows:
    """Nonlinear span errors and logistic probes, with all of ``narrow`` concatenated.

    Parameters
    ----------
    fit, score : block -> array of shape (rows, units), of different rows; with ``TARGET``, labels as one-hot, logistic probes
        are made.
    wide, other, narrow, untrained : blocks; None where there is no such network.
    ridge : of the residual's regression.
    seed : of what the measures draw.

    Returns
    -------
    OnRows
        ``kernel_span_error``, ``linear_rows_span_error`` and ``mlp_span_error`` of narrow to wide, the first by kernel ridge,
        the last by a network on what ridge leaves over, the middle one by ridge alone on the same rows; the same of other
        to wide with the prefix ``baseline_``; ``nonlinear_gap``: the smaller of kernel and network on the one side, less the
        smaller on the other. NaN where no unit varies. ``accuracy_narrow``, ``accuracy_wide``, ``accuracy_with_residual``,
        ``accuracy_with_untrained``: of logistic probes.
    """
    fit, score, narrow = dict(fit), dict(score), list(narrow)
    found = OnRows()
    for source, prefix in ((narrow, ""), *([([other], "baseline_")] if other is not None else [])):
        one = _span_errors(fit, score, source, wide, prefix, seed)
        found = OnRows(found.values | one.values, found.left | one.left, found.total | one.total)
    if other is not None:
        own, baseline = (min(found.values[f"{p}kernel_span_error"], found.values[f"{p}mlp_span_error"])
                         for p in ("", "baseline_"))
        found.values["nonlinear_gap"] = own - baseline
    if TARGET in fit:
        _accuracies(found, fit, score, wide, narrow, untrained, ridge)
    return found


def _span_errors(fit: Rows, score: Rows, source: list[str], wide: str, prefix: str, seed: int) -> OnRows:
    names = [f"{prefix}{kind}_span_error" for kind in ("kernel", "linear_rows", "mlp")]
    if not all(any(rows[name].std(0).any() for name in names_) for rows in (fit, score) for names_ in (source, [wide])):
        return OnRows(dict.fromkeys(names, math.nan))
    rng = generator(seed, "comparison", "nonlinear", prefix, len(source))
    kernel = nonlinear_span_error(fit, score, source=source, target=wide, rng=rng)
    network = mlp_span_error(fit, score, source=source, target=wide, rng=rng)
    return OnRows(dict(zip(names, (kernel.error, network.linear, network.error))),
                  dict(zip(names, (kernel.left, network.linear_left, network.left))),
                  dict(zip(names, (kernel.total, network.total, network.total))))


def _accuracies(found: OnRows, fit: dict, score: dict, wide: str, narrow: list[str], untrained: str | None,
                ridge: float) -> None:
    moments = Moments.from_samples({name: fit[name] for name in [*narrow, wide]})
    weights, offset = ridge_map(moments, source=narrow, target=wide, ridge=ridge)
    for rows in (fit, score):
        rows["labels"] = rows.pop(TARGET).argmax(1)
        rows["residual"] = rows[wide] - np.hstack([rows[name] for name in narrow]) @ weights - offset
    random = [("with_untrained", [*narrow, untrained])] if untrained is not None else []
    for name, blocks in (("narrow", narrow), ("wide", [wide]), ("with_residual", [*narrow, "residual"]), *random):
        probe = logistic_probe(fit, score, features=blocks)
        found.values[f"accuracy_{name}"], found.left[f"accuracy_{name}"] = probe.accuracy, probe.right
