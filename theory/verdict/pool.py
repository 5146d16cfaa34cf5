"""The mean effect over settings: random effects with Hartung and Knapp's interval, and a prediction for a new setting.

Settings that measure the same networks and data, in whole or in part, form one cluster. Its effect is their mean, and its
standard error the mean of theirs, which is the largest possible one, whatever their dependence.

A standard error from a few replicas is uncertain, and as a weight it favours settings whose error happens to be small: with
three replicas, the mean of 20 settings on the bound would be judged to lie inside in 6 % of repetitions instead of 2.5 %. So
the errors are moderated first: each is shrunk towards a common value, the more so the fewer its replicas and the less the
settings differ in their errors.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lab.estimate import Estimate, student
from theory.claims import Evidence

LEAST_CLUSTERS = 5  # with fewer, the variance between settings is too uncertain


@dataclass(frozen=True)
class Pool:
    """Mean over clusters.

    Attributes
    ----------
    mean : Estimate
        Mean with Hartung and Knapp's interval; its ``n`` is the number of clusters.
    clusters : mapping of str to Cluster
        The clusters by name.
    spread : float
        Standard deviation of the true effects between settings (Paule and Mandel).
    prediction : (float, float)
        95 % interval for the true effect in a new setting.
    """

    mean: Estimate
    clusters: Mapping[str, "Cluster"]
    spread: float
    prediction: tuple[float, float]


@dataclass(frozen=True)
class Cluster:
    """Settings that share networks or data: their mean effect, its standard error and the error's degrees of freedom."""

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
    """Standard errors, with the estimated ones shrunk towards a common value.

    Variances are assumed to vary between settings like a scaled inverse chi-squared variable, whose scale and degrees of
    freedom follow from the mean and variance of their logarithms.

    Parameters
    ----------
    errors, freedom : ndarray of shape (k,)
        Standard errors and their degrees of freedom; with infinite freedom an error is known and left unchanged.

    Source: Smyth 2004, Statistical Applications in Genetics and Molecular Biology 3, 3 (section 6.2).
    """
    from scipy.optimize import brentq
    from scipy.special import digamma, polygamma

    few = np.isfinite(freedom)
    if few.sum() < 3:
        return errors
    d, variances = freedom[few], errors[few] ** 2
    logs = np.log(variances) - digamma(d / 2) + np.log(d / 2)
    excess = float(logs.var(ddof=1) - polygamma(1, d / 2).mean())  # variance of the logarithms beyond that of chance
    if excess <= 1e-6:
        shrunk = np.full_like(variances, d @ variances / d.sum())
    else:
        prior = brentq(lambda x: float(polygamma(1, x / 2)) - excess, 1e-4, 1e8)  # degrees of freedom
        scale = math.exp(logs.mean() + digamma(prior / 2) - math.log(prior / 2))
        shrunk = (prior * scale + d * variances) / (prior + d)
    result = errors.copy()
    result[few] = np.sqrt(shrunk)
    return result


def spread_between(effects: np.ndarray, errors: np.ndarray) -> float:
    """Variance of true effects between settings, as Paule and Mandel estimate it (0 if the errors explain all).

    Parameters
    ----------
    effects, errors : ndarray of shape (k,)
        k >= 2; the errors are positive.
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
    by_name = clusters(evidence)
    if len(by_name) < LEAST_CLUSTERS:
        return None
    effects, errors, freedom = np.array([(c.effect, c.error, c.freedom) for c in by_name.values()]).T
    if not np.all(errors > 0):
        return None
    errors = moderated(errors, freedom)
    variance = spread_between(effects, errors)
    weights = 1 / (errors**2 + variance)
    mean = float(weights @ effects / weights.sum())
    between = effects.size - 1.0  # degrees of freedom
    factor = max(1.0, float(weights @ (effects - mean) ** 2) / between)
    error = math.sqrt(factor / weights.sum())
    new = student(mean, math.sqrt(variance + error**2), effects.size, between)
    return Pool(student(mean, error, effects.size, between), by_name, math.sqrt(variance), (new.low, new.high))
