"""Measures of two sets of features that second moments do not determine, on a bounded number of rows.

The span error after a nonlinear map, by kernel ridge regression and by a small MLP, with linear ridge on the same rows for
reference; and the accuracy of a logistic probe on the copies' features, on the wide network's, and on the copies' with the
residual or with random features appended. Both sides are measured on the same inputs.
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
    """Measures on rows, and the contribution of each score row.

    Attributes
    ----------
    values : dict of str to float
        The measures by name, see :func:`compare_rows`.
    left : dict of str to ndarray of shape (score rows,)
        For each span error the squared residual of a row; for each accuracy whether its class is predicted correctly.
    total : dict of str to ndarray of shape (score rows,)
        For each span error the squared distance of the target from its mean.
    """

    values: dict[str, float] = field(default_factory=dict)
    left: dict[str, np.ndarray] = field(default_factory=dict)
    total: dict[str, np.ndarray] = field(default_factory=dict)


def compare_rows(fit: Rows, score: Rows, wide: str, other: str | None, narrow: Sequence[str], *, untrained: str | None = None,
                 ridge: float, seed: int = 0) -> OnRows:
    """Nonlinear span errors and logistic probes, with all of ``narrow`` concatenated.

    Parameters
    ----------
    fit, score : mapping of str to ndarray of shape (rows, units)
        Block → features, on different rows. With ``TARGET``, the labels in one-hot form, logistic probes are fitted.
    wide, other, narrow, untrained : str, or sequence of str for ``narrow``
        Names of the blocks; None if there is no such network.
    ridge : float
        Ridge of the residual's regression.
    seed : int, default 0
        Seed of the measures' random draws.

    Returns
    -------
    OnRows
        ``kernel_span_error``, ``linear_rows_span_error`` and ``mlp_span_error`` of narrow to wide: by kernel ridge, by linear
        ridge on the same rows, and by a network on the residual of linear ridge; the same of other to wide with the prefix
        ``baseline_``; ``nonlinear_gap``, the smaller of kernel and network for narrow minus the smaller for other. NaN if no
        unit varies. ``accuracy_narrow``, ``accuracy_wide``, ``accuracy_with_residual``, ``accuracy_with_untrained``: accuracies
        of logistic probes.
    """
    fit, score, narrow = dict(fit), dict(score), list(narrow)
    result = OnRows()
    for source, prefix in ((narrow, ""), *([([other], "baseline_")] if other is not None else [])):
        one = _span_errors(fit, score, source, wide, prefix, seed)
        result = OnRows(result.values | one.values, result.left | one.left, result.total | one.total)
    if other is not None:
        own, baseline = (min(result.values[f"{p}kernel_span_error"], result.values[f"{p}mlp_span_error"])
                         for p in ("", "baseline_"))
        result.values["nonlinear_gap"] = own - baseline
    if TARGET in fit:
        _accuracies(result, fit, score, wide, narrow, untrained, ridge)
    return result


def _span_errors(fit: Rows, score: Rows, source: list[str], wide: str, prefix: str, seed: int) -> OnRows:
    names = [f"{prefix}{kind}_span_error" for kind in ("kernel", "linear_rows", "mlp")]
    if not all(any(rows[name].std(0).any() for name in side) for rows in (fit, score) for side in (source, [wide])):
        return OnRows(dict.fromkeys(names, math.nan))
    rng = generator(seed, "comparison", "nonlinear", prefix, len(source))
    kernel = nonlinear_span_error(fit, score, source=source, target=wide, rng=rng)
    network = mlp_span_error(fit, score, source=source, target=wide, rng=rng)
    return OnRows(dict(zip(names, (kernel.error, network.linear, network.error))),
                  dict(zip(names, (kernel.left, network.linear_left, network.left))),
                  dict(zip(names, (kernel.total, network.total, network.total))))


def _accuracies(result: OnRows, fit: dict, score: dict, wide: str, narrow: list[str], untrained: str | None,
                ridge: float) -> None:
    """Add the accuracies of logistic probes; ``fit`` and ``score`` gain the blocks "labels" and "residual"."""
    moments = Moments.from_samples({name: fit[name] for name in [*narrow, wide]})
    weights, offset = ridge_map(moments, source=narrow, target=wide, ridge=ridge)
    for rows in (fit, score):
        rows["labels"] = rows.pop(TARGET).argmax(1)
        rows["residual"] = rows[wide] - np.hstack([rows[name] for name in narrow]) @ weights - offset
    random = [("with_untrained", [*narrow, untrained])] if untrained is not None else []
    for name, blocks in (("narrow", narrow), ("wide", [wide]), ("with_residual", [*narrow, "residual"]), *random):
        probe = logistic_probe(fit, score, features=blocks)
        result.values[f"accuracy_{name}"], result.left[f"accuracy_{name}"] = probe.accuracy, probe.right
