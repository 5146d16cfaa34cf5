"""The larger of two estimates has an interval for the larger of two means."""

import numpy as np
import pytest
from scipy import stats

from lab.errors import InputError
from lab.estimate import Estimate, exact, mean_interval, widened
from theory.claims import UNDECIDED, Rule
from theory.unit_evidence import larger


@pytest.mark.parametrize("n, correlation", [(3, 0.0), (10, 0.0), (10, 0.6)])
def test_each_end_misses_the_larger_mean_at_its_rate(n, correlation):
    # equal means are the worst case below, where the plain interval's lower end errs nearly twice as often as it says
    rng, runs = np.random.default_rng(0), 4000
    root = np.linalg.cholesky([[1, correlation], [correlation, 1]])
    low = high = plain = 0
    for values in rng.standard_normal((runs, n, 2)) @ root.T:
        pair = [mean_interval(values[:, k]) for k in (0, 1)]
        found = larger(*pair)
        low, high = low + (found.low > 0), high + (found.high < 0)
        plain += max(pair, key=lambda e: e.mean).low > 0
    bound = 0.025 + 3 * np.sqrt(0.025 * 0.975 / runs)
    assert low / runs < bound and high / runs < bound < plain / runs


def test_apart_the_larger_one_decides():
    rng = np.random.default_rng(0)
    far, near = mean_interval(5 + rng.standard_normal(8)), mean_interval(rng.standard_normal(8))
    found = larger(near, far)
    assert (found.mean, found.high, found.n) == (far.mean, far.high, 8) and near.low < found.low < far.low


def test_missing_candidates():
    one = mean_interval([1.0, 2.0, 4.0])
    assert larger(None, None) is None
    assert larger(one, None) == larger(None, one) and larger(one, None).low == widened(one, 2).low < one.low
    assert larger(one, Estimate(9.0, None, None, 1)) == Estimate(9.0, None, None, 1)
    assert larger(exact(2.0), exact(1.0)) == Estimate(2.0, 2.0, 2.0, 0)


def test_widened_is_student_at_a_smaller_level():
    values = np.random.default_rng(0).standard_normal(5)
    found = widened(mean_interval(values), 4)
    want = stats.t.interval(1 - 0.05 / 4, 4, values.mean(), stats.sem(values))
    np.testing.assert_allclose((found.low, found.high), want)
    assert widened(mean_interval(values), 1) == mean_interval(values)
    with pytest.raises(InputError):
        widened(found, 0)


@pytest.mark.parametrize("low, high", [(np.nan, -1.0), (1.0, np.nan), (np.nan, np.nan), (2.0, 1.0)])
def test_a_bound_that_is_no_number_decides_nothing(low, high):
    for rule in (Rule(above=0.0), Rule(below=0.0), Rule(above=-5.0, below=5.0)):
        assert rule.judge(Estimate(1.0, low, high, 3)) == UNDECIDED
