"""The mean effect over settings: random effects with Hartung and Knapp's interval, and a prediction for a new setting.

Settings that measure the same networks and data, in whole or in part, are one cluster: its effect is their mean, and its
standard error the mean of theirs, which is the largest that it can be, however they depend on each other.

A standard error from a few replicas is uncertain, and as a weight it favours settings that chance gave a small one: with
three replicas the mean of 20 settings on the bound would be said to lie inside in 6 % of repetitions in place of 2.5 %. So
the errors are moderated first: each is drawn towards what all have in common, the more, the fewer its replicas and the less
the settings differ in their errors.
"""

import math
from collections.abc import Iterable, Mapping
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
    clusters : the effects that it is the mean of.
    spread : standard deviation of the true effects between settings (Paule and Mandel).
    prediction : 95 % interval for the true effect in a new setting.
    """

    mean: Estimate
    clusters: Mapping[str, "Cluster"]
    spread: float
    prediction: tuple[float, float]


@dataclass(frozen=True)
class Cluster:
    """Settings that measure the same: their mean effect, its standard error and that error's degrees of freedom."""

    effect: float
    error: float
    freedom: float


def clusters(evidence: Iterable[Evidence]) -> dict[str, Cluster]:
    """The clusters of sampled settings by name."""
    groups: dict[str, list[Estimate]] = {}
    for item in evidence:
        if not item.estimate.is_exact:
            groups.setdefault(item.cluster_name, []).append(item.estimate)
    return {name: Cluster(sum(e.mean for e in group) / len(group), sum(e.error for e in group) / len(group),
                          min(e.freedom for e in group)) for name, group in groups.items()}


def moderated(errors: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """Standard errors, those that were estimated drawn towards what they have in common.

    Variances are taken to vary between settings like a scaled inverse chi-squared variable, whose scale and degrees of
    freedom follow from the mean and variance of their logarithms.

    Parameters
    ----------
    errors, freedom : (k,); with infinite freedom an error is known and left alone.

    Source: Smyth 2004, Statistical Applications in Genetics and Molecular Biology 3, 3 (section 6.2).
    """
    from scipy.optimize import brentq
    from scipy.special import digamma, polygamma

    few = np.isfinite(freedom)
    if few.sum() < 3:
        return errors
    d, variances = freedom[few], errors[few] ** 2
    logs = np.log(variances) - digamma(d / 2) + np.log(d / 2)
    more = float(logs.var(ddof=1) - polygamma(1, d / 2).mean())  # than chance makes them vary
    if more <= 1e-6:
        common = np.full_like(variances, d @ variances / d.sum())
    else:
        own = brentq(lambda x: float(polygamma(1, x / 2)) - more, 1e-4, 1e8)
        scale = math.exp(logs.mean() + digamma(own / 2) - math.log(own / 2))
        common = (own * scale + d * variances) / (own + d)
    found = errors.copy()
    found[few] = np.sqrt(common)
    return found


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
    effects, errors, freedom = np.array([(c.effect, c.error, c.freedom) for c in found.values()]).T
    if not np.all(errors > 0):
        return None
    errors = moderated(errors, freedom)
    variance = spread_between(effects, errors)
    weights = 1 / (errors**2 + variance)
    mean = float(weights @ effects / weights.sum())
    between = effects.size - 1.0  # degrees of freedom
    factor = max(1.0, float(weights @ (effects - mean) ** 2) / between)
    error = math.sqrt(factor / weights.sum())
    ahead = student(mean, math.sqrt(variance + error**2), effects.size, between)
    return Pool(student(mean, error, effects.size, between), found, math.sqrt(variance), (ahead.low, ahead.high))
