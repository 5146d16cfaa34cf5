"""One wide network against many narrow ones: what second moments cannot tell, on the rows kept of the penultimate site.

The span error after a nonlinear map, by kernel ridge regression and by a small MLP beside ridge on the same rows; and
the accuracy of a logistic probe on the copies' features, on the wide network's, and on the copies' with the residual or
with random features appended. The same rows of inputs are used on both sides.
"""

import math
from collections.abc import Sequence

import numpy as np

from empirical.features import TARGET, Features
from lab.streams import generator
from theory.measures import ridge_map
from theory.measures.nonlinear import logistic_probe, mlp_span_error, nonlinear_span_error
from theory.moments import Moments


def compare_rows(features: Features, wide: str, other: str, narrow: Sequence[str], *, untrained: str, ridge: float,
                 seed: int = 0) -> dict[str, float]:
    """Nonlinear span errors and logistic probes at the penultimate site, with all of ``narrow`` concatenated.

    Parameters
    ----------
    features : one pass, with rows.
    wide, other, narrow, untrained : blocks.
    ridge : of the residual's regression.
    seed : of what the measures draw.

    Returns
    -------
    ``kernel_span_error``, ``linear_rows_span_error`` and ``mlp_span_error`` of narrow to wide, the first by kernel ridge,
    the last by a network on what ridge leaves over, the middle one by ridge alone on the same rows; the same of other
    to wide with the prefix ``baseline_``; ``nonlinear_gap``: the smaller of kernel and network on the one side, less the
    smaller on the other. NaN where no unit varies. ``accuracy_narrow``, ``accuracy_wide``, ``accuracy_with_residual``,
    ``accuracy_with_untrained``: of logistic probes.
    """
    fit, score = (dict(features.rows[part]) for part in ("fit", "score"))
    narrow = list(narrow)
    found = {**_span_errors(fit, score, narrow, wide, "", seed), **_span_errors(fit, score, [other], wide, "baseline_", seed)}
    own, baseline = (min(found[f"{p}kernel_span_error"], found[f"{p}mlp_span_error"]) for p in ("", "baseline_"))
    found["nonlinear_gap"] = own - baseline

    moments = Moments.from_samples({name: fit[name] for name in [*narrow, wide]})
    weights, offset = ridge_map(moments, source=narrow, target=wide, ridge=ridge)
    for rows in (fit, score):
        rows["labels"] = rows.pop(TARGET).argmax(1)
        rows["residual"] = rows[wide] - np.hstack([rows[name] for name in narrow]) @ weights - offset
    for name, blocks in (("narrow", narrow), ("wide", [wide]), ("with_residual", [*narrow, "residual"]),
                         ("with_untrained", [*narrow, untrained])):
        found[f"accuracy_{name}"] = logistic_probe(fit, score, features=blocks).accuracy
    return found


def _span_errors(fit, score, source: list[str], wide: str, prefix: str, seed: int) -> dict[str, float]:
    names = [f"{prefix}{kind}_span_error" for kind in ("kernel", "linear_rows", "mlp")]
    if not all(any(rows[name].std(0).any() for name in names_) for rows in (fit, score) for names_ in (source, [wide])):
        return dict.fromkeys(names, math.nan)
    rng = generator(seed, "comparison", "nonlinear", prefix, len(source))
    kernel = nonlinear_span_error(fit, score, source=source, target=wide, rng=rng).error
    network = mlp_span_error(fit, score, source=source, target=wide, rng=rng)
    return dict(zip(names, (kernel, network.linear, network.error)))
