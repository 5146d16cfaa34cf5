"""How often intervals cover what they are intervals of: exactly for shares, by simulation for means."""

import math

import numpy as np
import pytest
from scipy import stats

from lab.combine import bounded, difference, largest, share_difference
from lab.estimate import mean_interval, share_interval

REPETITIONS = 4000  # a coverage of 95 % is known to 0.35 %


def covered(make, truth, draws) -> float:
    """Share of the draws whose interval holds the true value."""
    found = (make(values) for values in draws)
    return sum(e.low <= truth <= e.high for e in found) / len(draws)


def normal(n, seed=0):
    return np.random.default_rng(seed).standard_normal((REPETITIONS, n))


@pytest.mark.parametrize("n", [3, 5, 8])
def test_t_of_normal_values(n):
    assert 0.94 < covered(mean_interval, 0.0, normal(n)) < 0.96


def share_coverage(n, p, **how) -> np.ndarray:
    """(shares,) probability that the interval of a share holds it."""
    counts = np.arange(n + 1)
    ends = [(e.low, e.high) for e in (share_interval(k, n, **how) for k in counts)]
    held = np.array([(low <= p) & (p <= high) for low, high in ends])  # (n + 1, shares)
    return (held * stats.binom.pmf(counts[:, None], n, p)).sum(0)


@pytest.mark.parametrize("n", [5, 20, 50])
def test_shares(n):
    p = np.linspace(0.0005, 0.9995, 1000)
    assert 0.94 < share_coverage(n, p).mean() < 0.96
    assert share_coverage(n, p, at_least=True).min() >= 0.95 > share_coverage(n, p).min()
    for successes in range(n + 1):
        want = stats.binomtest(successes, n).proportion_ci(0.95, method="exact")
        found = share_interval(successes, n, at_least=True)
        np.testing.assert_allclose((found.low, found.high), (want.low, want.high), atol=1e-12)


@pytest.mark.parametrize("n, least, most", [(3, 0.88, 0.92), (5, 0.87, 0.905), (8, 0.87, 0.91)])
def test_skewed_values_need_logarithms(n, least, most):
    draws = np.exp(0.7 * normal(n))
    assert least < covered(mean_interval, math.exp(0.7**2 / 2), draws) < most  # as the table of lab.estimate says
    assert 0.94 < covered(lambda values: mean_interval(values, log=True), 1.0, draws) < 0.96


def test_differences_of_means_and_shares():
    draws = normal(13)
    found = covered(lambda v: difference(mean_interval(v[:5]), mean_interval(3 * v[5:])), 0.0, draws)
    assert 0.945 < found < 0.97
    a, b = np.random.default_rng(0).binomial(30, [[0.2], [0.6]], (2, REPETITIONS))
    assert 0.94 < covered(lambda c: share_difference(c[0], 30, c[1], 30), -0.4, np.stack([a, b], 1)) < 0.97


@pytest.mark.parametrize("gap", [0.0, 0.5])
def test_the_largest_of_three(gap):
    draws = normal(24).reshape(REPETITIONS, 3, 8)[: REPETITIONS // 2] + np.array([0, 0, gap])[:, None]
    assert covered(lambda v: largest(*map(mean_interval, v)), gap, draws) > 0.95 - 0.008


def test_intervals_of_shares_and_agreements_stay_in_their_range():
    rng = np.random.default_rng(1)
    for _ in range(200):
        n = int(rng.integers(2, 12))
        a, b = rng.integers(0, n + 1, 2)
        for e, least in ((share_interval(a, n), 0), (share_interval(a, n, at_least=True), 0), (share_difference(a, n, b, n), -1),
                         (bounded(mean_interval(rng.uniform(0.9, 1, n)), 0, 1), 0)):
            for level in (0.5, 0.95, 0.9999):
                low, high = e.at(level)
                assert least - 1e-12 <= low <= e.mean <= high <= 1 + 1e-12
