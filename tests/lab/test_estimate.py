"""Intervals at any level, the tests that follow from them, and estimates made of other estimates."""

import math
import pickle

import numpy as np
import pytest
from scipy import stats

from lab import combine
from lab import estimate as of
from lab.combine import largest, widened
from lab.errors import InputError
from lab.estimate import Estimate, exact, mean_interval
from lab.intervals import LEAST_P

VALUES = np.random.default_rng(0).standard_normal(5)


# ------------------------------------------------------------------------------------------------------ one quantity
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.9999])
def test_a_mean_has_students_interval_at_any_level(level):
    found = mean_interval(VALUES).at(level)
    np.testing.assert_allclose(found, stats.t.interval(level, 4, VALUES.mean(), stats.sem(VALUES)))
    by_hand = Estimate(*(getattr(mean_interval(VALUES), name) for name in ("mean", "low", "high", "n")))
    np.testing.assert_allclose(by_hand.at(level), found)  # one made by hand is stretched as a t interval is


@pytest.mark.parametrize("bound", [-3.0, -0.5, 0.0, 0.4, 2.0])
def test_p_values_are_those_of_the_t_test(bound):
    found = mean_interval(VALUES)
    for side, p in (("greater", found.p_above(bound)), ("less", found.p_below(bound))):
        np.testing.assert_allclose(p, stats.ttest_1samp(VALUES, bound, alternative=side).pvalue, rtol=1e-6)
    np.testing.assert_allclose(found.p_above(bound) + found.p_below(bound), 1)


@pytest.mark.parametrize("successes, n", [(0, 9), (3, 9), (9, 9), (470, 1000)])
def test_a_share_has_wilsons_interval_and_the_score_test(successes, n):
    found = of.share_interval(successes, n)
    for level in (0.8, 0.95, 0.999):
        want = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
        np.testing.assert_allclose(found.at(level), (want.low, want.high), atol=1e-12)
    for bound in (0.2, 0.6):  # Wilson's interval is the score test turned round
        z = (successes / n - bound) / math.sqrt(bound * (1 - bound) / n)
        np.testing.assert_allclose(found.p_above(bound), max(stats.norm.sf(z), LEAST_P), rtol=1e-5)
        np.testing.assert_allclose(found.p_below(bound), max(stats.norm.cdf(z), LEAST_P), rtol=1e-5)


def test_p_values_of_what_is_certain_or_unknown():
    assert (exact(1.0).p_above(0.5), exact(1.0).p_above(1.0), exact(1.0).p_below(0.5)) == (0.0, 1.0, 1.0)
    one = mean_interval(VALUES)
    assert (one.p_above(-math.inf), one.p_above(math.inf), one.p_below(math.inf)) == (0.0, 1.0, 0.0)
    for unknown in (mean_interval([2.0]), mean_interval([1.0, 1.0, 1.0]), Estimate(1.0, math.nan, 2.0, 3),
                    Estimate(1.0, 2.0, 1.0, 3)):
        assert math.isnan(unknown.p_above(0.0)) and math.isnan(unknown.p_below(0.0))
    with pytest.raises(InputError, match="two runs"):
        mean_interval([2.0]).at(0.9)


def test_a_geometric_mean():
    values = np.exp(VALUES)
    found, logs = mean_interval(values, log=True), mean_interval(VALUES)
    np.testing.assert_allclose((found.mean, *found.at(0.8)), np.exp((logs.mean, *logs.at(0.8))))
    assert math.isclose(found.p_above(0.9), logs.p_above(math.log(0.9)), rel_tol=1e-6)
    for values in ([1.0, 0.0], [], [1.0, math.inf]):
        with pytest.raises(InputError):
            mean_interval(values, log=True)


def test_an_interval_that_is_cut_stays_in_its_range():
    found = combine.bounded(mean_interval([0.99, 1.0, 0.92]), 0, 1)
    assert found.high == 1 and found.at(0.999) == (max(0, mean_interval([0.99, 1.0, 0.92]).at(0.999)[0]), 1)
    assert found.p_above(0.9) == pytest.approx(mean_interval([0.99, 1.0, 0.92]).p_above(0.9))


def test_estimates_go_to_other_processes():
    one = mean_interval(VALUES)
    for found in (one, of.transformed(one, math.exp), largest(one, exact(0)), combine.share_difference(1, 4, 2, 5),
                  combine.bounded(of.share_interval(1, 4), 0, 1)):
        assert pickle.loads(pickle.dumps(found)).at(0.9) == found.at(0.9)


# ------------------------------------------------------------------------------------------ made from other estimates
def test_the_difference_of_shares_is_newcombes():
    # Newcombe 1998, table II, method 10: 56/70 - 48/80 and 9/10 - 3/10
    found = combine.share_difference(56, 70, 48, 80)
    np.testing.assert_allclose((found.low, found.high), (0.0524, 0.3339), atol=5e-5)
    found = combine.share_difference(9, 10, 3, 10)
    np.testing.assert_allclose((found.low, found.high), (0.1705, 0.8090), atol=5e-5)


def test_differences_of_exact_values_and_single_runs():
    assert combine.difference(exact(2.0), exact(0.5)) == exact(1.5)
    found = combine.difference(mean_interval(VALUES), exact(1.0))
    np.testing.assert_allclose(found.at(0.9), np.array(mean_interval(VALUES).at(0.9)) - 1)
    assert not combine.difference(mean_interval([1.0]), mean_interval(VALUES)).has_interval


@pytest.mark.parametrize("n, correlation", [(3, 0.0), (10, 0.0), (10, 0.6)])
def test_each_end_misses_the_larger_mean_at_its_rate(n, correlation):
    # equal means are the worst case below, where the plain interval's lower end errs nearly twice as often as it says
    rng, runs = np.random.default_rng(0), 4000
    root = np.linalg.cholesky([[1, correlation], [correlation, 1]])
    low = high = plain = 0
    for values in rng.standard_normal((runs, n, 2)) @ root.T:
        pair = [mean_interval(values[:, k]) for k in (0, 1)]
        found = largest(*pair)
        low, high = low + (found.low > 0), high + (found.high < 0)
        plain += max(pair, key=lambda e: e.mean).low > 0
    bound = 0.025 + 3 * np.sqrt(0.025 * 0.975 / runs)
    assert low / runs < bound and high / runs < bound < plain / runs


def test_apart_the_larger_one_decides():
    rng = np.random.default_rng(0)
    far, near = mean_interval(5 + rng.standard_normal(8)), mean_interval(rng.standard_normal(8))
    found = largest(near, far)
    assert (found.mean, found.high, found.n) == (far.mean, far.high, 8) and near.low < found.low < far.low


def test_missing_candidates():
    one = mean_interval([1.0, 2.0, 4.0])
    assert largest(None, None) is None
    assert largest(one, None) == largest(None, one) and largest(one, None).low == widened(one, 2).low < one.low
    unknown = largest(one, Estimate(9.0))
    assert (unknown.mean, unknown.n, unknown.has_interval) == (9.0, 1, False)
    assert largest(exact(2.0), exact(1.0)).at(0.9) == (2.0, 2.0)


def test_widened_is_student_at_a_smaller_level():
    found = widened(mean_interval(VALUES), 4)
    want = stats.t.interval(1 - 0.05 / 4, 4, VALUES.mean(), stats.sem(VALUES))
    np.testing.assert_allclose((found.low, found.high), want)
    assert widened(mean_interval(VALUES), 1) == mean_interval(VALUES)
    with pytest.raises(InputError):
        widened(found, 0)


@pytest.mark.parametrize("function", [math.exp, math.expm1])
def test_ends_far_out_are_infinite_and_no_error(function):
    """Two values far apart: at a high level the ends of a function of their mean are beyond what a float holds."""
    e = of.transformed(mean_interval([-7.0, 7.0]), function)
    assert e.at(1 - 1e-9)[1] == math.inf and 0 <= e.p_above(1.0) <= 1 and 0 <= e.p_below(1.0) <= 1
