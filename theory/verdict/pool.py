"""The mean effect over settings: random effects with Hartung and Knapp's interval, and a prediction for a new setting.

Settings that measure the same networks and data, in whole or in part, are one cluster: its effect is their mean, and its
standard error the mean of theirs, which is the largest that it can be, however they depend on each other.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lab.estimate import Estimate, student
from theory.claims import Evidence

LEAST_CLUSTERS = 5  # fewer say too little of how settings differ


@dataclass(frozen=True)
class Pool:
    """Mean over clusters.

    Attributes
    ----------
    mean : with Hartung and Knapp's interval; its ``n`` is the number of clusters.
    spread : standard deviation of the true effects between settings (Paule and Mandel).
    prediction : 95 % interval for the true effect in a new setting.
    """

    mean: Estimate
    spread: float
    prediction: tuple[float, float]


def clusters(evidence: Iterable[Evidence]) -> dict[str, tuple[float, float]]:
    """(effect, standard error) of every cluster of sampled settings, by its name."""
    groups: dict[str, list[Estimate]] = {}
    for item in evidence:
        if not item.estimate.is_exact:
            groups.setdefault(item.cluster or item.setting, []).append(item.estimate)
    return {name: (float(np.mean([e.mean for e in group])), float(np.mean([e.error for e in group])))
            for name, group in groups.items()}


def spread_between(effects: np.ndarray, errors: np.ndarray) -> float:
    """Variance of true effects between settings, as Paule and Mandel estimate it (0 if the errors explain all).

    Parameters
    ----------
    effects, errors : (k,), k >= 2; the errors are positive.
    """
    from scipy.optimize import brentq

    def excess(variance: float) -> float:
        weights = 1 / (errors**2 + variance)
        mean = weights @ effects / weights.sum()
        return float(weights @ (effects - mean) ** 2) - (effects.size - 1)

    if excess(0.0) <= 0:
        return 0.0
    top = float(effects.var(ddof=1)) + 1e-300
    while excess(top) > 0:
        top *= 2
    return float(brentq(excess, 0.0, top))


def pool(evidence: Iterable[Evidence]) -> Pool | None:
    """The mean effect over clusters; None with fewer than :data:`LEAST_CLUSTERS`.

    Source: Hartung & Knapp 2001, Statistics in Medicine 20, 3875 (the factor never below 1: Roever, Knapp & Friede 2015).
    """
    found = clusters(evidence)
    if len(found) < LEAST_CLUSTERS:
        return None
    effects, errors = np.array(list(found.values())).T
    if not np.all(errors > 0):
        return None
    variance = spread_between(effects, errors)
    weights = 1 / (errors**2 + variance)
    mean = float(weights @ effects / weights.sum())
    freedom = effects.size - 1
    factor = max(1.0, float(weights @ (effects - mean) ** 2) / freedom)
    error = math.sqrt(factor / weights.sum())
    ahead = student(mean, math.sqrt(variance + error**2), effects.size, freedom)
    return Pool(student(mean, error, effects.size, freedom), math.sqrt(variance), (ahead.low, ahead.high))
